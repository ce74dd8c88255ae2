"""The values that a claim compares: its metric of each run, from the study's measurements."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remnist.plan.claims import AT_EPOCH, REACHING, TOGETHER, Claim, Comparison
from remnist.report.statistics import Floats
from remnist.report.tables import Results
from remnist.settings import Variant

FEW = 5  # networks in `average_of_five` and `vote_of_five`, as the evaluation has them


class NotMeasuredError(Exception):
    """The study cannot test a comparison; the message says why."""


@dataclass(frozen=True)
class Sample:
    """The values of one side of a comparison.

    Attributes:
        values: by seed, round or variant. NaN is a run that ended before it reached an accuracy.
        horizon: the last epoch of a run that may not have reached an accuracy, else None.
        image_se: the standard error that the choice of the test images gives a value that has no other, else None.
    """

    values: "pd.Series[float]"
    horizon: int | None = None
    image_se: float | None = None

    @cached_property
    def array(self) -> Floats:
        """The values, (n,)."""
        return np.asarray(self.values.array, np.float64)

    @property
    def censored(self) -> int:
        """How many runs ended before they reached an accuracy."""
        return int(np.isnan(self.array).sum())


def sample(results: Results, comparison: Comparison, variants: list[str]) -> list[Sample]:
    """Return the values of each of these variants by the metric of a comparison.

    Args:
        results: the measurements.
        comparison: the metric, and which runs count.
        variants: the comparison's own, or those of a control; none stands for every variant.

    Raises:
        NotMeasuredError: a variant is not in the plan, two variants have different test images, or a variant has no
            value, or runs without one.
    """
    for variant in variants:
        if variant not in results.plan:
            raise NotMeasuredError(f"there is no variant {variant}")
    if len({results.labels[variant].tobytes() for variant in variants}) > 1:
        raise NotMeasuredError(f"{' and '.join(variants)} have other test images")
    metric = comparison.metric
    if metric in TOGETHER:
        return _together(results, metric.removesuffix("_of_five"), variants)
    horizon = min(results.plan[variant].train.epochs for variant in variants)
    samples = []
    for variant in variants:
        values = _of_runs(results, comparison, variant, horizon)
        if metric not in REACHING:
            _check_finite(values, variant, metric)
        if values.empty:
            lack = "run that found every digit" if comparison.found_digits else metric.replace("_", " ")
            raise NotMeasuredError(f"{variant} has no {lack}")
        samples.append(Sample(values.astype(float), horizon if metric in REACHING else None))
    return samples


def at_shared_seeds(samples: list[Sample]) -> list[Floats]:
    """Return the values of each sample at the seeds that all have, (n,) each."""
    shared, *others = (each.values.index for each in samples)
    if all(map(shared.equals, others)):
        return [each.array for each in samples]
    for other in others:
        shared = shared.intersection(other)
    return [np.asarray(each.values.loc[shared], np.float64) for each in samples]


def check_reached(one: Sample, variant: str) -> None:
    """Raise NotMeasuredError if some runs of a variant end before they reach an accuracy."""
    if one.censored:
        raise NotMeasuredError(f"{one.censored} of {len(one.values)} runs of {variant} never get there")


def figure(results: Results, claim: Claim, variant: str, place: int | None) -> Floats:
    """Return what each run of a variant has in place of a published figure.

    Args:
        results: the measurements.
        claim: a claim of `as_published`.
        variant: one of its variants.
        place: the epoch or the digit of the figure; None where the metric has one.

    Raises:
        NotMeasuredError: as in `sample`.
    """
    if place is None:
        [one] = sample(results, claim, [variant])
        check_reached(one, variant)
        return one.array
    runs = _runs(results, claim, variant).index
    if claim.metric == "accuracy_by_digit":
        rows = results.per_digit[(results.per_digit["variant"] == variant) & (results.per_digit["digit"] == str(place))]
        values = rows.set_index("seed")["accuracy"]
    else:
        values = _at_epoch(results, variant, claim.metric.removesuffix("_by_epoch"), place)
    _check_finite(values.loc[runs], variant, claim.metric)
    return np.asarray(values.loc[runs], np.float64)


def same_architecture(first: Variant, second: Variant) -> bool:
    """Return whether the same seed gives two variants the same initial weights, so that their runs are pairs."""
    images = [getattr(variant.data, "image_size", None) for variant in (first, second)]
    models = [variant.model.model_dump(exclude={"dropout"}) for variant in (first, second)]
    return images[0] == images[1] and type(first.model) is type(second.model) and models[0] == models[1]


def right_answers(results: Results, comparison: Comparison, variant: str) -> NDArray[np.bool_]:
    """Return which test images each run of a variant gets right, (runs, images)."""
    counts = np.isin(results.plan[variant].seeds, _runs(results, comparison, variant).index)
    return results.predictions[variant][counts] == results.labels[variant]


def _check_finite(values: "pd.Series[float]", variant: str, metric: str) -> None:
    if unknown := int((~np.isfinite(values.astype(float))).sum()):
        raise NotMeasuredError(f"{unknown} of {len(values)} runs of {variant} have no finite {metric}")


def _of_runs(results: Results, comparison: Comparison, variant: str, horizon: int) -> "pd.Series[float]":
    """Return a metric of each run of a variant, by seed; of a benchmark, by round."""
    metric = comparison.metric
    if metric == "seconds_per_epoch":
        rows = results.seconds[results.seconds["variant"] == variant]
        return rows.set_index("round")["seconds"]
    runs = _runs(results, comparison, variant)
    if metric in REACHING:
        part = "train" if metric.startswith("train") else "test"
        curves = _curves(results, variant)
        curves = curves[curves["epoch"] <= horizon]
        reached = curves["epoch"].where(curves[f"{part}_accuracy"] >= (comparison.reach or 1.0))
        return reached.groupby(curves["seed"]).min().astype(float).loc[runs.index]
    if metric in AT_EPOCH and comparison.epoch is not None:
        return _at_epoch(results, variant, metric, comparison.epoch).loc[runs.index]
    return runs[metric]


def _runs(results: Results, comparison: Comparison, variant: str) -> pd.DataFrame:
    """Return the runs of a variant that count, by seed."""
    runs = results.runs[results.runs["variant"] == variant].set_index("seed")
    return runs[~runs["digit_missing"]] if comparison.found_digits else runs


def _curves(results: Results, variant: str) -> pd.DataFrame:
    return results.curves[results.curves["variant"] == variant]


def _at_epoch(results: Results, variant: str, metric: str, epoch: int) -> "pd.Series[float]":
    curves = _curves(results, variant)
    found = curves[curves["epoch"] == epoch].set_index("seed")[f"test_{metric}"]
    if found.empty:
        raise NotMeasuredError(f"{variant} has no epoch {epoch}")
    return found


def _together(results: Results, kind: str, variants: list[str]) -> list[Sample]:
    """Return by how much five networks exceed the mean of one: of one variant, or of every variant."""
    five = results.ensembles[results.ensembles["members"] == FEW].set_index("variant")
    gains = (five[kind] - results.runs.groupby("variant")["accuracy"].mean()).dropna()
    if not variants and len(gains) < 2:
        raise NotMeasuredError(f"{len(gains)} variants have {FEW} seeds, two are needed")
    if not variants:
        return [Sample(gains)]
    if variants[0] not in gains:
        raise NotMeasuredError(f"{variants[0]} has fewer than {FEW} seeds")
    return [Sample(gains.loc[variants], image_se=float(five[f"{kind}_se"][variants[0]]))]
