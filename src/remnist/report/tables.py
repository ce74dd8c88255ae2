"""The measurements of the other stages as tables: a row a variant and seed, and what follows from them.

Everything walks the plan, never a folder, so that the files of a removed variant count for nothing.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remnist.errors import UserError, reason
from remnist.report.evaluations import Ensemble, Evaluation, Seed, read_evaluation
from remnist.settings import Images, Variant

DIGITS = [str(digit) for digit in range(10)]  # XOR has the first two alone
DECIMALS = 6  # decimals kept, as in the evaluations
HALF = 0.5  # accuracy on a digit below which it counts as missing
METRICS = ("loss", "accuracy")
PARTS = ("train", "test", "validation")  # the last where images are held out
BATCHES = ("batch_loss", "batch_loss_sd")  # over the batches of an epoch, from the first on

Digits = NDArray[np.uint8]


@dataclass(frozen=True)
class Results:
    """The study's measurements, variants in the order of the plan.

    Attributes:
        plan: the plan.
        test_images: how many images the test set holds.
        labels: by variant, the test images' (images,).
        predictions: by variant, the class that each seed's network takes them for, (seeds, images).
        ensembles: `variant`, `members`, the accuracy of their `average` and of their `vote`, and `average_se` and
            `vote_se`, the standard errors that the choice of the images gives to what they gain.
        runs: `variant`, `seed`, `roc_auc_macro`, `roc_auc_micro`, and the metrics that a claim may compare, as
            `remnist.plan.claims.Comparison` has them, but for the epochs to reach an accuracy.
        per_digit: `variant`, `seed`, `digit`, `accuracy`.
        confusion: `variant`, `actual`, `predicted`, `rate`: the fraction of the actual digit's images that was
            taken for the predicted one, over all seeds.
        roc: `variant`, `curve` (a digit, micro, macro), `false_positive_rate`, `true_positive_rate`, mean over the runs
            that are `alike`.
        curves: `variant`, `seed`, `epoch` (from 0, before the first), `train_loss`, `train_accuracy`, `test_loss`,
            `test_accuracy`, of held-out images `validation_loss`, `validation_accuracy`, and of the epoch's batches
            `batch_loss`, `batch_loss_sd`, NaN at 0.
        seconds: `variant`, `round`, `seconds`: of a core, for an epoch, as a benchmark measured them.
    """

    plan: dict[str, Variant]
    test_images: int
    labels: dict[str, Digits]
    predictions: dict[str, Digits]
    ensembles: pd.DataFrame
    runs: pd.DataFrame
    per_digit: pd.DataFrame
    confusion: pd.DataFrame
    roc: pd.DataFrame
    curves: pd.DataFrame
    seconds: pd.DataFrame


def load(plan: dict[str, Variant], evaluations: Path, dvclive: Path, seconds: Path) -> Results:
    """Read the evaluations and learning curves of every variant of the plan, and the seconds of the benchmark.

    Args:
        plan: the plan.
        evaluations: the folder of `<variant>.json`.
        dvclive: the folder of `<variant>/seed-<seed>`, as DVCLive writes them.
        seconds: the table that the benchmark wrote.

    Raises:
        UserError: a file is missing or does not belong to the plan.
    """
    stored = {name: read_evaluation(evaluations, name, variant.seeds) for name, variant in plan.items()}
    runs = [(name, seed) for name, evaluation in stored.items() for seed in evaluation.seeds]
    per_digit = pd.DataFrame(row for run in runs for row in _per_digit(*run))
    curves = pd.DataFrame(
        row for name, variant in plan.items() for seed in variant.seeds for row in _curves(dvclive, name, variant, seed)
    ).round(DECIMALS)
    measured = run_metrics(pd.DataFrame(_run(*run) for run in runs), curves, per_digit)
    described = [run for run, is_alike in zip(runs, alike(measured), strict=True) if is_alike]
    return Results(
        plan=plan,
        test_images=max(sum(seed.count) for _, seed in runs),
        labels={name: _digits([evaluation.labels])[0] for name, evaluation in stored.items()},
        predictions={name: _digits([seed.answers for seed in each.seeds]) for name, each in stored.items()},
        ensembles=pd.DataFrame(
            [{"variant": name, **row.model_dump()} for name, each in stored.items() for row in each.ensembles],
            columns=["variant", *Ensemble.model_fields],
        ),
        runs=measured,
        per_digit=per_digit,
        confusion=pd.DataFrame(row for evaluation in stored.items() for row in _confusion(*evaluation)),
        roc=pd.DataFrame(row for run in described for row in _roc(*run))
        .groupby(["variant", "curve", "false_positive_rate"], sort=False, as_index=False)
        .mean(),
        curves=curves,
        seconds=read_seconds(seconds),
    )


def run_metrics(runs: pd.DataFrame, curves: pd.DataFrame, per_digit: pd.DataFrame) -> pd.DataFrame:
    """Add to the figures of the evaluation those that follow from the learning curves and from the digits.

    Args:
        runs: a row a run, with `parameters`, `weight_norm`, `accuracy`, `loss` and the areas.
        curves: as in `Results`.
        per_digit: as in `Results`.

    Returns:
        `runs`, with the other metrics of a claim.
    """
    run = ["variant", "seed"]
    ordered = curves.sort_values("epoch", kind="stable")
    last = ordered.groupby(run, sort=False)[["train_accuracy", "batch_loss_sd"]].last(skipna=False)
    trained = ordered[ordered["epoch"] > 0].set_index(run)["test_loss"]
    changes = trained.groupby(run, sort=False).diff()
    digits = per_digit.groupby(run, sort=False)["accuracy"]
    table = runs.astype({"loss": float, "weight_norm": float}).set_index(run).join(last)
    table["generalization_gap"] = table["train_accuracy"] - table["accuracy"]
    is_finite = np.isfinite(trained).groupby(run, sort=False).all()
    table["loss_variation"] = changes.groupby(run, sort=False).std(ddof=1).where(is_finite)
    table["digit_spread"] = digits.max() - digits.min()
    table["diverged"] = ~np.isfinite(table["loss"]) | (table["train_accuracy"] < 2 / digits.size())
    table["digit_missing"] = digits.min() < HALF
    return table.round(DECIMALS).reset_index()


def alike(runs: pd.DataFrame) -> "pd.Series[bool]":
    """Return which runs a mean describes: where some of a variant lack a digit, those that have them all; else all.

    Args:
        runs: with `variant` and `digit_missing`.
    """
    whole = ~runs["digit_missing"]
    return whole | ~whole.groupby(runs["variant"]).transform("any")


def read_seconds(path: Path) -> pd.DataFrame:
    """Read the seconds of an epoch of each variant, a row a round, as `benchmarks/study.py` writes them.

    Raises:
        UserError: the file is missing, or not such a table.
    """
    try:
        return pd.read_csv(path, dtype={"variant": str, "round": int, "seconds": float})[
            ["variant", "round", "seconds"]
        ]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: {reason(error)}; `python -m benchmarks.study` writes it") from None


def image_variants(results: Results) -> list[str]:
    """Return the variants on the data set's images: all but XOR's, which has four points of its own.

    Raises:
        UserError: there is none.
    """
    variants = [name for name, variant in results.plan.items() if isinstance(variant.data, Images)]
    if not variants:
        raise UserError("plan.json: no variant is on images; the report is about those")
    return variants


def data_set(results: Results) -> Images:
    """Return the settings of the data set; its name and its validation part are those of all variants on images."""
    return next(variant.data for variant in results.plan.values() if isinstance(variant.data, Images))


def _digits(lines: list[str]) -> Digits:
    return np.array([np.frombuffer(digits.encode(), np.uint8) for digits in lines]) - ord("0")


def _run(variant: str, seed: Seed) -> dict[str, Any]:
    areas = [area for curve, area in seed.roc_auc.items() if curve in DIGITS]
    return {
        "variant": variant,
        **seed.model_dump(include={"seed", "parameters", "weight_norm", "accuracy", "loss"}),
        "roc_auc_macro": seed.roc_auc["macro"],
        "roc_auc_micro": seed.roc_auc["micro"],
        "roc_auc_worst_digit": min(areas),
        "roc_auc_spread": round(max(areas) - min(areas), DECIMALS),
    }


def _per_digit(variant: str, seed: Seed) -> Iterator[dict[str, Any]]:
    for digit, (correct, count) in enumerate(zip(seed.correct, seed.count, strict=True)):
        yield {"variant": variant, "seed": seed.seed, "digit": str(digit), "accuracy": correct / count}


def _confusion(variant: str, evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    total = np.sum([seed.confusion for seed in evaluation.seeds], 0)
    for (actual, predicted), rate in np.ndenumerate(total / total.sum(1, keepdims=True)):
        yield {"variant": variant, "actual": str(actual), "predicted": str(predicted), "rate": rate}


def _roc(variant: str, seed: Seed) -> Iterator[dict[str, Any]]:
    rates = seed.roc["false_positive_rate"]
    for curve, points in seed.roc.items():
        if curve != "false_positive_rate":
            for x, y in zip(rates, points, strict=True):
                yield {"variant": variant, "curve": curve, "false_positive_rate": x, "true_positive_rate": y}


def _curves(folder: Path, name: str, variant: Variant, seed: int) -> Iterator[dict[str, Any]]:
    """Yield a row an epoch; what is not there, as of images that are not held out, is left out."""
    logs, epochs = folder / name / f"seed-{seed}" / "plots" / "metrics", variant.train.epochs
    held_out = isinstance(variant.data, Images) and variant.data.validation > 0
    try:
        logged = {
            f"{part}_{metric}": _logged(logs / part / f"{metric}.tsv", metric)
            for part in PARTS[: 3 if held_out else 2]
            for metric in METRICS
        } | {metric: _logged(logs / "train" / f"{metric}.tsv", metric) for metric in BATCHES}
        for metric, values in logged.items():
            if list(values) != list(range(metric in BATCHES, epochs + 1)):
                raise ValueError(f"{metric}: not of the {epochs} epochs in plan.json")
    except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{logs}: {error}; `dvc repro train@{name}` makes it again") from None
    for epoch in range(epochs + 1):
        figures = {metric: values.get(epoch, np.nan) for metric, values in logged.items()}
        yield {"variant": name, "seed": seed, "epoch": epoch, **figures}


def _logged(path: Path, metric: str) -> dict[int, float]:
    """Read what DVCLive logged, by epoch; pandas would take four times as long over so small a file."""
    with path.open(encoding="utf-8", newline="") as file:
        return {int(row["step"]): float(row[metric]) for row in csv.DictReader(file, delimiter="\t")}
