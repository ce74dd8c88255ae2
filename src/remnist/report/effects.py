"""The effect of a claim: the difference of what it compares, and what became of it by the rule of what it expects."""

import math
from dataclasses import dataclass, replace

from remnist.plan.claims import RATES, Claim
from remnist.report import statistics
from remnist.report.measures import (
    NotMeasuredError,
    Sample,
    at_shared_seeds,
    check_reached,
    right_answers,
    same_architecture,
    sample,
)
from remnist.report.statistics import ALPHA, EQUIVALENCE, LEVEL, Floats, Interval
from remnist.report.tables import Results
from remnist.report.units import RELATIVE

CONFIRMED, REVERSED, NO_EFFECT, UNDECIDED = "confirmed", "reversed", "no effect", "undecided"
DIRECTIONS = ("more", "less")


@dataclass(frozen=True)
class Effect:
    """What was found of a difference.

    Attributes:
        samples: both sides, or the one that is held against a level.
        difference: the mean difference; of the medians where times are censored, NaN where one of these is beyond.
        interval: 95 %, over seeds; of medians there is none, NaN.
        with_images: the same over seeds and test images.
        equivalence: 90 %, over seeds.
        p_value: two-sided, not corrected; NaN for what is so by construction.
        corrected: the same, corrected by Holm among the directions that the report claims.
        family: how many these are; 1 where the claim is none of them.
        positive: whether the first is larger.
        paired: whether the runs are pairs.
        image_se: the standard error that the choice of the test images adds to the difference; 0 where it is not known.
        sd: the standard deviation of the difference over seeds, NaN where it has none.
        outcome: confirmed, reversed, no effect, undecided.
        negligible: whether a difference was found that lies within the margin.
    """

    samples: list[Sample]
    difference: float
    interval: Interval
    with_images: Interval
    equivalence: Interval
    p_value: float
    positive: bool
    paired: bool
    image_se: float = 0.0
    sd: float = math.nan
    corrected: float = math.nan
    family: int = 1
    outcome: str = UNDECIDED
    negligible: bool = False


def measure(results: Results, claim: Claim) -> Effect:
    """Measure the difference of what a claim compares; its p-value is not corrected, and nothing is decided yet.

    Raises:
        NotMeasuredError: as in `remnist.report.measures.sample` and `of_samples`.
    """
    samples = sample(results, claim, claim.variants)
    variants = [results.plan[variant] for variant in claim.variants]
    paired = len(variants) == 2 and claim.metric != "seconds_per_epoch" and same_architecture(*variants)
    of_images = claim.metric == "accuracy" and claim.epoch is None
    right = [right_answers(results, claim, variant) for variant in claim.variants] if of_images else []
    return of_samples(claim, samples, paired=paired, image_se=statistics.image_se(*right) if right else 0.0)


def of_samples(claim: Claim, samples: list[Sample], *, paired: bool, image_se: float) -> Effect:
    """Measure the difference of samples.

    Args:
        claim: what it compares, and by which metric.
        samples: both sides, or the one that is held against a level.
        paired: whether the runs of one seed are pairs.
        image_se: the standard error that the choice of the test images adds, 0 where it is not known.

    Raises:
        NotMeasuredError: there is one run, or none; or of runs that are held against a level some never get there.
    """
    if claim.metric in RATES:
        return _of_rates(samples)
    one, *others = samples
    if others and any(each.censored for each in samples):
        return _of_times(samples)
    check_reached(one, ", ".join(claim.variants))
    if one.image_se is not None:
        return _of_images(claim, one)
    arrays = at_shared_seeds(samples) if paired else [each.array for each in samples]
    at_least_two(*arrays, of="timing" if claim.metric == "seconds_per_epoch" else "run")
    difference = statistics.difference(arrays, claim.level, paired=paired, image_se=image_se)
    scale = scale_of(claim, samples)
    return Effect(
        samples=samples,
        difference=difference.mean / scale,
        interval=scaled(difference.interval(), scale),
        with_images=scaled(difference.interval_with_images(), scale),
        equivalence=scaled(difference.interval(EQUIVALENCE), scale),
        p_value=math.nan if claim.by_construction else difference.p_value(),
        positive=difference.mean > 0,
        paired=paired,
        image_se=image_se,
        sd=difference.se * math.sqrt(len(arrays[0])) / scale,
    )


def at_least_two(*samples: Floats, of: str = "run") -> None:
    """Raise NotMeasuredError if a sample has fewer than two values, each of a run or whatever is named."""
    if (fewest := min(map(len, samples))) < 2:
        raise NotMeasuredError(f"{fewest} {of}{'s' if fewest != 1 else ''} to compare, two are needed")


