"""Claims in words: what is compared, what the report says of it, what was measured."""

import math

import pandas as pd
from markupsafe import Markup

from remnist.plan.claims import RATES, Claim
from remnist.report import effects, glossary, markdown, units
from remnist.report.causes import Explained
from remnist.report.effects import DIRECTIONS, UNDECIDED, Effect
from remnist.report.measures import Sample, at_shared_seeds
from remnist.report.published import CONSISTENT, LARGER, SMALLER, Printed
from remnist.report.statistics import ALPHA, Interval, median_time
from remnist.report.tables import DECIMALS, alike
from remnist.report.units import Unit
from remnist.report.verdicts import NEGLIGIBLE, Judged

FIRST = 2  # published figures of a claim that its row shows


def compared(claim: Claim) -> Markup:
    """Return what a claim compares, and by which metric if it is not the accuracy at the end."""
    if claim.all_of:
        return Markup("all of: ") + Markup(", ").join(map(markdown.code, claim.all_of))
    names = [markdown.code(variant) for variant in claim.variants] or [Markup("every variant")]
    words = (Markup(" - ") if is_difference(claim) else Markup(", ")).join(names)
    return words if metric(claim) == "accuracy" else words + f": {metric(claim)}"


def is_difference(claim: Claim) -> bool:
    """Return whether a claim is about the difference of two variants."""
    return claim.level is None and claim.expect != "as_published"


def metric(claim: Claim) -> str:
    """Return by which metric a claim compares, of which runs."""
    words = glossary.name(claim.metric)
    if claim.reach is not None:
        words += f" {claim.reach * 100:g} %"
    if claim.epoch is not None:
        words += f" after epoch {claim.epoch}"
    return words + ", runs with all digits" if claim.found_digits else words


def expected(claim: Claim) -> str:
    """Return what the report says, as a rule for the figures."""
    if claim.all_of:
        return "all"
    words = claim.expect.replace("_", " ")
    if claim.level is not None:
        words += f" {'as' if claim.expect == 'same' else 'than'} {_value(claim, claim.level)}"
    return words


def published(judged: Judged) -> str:
    """Return the published difference, or value, with half the unit that it was rounded to; nothing without one."""
    claim = judged.claim
    if judged.printed:
        figures = (_figure(each, claim, each.published) for each in judged.printed[:FIRST])
        return _rounded(claim, "; ".join(figures), units.of_values(claim.metric)) + _more(judged)
    if judged.size is None:
        return ""
    return _rounded(claim, _against_level(claim, judged.size.published), units.of_differences(claim.metric))


def measured(judged: Judged) -> Markup:
    """Return what was measured, with its 95 % interval over seeds where it has one, and that with the images."""
    claim, effect = judged.claim, judged.effect
    if judged.printed:
        texts = (f"{_figure(each, claim, each.measured)}" for each in judged.printed[:FIRST])
        return markdown.escape("; ".join(texts) + _more(judged))
    if effect is None:
        return Markup("")
    if claim.metric in RATES:
        rates = (f"{int(side.values.sum())} of {len(side.values)}" for side in effect.samples)
        return markdown.escape(" against ".join(rates))
    if math.isnan(effect.interval[0]) or math.isnan(effect.difference):
        return markdown.escape(" against ".join(_median(side) for side in effect.samples))
    if claim.by_construction:
        return markdown.escape(_against_level(claim, effect.difference))
    seeds, images = interval(claim, effect.interval), interval(claim, effect.with_images)
    words = Markup(f"{_against_level(claim, effect.difference)} {seeds}")  # noqa: S704
    return words if images == seeds else words + ", with images " + images


def interval(claim: Claim, bounds: Interval) -> Markup:
    """Return an interval in the unit of a claim's figures."""
    if math.isnan(bounds[0]):
        return Markup("")
    return Markup(f"[{', '.join(_against_level(claim, bound, unit=False) for bound in bounds)}]")  # noqa: S704


def effect(judged: Judged) -> str:
    """Return what became of the effect, and why it is open and how many seeds would decide, where it is."""
    found = judged.effect
    if found is None:
        return ""
    return "; ".join(
        filter(None, [found.outcome + (f", {NEGLIGIBLE}" if found.negligible else ""), still_open(judged)])
    )


def still_open(judged: Judged) -> str:
    """Return why an effect is undecided that its interval seems to show, and how many seeds would decide.

    Nothing where it is decided, and where nothing is to be said.
    """
    found = judged.effect
    if found is None or found.outcome != UNDECIDED:
        return ""
    words = []
    if found.p_value <= ALPHA and judged.claim.expect in DIRECTIONS:
        by_itself, corrected = _p(found.p_value), _p(found.corrected)
        words = [f"p {by_itself} by itself, {corrected} corrected for {found.family} claims of more or less"]
    elif found.p_value <= ALPHA:
        words = ["a difference, which may lie within the margin or beyond"]
    seeds = effects.seeds_to_decide(judged.claim, found)
    return "; ".join([*words, f"{seeds} seeds would decide"] if seeds else words)


def size(judged: Judged) -> str:
    """Return how the published size compares with the measured one."""
    if judged.printed:
        inside = sum(each.p_value > ALPHA for each in judged.printed)
        words = f"{inside} of {len(judged.printed)} such as one run gives"
        unit = units.of_values(judged.claim.metric)
        low, high = (_format(unit, end, unit=False) for end in judged.printed[0].interval)
        return f"{words}; one run: [{low}, {high}]" if len(judged.printed) == 1 else words
    if judged.size is None:
        return ""
    found = {CONSISTENT: CONSISTENT, SMALLER: f"{SMALLER} than published", LARGER: f"{LARGER} than published"}
    one = "one pair of runs" if is_difference(judged.claim) else "one run"
    untold = "" if judged.size.one_pair_could_tell else ", so wide that zero is consistent as well"
    between = f"; {one}: {interval(judged.claim, judged.size.interval)}{untold}"
    return found[judged.size.outcome] + (f", the mean is {mean}" if (mean := _of_mean(judged)) else "") + between


