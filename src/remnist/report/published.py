"""What a report printed, next to the runs: figures that a single run should have, and sizes of differences."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from remnist.plan.claims import RATES, Claim, Published, figures
from remnist.report import statistics
from remnist.report.effects import Effect, at_least_two, scale_of, scaled
from remnist.report.measures import NotMeasuredError, figure
from remnist.report.statistics import Floats, Interval
from remnist.report.tables import Results
from remnist.report.units import RELATIVE

CONSISTENT, SMALLER, LARGER = "consistent", "smaller", "larger"


@dataclass(frozen=True)
class Printed:
    """A published figure next to the runs.

    Attributes:
        variant: whose it is.
        place: its epoch or digit, None where the metric has one figure.
        published: the figure.
        measured: the mean of the runs.
        interval: of one run, 95 %, before any correction.
        p_value: that it is one more run's, corrected by Holm for the figures of the claim.
        values: what the runs have, (n,).
    """

    variant: str
    place: int | None
    published: float
    measured: float
    interval: Interval
    p_value: float
    values: Floats


@dataclass(frozen=True)
class Size:
    """A published difference next to the measured one.

    Attributes:
        published: the difference, or the value of one variant minus the level.
        interval: of one pair of runs, 95 %.
        outcome: consistent; smaller or larger than published.
        one_pair_could_tell: whether a pair of runs could have distinguished it from no difference.
    """

    published: float
    interval: Interval
    outcome: str
    one_pair_could_tell: bool


def compare(results: Results, claim: Claim, published: Mapping[str, Published]) -> list[Printed]:
    """Hold every published figure of a claim against the runs.

    Raises:
        NotMeasuredError: as in `remnist.report.measures.figure`, or there is no published figure.
    """
    rows = [
        of_values(variant, place, printed, figure(results, claim, variant, place), claim.rounded_to)
        for variant in claim.variants if published
        for place, printed in figures(claim, variant, published).items()
    ]  # fmt: skip
    if not rows:
        raise NotMeasuredError("the published figures are of another data set")
    return correct(rows)


def of_values(variant: str, place: int | None, printed: float, values: Floats, rounded_to: float = 0.0) -> Printed:
    """Hold a published figure against the runs; its p-value is not corrected yet.

    Raises:
        NotMeasuredError: there is one run, or none.
    """
    at_least_two(values)
    interval = statistics.against(values, 0.0).of_one_pair()
    p_value = statistics.as_of_one_run(values, printed, rounded_to)
    return Printed(variant, place, printed, float(values.mean()), interval, p_value, values)


def correct(rows: list[Printed]) -> list[Printed]:
    """Correct the p-values of a claim's figures by Holm."""
    corrected = statistics.holm(np.array([row.p_value for row in rows]))
    return [replace(row, p_value=float(p)) for row, p in zip(rows, corrected, strict=True)]


def size(claim: Claim, effect: Effect, published: Mapping[str, Published]) -> Size | None:
    """Hold a published difference against that of one pair of runs, or nothing where none was published."""
    printed = difference_of(claim, published)
    if printed is None or claim.by_construction or math.isnan(effect.interval[0]) or claim.metric in RATES:
        return None
    scale = scale_of(claim, effect.samples)
    difference = statistics.difference([each.array for each in effect.samples], claim.level)
    low, high = scaled(difference.of_one_pair(), scale)
    half = claim.rounded_to / 2
    sign = 1 if printed >= 0 else -1
    is_inside = low <= printed + half and printed - half <= high
    outcome = CONSISTENT if is_inside else SMALLER if sign * effect.difference < abs(printed) else LARGER
    return Size(printed, (low, high), outcome, difference.one_pair_could_tell(printed * scale))


def difference_of(claim: Claim, published: Mapping[str, Published]) -> float | None:
    """Return the difference that the report states, or that of the figures that it published of the variants."""
    if not published:
        return None
    if claim.published is not None or claim.metric not in ("accuracy", "loss") or claim.epoch is not None:
        return claim.published
    printed = [getattr(published[v], claim.metric) if v in published else None for v in claim.variants]
    first, second = [*printed, claim.level][:2]
    if first is None or second is None:
        return None
    return float((first - second) / (second if claim.metric in RELATIVE else 1))
