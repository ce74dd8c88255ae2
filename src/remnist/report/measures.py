"""What a claim compares: its metric of each run, or of each variant, from the study's measurements."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remnist.plan.claims import OF_VARIANTS, Comparison
from remnist.plan.published import Published
from remnist.report import statistics
from remnist.report.tables import Results

FEW = 5  # report 5's number of networks to average or let vote


class NotMeasuredError(Exception):
    """What the study did not run; the message says what is missing."""


def values(results: Results, printed: dict[str, Published], comparison: Comparison) -> pd.DataFrame:
    """Return what a comparison compares.

    Args:
        results: the measurements.
        printed: what the reports printed.
        comparison: of what.

    Returns:
        A row a seed that both variants ran, or a row a variant, with the columns `first` and `second`, the level
        where there is one variant.

    Raises:
        NotMeasuredError: a variant is not in the plan, or there are fewer than two rows.
    """
    for variant in comparison.variants:
        if variant not in results.plan:
            raise NotMeasuredError(f"there is no variant `{variant}`")
    if comparison.metric in OF_VARIANTS:
        columns = [_gain_of_five(results, comparison.metric.removesuffix("_of_five"))]
    elif comparison.metric == "resolution":
        columns = [_resolution(results, *comparison.variants)]
    else:
        columns = [_of_runs(results, printed, comparison, variant) for variant in comparison.variants]
    table = pd.concat(columns, axis=1, join="inner")
    if table.shape[1] == 1:
        table["level"] = comparison.level
    table.columns = pd.Index(["first", "second"])
    if len(table) < 2:
        what = "variants with five seeds" if comparison.metric in OF_VARIANTS else "seeds in common"
        raise NotMeasuredError(f"{what}: {len(table)}, two are needed")
    return table


def right_answers(results: Results, variants: list[str]) -> list[NDArray[np.bool_]]:
    """Return which test images two variants get right, (runs, images) each, of the seeds that both ran."""
    seeds = [results.plan[variant]["seeds"] for variant in variants]
    shared = [seed for seed in seeds[0] if seed in seeds[1]]
    rows = [[each.index(seed) for seed in shared] for each in seeds]
    return [
        results.answers[variant][row] == results.labels[variant] for variant, row in zip(variants, rows, strict=True)
    ]


def _of_runs(
    results: Results, printed: dict[str, Published], comparison: Comparison, variant: str
) -> "pd.Series[float]":
    """Return a metric of each run of a variant, by seed."""
    runs = results.runs[results.runs["variant"] == variant].set_index("seed")
    curves = results.curves[results.curves["variant"] == variant]
    match comparison.metric:
        case "train_accuracy":
            return _last_epoch(curves)
        case "generalization_gap":
            return _last_epoch(curves) - runs["accuracy"]
        case "epochs_to_reach":
            return _epochs_to_reach(curves, comparison.reach or 1.0)
        case "digit_deviation":
            return _digit_deviation(results, printed, variant)
        case metric:
            return runs[metric]


def _last_epoch(curves: pd.DataFrame) -> "pd.Series[float]":
    on_train = curves[curves["part"] == "train"].sort_values("epoch")
    return on_train.groupby("seed")["accuracy"].last()


def _epochs_to_reach(curves: pd.DataFrame, accuracy: float) -> "pd.Series[float]":
    held = curves[curves["part"] == "validation"]
    never = held["epoch"].max() + 1
    reached = held["epoch"].where(held["accuracy"] >= accuracy, never)
    return reached.groupby(held["seed"]).min().astype(float)


def _digit_deviation(results: Results, printed: dict[str, Published], variant: str) -> "pd.Series[float]":
    digits = printed[variant].digits if variant in printed else None
    if digits is None:
        raise NotMeasuredError(f"no accuracies by digit were published of `{variant}`")
    rows = results.per_digit[results.per_digit["variant"] == variant]
    off = (rows["accuracy"] - rows["digit"].astype(int).map(dict(enumerate(digits)))).abs()
    return off.groupby(rows["seed"]).max()


def _resolution(results: Results, first: str, second: str) -> "pd.Series[float]":
    pairs = zip(*right_answers(results, [first, second]), strict=True)
    return pd.Series([statistics.resolution(*pair) for pair in pairs], dtype=float)


def _gain_of_five(results: Results, kind: str) -> "pd.Series[float]":
    five = results.ensembles[results.ensembles["members"] == FEW].set_index("variant")[kind]
    return (five - results.runs.groupby("variant")["accuracy"].mean()).dropna()
