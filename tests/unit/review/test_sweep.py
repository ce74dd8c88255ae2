"""Experiments side by side."""

import pandas as pd

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
        "| *verdicts flipped* |  | 2 | 0 |",
        "| `a` | 81.50 ± 0.71 % | 91.75 ± 1.06 % ▲ | 81.50 ± 0.71 % |",
    ]