def scale_of(claim: Claim, samples: list[Sample]) -> float:
    """Return what a difference is a share of, the second's mean or the level; 1 where it is none."""
    if claim.metric not in RELATIVE:
        return 1.0
    scale = abs(float(samples[1].values.mean()) if len(samples) == 2 else claim.level or 0.0)
    if not scale:
        raise NotMeasuredError("the second is zero, of which there is no share")
    return scale


def scaled(interval: Interval, scale: float) -> Interval:
    """Return an interval as shares."""
    return interval[0] / scale, interval[1] / scale


def _of_rates(samples: list[Sample]) -> Effect:
    (k, n), (j, m) = ((int(each.array.sum()), len(each.array)) for each in samples)
    p_value, interval = statistics.of_rates(k, n, j, m)
    difference = k / n - j / m
    return Effect(samples, difference, interval, interval, interval, p_value, difference > 0, paired=False)


def _of_times(samples: list[Sample]) -> Effect:
    """Compare times of which some lie beyond the last epoch; only their order is known."""
    first, second = (each.array for each in samples)
    horizon = samples[0].horizon or 0
    p_value, longer = statistics.of_times(first, second, horizon)
    medians = [statistics.median_time(times, horizon) for times in (first, second)]
    known = medians[0] is not None and medians[1] is not None
    difference = medians[0] - medians[1] if known else math.nan  # type: ignore[operator]
    nothing = (math.nan, math.nan)
    return Effect(samples, difference, nothing, nothing, (-math.inf, math.inf), p_value, longer, paired=False)


def _of_images(claim: Claim, one: Sample) -> Effect:
    """Hold one value, whose spread is that of the test images, against a level."""
    difference, se = float(one.values.iloc[0]) - (claim.level or 0.0), one.image_se or 0.0
    interval, equivalence = (statistics.normal_interval(difference, se, level) for level in (LEVEL, EQUIVALENCE))
    p_value = statistics.normal_test(difference, se)
    return Effect([one], difference, interval, interval, equivalence, p_value, difference > 0, paired=False)


def conclude(claim: Claim, effect: Effect, corrected: float, family: int = 1) -> Effect:
    """Decide what became of an effect.

    Args:
        claim: whose it is.
        effect: as measured.
        corrected: its p-value, corrected for the directions that the report claims; NaN where it claims none.
        family: how many these are.
    """
    effect, margin = replace(effect, corrected=corrected, family=family), claim.margin or 0.0
    outcome = decide(claim, effect, margin)
    is_found = claim.expect in DIRECTIONS and outcome in (CONFIRMED, REVERSED)
    return replace(
        effect,
        outcome=outcome,
        negligible=is_found and statistics.is_smaller(effect.equivalence, margin),
    )


def seeds_to_decide(claim: Claim, effect: Effect) -> int | None:
    """Return how many seeds would decide what is open; None where nothing is, or it would be more than a thousand.

    By the strictest level of Holm's correction; None as well where there are as many runs already, against chance.
    """
    if effect.outcome != UNDECIDED or math.isnan(effect.sd):
        return None
    mean, margin = effect.difference, claim.margin or 0.0
    found, alike = {
        "more": (abs(mean), [margin - mean, margin + mean]),
        "less": (abs(mean), [margin - mean, margin + mean]),
        "same": (abs(mean) - margin, [margin - mean, margin + mean]),
        "not_more": (mean - margin, [margin - mean]),
        "not_less": (-mean - margin, [margin + mean]),
    }[claim.expect]
    seeds = statistics.seeds_to_decide(found, alike, effect.sd, ALPHA / effect.family)
    return seeds if seeds and seeds > len(effect.samples[0].values) else None


def decide(claim: Claim, effect: Effect, margin: float) -> str:
    """Return the outcome of an effect by the rule of what the claim expects."""
    if claim.by_construction:
        return _exactly(claim, effect.difference, margin)
    low, high = effect.interval
    match claim.expect:
        case "more" | "less":
            if effect.corrected <= ALPHA:
                return CONFIRMED if effect.positive == (claim.expect == "more") else REVERSED
            return NO_EFFECT if statistics.is_smaller(effect.equivalence, margin) else UNDECIDED
        case "same":
            confirmed, beyond = statistics.is_smaller(effect.equivalence, margin), low > margin or high < -margin
        case "not_more":
            confirmed, beyond = effect.equivalence[1] < margin, low > margin
        case _:
            confirmed, beyond = effect.equivalence[0] > -margin, high < -margin
    return CONFIRMED if confirmed else REVERSED if beyond and effect.p_value <= ALPHA else UNDECIDED


def _exactly(claim: Claim, difference: float, margin: float) -> str:
    """Return whether what cannot come out otherwise is as claimed."""
    holds = {
        "more": difference > 0,
        "less": difference < 0,
        "same": abs(difference) <= margin,
        "not_more": difference <= margin,
        "not_less": difference >= -margin,
    }[claim.expect]
    return CONFIRMED if holds else REVERSED
