"""What `remnist worker` starts, and what it refuses."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from remnist import cli
from remnist.learning import numerics


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines of Dask's workers, none of which starts."""
    lines: list[list[str]] = []
    dask_worker = SimpleNamespace(main=lambda line, prog_name: lines.append(line))
    monkeypatch.setitem(sys.modules, "distributed.cli.dask_worker", dask_worker)
    monkeypatch.setattr(numerics, "pin", lambda kind: os.environ.update(PINNED_AS=kind))
    monkeypatch.setenv("PINNED_AS", "")
    return lines


def test_it_starts_pinned_workers_of_one_thread_whatever_the_options(started, monkeypatch):
    monkeypatch.setenv("REMNIST_WORKERS", "3")
    cli.main(["worker", "--numerics", "native", "tcp://127.0.0.1:1", "--", "--nthreads", "9", "--interface", "lo"])
    [line] = started
    chosen = {option: line[i + 1] for i, option in enumerate(line[:-1]) if option.startswith("--")}
    assert line[0] == "tcp://127.0.0.1:1"
    assert chosen.items() >= {"--nworkers": "3", "--nthreads": "1", "--interface": "lo"}.items()
    assert chosen["--resources"] == "native=1"
    assert os.environ["PINNED_AS"] == "native"
    assert not Path(chosen["--local-directory"]).exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--workers", "0", "tcp://127.0.0.1:1"], "--workers: 0: allowed: 1 or more"),
        (["mars://127.0.0.1:1"], "mars://127.0.0.1:1: no address of a Dask scheduler"),
        (["127.0.0.1"], "127.0.0.1: no address of a Dask scheduler"),
    ],
)
def test_what_cannot_be_started(started, words, named):
    with pytest.raises(SystemExit, match=f"error: {named}"):
        cli.main(["worker", *words])
    assert not started
