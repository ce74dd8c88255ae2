"""The cause of a difference: which share of it a control takes away that differs in one setting."""

import math
from dataclasses import dataclass

from remnist.plan.claims import Claim
from remnist.plan.comparisons import factors
from remnist.report import statistics
from remnist.report.effects import CONFIRMED, REVERSED, UNDECIDED, Effect
from remnist.report.measures import NotMeasuredError, at_shared_seeds, sample
from remnist.report.statistics import Interval
from remnist.report.tables import Results

EXPLAINED, PARTLY, NOT_EXPLAINED = "explained", "partly", "not explained"
SHARES = (0.25, 0.75)  # of a difference: what explains less is no cause, what explains more is the cause


@dataclass(frozen=True)
class Explained:
    """What a control says of a cause.

    Attributes:
        outcome: explained, partly, not explained; undecided where the claim has no difference to explain.
        share: of the difference, which vanishes in the control.
        interval: 95 %.
        missing: why there is none, empty where there is.
    """

    outcome: str = UNDECIDED
    share: float = math.nan
    interval: Interval = (math.nan, math.nan)
    missing: str = ""


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
    if effect.outcome not in (CONFIRMED, REVERSED):
        return Explained(missing="not judged, as no difference is established")
    try:
        samples = [*effect.samples, *sample(results, claim, control)]
    except NotMeasuredError as missing:
        return Explained(missing=str(missing))
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
