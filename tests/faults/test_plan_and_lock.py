"""Files that the pipeline and DVC keep from earlier runs, edited by hand, swapped or cut short."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remnist.plan import digests, entries
from remnist.plan.resolve import resolve
from remnist.runtime.stage import Inputs
from tests.support.harm import refused
from tests.support.repository import Repository
from tests.support.variants import ROOT

BASELINE = "mlp-baseline"
NOT_AS_PLANNED = "plan.json: mlp-baseline: not as `dvc repro plan` writes it, which makes it again"
ANOTHER = "train@mlp-baseline: its code or its settings are not those of plan.json and digests.json; `dvc repro plan`"


def write_plan(params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write what plan writes, and return it to be edited."""
    made = resolve(params)
    Path("dvc.yaml").write_bytes((ROOT / "dvc.yaml").read_bytes())
    written = {name: variant.to_json() for name, variant in made.items()}, digests.of_study(made)
    for name, content in zip(("plan.json", "digests.json"), written, strict=True):
        Path(name).write_text(json.dumps(content))
    return written


def at(section: str, key: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda plan: plan[BASELINE][section].__setitem__(key, value)


# Each with the error: an entry that plan would not write, or one that it would, but of other settings.
EDITS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another rate": (at("train", "lr", 5.0), ANOTHER),
    "a rate of words": (at("train", "lr", "fast"), NOT_AS_PLANNED),
    "another loss": (at("train", "loss", "mse"), NOT_AS_PLANNED),
    "other numerics": (at("train", "numerics", "native"), ANOTHER),
    "many epochs": (at("train", "epochs", 10**12), ANOTHER),
    "a model elsewhere": (at("model", "name", "../../../outside/evil"), NOT_AS_PLANNED),
    "no model": (at("model", "name", None), NOT_AS_PLANNED),
    "a huge layer": (at("model", "hidden", [10**12]), NOT_AS_PLANNED),
    "other data": (at("data", "name", "imagenet"), NOT_AS_PLANNED),
    "no seeds": (lambda plan: plan[BASELINE].__setitem__("seeds", []), NOT_AS_PLANNED),
    "other seeds": (lambda plan: plan[BASELINE].__setitem__("seeds", [99]), ANOTHER),
    "seeds of words": (lambda plan: plan[BASELINE].__setitem__("seeds", ["../x"]), NOT_AS_PLANNED),
    "a setting more": (lambda plan: plan[BASELINE].__setitem__("more", 1), NOT_AS_PLANNED),
    "no train": (lambda plan: plan[BASELINE].pop("train"), NOT_AS_PLANNED),
    "a list": (lambda plan: plan.__setitem__(BASELINE, [1]), NOT_AS_PLANNED),
    "null": (lambda plan: plan.__setitem__(BASELINE, None), NOT_AS_PLANNED),
    "two swapped": (lambda plan: plan.update({BASELINE: dict(plan["mlp-adam"], seeds=[3])}), ANOTHER),
}


@pytest.mark.parametrize(("edit", "error"), EDITS.values(), ids=EDITS)
@pytest.mark.fault("plan.json edited or cut short")
def test_an_edited_plan_is_refused(params, edit, error):
    plan, _ = write_plan(params)
    assert Inputs("train", BASELINE).settings == resolve(params)[BASELINE]
    edit(plan)
    Path("plan.json").write_text(json.dumps(plan))
    refused(Inputs, "train", BASELINE, naming=error)
    if error == NOT_AS_PLANNED:
        refused(entries.read, Path("plan.json"), naming=error)


DAMAGED = "digests.json: not as the plan stage writes it; `dvc repro plan` makes it again"
EDITED_DIGESTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no digest": (lambda file: file["digests"][0]["train"].pop(BASELINE), DAMAGED),
    "another digest": (lambda file: file["digests"][0]["train"].__setitem__(BASELINE, "0" * 16), ANOTHER),
    "no digests": (lambda file: file.pop("digests"), DAMAGED),
    "a mapping for the list": (lambda file: file.__setitem__("digests", file["digests"][0]), DAMAGED),
    "digests of none": (lambda file: file.__setitem__("digests", []), DAMAGED),
    "null": (lambda file: file.__setitem__("digests", None), DAMAGED),
    "no versions": (lambda file: file.pop("software"), DAMAGED),
    "no version": (lambda file: file["software"].pop("torch"), DAMAGED),
    "another version": (
        lambda file: file["software"].__setitem__("torch", "1.0"),
        "installed, but the plan is of torch 1.0",
    ),
}


@pytest.mark.parametrize(("edit", "error"), EDITED_DIGESTS.values(), ids=EDITED_DIGESTS)
@pytest.mark.fault("digests.json edited or cut short")
def test_edited_digests_are_refused(params, edit, error):
    _, file = write_plan(params)
    edit(file)
    Path("digests.json").write_text(json.dumps(file))
    refused(Inputs, "train", BASELINE, naming=error, lines=2)


NO_PLANS = [
    "", "{", "[]", "{}", "null", "3", '"mlp"', "[" * 100_000, "\x00", "<html>", '{"a": NaN}', '{"a": 1e999}',
    '{"a": ' + "9" * 10_000 + "}", "\ufeff{}",
]  # fmt: skip


