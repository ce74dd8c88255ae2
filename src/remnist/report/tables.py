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
from remnist.report import statistics
from remnist.report.evaluations import Ensemble, Evaluation, Seed, read_evaluation
from remnist.settings import Images, Variant

DIGITS = [str(digit) for digit in range(10)]  # XOR has the first two alone
DECIMALS = 6  # decimals kept, as in the evaluations
CURVE_DECIMALS = 4  # decimals that a plot can show
HALF = 0.5  # accuracy on a digit below which it counts as missing
METRICS = ("loss", "accuracy")
FIGURES = ["accuracy", "loss", "roc_auc_macro", "roc_auc_micro"]  # columns that the summary averages over seeds
PARTS = ("train", "test", "validation")  # the last where images are held out
BATCHES = ("batch_loss", "batch_loss_sd")  # over the batches of an epoch, from the first on

Digits = NDArray[np.uint8]
Summary = dict[str, dict[str, Any]]  # figures by variant and column


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
        roc: `variant`, `curve` (a digit, micro, macro), `false_positive_rate`, `true_positive_rate`, mean over seeds.
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
    return Results(
        plan=plan,
        test_images=max(sum(seed.count) for _, seed in runs),
        labels={name: _digits([evaluation.labels])[0] for name, evaluation in stored.items()},
        predictions={name: _digits([seed.answers for seed in each.seeds]) for name, each in stored.items()},
        ensembles=pd.DataFrame(
            [{"variant": name, **row.model_dump()} for name, each in stored.items() for row in each.ensembles],
            columns=["variant", *Ensemble.model_fields],
        ),
        runs=run_metrics(pd.DataFrame(_run(*run) for run in runs), curves, per_digit),
        per_digit=per_digit,
        confusion=pd.DataFrame(row for evaluation in stored.items() for row in _confusion(*evaluation)),
        roc=pd.DataFrame(row for run in runs for row in _roc(*run))
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
    last = ordered.groupby(run, sort=False)[["train_accuracy", "batch_loss_sd"]].last()
    trained = ordered[ordered["epoch"] > 0].set_index(run)["test_loss"]
    changes = trained.groupby(run, sort=False).diff()
    digits = per_digit.groupby(run, sort=False)["accuracy"]
    table = runs.astype({"loss": float, "weight_norm": float}).set_index(run).join(last)
    table["generalization_gap"] = table["train_accuracy"] - table["accuracy"]
    table["loss_variation"] = changes.groupby(run, sort=False).std(ddof=1)
    table["digit_spread"] = digits.max() - digits.min()
    table["diverged"] = ~np.isfinite(table["loss"]) | (table["train_accuracy"] < 2 / digits.size())
    table["digit_missing"] = digits.min() < HALF
    return table.round(DECIMALS).reset_index()


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


def summary(results: Results) -> Summary:
    """Sum up each variant over its seeds; `accuracy_sd` is null where there is one seed."""
    groups = results.runs.groupby("variant", sort=False)
    table = groups[FIGURES].mean(skipna=False)  # a variant with a run that diverged has no mean loss
    table.insert(1, "accuracy_sd", groups["accuracy"].std(ddof=1))
    table = table.round(DECIMALS).astype(object).where(table.notna(), None)
    table["parameters"] = groups["parameters"].first()
    table["seeds"] = groups.size()
    return _rows(table)


def digit_means(results: Results) -> pd.DataFrame:
    """Return the mean accuracy over seeds, a row a variant, a column a digit."""
    return results.per_digit.pivot_table(index="variant", columns="digit", values="accuracy", sort=False)


def missing_digits(results: Results) -> pd.DataFrame:
    """Return the runs that get fewer than half of some digit's test images right, with `missing`, those digits."""
    rows = results.per_digit[results.per_digit["accuracy"] < HALF]
    digits = rows.groupby(["variant", "seed"], sort=False)["digit"].agg(", ".join).rename("missing")
    return results.runs.set_index(["variant", "seed"]).join(digits, how="inner").reset_index()


def per_digit(results: Results) -> dict[str, dict[str, float]]:
    """Return each variant's mean accuracy on each digit, or each of XOR's two classes."""
    table = digit_means(results).round(DECIMALS)
    return {variant: {d: a for d, a in row.items() if a == a} for variant, row in _rows(table).items()}


def ensembles(results: Results) -> dict[str, dict[str, dict[str, float]]]:
    """Return each variant's ensembles: by number of members, the accuracy of the average and of the vote."""
    groups = dict(list(results.ensembles.groupby("variant")))
    return {v: _rows(groups[v].set_index("members")[["average", "vote"]]) for v in results.plan if v in groups}


def plot_data(results: Results) -> dict[str, pd.DataFrame]:
    """Return the content of plots/, each table by the name of its file.

    They are means over seeds but for three: `runs` has a row a run, `curves` a row a run and epoch; `accuracy` has
    each seed's, and the interval of its variant's mean.
    """
    by_part = ["variant", "part", "epoch"]
    curves = by_parts(results.curves).groupby(by_part, sort=False, as_index=False)[list(METRICS)].mean()
    digits = results.per_digit.groupby(["variant", "digit"], sort=False, as_index=False)[["accuracy"]].mean()
    return {
        "runs": _runs(results),
        "curves": results.curves,
        "accuracy": results.runs[["variant", "seed", "accuracy"]].join(_intervals(results.runs), on="variant"),
        "learning_curves": curves.round(CURVE_DECIMALS),
        "per_digit": digits.round(CURVE_DECIMALS),
        "roc": results.roc.round({"true_positive_rate": CURVE_DECIMALS}),
        "confusion": results.confusion.round(CURVE_DECIMALS),
    }


def by_parts(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the learning curves with a row a part: `variant`, `seed`, `epoch`, `part`, `loss`, `accuracy`."""
    tables = []
    for part in PARTS:
        if f"{part}_loss" in curves:
            figures = {f"{part}_{metric}": metric for metric in METRICS}
            tables.append(curves[["variant", "seed", "epoch", *figures]].rename(columns=figures).assign(part=part))
    return pd.concat(tables).dropna(subset="accuracy")


def _runs(results: Results) -> pd.DataFrame:
    """Return a row a run: its metrics, and its accuracy on each digit, `digit_0` to `digit_9`."""
    digits = results.per_digit.pivot_table(index=["variant", "seed"], columns="digit", values="accuracy")
    return results.runs.join(digits.round(DECIMALS).add_prefix("digit_"), on=["variant", "seed"])


def _intervals(runs: pd.DataFrame) -> pd.DataFrame:
    """Return Student's interval of each variant's mean accuracy, `low` and `high`; of one seed there is none."""
    groups = runs.groupby("variant", sort=False)["accuracy"]
    intervals = {v: statistics.t_interval(a.to_numpy()) for v, a in groups if len(a) > 1}
    return pd.DataFrame.from_dict(intervals, orient="index", columns=["low", "high"]).round(DECIMALS)


def _rows(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    rows = table.to_dict(orient="index").items()
    return {str(name): {str(key): value for key, value in row.items()} for name, row in rows}


def _digits(lines: list[str]) -> Digits:
    return np.array([np.frombuffer(digits.encode(), np.uint8) for digits in lines]) - ord("0")


def _run(variant: str, seed: Seed) -> dict[str, Any]:
    return {
        "variant": variant,
        **seed.model_dump(include={"seed", "parameters", "weight_norm", "accuracy", "loss"}),
        "roc_auc_macro": seed.roc_auc["macro"],
        "roc_auc_micro": seed.roc_auc["micro"],
        "roc_auc_worst_digit": min(area for curve, area in seed.roc_auc.items() if curve in DIGITS),
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
