"""The values that a claim compares: its metric of each run, or of each variant, from the study's measurements."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remnist.plan.claims import OF_VARIANTS, Comparison, Published
from remnist.report import statistics
from remnist.report.tables import Results

FEW = 5  # networks in `average_of_five` and `vote_of_five`


class NotMeasuredError(Exception):
    """The study cannot test a comparison; the message says why."""


class Measured(NamedTuple):
    """Both sides of a comparison.

    Attributes:
        values: a row a seed that both variants ran, or a row a variant; `first` and `second`, the level where there
            is one variant.
        censored: which runs end before they reach an accuracy, and the epoch that stands for them, the earliest
            possible; empty where none does. The difference is then at least as large, in the direction that is claimed.
    """

    values: pd.DataFrame
    censored: str = ""


def measure(results: Results, published: dict[str, Published], comparison: Comparison) -> Measured:
    """Return the two sides of a comparison.

    Args:
        results: the measurements.
        published: what the reports published, by variant.
        comparison: the variants and the metric.

    Raises:
        NotMeasuredError: a variant is not in the plan, two variants have different test images, there are fewer than
            two rows, or runs that never reach an accuracy leave the difference open.
    """
    for variant in comparison.variants:
        if variant not in results.plan:
            raise NotMeasuredError(f"there is no variant `{variant}`")
    if len({results.labels[variant].tobytes() for variant in comparison.variants}) > 1:
        raise NotMeasuredError(f"{' and '.join(f'`{each}`' for each in comparison.variants)} have other test images")
    if comparison.metric in OF_VARIANTS:
        columns = [_gain_of_five(results, comparison.metric.removesuffix("_of_five"))]
    elif comparison.metric == "resolution":
        columns = [_resolution(results, *comparison.variants)]
    else:
        columns = [_of_runs(results, published, comparison, variant) for variant in comparison.variants]
    table = pd.concat(columns, axis=1, join="inner")
    if table.shape[1] == 1:
        table["level"] = comparison.level
    table.columns = pd.Index(["first", "second"])
    if len(table) < 2:
        what = "variants with five seeds" if comparison.metric in OF_VARIANTS else "seeds in common"
        raise NotMeasuredError(f"{what}: {len(table)}, two are needed")
    if comparison.metric == "epochs_to_reach":
        return _replace_censored(table, comparison, _horizon(results, comparison))
    return Measured(table)


def right_answers(results: Results, variants: list[str]) -> list[NDArray[np.bool_]]:
    """Return which test images two variants get right, (runs, images) each, of the seeds that both ran."""
    seeds = [results.plan[variant].seeds for variant in variants]
    shared = [seed for seed in seeds[0] if seed in seeds[1]]
    rows = [[each.index(seed) for seed in shared] for each in seeds]
    return [
        results.predictions[variant][row] == results.labels[variant]
        for variant, row in zip(variants, rows, strict=True)
    ]


def _of_runs(
    results: Results, published: dict[str, Published], comparison: Comparison, variant: str
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
            return _epochs_to_reach(curves, comparison.reach or 1.0, _horizon(results, comparison))
        case "digit_deviation":
            return _digit_deviation(results, published, variant)
        case metric:
            return runs[metric]


def _last_epoch(curves: pd.DataFrame) -> "pd.Series[float]":
    on_train = curves[curves["part"] == "train"].sort_values("epoch")
    return on_train.groupby("seed")["accuracy"].last()


def _horizon(results: Results, comparison: Comparison) -> int:
    """Return how many epochs all variants of a comparison have."""
    return min(results.plan[variant].train.epochs for variant in comparison.variants)


def _epochs_to_reach(curves: pd.DataFrame, accuracy: float, horizon: int) -> "pd.Series[float]":
    """Return the first epoch that reaches a validation accuracy, by seed; NaN where none does up to the horizon."""
    held = curves[(curves["part"] == "validation") & (curves["epoch"] <= horizon)]
    return held["epoch"].where(held["accuracy"] >= accuracy).groupby(held["seed"]).min().astype(float)


def _replace_censored(table: pd.DataFrame, comparison: Comparison, horizon: int) -> Measured:
    """Replace what lies beyond the horizon by the smallest value that it can have, where that is conservative.

    That is where only runs of the variant that is claimed to be slower end before they reach the accuracy, and the
    claim names no size: their true values make the difference larger.

    Raises:
        NotMeasuredError: no run reaches the accuracy, or some do not and nothing conservative can stand for them.
    """
    reach = f"{(comparison.reach or 1.0) * 100:g} %"
    never = table.isna()
    count, runs = int(never.to_numpy().sum()), len(table) * len(comparison.variants)
    if not count:
        return Measured(table)
    if count == runs:
        raise NotMeasuredError(f"no run reaches {reach} within {horizon} epochs")
    side, variant = {"more": ("first", 0), "less": ("second", -1)}.get(comparison.expect, ("", 0))
    conservative = len(comparison.variants) == 2 and not comparison.at_least and side
    if not conservative or never[side].sum() < count:
        raise NotMeasuredError(f"{count} of {runs} runs never reach {reach} within {horizon} epochs")
    never_reached = f"{count} of {len(table)} runs of `{comparison.variants[variant]}` never reach {reach}"
    return Measured(table.fillna(horizon + 1), f"{never_reached}, counted as epoch {horizon + 1}")


def _digit_deviation(results: Results, published: dict[str, Published], variant: str) -> "pd.Series[float]":
    digits = published[variant].digits if variant in published else None
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
