"""Experiments side by side."""

import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides

from remnist.files import read_yaml
from remnist.review import sweep


def test_table_of_experiments():
    accuracies = {"HEAD": [0.81, 0.82], "one": [0.91, 0.925], "two|": [0.81, 0.82]}
    table = pd.DataFrame([
        {"variant": "a", "seed": str(seed), "digit": str(seed), "accuracy": str(a), "rev": revision}
        for revision, values in accuracies.items() for seed, a in enumerate(values)
    ])  # fmt: skip
    changed = {"one": ["model.dropout=0.5", "claims.yaml:claims.x.margin=0.1"], "two|": ["train.loss=a|b"]}
    text = sweep.table(changed, {"one": 2, "two|": 0}, table, table, {"a"})
    assert text.splitlines()[:5] == [
        r"| variant | HEAD | one | two\| |",
        "| --- | ---: | ---: | ---: |",
        r"| *changed* |  | `model.dropout=0.5`, `claims.yaml:claims.x.margin=0.1` | `train.loss=a\|b` |",
        "| *outcomes flipped* |  | 2 | 0 |",
        "| `a` | 81.50 ± 0.71 % | 91.75 ± 1.06 % ▲ | 81.50 ± 0.71 % |",
    ]


VALUES = [
    0.5, 32, 1e-05, True, None, "gelu", "say \"x\", or 'x': {c} $ [", "ends\\", 'x\\"y\\\\', "null", "True", "1e-3", "",
    "päth ü", "a=b", "- x",
]  # fmt: skip


@pytest.mark.parametrize("old", [None, 1])
@pytest.mark.parametrize("value", VALUES)
def test_a_value_that_is_shown_can_be_pasted_behind_S(tmp_path, monkeypatch, value, old):  # noqa: N802
    monkeypatch.chdir(tmp_path)
    assert pasted(sweep.assignment("a.c", {"old": old, "new": value}), {} if old is None else {"c": old}) == value


def test_a_list_too_of_which_dvc_makes_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert pasted(sweep.assignment("a.c", {"old": None, "new": "[32, 16]"}), {}) == [32, 16]


def pasted(assignment: str, before: dict[str, Any]) -> Any:
    """Return the value that params.yaml has once an assignment went through a shell, DVC and Hydra."""
    Path("params.yaml").write_text(f"a: {before}\n")
    for path, overrides in to_path_overrides(shlex.split(shlex.quote(assignment))).items():
        apply_overrides(path, overrides)
    return read_yaml(Path("params.yaml"))["a"]["c"]
