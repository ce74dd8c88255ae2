"""From claims and measurements to verdicts: the rules, all of them, in one place.

A verdict rests on Student's t over paired seeds, corrected for the number of a report's claims; controls, which only
count where the claim holds, are corrected among themselves. The exact sign-flip test, which needs no normal
distribution but more seeds, is put to the same question beside it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from remnist.plan.claims import Claim, Comparison, LostDigits
from remnist.plan.published import Published
from remnist.report import statistics
from remnist.report.measures import NotMeasuredError, right_answers, values
from remnist.report.statistics import ALPHA, Floats, Side
from remnist.report.tables import Results, lost_digits

UPHELD, REFUTED, UNDECIDED = "upheld", "refuted", "no difference found"
OTHER_CAUSE, NOT_TESTABLE = "other cause", "not testable"
VERDICTS = (UPHELD, REFUTED, OTHER_CAUSE, UNDECIDED, NOT_TESTABLE)

DECIMALS = 9
SATURATED_LOSS = math.log(math.e + 9) - 1  # 1.4612: of a softmax that is sure and right, put through another softmax
SATURATED_WITHIN = 0.005  # of that, plus the error, a loss is taken for saturated

Test = Callable[[Floats, float, Side], float]
# Of each expectation, the p-values that it holds and that it does not. `p(bound, side)` is one-sided, that the mean
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
    """What came of a comparison.

    Attributes:
        comparison: of what.
        missing: why it cannot be tested, empty where it can; the figures below are then absent.
        values: `first` and `second`, a row a run or a variant.
        verdict: upheld, refuted or no difference found, by Student's t.
        p_value: two-sided, corrected.
        exact_verdict: the same by the exact sign-flip test.
        exact_p_value: two-sided, corrected.
    """

    comparison: Comparison
    missing: str = ""
    values: pd.DataFrame = field(default_factory=pd.DataFrame)
    verdict: str = NOT_TESTABLE
    p_value: float = math.nan
    exact_verdict: str = NOT_TESTABLE
    exact_p_value: float = math.nan

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
        """Student's 95 % interval of the mean difference."""
        return statistics.t_interval(self.differences)


@dataclass
class Judged:
    """A claim and what became of it.

    Attributes:
        id: the claim's name in params.yaml.
        claim: what the report says.
        published: the difference that the report printed, None where it printed none.
        finding: what its comparison gave.
        controls: what the comparisons that would show another cause gave.
        lost: what the signs of lost digits are, None where the claim asks for none.
        verdict: one of VERDICTS.
    """

    id: str
    claim: Claim
    published: float | None
    finding: Finding
    controls: list[Finding]
    lost: "Lost | None"
    verdict: str


@dataclass(frozen=True)
class Lost:
    """How many runs lost a digit.

    Attributes:
        softmax: of the runs with a softmax before the loss.
        softmax_runs: how many there are.
        logits: of the runs without.
        logits_runs: how many there are.
        saturated: whether all that lost one have the loss of saturated outputs.
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


def judge(results: Results, claims: dict[str, Claim], printed: dict[str, Published]) -> list[Judged]:
    """Judge every claim by the measurements.

    Args:
        results: the measurements.
        claims: by their names.
        printed: what the reports printed, by variant.
    """
    findings = {name: _finding(results, printed, claim) for name, claim in claims.items()}
    controls = {
        name: [_finding(results, printed, control) for control in claim.cause.shown_by] if claim.cause else []
        for name, claim in claims.items()
    }
    for report in {claim.report for claim in claims.values()}:
        of_report = [name for name, claim in claims.items() if claim.report == report]
        _set_verdicts([findings[name] for name in of_report])
        _set_verdicts([control for name in of_report for control in controls[name]])
    judged = []
    for name, claim in claims.items():
        signs = claim.cause.lost_digits if claim.cause else None
        lost = count_lost(results, signs) if signs else None
        verdict = _verdict(findings[name], controls[name], lost)
        judged.append(Judged(name, claim, _printed(claim, printed), findings[name], controls[name], lost, verdict))
    return judged


def metrics(judged: list[Judged]) -> dict[str, dict[str, Any]]:
    """Return what metrics/claims.json keeps of each claim, null where it could not be tested."""
    table = {}
    for each in judged:
        figures: list[float | None] = [None] * 4
        if not each.finding.missing:
            measured = (each.finding.difference, *each.finding.interval, each.finding.p_value)
            figures = [round(figure, 6) for figure in measured]
        names = ("difference", "low", "high", "p_value")
        table[each.id] = {
            "verdict": each.verdict,
            "metric": each.claim.metric,
            **dict(zip(names, figures, strict=True)),
            "seeds": len(each.finding.values),
        }
    return table


def decide(family: list[Finding], test: Test = statistics.t_test) -> list[tuple[str, float]]:
    """Put the findings of a family, each with its values, to a test.

    Returns:
        Of each its verdict, upheld, refuted or no difference found, and its two-sided p-value, both corrected by Holm;
        but a claimed size that the uncorrected interval does not reach is refuted by that.
    """
    both = np.array([_p_values(finding.comparison, finding.differences, test) for finding in family]).reshape(-1, 2)
    two_sided = np.minimum(2 * both, 1)
    smaller = two_sided.min(1)
    corrected = statistics.holm(smaller)
    correction = np.divide(corrected, smaller, out=np.full(len(family), float(len(family))), where=smaller > 0)
    # A gain may be there and yet be smaller than claimed. For its size the interval as it stands counts.
    sized = np.array([finding.comparison.at_least > 0 for finding in family], bool)
    refuted = two_sided[:, 1] * np.where(sized, 1, correction) <= ALPHA
    upheld = ~refuted & (corrected <= ALPHA)
    verdicts = np.select([refuted, upheld], [REFUTED, UPHELD], UNDECIDED)
    return list(zip(verdicts.tolist(), corrected.tolist(), strict=True))


def _set_verdicts(family: list[Finding]) -> None:
    """Set the verdicts of the findings of a family that can be tested."""
    testable = [finding for finding in family if not finding.missing]
    by_t, by_flips = decide(testable), decide(testable, statistics.sign_flip_test)
    for finding, of_t, of_flips in zip(testable, by_t, by_flips, strict=True):
        finding.verdict, finding.p_value = of_t
        finding.exact_verdict, finding.exact_p_value = of_flips


def _p_values(comparison: Comparison, differences: Floats, test: Test) -> tuple[float, float]:
    def p(bound: float, side: Side) -> float:
        return test(differences, bound, side)

    return RULES[comparison.expect](p, comparison.at_least, comparison.margin or 0.0)


def _verdict(finding: Finding, controls: list[Finding], lost: Lost | None) -> str:
    if lost is not None and lost.shown:
        return OTHER_CAUSE
    if finding.verdict == UPHELD and controls and all(control.verdict == UPHELD for control in controls):
        return OTHER_CAUSE
    return finding.verdict


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


def _finding(results: Results, printed: dict[str, Published], comparison: Comparison) -> Finding:
    try:
        return Finding(comparison, values=values(results, printed, comparison))
    except NotMeasuredError as missing:
        return Finding(comparison, missing=str(missing))


def _printed(claim: Claim, printed: dict[str, Published]) -> float | None:
    """Return the difference that the report states, or that of the accuracies that it printed."""
    if claim.published is not None or claim.metric != "accuracy":
        return claim.published
    figures = [printed[variant].accuracy if variant in printed else None for variant in claim.variants]
    first, second = [*figures, claim.level][:2]
    return None if first is None or second is None else first - second
