"""Studies made up for tests: the measurements that given accuracies would leave behind."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from remnist.plan.claims import Claim, Claims, Published, Report
from remnist.report import document, gallery, questions, summaries, tables, verdicts
from remnist.report.tables import Results
from remnist.settings import Variant
from tests.support import variants

IMAGES = 1_000
SCORES = {"mlp-baseline": {0: 9, 1: 7}, "lr-1e-4": {0: 5, 1: 5}}  # right images, of ten a digit, by seed
NOISE = np.array([-2, -1.5, -1, -0.5, 0, 0, 0, 0.5, 1, 1.5, 2, 0.0]) / 1000  # points on twelve seeds, mean 0


@cache
def variant(seeds: int, epochs: int = 1, name: str = "mlp-baseline") -> Variant:
    """Return a variant of the study, on MNIST or XOR, with these numbers of seeds and epochs."""
    settings = variants.digits(name, seeds=list(range(seeds)), train={"epochs": epochs})
    return settings if name == "xor" else replace(settings, data=settings.data.model_copy(update={"name": "mnist"}))


def claims_of(
    claims: dict[str, Claim] | None = None, published: dict[str, Published] | None = None, reference: str = "a"
) -> Claims:
    """Return the content of a claims.yaml of five reports."""
    reports = {number: Report(title=f"title {number}") for number in range(1, 6)}
    return Claims(data="mnist", reference=reference, reports=reports, published=published or {}, claims=claims or {})


def study(
    accuracies: dict[str, list[float]],
    *,
    losses: dict[str, list[float]] | None = None,
    missing: dict[str, list[bool]] | None = None,
    test: dict[str, list[list[float]]] | None = None,
    train: float = 1.0,
    names: dict[str, str] | None = None,
) -> Results:
    """Return the measurements of variants that had these accuracies on 1,000 test images, a hundred of each digit.

    Args:
        accuracies: by variant, those of the seeds from 0.
        losses: those of the seeds; 0.1 where nothing else is said.
        missing: whether a seed gets no image of digit 3 right; its other digits have its accuracy.
        test: by seed the accuracy on test images after each epoch; one epoch of 0.9 where nothing else is said.
        train: accuracy on training images after the last epoch.
        names: the variant of the study whose settings a variant has; the baseline's where nothing else is said.
    """
    labels = np.arange(IMAGES).astype(np.uint8) % 10
    runs, digits, curves, predictions = [], [], [], {}
    for name, of_seeds in accuracies.items():
        right = np.array([np.arange(IMAGES) < round(accuracy * IMAGES) for accuracy in of_seeds])
        predictions[name] = np.where(right, labels, (labels + 1) % 10).astype(np.uint8)
        for seed, accuracy in enumerate(of_seeds):
            run = {"variant": name, "seed": seed}
            loss = (losses or {}).get(name, [0.1] * len(of_seeds))[seed]
            runs.append(run | {"parameters": 7, "weight_norm": 3.0, "accuracy": accuracy, "loss": loss,
                               "roc_auc_macro": 0.99, "roc_auc_micro": 0.99, "roc_auc_worst_digit": 0.98})  # fmt: skip
            lost = (missing or {}).get(name, [False] * len(of_seeds))[seed]
            digits += [run | {"digit": str(d), "accuracy": 0.0 if lost and d == 3 else accuracy} for d in range(10)]
            for epoch, on_test in enumerate([0.1, *(test or {}).get(name, [[0.9]] * len(of_seeds))[seed]]):
                curves.append(run | {"epoch": epoch, "train_loss": 0.1, "train_accuracy": train, "test_loss": 0.1,
                                     "test_accuracy": on_test, "batch_loss": 0.2, "batch_loss_sd": 0.05})  # fmt: skip
    epochs = {name: len((test or {}).get(name, [[0.9]])[0]) for name in accuracies}
    per_digit, of_curves = pd.DataFrame(digits), pd.DataFrame(curves)
    return Results(
        plan={name: variant(len(of_seeds), epochs[name], (names or {}).get(name, "mlp-baseline"))
              for name, of_seeds in accuracies.items()},
        test_images=IMAGES,
        labels=dict.fromkeys(accuracies, labels),
        predictions=predictions,
        ensembles=pd.DataFrame([{"variant": v, "members": 5, "average": np.mean(a) + 0.01, "average_se": 0.002,
                                 "vote": np.mean(a) + 0.005, "vote_se": 0.002} for v, a in accuracies.items()]),
        runs=tables.run_metrics(pd.DataFrame(runs), of_curves, per_digit),
        per_digit=per_digit,
        confusion=pd.DataFrame(columns=["variant", "actual", "predicted", "rate"]),
        roc=pd.DataFrame(columns=["variant", "curve", "false_positive_rate", "true_positive_rate"]),
        curves=of_curves,
        seconds=pd.DataFrame([{"variant": v, "round": i, "seconds": 1 + i / 100}
                              for v in accuracies for i in (1, 2, 3)]),
    )  # fmt: skip


def accuracies(mean: float, seeds: int = 12) -> list[float]:
    """Return accuracies of that mean, or near it where there are fewer seeds."""
    return [round(mean + offset, 4) for offset in np.roll(NOISE, round(mean * 1000))[:seeds]]


def claim(**changes: Any) -> Claim:
    """Return a claim of report 1 that a beats b, or another; None takes a setting away."""
    stated = {
        "report": 1,
        "statement": 1,
        "says": "a beats b",
        "variants": ["a", "b"],
        "expect": "more",
        "margin": 0.0025,
    }
    return Claim(**{key: value for key, value in (stated | changes).items() if value is not None})


def judge(results: Results, **changes: Any) -> verdicts.Judged:
    """Judge that claim alone."""
    [judged] = verdicts.judge(results, claims_of({"x": claim(**changes)}))
    return judged


def render(results: Results, claimed: Claims | None = None, before: dict[str, verdicts.Judged] | None = None) -> str:
    """Return REPORT.md."""
    claimed = claimed or claims_of()
    judged, asked = verdicts.judge(results, claimed), questions.group(results, claimed)
    return document.render(
        results, summaries.summary(results), claimed, asked, judged, before or {}, gallery.rank(results)
    )
