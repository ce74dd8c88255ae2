"""Learning curves are written as DVCLive's Live does; each epoch is shown once."""

import math
from pathlib import Path

import pytest

from remnist.learning.runs import Epoch, Run
from remnist.runtime.progress import Progress, files

CURVE = [
    {"train/loss": 0.5, "train/accuracy": 0.25, "validation/loss": math.inf, "validation/accuracy": 0.1},
    {"train/loss": 1e-9, "train/accuracy": 1.0, "validation/loss": math.nan, "validation/accuracy": 1 / 3},
]


def test_the_files_are_those_of_dvclives_live(tmp_path, monkeypatch):
    from dvclive.live import Live

    monkeypatch.setenv("DVCLIVE_LOGLEVEL", "ERROR")
    monkeypatch.chdir(tmp_path)
    live = Live("theirs", dvcyaml=False, save_dvc_exp=False)
    live.step = 1
    for metrics in CURVE:
        for name, value in metrics.items():
            live.log_metric(name, value)
        live.next_step()
    live.end()
    theirs = Path("theirs")
    expected = {path.relative_to(theirs).as_posix(): path.read_text() for path in theirs.rglob("*") if path.is_file()}
    assert files(Run(3, b"", CURVE)) == expected


@pytest.mark.parametrize("reported", [[1, 1, 2, 2], [1, 2, 1], [2, 1, 2]])
def test_an_epoch_is_shown_once_and_in_turn(variant, capsys, reported):
    with Progress({"x": variant}, {"x": 1.0}, {"x": 1}) as progress:
        shown = [number for number in reported if progress.show("x", Epoch(0, number, CURVE[number - 1]))]
    assert shown == [1, 2]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "x seed 0 epoch 1/1: train loss 0.5000, validation accuracy 10.00%"
    assert len(lines) == 2
