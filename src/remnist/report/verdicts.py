"""From claims and measurements to outcomes: effect, size and cause, each by one rule.

Effect. `more` and `less`: the two-sided p-value, corrected by Holm for the directions that the report claims, decides
between confirmed and reversed; otherwise an interval within the margin says that there is no effect. `same`, `not_more`
and `not_less`: an interval within the margin confirms, one wholly beyond it reverses. Size: whether the published
figure is one that a single run, or pair of runs, has. Cause: which share of the difference a control takes away.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from remnist.plan.claims import Claim, Claims, Published
from remnist.report import causes, effects, published, stability, statistics
from remnist.report.causes import Explained
from remnist.report.effects import CONFIRMED, DIRECTIONS, NO_EFFECT, REVERSED, UNDECIDED, Effect
from remnist.report.measures import NotMeasuredError
from remnist.report.published import CONSISTENT, LARGER, SMALLER, Printed, Size
from remnist.report.stability import Measured
from remnist.report.statistics import ALPHA
from remnist.report.tables import Results, data_set

REPLICATED, NOT_REPLICATED, NEGLIGIBLE = "replicated", "not replicated", "negligible"
BY_CONSTRUCTION, FALSE_BY_CONSTRUCTION = "by construction", "by construction, false"
NOT_TESTABLE = "not testable"
OUTCOMES = (
    REPLICATED, f"{REPLICATED}, {SMALLER}", f"{REPLICATED}, {LARGER}", f"{REPLICATED}, {NEGLIGIBLE}", NOT_REPLICATED,
    NO_EFFECT, REVERSED, f"{REVERSED}, {NEGLIGIBLE}", UNDECIDED, BY_CONSTRUCTION, FALSE_BY_CONSTRUCTION, NOT_TESTABLE,
)  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """A claim and what was found of it.

    Attributes:
        id: the claim's name in claims.yaml.
        claim: what the report says.
        missing: why it cannot be judged, empty where it can.
        effect: of a difference.
        printed: of the published figures of `as_published`.
        size: of a published difference.
        cause: of a claim with a control.
        parts: of a claim that is made of others.
        stays: the share of studies with seeds drawn again that have the same outcome; None where it cannot differ.
    """

    id: str
    claim: Claim
    missing: str = ""
    effect: Effect | None = None
    printed: list[Printed] = field(default_factory=list)
    size: Size | None = None
    cause: Explained | None = None
    parts: list["Judged"] = field(default_factory=list)
    stays: float | None = None

    @property
    def is_fragile(self) -> bool:
        """Whether seeds drawn again would often give another outcome."""
        return self.stays is not None and self.stays < stability.FRAGILE

    @property
    def outcome(self) -> str:
        """One of OUTCOMES."""
        if self.missing:
            return NOT_TESTABLE
        if self.claim.by_construction:
            holds = self.effect is not None and self.effect.outcome == CONFIRMED
            return BY_CONSTRUCTION if holds else FALSE_BY_CONSTRUCTION
        if self.printed:
            return REPLICATED if min(each.p_value for each in self.printed) > ALPHA else NOT_REPLICATED
        if self.effect is None:
            return _of_parts([each.outcome for each in self.parts])
        words = [REPLICATED if self.effect.outcome == CONFIRMED else self.effect.outcome]
        if self.effect.negligible:
            words.append(NEGLIGIBLE)
        elif self.effect.outcome == CONFIRMED and self.size and self.size.outcome != CONSISTENT:
            words.append(self.size.outcome)
        return ", ".join(words)


def judge(results: Results, claims: Claims) -> list[Judged]:
    """Judge every claim by the measurements, in the order of claims.yaml."""
    printed = claims.published if data_set(results).name == claims.data else {}
    measured = {name: _measure(results, claim, printed) for name, claim in claims.claims.items()}
    return [
        replace(each, cause=causes.explain(results, each.claim, each.effect)) if each.effect else each
        for each in conclude_with_stability(claims, printed, measured)
    ]


def conclude_with_stability(
    claims: Claims, printed: Mapping[str, Published], measured: Mapping[str, Measured]
) -> list[Judged]:
    """Decide as `conclude` does, and in which share of studies with seeds drawn again each outcome stays."""
    judged = conclude(claims, printed, measured)
    shares = stability.of_outcomes(
        {each.id: each.outcome for each in judged},
        lambda drawn: {each.id: each.outcome for each in conclude(claims, printed, drawn)},
        measured,
        claims.claims,
    )
    return [replace(each, stays=shares.get(each.id)) for each in judged]


def conclude(claims: Claims, printed: Mapping[str, Published], measured: Mapping[str, Measured]) -> list[Judged]:
    """Decide effect and size of what was measured, corrected for all directions of a report.

    Args:
        claims: the content of claims.yaml.
        printed: the published figures that the measurements may be compared with.
        measured: by claim its effect, or its published figures, or why it cannot be measured.
    """
    corrected, sizes = dict[str, float](), dict[str, int]()
    for report in claims.reports:
        family = {
            name: found.p_value for name, found in measured.items()
            if isinstance(found, Effect) and claims.claims[name].report == report
            and claims.claims[name].expect in DIRECTIONS and not math.isnan(found.p_value)
        }  # fmt: skip
        corrected |= zip(family, statistics.holm(np.array(list(family.values()))).tolist(), strict=True)
        sizes |= dict.fromkeys(family, len(family))
    judged = dict[str, Judged]()
    for name, claim in claims.claims.items():
        found = measured[name]
        if isinstance(found, Effect):
            effect = effects.conclude(claim, found, corrected.get(name, math.nan), sizes.get(name, 1))
            judged[name] = Judged(name, claim, effect=effect, size=published.size(claim, effect, printed))
        elif isinstance(found, str):
            judged[name] = Judged(name, claim, missing=found)
        else:
            judged[name] = Judged(name, claim, printed=found)
    return [replace(each, parts=[judged[part] for part in each.claim.all_of]) for each in judged.values()]


def metrics(judged: list[Judged]) -> dict[str, dict[str, Any]]:
    """Return each claim's entry of metrics/claims.json, null where there is no such figure."""
    table: dict[str, dict[str, Any]] = {}
    for each in judged:
        effect, size, cause = each.effect, each.size, each.cause
        low, high = effect.interval if effect else (math.nan, math.nan)
        wide_low, wide_high = effect.with_images if effect else (math.nan, math.nan)
        numbers = {
            "difference": effect.difference if effect else math.nan,
            "low": low, "high": high, "low_with_images": wide_low, "high_with_images": wide_high,
            "p_value": effect.p_value if effect else math.nan,
            "corrected_p_value": effect.corrected if effect else math.nan,
            "published": size.published if size else math.nan,
            "share": cause.share if cause else math.nan,
            "share_low": cause.interval[0] if cause else math.nan,
            "share_high": cause.interval[1] if cause else math.nan,
        }  # fmt: skip
        table[each.id] = {
            "outcome": each.outcome,
            "effect": effect.outcome if effect else None,
            "size": size.outcome if size else None,
            "cause": cause.outcome if cause else None,
            "stays": each.stays,
            "metric": None if each.parts else each.claim.metric,
            **{name: round(number, 6) if math.isfinite(number) else None for name, number in numbers.items()},
            "seeds": [len(side.values) for side in effect.samples] if effect else [],
        }
    return table


def _measure(results: Results, claim: Claim, printed: Mapping[str, Published]) -> Measured:
    """Measure what a claim compares, or return why that cannot be; a claim made of others has nothing of its own."""
    if claim.not_testable or claim.all_of:
        return claim.not_testable or []
    try:
        if claim.expect == "as_published":
            return published.compare(results, claim, printed)
        return effects.measure(results, claim)
    except NotMeasuredError as missing:
        return str(missing)


def _of_parts(outcomes: list[str]) -> str:
    """Return the outcome of a claim that holds if all its parts do."""
    found = {outcome.removesuffix(f", {NEGLIGIBLE}") for outcome in outcomes}
    for outcome in (FALSE_BY_CONSTRUCTION, REVERSED, NO_EFFECT, NOT_REPLICATED, UNDECIDED, NOT_TESTABLE):
        if outcome in found:
            return outcome
    return REPLICATED
