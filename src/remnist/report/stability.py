"""How stable outcomes are: how often each stays when the seeds are drawn again, with replacement."""

from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remnist.plan.claims import Claim
from remnist.report import effects, published
from remnist.report.effects import Effect
from remnist.report.measures import NotMeasuredError, Sample, at_shared_seeds
from remnist.report.published import Printed

Measured = Effect | list[Printed] | str  # a claim's effect, published figures, or why there is neither

STUDIES = 100  # studies that are drawn
FRAGILE = 0.8  # share of studies below which an outcome counts as fragile


def of_outcomes(
    outcomes: Mapping[str, str],
    conclude: Callable[[Mapping[str, Measured]], Mapping[str, str]],
    measured: Mapping[str, Measured],
    claims: Mapping[str, Claim],
) -> dict[str, float]:
    """Return by claim in which share of drawn studies its outcome is the same, if it could be another.

    Args:
        outcomes: by claim.
        conclude: decides all outcomes of a study.
        measured: what was measured of each claim.
        claims: the claims.
    """
    rng = np.random.default_rng(0)
    same = Counter[str]()
    for _ in range(STUDIES):
        drawn = {name: _draw(claims[name], found, rng) for name, found in measured.items()}
        same.update(name for name, outcome in conclude(drawn).items() if outcome == outcomes[name])
    return {name: same[name] / STUDIES for name in outcomes if _can_differ(claims[name], measured[name])}


def _can_differ(claim: Claim, found: Measured) -> bool:
    """Return whether other seeds could give another outcome; not where a claim has none, or one value."""
    if isinstance(found, str) or claim.by_construction:
        return False
    return not isinstance(found, Effect) or found.samples[0].image_se is None


def _draw(claim: Claim, found: Measured, rng: np.random.Generator) -> Measured:
    """Measure a claim again in runs that are drawn from its own; runs of one seed stay together."""
    try:
        if isinstance(found, Effect):
            samples = _samples(found, rng)
            return effects.of_samples(claim, samples, paired=found.paired, image_se=found.image_se)
        if isinstance(found, str):
            return found
        draws: dict[str, NDArray[np.int64]] = {}
        rows = []
        for row in found:
            if row.variant not in draws:
                draws[row.variant] = rng.integers(len(row.values), size=len(row.values))
            values = row.values[draws[row.variant]]
            rows.append(published.of_values(row.variant, row.place, row.published, values, claim.rounded_to))
        return published.correct(rows)
    except NotMeasuredError as missing:
        return str(missing)


def _samples(effect: Effect, rng: np.random.Generator) -> list[Sample]:
    """Draw the runs of both sides, where they are pairs the same of both; one value has nothing to draw from."""
    if effect.samples[0].image_se is not None:
        return effect.samples
    if effect.paired:
        arrays = at_shared_seeds(effect.samples)
        places = [rng.integers(len(arrays[0]), size=len(arrays[0]))] * 2
    else:
        arrays = [side.array for side in effect.samples]
        places = [rng.integers(len(each), size=len(each)) for each in arrays]
    drawn = zip(arrays, places, effect.samples, strict=True)
    return [Sample(pd.Series(array[place]), side.horizon) for array, place, side in drawn]
