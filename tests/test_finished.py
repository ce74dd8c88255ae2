"""Seeds that were finished before an interruption are taken up, and nothing else is."""

import json

import pytest

from remnist.common.errors import UserError
from remnist.training import finished
from remnist.training.loop import run_seed


@pytest.fixture
def runs(monkeypatch):
    """The seeds that were really trained."""
    seeds = []

    def counted(settings, seed, data_path, on_epoch):
        seeds.append(seed)
        return run_seed(settings, seed, data_path, on_epoch)

    monkeypatch.setattr(finished, "run_seed", counted)
    finished._identity.cache_clear()
    yield seeds
    finished._identity.cache_clear()


def test_a_finished_seed_is_not_trained_again_and_tells_the_same(entry, prepared, tmp_path, runs):
    entry["train"]["epochs"] = 2
    first, second = [], []
    weights = finished.run_seed_once(entry, 3, prepared, first.append, tmp_path)
    assert finished.run_seed_once(entry, 3, prepared, second.append, tmp_path) == weights
    assert weights == run_seed(entry, 3, prepared, lambda _: None)
    assert first == second
    assert len(first) == 2
    assert runs == [3]


def test_a_curve_that_diverged_comes_back(entry, prepared, tmp_path, runs):
    entry["train"]["lr"] = 1e30
    first, second = [], []
    for told in (first, second):
        finished.run_seed_once(entry, 0, prepared, told.append, tmp_path)
    assert runs == [0]
    assert repr(first) == repr(second)
    assert "nan" in repr(first)


@pytest.mark.parametrize("change", ["seed", "settings", "data", "code", "library"])
def test_what_something_else_left_is_not_taken(entry, prepared, tmp_path, runs, monkeypatch, change):
    kept = tmp_path / "kept"
    finished.run_seed_once(entry, 0, prepared, lambda _: None, kept)
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
    finished._identity.cache_clear()
    finished.run_seed_once(entry, seed, data, lambda _: None, kept)
    assert len(runs) == 2


@pytest.mark.parametrize("damage", ["weights cut", "weights turned", "no weights", "curve cut", "no curve", "no hash"])
@pytest.mark.fault("finished seeds damaged")
def test_what_is_damaged_is_not_taken(entry, prepared, tmp_path, runs, damage):
    whole = finished.run_seed_once(entry, 0, prepared, lambda _: None, tmp_path)
    [weights], [curve] = tmp_path.rglob("seed-0.safetensors"), tmp_path.rglob("seed-0.json")
    match damage:
        case "weights cut":
            weights.write_bytes(whole[:-1])
        case "weights turned":
            weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        case "no weights":
            weights.unlink()
        case "curve cut":
            curve.write_text(curve.read_text()[:-5])
        case "no curve":
            curve.unlink()
        case "no hash":
            curve.write_text(json.dumps({"epochs": []}))
    assert finished.run_seed_once(entry, 0, prepared, lambda _: None, tmp_path) == whole
    assert runs == [0, 0]


def test_missing_data_is_an_error_of_one_line(entry, tmp_path, runs):
    with pytest.raises(UserError, match="`dvc repro preprocess` makes it"):
        finished.run_seed_once(entry, 0, tmp_path / "none", lambda _: None, tmp_path)
