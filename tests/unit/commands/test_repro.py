"""Several DVCs side by side: which runs which stage, and when, and how Ctrl-C ends them."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remnist.commands import demo, lanes, repro
from remnist.commands.lanes import Lanes
from remnist.files import write_json


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Note what DVC is asked for and let it succeed at once, but for what it cannot do."""
    requests: list[list[str]] = []

    def start_dvc(*arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        requests.append([*arguments, *(f"{name}={value}" for name, value in environment.items())])
        return subprocess.Popen(["false" if "train@impossible" in arguments else "true"])

    monkeypatch.setattr(lanes, "start_dvc", start_dvc)
    return requests


def test_longest_variants_come_first_and_short_ones_together(monkeypatch, tmp_path, variant):
    monkeypatch.chdir(tmp_path)
    settings = variant.to_json() | {"seeds": [0, 1]}
    write_json(Path("plan.json"), dict.fromkeys(("long", "fresh", "short", "shorter", "longest"), settings))
    seconds = {"long": 2e3, "fresh": 1e4, "short": 3, "shorter": 2, "longest": 3e4}
    monkeypatch.setattr(repro, "seconds_of_a_run", lambda _: seconds)
    monkeypatch.setattr(repro, "DATA", Path("images"))
    Path("images").write_bytes(bytes(1_000_000))
    monkeypatch.setattr(repro, "MNIST_BYTES", 1e6)
    stale = set(seconds) - {"fresh"}
    assert list(repro.parts(stale, 2)) == [["longest"], ["long"], ["short", "shorter"]]
    assert list(repro.parts(set(), 2)) == []


def test_a_run_takes_as_long_as_its_epochs_and_an_unknown_variant_as_the_longest(monkeypatch, variant):
    monkeypatch.chdir(demo.ROOT)
    measured = repro.seconds_of_a_run({"mlp-baseline": variant, "resnet-plain": variant, "new": variant})
    assert 0 < measured["mlp-baseline"] < measured["resnet-plain"] <= measured["new"]


def test_stages_of_a_variant_follow_each_other_and_lanes_share_the_cores(asked):
    lanes.run_all([Lanes(["train", "evaluate"], 2, [["a", "b"], ["c"]])], cores=4)
    command = ["repro", "--single-item"]
    assert asked == [
        [*command, "train@a", "evaluate@a", "train@b", "evaluate@b", "REMNIST_WORKERS=2"],
        [*command, "train@c", "evaluate@c", "REMNIST_WORKERS=2"],
    ]


def test_what_is_trained_elsewhere_is_evaluated_while_others_train(asked):
    evaluate = Lanes(["evaluate"], 1, [["z"]])
    lanes.run_all([Lanes(["train"], 1, [["a"], ["b"], ["c"]], evaluate), evaluate], cores=1)
    order = [request[2] for request in asked]
    assert [name for name in order if name.startswith("train")] == ["train@a", "train@b", "train@c"]
    assert [name for name in order if name.startswith("evaluate")] == [f"evaluate@{name}" for name in "zabc"]
    assert order.index("evaluate@a") < order.index("train@c")


def test_a_failure_ends_all_lanes_with_its_status(asked):
    evaluate = Lanes(["evaluate"], 1, [])
    with pytest.raises(SystemExit) as ended:
        lanes.run_all([Lanes(["train"], 1, [["a"], ["impossible"], ["c"]], evaluate), evaluate], cores=1)
    assert ended.value.code == 1
    assert "train@c" not in [request[2] for request in asked]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> "list[subprocess.Popen[bytes]]":
    """Let DVC take half a second, and let Ctrl-C come twice to this process while it does."""
    started: list[subprocess.Popen[bytes]] = []

    def start_dvc(*_: str, **__: str) -> "subprocess.Popen[bytes]":
        started.append(subprocess.Popen(["sleep", "0.5"]))
        for delay in ("0.1", "0.3"):
            subprocess.Popen(["sh", "-c", f"sleep {delay}; kill -INT {os.getpid()}"])
        return started[-1]

    monkeypatch.setattr(lanes, "start_dvc", start_dvc)
    return started


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Answer Ctrl-C as at a terminal; these tests may run in the background, where a shell has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    "run", [lambda: lanes.run_dvc("repro"), lambda: lanes.run_all([Lanes(["train"], 1, [["a"], ["b"]])], cores=1)]
)
def test_ctrl_c_however_often_waits_for_the_dvc_that_runs_and_starts_no_other(slow, run: Callable[[], Any]):
    with pytest.raises(KeyboardInterrupt):
        run()
    [process] = slow
    assert process.poll() == 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
