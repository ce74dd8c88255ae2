"""Work that was finished before an interruption, or ahead of its stage, is taken up, and nothing else is."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from remnist.errors import UserError
from remnist.learning.loop import run_seed
from remnist.learning.runs import Run
from remnist.plan import digests
from remnist.runtime.finished import DATA, FinishedEvaluation, FinishedSeeds
from remnist.settings import Variant
from tests.support import variants

TAKEN = """
import json, sys
from remnist.runtime.finished import FinishedSeeds
from remnist.settings import Variant
kept = FinishedSeeds("x", Variant.from_json(json.loads(sys.argv[1])))
print(*(run.seed for run, _ in kept.runs([0, 1])))
"""
FILES = {"metrics.json": "{}\n", "plots/metrics/train/loss.tsv": "step\tloss\n"}
EVALUATION = {"seeds": {"0": {"accuracy": 0.5}}}


@pytest.fixture
def place(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the digits."""
    monkeypatch.chdir(tmp_path)
    DATA.parent.mkdir()
    shutil.copy(prepared, DATA)
    return tmp_path


@pytest.fixture(scope="module")
def run(prepared: Path) -> Run:
    """A run of seed 0."""
    return run_seed(variants.digits(), 0, prepared, lambda _: None)


def kept_seeds(variant: Variant, *seeds: int) -> list[Run]:
    return [run for run, _ in FinishedSeeds("x", variant).runs(seeds)]


def test_a_finished_seed_comes_back_as_it_was(place, variant, run):
    kept = FinishedSeeds("x", variant)
    assert kept_seeds(variant, 0, 3) == []
    kept.keep(run, FILES)
    others = replace(variant, seeds=[3, 0])  # a run is the same whichever others there are
    assert list(FinishedSeeds("x", others).runs(others.seeds)) == [(run, FILES)]
    assert kept.weights(0).read_bytes() == run.weights
    kept.remove()
    assert list(place.glob("models/*")) == []


def test_a_curve_that_diverged_comes_back(place):
    variant = variants.digits(train={"lr": 1e30})
    run = run_seed(variant, 0, DATA, lambda _: None)
    FinishedSeeds("x", variant).keep(run, {})
    [again] = kept_seeds(variant, 0)
    assert repr(again) == repr(run)
    assert "nan" in repr(again.curve)


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("change", ["seed", "settings", "data", "library", "name"])
def test_runs_of_something_else_are_not_taken(variant, run, monkeypatch, change):
    FinishedSeeds("x", variant).keep(run, FILES)
    seed, name = 0, "x"
    match change:
        case "seed":
            seed = 1
        case "settings":
            variant = variants.digits(train={"lr": 0.5})
        case "data":
            DATA.write_bytes(DATA.read_bytes().replace(b"\x01", b"\x02"))
        case "library":
            monkeypatch.setattr(digests, "version", lambda _: "9")
        case "name":
            name = "y"
    assert list(FinishedSeeds(name, variant).runs([seed])) == []


@pytest.mark.parametrize(
    ("edit", "taken"),
    [
        (("learning/loop.py", "def run_seed", "# edited\ndef run_seed"), "0"),
        (("learning/loop.py", "allowed: cpu", "use cpu"), "0"),
        (("models/cnn.py", "class Cnn", "EDITED = True\n\n\nclass Cnn"), "0"),
        (("runtime/work.py", "class Work", "EDITED = True\n\n\nclass Work"), "0"),
        (("files.py", "def read_yaml", "EDITED = True\n\n\ndef read_yaml"), "0"),
        (("evaluation/metrics.py", "def evaluate", "EDITED = True\n\n\ndef evaluate"), "0"),
        (("learning/loop.py", "def run_seed", "EDITED = True\n\n\ndef run_seed"), ""),
        (("models/mlp.py", "class Mlp", "EDITED = True\n\n\nclass Mlp"), ""),
    ],
    ids=["comment", "error text", "another model", "the list", "files", "evaluation", "loop", "model"],
)
def test_an_edit_costs_a_seed_only_where_it_can_decide_bits(place, variant, run, edit, taken):
    FinishedSeeds("x", variant).keep(run, FILES)
    module, old, new = edit
    shutil.copytree(digests.PACKAGE, place / "src/remnist", ignore=shutil.ignore_patterns("__pycache__"))
    path = place / "src/remnist" / module
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    variables = os.environ | {"PYTHONPATH": str(place / "src")}
    command = [sys.executable, "-c", TAKEN, json.dumps(variant.to_json())]
    done = subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout.strip() == taken


def test_a_finished_evaluation_comes_back_as_it_was(place, variant):
    weights = [Path("seed-0.safetensors")]
    weights[0].write_bytes(b"weights")
    kept = FinishedEvaluation("x", variant, weights)
    assert kept.read() is None
    kept.keep(EVALUATION)
    assert FinishedEvaluation("x", variant, weights).read() == EVALUATION
    assert FinishedEvaluation("x", replace(variant, seeds=[7]), weights).read() is None
    weights[0].write_bytes(b"others")
    assert FinishedEvaluation("x", variant, weights).read() is None
    kept.remove()
    assert list(place.glob("evaluations/*")) == []


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("damage", ["weights cut", "weights turned", "no weights", "curve cut", "no curve", "no hash"])
@pytest.mark.fault("finished seeds damaged")
def test_damaged_runs_are_not_taken(variant, run, damage):
    kept = FinishedSeeds("x", variant)
    kept.keep(run, FILES)
    weights, [curve] = kept.weights(0), kept.kept.glob("seed-0.json")
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


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("content", ["", "[]", "{}", '{"sha256": "0", "content": "{}"}', "null"])
@pytest.mark.fault("finished evaluations damaged")
def test_damaged_evaluations_are_not_taken(variant, content):
    kept = FinishedEvaluation("x", variant, [DATA])
    kept.keep(EVALUATION)
    kept.kept.write_text(content)
    assert kept.read() is None


def test_missing_data_is_an_error_of_one_line(variant: Any, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"data/images.safetensors: .*; `dvc repro preprocess` makes it"):
        FinishedSeeds("x", variant)
