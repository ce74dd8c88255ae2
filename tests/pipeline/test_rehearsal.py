"""The rehearsal runs what the study runs, but for the training."""

from functools import partial

import pytest

from benchmarks import rehearsal
from remnist.commands import demo
from remnist.plan import entries

VARIANTS = ["mlp-baseline", "xor"]


def test_sleeping_workers_take_the_study_to_its_end(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(demo, "copy", partial(demo.copy, variants=VARIANTS, epochs=2))
    monkeypatch.setattr(rehearsal, "EVALUATION_S", 1)
    monkeypatch.setattr(rehearsal, "POLL_S", 0.1)
    monkeypatch.setenv("PYTHONPATH", "")
    found = rehearsal.rehearse(tmp_path / "copy", 16, speed=10)
    runs = sum(len(variant.seeds) for variant in entries.read(tmp_path / "copy/plan.json").values())
    assert capsys.readouterr().out.startswith(f"{runs} runs: ")
    assert 0 < found.trained < found.evaluated < found.ended
    assert found.memory > 50e6  # Python and DVC
    assert len(list(tmp_path.glob("copy/models/*/seed-*.safetensors"))) == runs
    assert {path.stem for path in tmp_path.glob("copy/evaluations/*.json")} == set(VARIANTS)


@pytest.mark.parametrize("arguments", [["--workers", "0"], ["--speed", "0"]])
def test_what_cannot_be_rehearsed(monkeypatch, arguments):
    monkeypatch.setattr("sys.argv", ["rehearsal", *arguments])
    with pytest.raises(rehearsal.UserError, match=f"{arguments[0]}: .*allowed"):
        rehearsal.main()