def _of_mean(judged: Judged) -> str:
    """Return how the mean compares with a published figure that is consistent with one pair of runs; or nothing."""
    effect, size, half = judged.effect, judged.size, judged.claim.rounded_to / 2
    if effect is None or size is None or size.outcome != CONSISTENT:
        return ""
    low, high = effect.interval
    return SMALLER if high < size.published - half else LARGER if low > size.published + half else ""


def cause(judged: Judged) -> str:
    """Return which share of the difference the factor explains."""
    found = judged.cause
    if found is None or judged.claim.cause is None:
        return ""
    return f"{judged.claim.cause.words} ({share(found)})"


def share(found: Explained) -> str:
    """Return a share with its interval, or why there is none; of a rate, with the factor and without."""
    if found.missing:
        return found.missing
    if found.counts:
        k, n, j, m = found.counts
        return f"{found.outcome}, {k} of {n} runs with it, {j} of {m} without, p {_p(found.p_value)}"
    low, high = found.interval
    ends = f"[{low * 100:.0f}, {high * 100:.0f}]" if math.isfinite(low) else "without bounds"
    return f"{found.outcome}, {found.share * 100:.0f} % {ends}"


def place(printed: Printed, claim: Claim) -> str:
    """Return the epoch or the digit of a published figure; nothing where the metric has one."""
    if printed.place is None:
        return ""
    return f"{'digit' if 'digit' in claim.metric else 'epoch'} {printed.place}"


def details(judged: Judged, found: Effect) -> dict[str, str | Markup]:
    """Return what stands behind an effect, by the columns of its table."""
    claim = judged.claim
    counted = at_shared_seeds(found.samples)[:1] if found.paired else [side.array for side in found.samples]
    return {
        "n": " and ".join(str(len(values)) for values in counted),
        "pairs": "yes" if found.paired and len(found.samples) == 2 else "no" if len(found.samples) == 2 else "",
        "interval": interval(claim, found.interval),
        "with_images": interval(claim, found.with_images) if found.with_images != found.interval else "",
        "p": _p(found.p_value),
        "corrected": _p(found.corrected),
        "of_one_pair": interval(claim, judged.size.interval) if judged.size else "",
        "margin": "" if claim.margin is None else _difference(claim, claim.margin, signed=False),
        "at_half": effects.decide(claim, found, (claim.margin or 0.0) / 2),
        "at_twice": effects.decide(claim, found, (claim.margin or 0.0) * 2),
    }


def accuracies(runs: pd.DataFrame) -> str:
    """Return the mean accuracy of a variant's runs with its deviation; of those with all digits, where others lack one.

    Args:
        runs: with `variant`, `accuracy` and `digit_missing`.
    """
    counted = runs[alike(runs)]["accuracy"]
    mean, deviation = (round(value, DECIMALS) for value in (counted.mean(), counted.std(ddof=1)))
    words = markdown.accuracy(mean, deviation if len(counted) > 1 else None)
    is_mixed = len(counted) < len(runs)
    return words + (f" (the {len(counted)} of {len(runs)} runs with all digits)" if is_mixed else "")


def _more(judged: Judged) -> str:
    rest = len(judged.printed) - FIRST
    return f"; {rest} more" if rest > 0 else ""


def _figure(printed: Printed, claim: Claim, value: float) -> str:
    names = [printed.variant if len(claim.variants) > 1 else "", place(printed, claim)]
    where = ", ".join(filter(None, names))
    return f"{where}{': ' if where else ''}{_format(units.of_values(claim.metric), value)}"


def _rounded(claim: Claim, figure: str, unit: Unit) -> str:
    """Return a figure that the claim states with half the unit that it was rounded to; others as they are."""
    if claim.published is None or not claim.rounded_to or claim.level is not None:
        return figure
    number, space, name = figure.partition(" ")
    return f"{number} ± {_format(unit, claim.rounded_to / 2, unit=False)}{space}{name}"


def _median(side: Sample) -> str:
    reached = len(side.values) - side.censored
    middle = median_time(side.array, side.horizon or 0)
    words = f"median {middle:g}" if middle is not None else f"median beyond {side.horizon}"
    return f"{words} ({reached} of {len(side.values)} get there)"


def _p(value: float) -> Markup | str:
    return "" if math.isnan(value) else markdown.p_value(value)


def _value(claim: Claim, value: float) -> str:
    return _format(units.of_values(claim.metric), value)


def _difference(claim: Claim, value: float, *, signed: bool = True, unit: bool = True) -> str:
    return _format(units.of_differences(claim.metric), value, signed=signed, unit=unit)


def _against_level(claim: Claim, difference: float, *, unit: bool = True) -> str:
    """Return a difference, signed; or, where a level was taken off, the value that it was taken off."""
    if claim.level is None:
        return _difference(claim, difference, unit=unit)
    value = claim.level * (1 + difference) if claim.metric in units.RELATIVE else claim.level + difference
    return _format(units.of_values(claim.metric), value, unit=unit)


def _format(shown: Unit, value: float, *, signed: bool = False, unit: bool = True) -> str:
    figure = f"{value * shown.factor:{'+' if signed else ''},.{shown.decimals}f}"
    return f"{figure} {shown.name}".strip() if unit else figure
