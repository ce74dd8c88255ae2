"""Learning curves are written as DVCLive's Live does; each epoch is shown once."""

import math
from pathlib import Path

import pytest

from remnist.learning.runs import Epoch, Run
from remnist.runtime.progress import Progress, files

CURVE = [
    {"train/loss": 2.5, "train/accuracy": 0.125, "test/loss": 2.25, "test/accuracy": 0.1},
    {"train/loss": 0.5, "train/accuracy": 0.25, "test/loss": math.inf, "test/accuracy": 0.1, "train/batch_loss": 0.75},
    {"train/loss": 1e-9, "train/accuracy": 1.0, "test/loss": math.nan, "test/accuracy": 1 / 3, "train/batch_loss": 0.5},
]


def test_the_files_are_those_of_dvclives_live(tmp_path, monkeypatch):
    from dvclive.live import Live

    monkeypatch.setenv("DVCLIVE_LOGLEVEL", "ERROR")
    monkeypatch.chdir(tmp_path)
    live = Live("theirs", dvcyaml=False, save_dvc_exp=False)
    for metrics in CURVE:
        for name, value in metrics.items():
            live.log_metric(name, value)
        live.next_step()
    live.end()
    theirs = Path("theirs")
    expected = {path.relative_to(theirs).as_posix(): path.read_text() for path in theirs.rglob("*") if path.is_file()}
    assert files(Run(3, b"", CURVE)) == expected


@pytest.mark.parametrize("reported", [[0, 1, 1, 2, 2], [0, 0, 1, 2, 1], [1, 0, 2, 1, 2]])
def test_an_epoch_is_shown_once_and_in_turn(variant, capsys, reported):
    """The start is no epoch to show."""
    with Progress({"x": variant}, {"x": 1.0}, {"x": 1}) as progress:
        shown = [number for number in reported if progress.show("x", Epoch(0, number, CURVE[number]))]
    assert shown == [0, 1, 2]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "x seed 0 epoch 1/1: train loss 0.5000, test accuracy 10.00%"
    assert len(lines) == 2


def test_held_out_images_are_shown_where_there_are_any(variant, capsys):
    held_out = CURVE[1] | {"validation/loss": 0.5, "validation/accuracy": 0.75}
    with Progress({"x": variant}, {"x": 1.0}, {"x": 1}) as progress:
        assert progress.show("x", Epoch(0, 0, {})) and progress.show("x", Epoch(0, 1, held_out))
    assert capsys.readouterr().out == "x seed 0 epoch 1/1: train loss 0.5000, validation accuracy 75.00%\n"


def test_the_bar_is_full_when_all_epochs_are_there(variant, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Progress({"x": variant}, {"x": 2.0}, {"x": 3}) as progress:
        for done, epoch in ((0.0, 0), (progress.bar.total, 1)):
            for seed in range(3):
                progress.show("x", Epoch(seed, epoch, CURVE[1]))
            assert progress.bar.n == done
