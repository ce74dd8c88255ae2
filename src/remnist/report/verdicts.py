"""From claims and measurements to verdicts: the rules, all of them, in one place.

A verdict rests on Student's t over paired seeds, corrected for the number of a report's claims; controls, which only
count where the claim holds, are corrected among themselves. The exact sign-flip test, which needs no normal
distribution but more seeds, answers the same question.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from remnist.plan.claims import Claim, Claims, Comparison, LostDigits, Published
from remnist.report import statistics
from remnist.report.measures import Measured, NotMeasuredError, measure, right_answers
from remnist.report.statistics import ALPHA, Floats, Side
from remnist.report.tables import Results, lost_digits

UPHELD, REFUTED, UNDECIDED = "upheld", "refuted", "no difference found"
OTHER_CAUSE, NOT_TESTABLE = "other cause", "not testable"
OUTCOMES = (UPHELD, REFUTED, OTHER_CAUSE, UNDECIDED, NOT_TESTABLE)

DECIMALS = 9
SATURATED_LOSS = math.log(math.e + 9) - 1  # 1.4612, loss of a sure and right softmax put through another softmax
SATURATED_WITHIN = 0.005  # largest distance of a saturated loss from that plus the error

Test = Callable[[Floats, float, Side], float]
# The p-values that an expectation holds, and that it does not. `p(bound, side)` is one-sided, that the mean
# difference lies on that side of the bound; x is `at_least`, m the margin. `same` is two one-sided tests, TOST.
RULES: dict[str, Callable[[Callable[[float, Side], float], float, float], tuple[float, float]]] = {
    "more": lambda p, x, m: (p(0, "greater"), p(x, "less")),
    "less": lambda p, x, m: (p(0, "less"), p(-x, "greater")),
    "same": lambda p, x, m: (max(p(-m, "greater"), p(m, "less")), min(p(-m, "less"), p(m, "greater"))),
    "not_more": lambda p, x, m: (p(m, "less"), p(m, "greater")),
    "not_less": lambda p, x, m: (p(-m, "greater"), p(-m, "less")),
}


@dataclass
class Finding:
    """The result of a comparison.

    Attributes:
        comparison: the variants, the metric, the expectation.
        missing: why it cannot be tested, empty where it can; the figures below are then absent.
        measured: both sides.
        outcome: upheld, refuted or no difference found, by Student's t.
        p_value: two-sided, corrected.
        exact_outcome: the same by the exact sign-flip test.
        exact_p_value: two-sided, corrected.
    """

    comparison: Comparison
    missing: str = ""
    measured: Measured = field(default_factory=lambda: Measured(pd.DataFrame()))
    outcome: str = NOT_TESTABLE
    p_value: float = math.nan
    exact_outcome: str = NOT_TESTABLE
    exact_p_value: float = math.nan

    @property
    def values(self) -> pd.DataFrame:
        """`first` and `second`, a row a run or a variant."""
        return self.measured.values

    @property
    def differences(self) -> Floats:
        """The first minus the second, (n,); equal ones are equal to the bit, whatever was subtracted."""
        return np.asarray((self.values["first"] - self.values["second"]).to_numpy()).round(DECIMALS)

    @property
    def difference(self) -> float:
        """The mean difference."""
        return float(self.differences.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """Student's 95 % interval of the mean difference; NaN to NaN where values of runs are not known."""
        if self.measured.censored:
            return math.nan, math.nan
        return statistics.t_interval(self.differences)


@dataclass(frozen=True)
class Lost:
    """How many runs lost a digit: those with a softmax before the loss, of `softmax_runs`, and those without.

    `saturated` says whether all that lost one have the loss of saturated outputs.
    """

    softmax: int
    softmax_runs: int
    logits: int
    logits_runs: int
    saturated: bool

    @property
    def shown(self) -> bool:
        """Whether the softmax is shown to be why."""
        return self.softmax > 0 and self.logits == 0 and self.logits_runs > 0 and self.saturated


@dataclass(frozen=True)
class Judged:
    """A claim and its outcome.

    Attributes:
        id: the claim's name in claims.yaml.
        claim: what the report says.
        published: the difference that the report published, None where it published none.
        finding: the result of its comparison.
        controls: the results of the comparisons that would show another cause.
        lost: the signs of lost digits, None where the claim asks for none.
    """

    id: str
    claim: Claim
    published: float | None
    finding: Finding
    controls: list[Finding]
    lost: Lost | None

    @property
    def outcome(self) -> str:
        """One of OUTCOMES."""
        controlled = self.controls and all(control.outcome == UPHELD for control in self.controls)
        if (self.lost is not None and self.lost.shown) or (self.finding.outcome == UPHELD and controlled):
            return OTHER_CAUSE
        return self.finding.outcome