@pytest.mark.parametrize("content", NO_PLANS, ids=lambda content: content[:8])
@pytest.mark.fault("plan.json edited or cut short")
def test_a_file_that_is_not_a_plan(content):
    Path("plan.json").write_text(content)
    refused(entries.read, Path("plan.json"), naming="plan.json")


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.fault("plan.json edited or cut short")
@pytest.mark.fault("digests.json edited or cut short")
def test_a_plan_cut_short(params, part):
    write_plan(params)
    for path in (Path("digests.json"), Path("plan.json")):
        text = path.read_text()
        path.write_text(text[: int(len(text) * part)])
        refused(Inputs, "train", BASELINE, naming=path.name)


LOCKS: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "cut between two stages": lambda text: re.sub(r"\n  train@.*", "\n", text, flags=re.DOTALL),
    "cut in a line": lambda text: text[: text.index("md5: ") + 8],
    "HTML": lambda _: "<!DOCTYPE html><html>not here</html>",
    "another schema": lambda text: text.replace("schema: '2.0'", "schema: '9.0'"),
    "a list": lambda _: "- 1\n",
    "other hashes": lambda text: re.sub(r"md5: \w{8}", "md5: 00000000", text),
    "a hash that is a path": lambda text: re.sub(r"md5: \w+", "md5: ../../../../outside/x", text, count=1),
    "a conflict of Git": lambda text: f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> change\n",
    "an object": lambda _: "stages: !!python/object/apply:os.mkdir ['../executed']\n",
    "no date": lambda text: f"{text}date: 2021-99-99\n",
    "no stages": lambda _: "schema: '2.0'\nstages:\n",
}


@pytest.mark.parametrize(
    "damage",
    [pytest.param(LOCKS[name], id=name, marks=() if name == "cut in a line" else pytest.mark.slow) for name in LOCKS],
)
@pytest.mark.fault("dvc.lock edited or cut short")
def test_a_damaged_lock_file(study: Repository, damage):
    """DVC says what is wrong, or runs what it no longer knows; either way the results are as they were."""
    committed = study.hashes()
    path = study.folder / "dvc.lock"
    path.write_text(damage(path.read_text()))
    try:
        study.dvc("repro")
    except RuntimeError as error:
        said = str(error)
        assert re.search("^ERROR: |dvc.lock", said, re.MULTILINE)
        assert "Traceback" not in said
        assert "keeps what it was" in study.make_repro()
    assert study.hashes() == committed
    assert [path.name for path in study.folder.parent.iterdir()] == ["project"]


CUTS = {
    "in half": lambda text: text[: len(text) // 2],
    "in a number": lambda text: text[: text.rindex("size: ") + 8],
}


@pytest.mark.slow
@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@pytest.mark.fault("dvc.lock edited or cut short")
def test_make_repro_mends_a_lock_file_that_dvc_takes_for_whole(study: Repository, cut):
    """DVC sees no number that is cut short, and would keep it."""
    committed, path = study.hashes(), study.folder / "dvc.lock"
    path.write_text(cut(path.read_text()))
    assert "keeps what it was" in study.make_repro()
    assert study.hashes() == committed


def swap(study: Repository, one: str, other: str) -> None:
    first, second = study.folder / one, study.folder / other
    mine, theirs = first.read_bytes(), second.read_bytes()
    for path, content in ((first, theirs), (second, mine)):
        path.unlink()  # DVC may have linked it to its cache
        path.write_bytes(content)


def cut(study: Repository, name: str) -> None:
    path = study.folder / name
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: len(content) // 2])


CHANGES: dict[str, Callable[[Repository], None]] = {
    "weights of two seeds": lambda s: swap(
        s, "models/mlp-baseline/seed-0.safetensors", "models/mlp-baseline/seed-1.safetensors"
    ),
    "weights of two variants": lambda s: swap(
        s, "models/mlp-baseline/seed-0.safetensors", "models/mlp-dropout-50/seed-0.safetensors"
    ),
    "two evaluations": lambda s: swap(s, "evaluations/mlp-baseline.json", "evaluations/batch-100.json"),
    "an evaluation cut": lambda s: cut(s, "evaluations/mlp-baseline.json"),
    "a curve cut": lambda s: cut(s, "dvclive/mlp-baseline/seed-0/plots/metrics/train/loss.tsv"),
    "the prepared data cut": lambda s: cut(s, "data/images.safetensors"),
    "the original data cut": lambda s: cut(s, "data/raw/digits.csv.gz"),
    "the plan cut": lambda s: cut(s, "plan.json"),
    "metrics cut": lambda s: cut(s, "metrics/summary.json"),
    "a plot cut": lambda s: cut(s, "plots/accuracy.csv"),
}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(CHANGES[name], id=name, marks=() if name == "weights of two variants" else pytest.mark.slow)
        for name in CHANGES
    ],
)
@pytest.mark.parametrize("remembered", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.fault("outputs swapped or cut short, then dvc repro")
def test_what_was_changed_by_hand_is_made_again(study: Repository, change, remembered):
    committed = study.hashes()
    change(study)
    if not remembered:
        study.forget_runs()
    study.dvc("repro")
    assert study.hashes() == committed
    assert study.git("status", "--porcelain") == ""
