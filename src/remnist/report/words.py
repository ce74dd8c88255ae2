"""Comparisons in words: what is compared, what is expected, what was measured."""

from collections.abc import Iterable, Iterator

from markupsafe import Markup

from remnist.plan.claims import Comparison
from remnist.report import markdown, statistics
from remnist.report.measures import right_answers
from remnist.report.tables import Results
from remnist.report.units import scale
from remnist.report.verdicts import REFUTED, UPHELD, Finding, Judged, single_pairs


def compared(comparison: Comparison) -> Markup:
    """Return what a comparison compares, and by which metric if it is not accuracy."""
    names = [markdown.code(variant) for variant in comparison.variants] or [Markup("every variant")]
    words = (Markup(" - ") if comparison.level is None else Markup(", ")).join(names)
    if comparison.metric == "accuracy":
        return words
    reach = "" if comparison.reach is None else f" {comparison.reach * 100:g} %"
    return words + f": {comparison.metric.replace('_', ' ').replace('roc auc', 'ROC-AUC of the')}{reach}"


def expected(comparison: Comparison) -> str:
    """Return the rule of a comparison, in its units."""
    words = comparison.expect.replace("_", " ")
    if comparison.level is not None:
        than = "as" if comparison.expect == "same" else "than"
        words += f" {than} {_figure(comparison, comparison.level)}"
    if comparison.at_least:
        words += f", by {_figure(comparison, comparison.at_least)} or more"
    if comparison.margin:
        words += f", within {_figure(comparison, comparison.margin)}"
    return words


def published(judged: Judged) -> str:
    """Return the published figure that `measured` goes with; nothing where there is none."""
    return "" if judged.published is None else _against_level(judged.claim, judged.published)


def measured(finding: Finding) -> str:
    """Return a mean difference, or what is held against a level, with its unit."""
    return _against_level(finding.comparison, finding.difference)


def with_interval(finding: Finding) -> Markup:
    """Return the same with its interval; without one, but with the reason, where values of runs are not known."""
    if censored := finding.measured.censored:
        return Markup(f"{measured(finding)} at least; {censored}")  # noqa: S704
    return Markup(f"{measured(finding)} {_interval(finding.comparison, finding.interval)}")  # noqa: S704


def detectable(finding: Finding) -> str:
    """Return the difference that most studies of the same size would find."""
    return _figure(finding.comparison, statistics.detectable(finding.differences))


def details(results: Results, finding: Finding) -> dict[str, str | Markup]:
    """Return the statistics behind a finding, by the columns of their table."""
    comparison, differences = finding.comparison, finding.differences
    censored = bool(finding.measured.censored)
    bca = None if censored else statistics.bca_interval(differences)
    on_images = of_two_accuracies(comparison)
    found, pairs = single_pairs(results, finding) if on_images else (0, 0)
    first, second = (finding.values[side].to_numpy() for side in ("first", "second"))
    return {
        "n": str(len(differences)),
        "t": with_interval(finding),
        "bca": "" if bca is None else _interval(comparison, bca),
        "p": markdown.p_value(finding.p_value),
        "exact_p": markdown.p_value(finding.exact_p_value),
        "superiority": f"{statistics.superiority(first, second):.2f}" if comparison.level is None else "",
        "detectable": "" if censored else detectable(finding).split()[0],
        "images": f"{image_sd(results, comparison) * 100:.2f}" if on_images else "",
        "mcnemar": f"{found} of {pairs}" if on_images else "",
    }


def disagreements(judged: Iterable[Judged]) -> list[Judged]:
    """Return the claims on which the exact sign-flip test comes to another outcome than Student's."""
    return [each for each in judged if each.finding.outcome != each.finding.exact_outcome]


def within_test_images(results: Results, judged: Iterable[Judged]) -> Iterator[tuple[Judged, float]]:
    """Yield the claims on accuracy that other test images could as well have decided otherwise.

    With each, the standard deviation that the choice of the images gives its difference.
    """
    for each in judged:
        finding, claim = each.finding, each.claim
        decided = finding.outcome in (UPHELD, REFUTED) and claim.expect in ("more", "less")
        if decided and of_two_accuracies(claim):
            deviation = image_sd(results, claim)
            if abs(finding.difference - _decided_at(finding)) < 2 * deviation:
                yield each, deviation


def of_two_accuracies(comparison: Comparison) -> bool:
    """Return whether the accuracies of two variants are compared."""
    return comparison.metric == "accuracy" and comparison.level is None


def image_sd(results: Results, comparison: Comparison) -> float:
    """Return the standard deviation that the choice of the test images gives a difference of accuracies."""
    return statistics.image_sd(*right_answers(results, comparison.variants))


def _decided_at(finding: Finding) -> float:
    """Return beyond what `more` or `less` is decided: zero, or the size that a refuted gain falls short of."""
    sign = 1 if finding.comparison.expect == "more" else -1
    return sign * finding.comparison.at_least if finding.outcome == REFUTED else 0.0


def _figure(comparison: Comparison, value: float, *, signed: bool = False, unit: bool = True) -> str:
    factor, name = scale(comparison.metric)
    figure = f"{value * factor:{'+' if signed else ''}.{1 if name == 'epochs' else 2}f}"
    return f"{figure} {name}" if unit else figure


def _against_level(comparison: Comparison, difference: float, *, unit: bool = True) -> str:
    """Return a difference, signed; or, where a level was taken off, the value that it was taken off."""
    return _figure(comparison, difference + (comparison.level or 0.0), signed=comparison.level is None, unit=unit)


def _interval(comparison: Comparison, bounds: tuple[float, float]) -> Markup:
    words = ", ".join(_against_level(comparison, bound, unit=False) for bound in bounds)
    return Markup(f"[{words}]")  # noqa: S704