def judge(results: Results, claims: Claims) -> list[Judged]:
    """Judge every claim by the measurements."""

    def find(comparison: Comparison) -> Finding:
        try:
            return Finding(comparison, measured=measure(results, claims.published, comparison))
        except NotMeasuredError as missing:
            return Finding(comparison, missing=str(missing))

    judged = []
    for name, claim in claims.claims.items():
        controls = [find(control) for control in claim.cause.shown_by] if claim.cause else []
        lost = count_lost(results, claim.cause.lost_digits) if claim.cause and claim.cause.lost_digits else None
        judged.append(Judged(name, claim, _published(claim, claims.published), find(claim), controls, lost))
    for report in claims.reports:
        of_report = [each for each in judged if each.claim.report == report]
        _set_outcomes([each.finding for each in of_report])
        _set_outcomes([control for each in of_report for control in each.controls])
    return judged


def metrics(judged: list[Judged]) -> dict[str, dict[str, Any]]:
    """Return each claim's entry of metrics/claims.json, null where it could not be tested."""
    table: dict[str, dict[str, Any]] = {}
    for each in judged:
        finding, figures = each.finding, dict.fromkeys(("difference", "low", "high", "p_value"))
        if not finding.missing:
            measured = (finding.difference, *finding.interval, finding.p_value)
            known = [None if math.isnan(figure) else round(figure, 6) for figure in measured]
            figures = dict(zip(figures, known, strict=True))
        table[each.id] = {"outcome": each.outcome, "metric": each.claim.metric, **figures, "seeds": len(finding.values)}
    return table


def decide(family: list[Finding], test: Test = statistics.t_test) -> list[tuple[str, float]]:
    """Put the findings of a family, each with its values, to a test.

    Returns:
        Each one's outcome, upheld, refuted or no difference found, and its two-sided p-value, both corrected by Holm;
        but a claimed size that the uncorrected interval does not reach is refuted by that.
    """
    both = np.array([_p_values(finding, test) for finding in family]).reshape(-1, 2)
    two_sided = np.minimum(2 * both, 1)
    smaller = two_sided.min(1)
    corrected = statistics.holm(smaller)
    correction = np.divide(corrected, smaller, out=np.full(len(family), float(len(family))), where=smaller > 0)
    # A gain may be there and yet be smaller than claimed. For its size the interval as it stands counts.
    sized = np.array([finding.comparison.at_least > 0 for finding in family], bool)
    refuted = two_sided[:, 1] * np.where(sized, 1, correction) <= ALPHA
    upheld = ~refuted & (corrected <= ALPHA)
    outcomes = np.select([refuted, upheld], [REFUTED, UPHELD], UNDECIDED)
    return list(zip(outcomes.tolist(), corrected.tolist(), strict=True))


def _set_outcomes(family: list[Finding]) -> None:
    """Set the outcomes of the findings of a family that can be tested."""
    testable = [finding for finding in family if not finding.missing]
    by_t, by_flips = decide(testable), decide(testable, statistics.sign_flip_test)
    for finding, of_t, of_flips in zip(testable, by_t, by_flips, strict=True):
        finding.outcome, finding.p_value = of_t
        finding.exact_outcome, finding.exact_p_value = of_flips


def _p_values(finding: Finding, test: Test) -> tuple[float, float]:
    comparison, censored = finding.comparison, finding.measured.censored
    # Larger true values only lower the sign-flip test's p-value; Student's weighs their spread too, which is not known.
    test = statistics.sign_flip_test if censored else test
    holds, fails = RULES[comparison.expect](
        partial(test, finding.differences), comparison.at_least, comparison.margin or 0.0
    )
    # A lower bound of a difference can uphold a claim and refute none.
    return holds, 1.0 if censored else fails


def count_lost(results: Results, signs: LostDigits) -> Lost:
    """Look for the signs of lost digits."""
    lost = lost_digits(results)
    softmax = lost[lost["variant"].isin(signs.softmax)]
    off = softmax["loss"] - (1 - softmax["accuracy"]) - SATURATED_LOSS
    return Lost(
        softmax=len(softmax),
        softmax_runs=int(results.runs["variant"].isin(signs.softmax).sum()),
        logits=int(lost["variant"].isin(signs.logits).sum()),
        logits_runs=int(results.runs["variant"].isin(signs.logits).sum()),
        saturated=bool((off.abs() <= SATURATED_WITHIN).all()),
    )


def single_pairs(results: Results, finding: Finding) -> tuple[int, int]:
    """Return in how many pairs of single runs McNemar's test finds a difference in accuracy, and of how many."""
    pairs = list(zip(*right_answers(results, finding.comparison.variants), strict=True))
    return sum(statistics.mcnemar_test(*pair) <= ALPHA for pair in pairs), len(pairs)


def _published(claim: Claim, published: dict[str, Published]) -> float | None:
    """Return the difference that the report states, or that of the accuracies that it published."""
    if claim.published is not None or claim.metric != "accuracy":
        return claim.published
    figures = [published[variant].accuracy if variant in published else None for variant in claim.variants]
    first, second = [*figures, claim.level][:2]
    return None if first is None or second is None else first - second
