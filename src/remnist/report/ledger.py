"""The claims in words: the findings, the ledger, and the statistics behind each verdict."""

from collections.abc import Iterable

from remnist.plan.claims import Comparison, scale
from remnist.report import markdown, statistics
from remnist.report.measures import right_answers
from remnist.report.tables import Results
from remnist.report.verdicts import (
    NOT_TESTABLE,
    OTHER_CAUSE,
    REFUTED,
    UNDECIDED,
    UPHELD,
    VERDICTS,
    Finding,
    Judged,
    single_pairs,
)


def findings(judged: list[Judged]) -> str:
    """State what became of the claims: how many of each verdict, and which; first those that a control explains."""
    groups = {verdict: [each for each in judged if each.verdict == verdict] for verdict in VERDICTS}
    counts = ", ".join(f"{len(group)} {verdict}" for verdict, group in groups.items() if group)
    lines = [f"{len(judged)} claims of five reports: {counts}."]
    causes: dict[tuple[int, str], list[Judged]] = {}
    for each in groups[OTHER_CAUSE]:
        causes.setdefault((each.claim.report, each.claim.cause.words if each.claim.cause else ""), []).append(each)
    for (report, words), group in causes.items():
        claims = "; ".join(f"{each.claim.says} ({measured(each.finding)})" for each in group)
        shown = "; ".join(_shown(each) for each in group)
        lines.append(f"**Other cause**, report {report}. {claims}. The cause is {words} ({shown}).")
    refuted: dict[int, list[str]] = {}
    for each in groups[REFUTED]:
        published = f", published {_published(each)}" if _published(each) else ""
        refuted.setdefault(each.claim.report, []).append(f"{each.claim.says} ({measured(each.finding)}{published})")
    lines += [f"**Refuted**, report {report}. {'; '.join(claims)}." for report, claims in refuted.items()]
    for verdict, title in ((UPHELD, "Upheld"), (UNDECIDED, "No difference found"), (NOT_TESTABLE, "Not testable")):
        if groups[verdict]:
            claims = "; ".join(f"{each.claim.says} ({each.claim.report})" for each in groups[verdict])
            lines.append(f"**{title}** (report). {claims}.")
    return markdown.bullets(lines)


def ledger(judged: list[Judged]) -> str:
    """Return the table of all claims."""
    return markdown.table(
        [
            {
                "report": str(each.claim.report),
                "claim": each.claim.says,
                "compared": compared(each.claim),
                "expected": _expected(each.claim),
                "published": _published(each),
                "measured [95 %]": each.finding.missing or measured(each.finding, interval=True),
                "p": "" if each.finding.missing else markdown.p_value(each.finding.p_value),
                "verdict": _reasoned(each),
            }
            for each in judged
        ]
    )


def details(results: Results, judged: list[Judged]) -> list[str]:
    """Return the table of the statistics behind some claims, a row a comparison; nothing if none could be tested."""
    rows = []
    for each in judged:
        for control, finding in enumerate([each.finding, *each.controls]):
            if not finding.missing:
                rows.append({"claim": "*its control*" if control else each.claim.says, **_detail(results, finding)})
    return [markdown.table(rows)] if rows else []


def disagreements(judged: Iterable[Judged]) -> list[str]:
    """Return the claims on which the exact sign-flip test comes to another verdict than Student's."""
    return [
        f"{each.claim.says} ({each.finding.verdict}; by the exact test {each.finding.exact_verdict})"
        for each in judged
        if each.finding.verdict != each.finding.exact_verdict
    ]


def within_test_images(results: Results, judged: Iterable[Judged]) -> list[str]:
    """Return the claims on accuracy that other test images could as well have decided otherwise."""
    return [
        f"{each.claim.says} ({measured(each.finding)}, ± {sd * 100:.2f})"
        for each in judged
        if each.finding.verdict in (UPHELD, REFUTED)
        and _of_two_accuracies(each.claim)
        and each.claim.expect in ("more", "less")
        and abs(each.finding.difference - _decided_at(each.finding)) < 2 * (sd := _image_sd(results, each.claim))
    ]


def _decided_at(finding: Finding) -> float:
    """Return beyond what `more` or `less` is decided: zero, or the size that a refuted gain falls short of."""
    sign = 1 if finding.comparison.expect == "more" else -1
    return sign * finding.comparison.at_least if finding.verdict == REFUTED else 0.0


