"""What the pipeline and DVC keep of earlier runs, edited by hand, swapped or cut short."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remnist.plan import entries as plan
from remnist.plan.resolve import resolve
from tests.support.harm import refused
from tests.support.repository import Repository


def edits() -> dict[str, Callable[[dict[str, Any]], Any]]:
    def at(section: str, key: str, value: Any) -> Callable[[dict[str, Any]], Any]:
        return lambda plan: plan["mlp-baseline"][section].__setitem__(key, value)

    return {
        "another rate": at("train", "lr", 5.0),
        "a rate of words": at("train", "lr", "fast"),
        "another loss": at("train", "loss", "mse"),
        "other numerics": at("train", "numerics", "native"),
        "many epochs": at("train", "epochs", 10**12),
        "a model elsewhere": at("model", "name", "../../../beside/evil"),
        "no model": at("model", "name", None),
        "a huge layer": at("model", "hidden", [10**12]),
        "other data": at("data", "name", "imagenet"),
        "no seeds": lambda plan: plan["mlp-baseline"].__setitem__("seeds", []),
        "seeds of words": lambda plan: plan["mlp-baseline"].__setitem__("seeds", ["../x"]),
        "no digest": lambda plan: plan["mlp-baseline"].pop("digest"),
        "another digest": lambda plan: plan["mlp-baseline"].__setitem__("digest", "0" * 16),
        "a setting more": lambda plan: plan["mlp-baseline"].__setitem__("more", 1),
        "no train": lambda plan: plan["mlp-baseline"].pop("train"),
        "a list": lambda plan: plan.__setitem__("mlp-baseline", [1]),
        "null": lambda plan: plan.__setitem__("mlp-baseline", None),
        "two swapped": lambda plan: plan.update({"mlp-baseline": dict(plan["mlp-adam"], seeds=[3])}),
    }


@pytest.mark.parametrize("edit", edits().values(), ids=edits())
@pytest.mark.fault("plan.json edited or cut short")
def test_an_edited_plan_is_refused(params, edit):
    made = resolve(params)
    edit(made)
    Path("plan.json").write_text(json.dumps(made))
    refused(plan.read_entry, Path("plan.json"), "mlp-baseline", naming="plan.json: mlp-baseline: not as params.yaml")
    refused(plan.read, Path("plan.json"), naming="`dvc repro plan` makes it anew")


NO_PLANS = [
    "", "{", "[]", "{}", "null", "3", '"mlp"', "[" * 100_000, "\x00", "<html>", '{"a": NaN}', '{"a": 1e999}',
    '{"a": ' + "9" * 10_000 + "}", "\ufeff{}",
]  # fmt: skip


@pytest.mark.parametrize("content", NO_PLANS, ids=lambda content: content[:8])
@pytest.mark.fault("plan.json edited or cut short")
def test_a_plan_that_is_none(content):
    Path("plan.json").write_text(content)
    refused(plan.read_entry, Path("plan.json"), "mlp-baseline", naming="plan.json")


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.fault("plan.json edited or cut short")
def test_a_plan_cut_short(params, part):
    text = json.dumps(resolve(params))
    Path("plan.json").write_text(text[: int(len(text) * part)])
    refused(plan.read_entry, Path("plan.json"), "mlp-baseline", naming="plan.json")


LOCKS: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "cut short": lambda text: text[: len(text) // 2],
    "cut in a line": lambda text: text[: text.index("md5: ") + 8],
    "HTML": lambda _: "<!DOCTYPE html><html>not here</html>",
    "another schema": lambda text: text.replace("schema: '2.0'", "schema: '9.0'"),
    "a list": lambda _: "- 1\n",
    "other hashes": lambda text: re.sub(r"md5: \w{8}", "md5: 00000000", text),
    "a hash that is a path": lambda text: re.sub(r"md5: \w+", "md5: ../../../../beside/x", text, count=1),
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
        told = str(error)
        assert re.search("^ERROR: |dvc.lock", told, re.MULTILINE)
        assert "Traceback" not in told
        assert "keeps what it was" in study.make_repro()
    assert study.hashes() == committed
    assert [path.name for path in study.folder.parent.iterdir()] == ["project"]


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
def test_what_was_changed_by_hand_is_made_anew(study: Repository, change, remembered):
    committed = study.hashes()
    change(study)
    if not remembered:
        study.forget_runs()
    study.dvc("repro")
    assert study.hashes() == committed
    assert study.git("status", "--porcelain") == ""
