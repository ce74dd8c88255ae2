"""Which DVC runs what and when, where several run side by side."""

import subprocess
from pathlib import Path

import pytest

from remnist.commands import repro
from remnist.commands.repro import Lanes
from remnist.files import write_json


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Note what DVC is asked for and let it succeed at once, but for what it cannot do."""
    requests: list[list[str]] = []

    def start_dvc(*arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        requests.append([*arguments, *(f"{name}={value}" for name, value in environment.items())])
        return subprocess.Popen(["false" if "train@impossible" in arguments else "true"])

    monkeypatch.setattr(repro, "start_dvc", start_dvc)
    return requests


def test_longest_variants_come_first_and_short_ones_together(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    write_json(
        Path("plan.json"), {name: {"seeds": [0, 1]} for name in ("long", "fresh", "short", "shorter", "longest")}
    )
    seconds = {"long": 2e3, "fresh": 1e4, "short": 3, "shorter": 2, "longest": 3e4}
    monkeypatch.setattr(repro, "seconds_of_a_run", lambda _: seconds)
    monkeypatch.setattr(repro, "DATA", Path("images"))
    Path("images").write_bytes(bytes(1_000_000))
    monkeypatch.setattr(repro, "MNIST_BYTES", 1e6)
    stale = set(seconds) - {"fresh"}
    assert list(repro.parts(stale, 2)) == [["longest"], ["long"], ["short", "shorter"]]
    assert list(repro.parts(set(), 2)) == []


def test_stages_of_a_variant_follow_each_other_and_lanes_share_the_cores(asked):
    repro.run_all([Lanes(["train", "evaluate"], 2, [["a", "b"], ["c"]])], cores=4)
    command = ["repro", "--single-item"]
    assert asked == [
        [*command, "train@a", "evaluate@a", "train@b", "evaluate@b", "REMNIST_WORKERS=2"],
        [*command, "train@c", "evaluate@c", "REMNIST_WORKERS=2"],
    ]


def test_what_is_trained_elsewhere_is_evaluated_while_others_train(asked):
    evaluate = Lanes(["evaluate"], 1, [["z"]])
    repro.run_all([Lanes(["train"], 1, [["a"], ["b"], ["c"]], evaluate), evaluate], cores=1)
    order = [request[2] for request in asked]
    assert [name for name in order if name.startswith("train")] == ["train@a", "train@b", "train@c"]
    assert [name for name in order if name.startswith("evaluate")] == [f"evaluate@{name}" for name in "zabc"]
    assert order.index("evaluate@a") < order.index("train@c")


def test_a_failure_ends_all_lanes_with_its_status(asked):
    evaluate = Lanes(["evaluate"], 1, [])
    with pytest.raises(SystemExit) as ended:
        repro.run_all([Lanes(["train"], 1, [["a"], ["impossible"], ["c"]], evaluate), evaluate], cores=1)
    assert ended.value.code == 1
    assert "train@c" not in [request[2] for request in asked]
