"""The cause of a difference: which share of it a control takes away that differs in one setting.

The cause of a rate, of runs that lack a digit, say: whether it is lower in the control, whatever the difference of the
two variants is.
"""

import math
from dataclasses import dataclass

from remnist.plan.claims import RATES, Claim
from remnist.plan.comparisons import factors
from remnist.report import statistics
from remnist.report.effects import CONFIRMED, REVERSED, UNDECIDED, Effect
from remnist.report.measures import NotMeasuredError, Sample, at_shared_seeds, sample
from remnist.report.statistics import ALPHA, Interval
from remnist.report.tables import Results

EXPLAINED, PARTLY, NOT_EXPLAINED = "explained", "partly", "not explained"
SHARES = (0.25, 0.75)  # shares of a difference: a cause that explains less is none, one that explains more is the cause


@dataclass(frozen=True)
class Explained:
    """What a control says of a cause.

    Attributes:
        outcome: explained, partly, not explained; undecided where the claim has no difference to explain.
        share: of the difference, which vanishes in the control.
        interval: 95 %.
        missing: why there is none, empty where there is.
        counts: of a rate, which has no share: how many of how many runs with the factor it happened to, then without.
        p_value: of a rate, that the two are the same.
    """

    outcome: str = UNDECIDED
    share: float = math.nan
    interval: Interval = (math.nan, math.nan)
    missing: str = ""
    counts: tuple[int, int, int, int] | None = None
    p_value: float = math.nan


def explain(results: Results, claim: Claim, effect: Effect) -> Explained | None:
    """Return which share of a difference vanishes in the control; None where the claim has no control."""
    if claim.cause is None:
        return None
    control = claim.cause.control
    if unknown := [variant for variant in control if variant not in results.plan]:
        return Explained(missing=f"there is no variant {unknown[0]}")
    pairs = zip(claim.variants, control, strict=True)
    changed = {factor for pair in pairs for factor in factors(*(results.plan[variant] for variant in pair))}
    if len(changed) != 1:
        differs = " and ".join(sorted(changed)) or "nothing"
        return Explained(missing=f"the control differs in {differs}; one setting is needed")
    if effect.outcome not in (CONFIRMED, REVERSED) and claim.metric not in RATES:
        return Explained(missing="not judged, as no difference is established")
    try:
        samples = [*effect.samples, *sample(results, claim, control)]
    except NotMeasuredError as missing:
        return Explained(missing=str(missing))
    if claim.metric in RATES:
        return _of_rates(samples)
    if any(each.censored for each in samples):
        return Explained(missing="times that are not known have no share")
    a, b, c, d = at_shared_seeds(samples)
    if len(a) < 2:
        return Explained(missing=f"seeds in common: {len(a)}, two are needed")
    share, (low, high) = statistics.share_explained((a, b), (c, d))
    if not math.isfinite(low + high):
        return Explained(UNDECIDED, share, (low, high))
    outcome = EXPLAINED if low > SHARES[1] else NOT_EXPLAINED if high < SHARES[0] else PARTLY
    return Explained(outcome, share, (low, high))


def _of_rates(samples: list[Sample]) -> Explained:
    """Hold the runs of both variants against those of both of the control."""
    (k, n), (j, m) = (
        (int(sum(each.array.sum() for each in pair)), sum(len(each.values) for each in pair))
        for pair in (samples[:2], samples[2:])
    )
    p_value, _ = statistics.of_rates(k, n, j, m)
    is_lower = p_value <= ALPHA and k / n > j / m
    return Explained(EXPLAINED if is_lower else UNDECIDED, counts=(k, n, j, m), p_value=p_value)
