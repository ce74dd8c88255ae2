"""Seeds that were finished before an interruption are taken up, and nothing else is."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from remnist.errors import UserError
from remnist.learning.loop import run_seed
from remnist.learning.runs import Run
from remnist.plan import digests
from remnist.runtime.finished import Finished
from remnist.settings import Variant
from tests.support import variants

TAKEN = """
import json, sys
from pathlib import Path
from remnist.runtime.finished import Finished
from remnist.settings import Variant
folder, variant, data = sys.argv[1:]
kept = Finished(Path(folder), Variant.from_json(json.loads(variant)), Path(data))
print(*(run.seed for run in kept.runs([0, 1])))
"""


@pytest.fixture
def run(variant: Variant, prepared: Path) -> Run:
    """A run of seed 0."""
    return run_seed(variant, 0, prepared, lambda _: None)


def taken_after(edit: tuple[str, str, str], tmp_path: Path, *arguments: str) -> str:
    """Return the seeds that the package takes when a text in one of its modules is replaced."""
    module, old, new = edit
    shutil.copytree(digests.PACKAGE, tmp_path / "src/remnist", ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "src/remnist" / module
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    variables = os.environ | {"PYTHONPATH": str(tmp_path / "src")}
    command = [sys.executable, "-c", TAKEN, *arguments]
    return subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def test_a_finished_seed_comes_back_as_it_was(variant, prepared, tmp_path):
    variant = variants.digits(train={"epochs": 2})
    run = run_seed(variant, 0, prepared, lambda _: None)
    kept = Finished(tmp_path / "kept", variant, prepared)
    assert list(kept.runs([0, 3])) == []
    kept.keep(run)
    others = replace(variant, seeds=[3, 0])  # a run is the same whichever others there are
    [again] = Finished(tmp_path / "kept", others, prepared).runs(others.seeds)
    assert again == run
    assert [epoch.number for epoch in again.epochs()] == [1, 2]
    kept.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_curve_that_diverged_comes_back(variant, prepared, tmp_path):
    variant = variants.digits(train={"lr": 1e30})
    run = run_seed(variant, 0, prepared, lambda _: None)
    kept = Finished(tmp_path, variant, prepared)
    kept.keep(run)
    [again] = kept.runs([0])
    assert repr(again) == repr(run)
    assert "nan" in repr(again.curve)


@pytest.mark.parametrize("change", ["seed", "settings", "data", "library"])
def test_runs_of_something_else_are_not_taken(variant, prepared, tmp_path, run, monkeypatch, change):
    kept = tmp_path / "kept"
    Finished(kept, variant, prepared).keep(run)
    seed, data = 0, prepared
    match change:
        case "seed":
            seed = 1
        case "settings":
            variant = variants.digits(train={"lr": 0.5})
        case "data":
            data = tmp_path / "images.safetensors"
            data.write_bytes(prepared.read_bytes().replace(b"\x01", b"\x02"))
        case "library":
            monkeypatch.setattr(digests, "version", lambda _: "9")
    assert list(Finished(kept, variant, data).runs([seed])) == []


@pytest.mark.parametrize(
    ("edit", "taken"),
    [
        (("learning/loop.py", "def run_seed", "# edited\ndef run_seed"), "0"),
        (("learning/loop.py", "allowed: cpu", "use cpu"), "0"),
        (("models/cnn.py", "class Cnn", "EDITED = True\n\n\nclass Cnn"), "0"),
        (("runtime/progress.py", "validation accuracy", "accuracy"), "0"),
        (("runtime/cluster.py", "def train", "EDITED = True\n\n\ndef train"), "0"),
        (("files.py", "def read_yaml", "EDITED = True\n\n\ndef read_yaml"), "0"),
        (("learning/loop.py", "def run_seed", "EDITED = True\n\n\ndef run_seed"), ""),
        (("models/mlp.py", "class Mlp", "EDITED = True\n\n\nclass Mlp"), ""),
    ],
    ids=["comment", "error text", "another model", "progress", "cluster", "files", "loop", "model"],
)
def test_an_edit_costs_a_seed_only_where_it_can_decide_bits(variant, prepared, tmp_path, run, edit, taken):
    kept = tmp_path / "kept"
    Finished(kept, variant, prepared).keep(run)
    assert taken_after(edit, tmp_path, str(kept), json.dumps(variant.to_json()), str(prepared)) == taken


@pytest.mark.parametrize("damage", ["weights cut", "weights turned", "no weights", "curve cut", "no curve", "no hash"])
@pytest.mark.fault("finished seeds damaged")
def test_damaged_runs_are_not_taken(variant, prepared, tmp_path, run, damage):
    kept = Finished(tmp_path, variant, prepared)
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


def test_missing_data_is_an_error_of_one_line(variant, tmp_path):
    with pytest.raises(UserError, match="`dvc repro preprocess` makes it"):
        Finished(tmp_path, variant, tmp_path / "none")