def compared(comparison: Comparison) -> str:
    """Return what a comparison compares, and by which metric if it is not accuracy."""
    names = [f"`{variant}`" for variant in comparison.variants] or ["every variant"]
    words = " - ".join(names) if comparison.level is None else ", ".join(names)
    if comparison.metric == "accuracy":
        return words
    reach = "" if comparison.reach is None else f" {comparison.reach * 100:g} %"
    return f"{words}: {comparison.metric.replace('_', ' ').replace('roc auc', 'ROC-AUC of the')}{reach}"


def measured(finding: Finding, *, interval: bool = False) -> str:
    """Return a mean difference, or what is held against a level, with its unit, and its interval if asked."""
    mean = _against_level(finding.comparison, finding.difference)
    return f"{mean} {_interval(finding.comparison, finding.interval)}" if interval else mean


def _figure(comparison: Comparison, value: float, *, signed: bool = True, unit: bool = True) -> str:
    factor, name = scale(comparison)
    figure = f"{value * factor:{'+' if signed else ''}.{1 if name == 'epochs' else 2}f}"
    return f"{figure} {name}" if unit else figure


def _against_level(comparison: Comparison, difference: float, *, unit: bool = True) -> str:
    """Return a difference, signed; or, where a level was taken off, what it was taken off."""
    return _figure(comparison, difference + (comparison.level or 0.0), signed=comparison.level is None, unit=unit)


def _interval(comparison: Comparison, bounds: tuple[float, float]) -> str:
    return f"[{', '.join(_against_level(comparison, bound, unit=False) for bound in bounds)}]"


def _expected(comparison: Comparison) -> str:
    """Return the rule of a comparison, in its units."""
    words = comparison.expect.replace("_", " ")
    if comparison.level is not None:
        words += (
            f" {'as' if comparison.expect == 'same' else 'than'} {_figure(comparison, comparison.level, signed=False)}"
        )
    if comparison.at_least:
        words += f", by {_figure(comparison, comparison.at_least, signed=False)} or more"
    if comparison.margin:
        words += f", within {_figure(comparison, comparison.margin, signed=False)}"
    return words


def _published(judged: Judged) -> str:
    """Return what a report printed of what `measured` shows."""
    return "" if judged.published is None else _against_level(judged.claim, judged.published)


def _reasoned(judged: Judged) -> str:
    """Return the verdict with its reason, where it has one beside the figures."""
    verdict = f"**{judged.verdict}**"
    if judged.verdict == OTHER_CAUSE and judged.claim.cause:
        return f"{verdict}: {judged.claim.cause.words} ({_shown(judged)})"
    if judged.verdict == UNDECIDED:
        smallest = _figure(judged.claim, statistics.detectable(judged.finding.differences), signed=False)
        return f"{verdict}; {smallest} could have been found"
    return verdict


def _shown(judged: Judged) -> str:
    """Return what shows another cause."""
    if judged.lost is not None and judged.lost.shown:
        lost = judged.lost
        return (
            f"{lost.softmax} of {lost.softmax_runs} runs with it end without one digit, at a loss of 1.4612 plus the "
            f"error; of {lost.logits_runs} without it none"
        )
    return "; ".join(f"{compared(each.comparison)}: {measured(each, interval=True)}" for each in judged.controls)


def _detail(results: Results, finding: Finding) -> dict[str, str]:
    comparison, differences = finding.comparison, finding.differences
    bca = statistics.bca_interval(differences)
    on_images = _of_two_accuracies(comparison)
    found, pairs = single_pairs(results, finding) if on_images else (0, 0)
    first, second = (finding.values[side].to_numpy() for side in ("first", "second"))
    return {
        "compared": compared(comparison),
        "n": str(len(differences)),
        "t [95 %]": measured(finding, interval=True),
        "BCa [95 %]": "" if bca is None else _interval(comparison, bca),
        "p": markdown.p_value(finding.p_value),
        "p, exact": markdown.p_value(finding.exact_p_value),
        "P(first larger)": f"{statistics.superiority(first, second):.2f}" if comparison.level is None else "",
        "detectable": _figure(comparison, statistics.detectable(differences), signed=False, unit=False),
        "± images": f"{_image_sd(results, comparison) * 100:.2f}" if on_images else "",
        "McNemar": f"{found} of {pairs}" if on_images else "",
    }


def _of_two_accuracies(comparison: Comparison) -> bool:
    return comparison.metric == "accuracy" and comparison.level is None


def _image_sd(results: Results, comparison: Comparison) -> float:
    return statistics.image_sd(*right_answers(results, comparison.variants))
