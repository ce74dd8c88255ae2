"""Seeds that were finished before an interruption are taken up, and nothing else is."""

import json

import pytest

from remnist.errors import UserError
from remnist.learning.loop import run_seed
from remnist.runtime import finished
from remnist.runtime.finished import Finished
from remnist.runtime.local import Run


@pytest.fixture
def run(entry, prepared) -> Run:
    """A run of seed 0."""
    entry["train"]["epochs"] = 2
    return run_seed(entry, 0, prepared, lambda _: None)


def test_a_finished_seed_comes_back_as_it_was(entry, prepared, tmp_path, run):
    kept = Finished(tmp_path / "kept", entry, prepared)
    assert list(kept.runs([0, 3])) == []
    kept.keep(run)
    entry["seeds"] = [3, 0]  # it is no other run for being one of others
    [again] = Finished(tmp_path / "kept", entry, prepared).runs(entry["seeds"])
    assert again == run
    assert [epoch.number for epoch in again.epochs()] == [1, 2]
    kept.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_curve_that_diverged_comes_back(entry, prepared, tmp_path):
    entry["train"]["lr"] = 1e30
    run = run_seed(entry, 0, prepared, lambda _: None)
    kept = Finished(tmp_path, entry, prepared)
    kept.keep(run)
    [again] = kept.runs([0])
    assert repr(again) == repr(run)
    assert "nan" in repr(again.curve)


@pytest.mark.parametrize("change", ["seed", "settings", "data", "code", "library"])
def test_what_something_else_left_is_not_taken(entry, prepared, tmp_path, run, monkeypatch, change):
    kept = tmp_path / "kept"
    Finished(kept, entry, prepared).keep(run)
    seed, data = 0, prepared
    match change:
        case "seed":
            seed = 1
        case "settings":
            entry["train"]["lr"] = 0.5
        case "data":
            data = tmp_path / "images.safetensors"
            data.write_bytes(prepared.read_bytes().replace(b"\x01", b"\x02"))
        case "code":
            monkeypatch.setattr(finished, "SOURCES", ("training",))
        case "library":
            monkeypatch.setattr(finished, "version", lambda _: "9")
    assert list(Finished(kept, entry, data).runs([seed])) == []


@pytest.mark.parametrize("damage", ["weights cut", "weights turned", "no weights", "curve cut", "no curve", "no hash"])
@pytest.mark.fault("finished seeds damaged")
def test_what_is_damaged_is_not_taken(entry, prepared, tmp_path, run, damage):
    kept = Finished(tmp_path, entry, prepared)
    kept.keep(run)
    [weights], [curve] = tmp_path.rglob("seed-0.safetensors"), tmp_path.rglob("seed-0.json")
    match damage:
        case "weights cut":
            weights.write_bytes(run.weights[:-1])
        case "weights turned":
            weights.write_bytes(run.weights[:-1] + bytes([run.weights[-1] ^ 1]))
        case "no weights":
            weights.unlink()
        case "curve cut":
            curve.write_text(curve.read_text()[:-5])
        case "no curve":
            curve.unlink()
        case "no hash":
            curve.write_text(json.dumps({"epochs": []}))
    assert list(kept.runs([0])) == []


def test_missing_data_is_an_error_of_one_line(entry, tmp_path):
    with pytest.raises(UserError, match="`dvc repro preprocess` makes it"):
        Finished(tmp_path, entry, tmp_path / "none")
