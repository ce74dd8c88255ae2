"""The ledger as data, metrics/ledger.jsonl: a line a claim, in words, and with what each run has, for whoever draws it.

Figures stand in the units in which they are shown, which the line names.
"""

import json
import math
from typing import Any

from remnist.plan.claims import RATES, Claim, Claims
from remnist.report import units, words
from remnist.report.measures import NotMeasuredError, Sample, sample
from remnist.report.published import Printed
from remnist.report.tables import Results, data_set
from remnist.report.units import Unit
from remnist.report.verdicts import Judged

SPARE = 2  # decimals beyond those that are shown

Json = dict[str, Any]


def lines(results: Results, claims: Claims, judged: list[Judged]) -> str:
    """Return the file's content."""
    rows = (_row(results, claims, each) for each in judged)
    return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)


def _row(results: Results, claims: Claims, judged: Judged) -> Json:
    claim, effect = judged.claim, judged.effect
    return {
        "id": judged.id,
        "report": claim.report,
        "statement": claim.statement,
        "says": claim.says,
        "variants": claim.variants,
        "parts": claim.all_of,
        "metric": "" if claim.all_of else words.metric(claim),
        "is_difference": not claim.all_of and words.is_difference(claim),
        "expected": words.expected(claim),
        "published": words.published(judged),
        "measured": str(words.measured(judged)),
        "missing": judged.missing,
        "effect": words.effect(judged),
        "size": words.size(judged),
        "cause": words.cause(judged),
        "outcome": judged.outcome,
        "why": claim.by_construction or "",
        "note": claim.note or "",
        "stays": judged.stays,
        "fragile": judged.is_fragile,
        "details": {name: str(text) for name, text in words.details(judged, effect).items()} if effect else {},
        "difference": _difference(judged),
        "runs": _runs(results, claims, judged),
        "figures": [_figure(each, claim) for each in judged.printed],
    }


def _difference(judged: Judged) -> Json | None:
    """Return a difference with its intervals; None where there is none, or no interval."""
    claim, effect = judged.claim, judged.effect
    if effect is None or claim.metric in RATES or not math.isfinite(effect.interval[0] + effect.interval[1]):
        return None
    unit = units.of_differences(claim.metric)
    return {
        "mean": _shown(unit, effect.difference),
        "low": _shown(unit, effect.interval[0]),
        "high": _shown(unit, effect.interval[1]),
        "low_with_images": _shown(unit, effect.with_images[0]),
        "high_with_images": _shown(unit, effect.with_images[1]),
        "published": _shown(unit, judged.size.published) if judged.size else None,
        "margin": _shown(unit, claim.margin or 0.0),
        "unit": unit.name,
    }


def _runs(results: Results, claims: Claims, judged: Judged) -> Json | None:
    """Return what each run of a claim's variants and of its control has; None where nothing was measured."""
    claim, effect = judged.claim, judged.effect
    if effect is None:
        return None
    unit = units.of_values(claim.metric)
    printed = claims.published if data_set(results).name == claims.data else {}
    sides = dict(zip(claim.variants or ["every variant"], effect.samples, strict=True)) | _control(results, claim)
    is_final = claim.metric in ("accuracy", "loss") and claim.epoch is None

    def published(variant: str) -> float | None:
        figure = getattr(printed[variant], claim.metric) if is_final and variant in printed else None
        return None if figure is None else _shown(unit, figure)

    return {
        "unit": unit.name,
        "level": None if claim.level is None else _shown(unit, claim.level),
        "horizon": effect.samples[0].horizon,
        "sides": [
            {
                "variant": variant,
                "published": published(variant),
                "runs": [str(key) for key in side.values.index],
                "values": [_shown(unit, float(value)) for value in side.values],
            }
            for variant, side in sides.items()
        ],
    }


def _control(results: Results, claim: Claim) -> dict[str, Sample]:
    """Return the runs of a control, as far as they are not the claim's own; nothing where they are not measured."""
    if claim.cause is None:
        return {}
    others = [variant for variant in claim.cause.control if variant not in claim.variants]
    try:
        return dict(zip(others, sample(results, claim, others), strict=True)) if others else {}
    except NotMeasuredError:
        return {}


def _figure(printed: Printed, claim: Claim) -> Json:
    unit = units.of_values(claim.metric)
    low, high = printed.interval
    return {
        "variant": printed.variant,
        "place": words.place(printed, claim),
        "unit": unit.name,
        "published": _shown(unit, printed.published),
        "mean": _shown(unit, printed.measured),
        "low": _shown(unit, low),
        "high": _shown(unit, high),
        "values": [_shown(unit, float(value)) for value in printed.values],
    }


def _shown(unit: Unit, value: float) -> float | None:
    """Return a figure in the unit that it is shown in; None for what is not known."""
    return round(value * unit.factor, unit.decimals + SPARE) if math.isfinite(value) else None
