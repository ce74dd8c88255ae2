"""The files that two variants of two seeds leave behind, and the study's claims."""

import json
import random

import pytest

from remnist.evaluation.metrics import FALSE_POSITIVE_RATES
from remnist.plan import claims
from remnist.plan.resolve import resolve
from remnist.report import tables
from tests.support.studies import SCORES
from tests.support.variants import ROOT

LABELS = "0123456789" * 10


@pytest.fixture(autouse=True)
def quick(quick_collections):
    """Every test here may judge."""


@pytest.fixture
def params(params):
    """Two variants of two epochs, as the curves below."""
    params["train"]["epochs"] = 2
    return params


@pytest.fixture
def plan(params):
    params["variants"] = {name: params["variants"][name] for name in SCORES}
    params["seeds"] = [0, 1]
    return resolve(params)


@pytest.fixture
def folders(tmp_path):
    """The files of two variants of two seeds; n of each digit's 10 images are right, the rest taken for 0."""
    rng = random.Random(0)  # noqa: S311
    (tmp_path / "evaluations").mkdir()
    for variant, seeds in SCORES.items():
        results = []
        for seed, right in seeds.items():
            confusion = [[right if i == j else 0 for j in range(10)] for i in range(10)]
            for row in confusion:
                row[0] += 10 - right
            areas = {str(d): rng.random() for d in range(10)} | {"micro": 0.5, "macro": right / 10}
            grid = FALSE_POSITIVE_RATES.tolist()
            curves = dict.fromkeys([*areas, "false_positive_rate"], grid)
            results.append(
                {"seed": seed, "parameters": 7, "accuracy": right / 10, "loss": 0.1, "correct": [right] * 10,
                 "count": [10] * 10, "confusion": confusion, "roc_auc": areas, "roc": curves,
                 "answers": LABELS[: right * 10] + "0" * (100 - right * 10)}
            )  # fmt: skip
            for part in tables.PARTS:
                logs = tmp_path / "dvclive" / variant / f"seed-{seed}" / "plots" / "metrics" / part
                logs.mkdir(parents=True)
                for metric in tables.METRICS:
                    (logs / f"{metric}.tsv").write_text(f"step\t{metric}\n1\t0.5\n2\t0.{right}\n")
        ensembles = [{"members": 2, "average": 0.875, "vote": 0.75}]
        evaluation = {"labels": LABELS, "seeds": results, "ensembles": ensembles}
        (tmp_path / "evaluations" / f"{variant}.json").write_text(json.dumps(evaluation))
    (tmp_path / "evaluations" / "removed.json").write_text("left behind by a removed variant")
    return tmp_path


@pytest.fixture
def results(plan, folders):
    return tables.load(plan, folders / "evaluations", folders / "dvclive")


@pytest.fixture
def claimed():
    return claims.read(ROOT / "claims.yaml")
