"""The files that two variants of two seeds leave behind, and the study's claims."""

import gc
import json
import random

import pytest

from remnist.evaluation.metrics import FALSE_POSITIVE_RATES
from remnist.plan import claims
from remnist.plan.resolve import resolve
from remnist.report import figures, stability, tables
from tests.support.studies import SCORES
from tests.support.variants import ROOT

LABELS = "0123456789" * 10


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Every test here may judge and draw; how stable outcomes are is of interest in its own file alone."""
    monkeypatch.setattr(gc, "collect", lambda *_: 0)  # statsmodels does at each correction, 40 ms
    monkeypatch.setattr(stability, "STUDIES", 1)
    monkeypatch.setattr(figures, "DPI", 30)


@pytest.fixture
def params(params):
    """Two variants of two epochs, as the curves below."""
    params["train"]["epochs"] = 2
    return params


@pytest.fixture
def plan(params):
    return plan_of(params, *SCORES)


def plan_of(params, *names):
    """Resolve the study, on two seeds, and take these variants."""
    plan = resolve(params | {"seeds": [0, 1]})
    return {name: plan[name] for name in names}


@pytest.fixture
def folders(written):
    """The files of two variants of two seeds, as they were before, whatever a test does to them."""
    folder, content = written
    yield folder
    for path in {path for path in folder.rglob("*") if path.is_file()} - set(content):
        path.unlink()
    for path, before in content.items():
        if not path.exists() or path.read_bytes() != before:
            path.write_bytes(before)


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """The files, written once; n of each digit's 10 images are right, the rest taken for 0."""
    folder = tmp_path_factory.mktemp("report")
    rng = random.Random(0)  # noqa: S311
    (folder / "evaluations").mkdir()
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
                {"seed": seed, "parameters": 7, "weight_norm": 3.0, "accuracy": right / 10, "loss": 0.1,
                 "correct": [right] * 10, "count": [10] * 10, "confusion": confusion, "roc_auc": areas, "roc": curves,
                 "answers": LABELS[: right * 10] + "0" * (100 - right * 10)}
            )  # fmt: skip
            for part in tables.PARTS:
                for metric in tables.METRICS:
                    log(folder, variant, seed, part, metric, [0.1, 0.5, right / 10])
            for metric, value in zip(tables.BATCHES, (0.4, 0.05), strict=True):
                log(folder, variant, seed, "train", metric, [None, value, value])
        ensembles = [{"members": 2, "average": 0.875, "average_se": 0.01, "vote": 0.75, "vote_se": 0.01}]
        evaluation = {"labels": LABELS, "seeds": results, "ensembles": ensembles}
        (folder / "evaluations" / f"{variant}.json").write_text(json.dumps(evaluation))
    (folder / "evaluations" / "removed.json").write_text("left behind by a removed variant")
    (folder / "seconds.csv").write_text("round,variant,model,seconds,machine\n1,lr-1e-4,mlp,0.8,x\n2,lr-1e-4,mlp,1,\n")
    return folder, {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def log(folder, variant, seed, part, metric, values):
    """Write what DVCLive logs, a line an epoch from 0 that has a value."""
    path = folder / "dvclive" / variant / f"seed-{seed}" / "plots" / "metrics" / part / f"{metric}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{epoch}\t{value}" for epoch, value in enumerate(values) if value is not None]
    path.write_text("\n".join([f"step\t{metric}", *lines, ""]))


@pytest.fixture
def load(folders):
    """Read those files by a plan."""
    return lambda plan: tables.load(plan, folders / "evaluations", folders / "dvclive", folders / "seconds.csv")


@pytest.fixture
def load_study(params, load):
    """Read those of the study's variants, after a change of its data."""

    def loaded(**data):
        params["data"] |= data
        return load(plan_of(params, *SCORES))

    return loaded


@pytest.fixture
def results(plan, load):
    return load(plan)


@pytest.fixture(scope="session")
def claimed():
    return claims.read(ROOT / "claims.yaml")
