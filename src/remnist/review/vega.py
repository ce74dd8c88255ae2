"""The Vega-Lite templates of DVC's plots, a function a plot; `remnist plot-templates` writes them to .dvc/plots.

Each shows two revisions or more. What changed stands first and strong; the rest is faint in `accuracy`, and left out
elsewhere. Where nothing changed, everything is shown.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from remnist.files import write_text

Spec = dict[str, Any]  # a part of a Vega-Lite specification, which nests as it likes

FOLDER = Path(".dvc/plots")  # where DVC looks for templates
COLORS = ["#0173b2", "#de8f05", "#029e73", "#cc78bc", "#ca9161", "#949494"]  # seaborn's "colorblind", one a revision
# Accuracies from chance to nearly all right share one axis, on which the error has a logarithmic scale.
SMALLEST_ERROR = 0.002  # error that stands for all smaller ones
ERRORS = [0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, SMALLEST_ERROR]
ERROR_SCALE = {"type": "log", "reverse": True, "domain": [0.0018, 0.95]}
SHOWN = "datum.changed == datum.any_changed"  # the variant changed, or none did


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `remnist plot-templates`."""
    parser.add_argument("--out", type=Path, default=FOLDER, help=f"folder to write to (default {FOLDER})")


def run(arguments: argparse.Namespace) -> None:
    """Write every template."""
    for name, text in templates().items():
        write_text(arguments.out / f"{name}.json", text)


def templates() -> dict[str, str]:
    """Return the content of each template's file, by the plot's name."""
    plots = (accuracy, learning_curves, per_digit, roc, confusion)
    return {plot.__name__: json.dumps(plot(), indent=2) + "\n" for plot in plots}


def accuracy() -> Spec:
    """Return the plot of each seed's accuracy with the mean and its interval, a row a variant."""
    aggregated = [{"field": "changed"}, {"field": "any_changed"}]  # they go on behind an aggregate
    mean = [*names("variant", "rev"), {"aggregate": "mean"} | fraction("accuracy")]
    interval = [{"aggregate": "min"} | fraction(bound) for bound in ("low", "high")]
    axis = {
        "scale": ERROR_SCALE,
        "axis": error_axis(ERRORS),
        "title": "accuracy on the test set, the error on a logarithmic scale: each seed, the mean, its 95 % interval",
    }
    seeds = {
        "mark": {"type": "point", "filled": True, "size": 12},
        "encoding": {
            "x": quantity("error", **axis),
            "tooltip": [*names("variant", "rev", "seed"), fraction("accuracy")],
            "opacity": strong(0.4, faint=0.12),
        },
    }
    intervals = {
        "transform": [{"filter": "isValid(datum.error_low)"}],
        "mark": {"type": "rule", "strokeWidth": 1.5},
        "encoding": {
            "x": {"aggregate": "min"} | quantity("error_high"),
            "x2": {"aggregate": "max", "field": "error_low"},
            "opacity": strong(1, faint=0.3),
            "detail": aggregated,
            "tooltip": mean + interval,
        },
    }
    means = {
        "mark": {"type": "tick", "thickness": 2.5, "size": 7},
        "encoding": {
            "x": {"aggregate": "mean"} | quantity("error"),
            "tooltip": mean,
            "opacity": strong(1, faint=0.3),
            "detail": aggregated,
        },
    }
    transform = [
        *changes("accuracy", "seed"),
        {"window": [{"op": "row_number", "as": "row"}]},
        joined("min", "row", "first_row", "variant"),
        calculated("place", f"datum.first_row + ({SHOWN} ? 0 : 1e6)"),
        calculated("error", error("accuracy")),
        *(calculated(f"error_{b}", f"isValid(datum.{b}) ? {error(b)} : null") for b in ("low", "high")),
    ]
    row = {
        "sort": {"field": "place", "op": "min"},
        "title": None,
        "scale": {"paddingInner": 0.35},
        "axis": {"labelLimit": 200, "labelFontSize": 9.5},
    }
    return {
        **head(transform, "accuracy", "low", "high"),
        "width": 820,
        "height": {"step": 7.5},
        "encoding": {"y": name("variant", **row), "yOffset": name("rev"), "color": revision(symbolOpacity=1)},
        "layer": [seeds, intervals, means],
    }


def learning_curves() -> Spec:
    """Return the plot of accuracy by epoch, on test, training and held-out images, a panel a variant."""
    part = {
        "title": None,
        "sort": ["test", "train", "validation"],
        "legend": {"orient": "top", "symbolType": "stroke", "symbolStrokeWidth": 1.5, "symbolStrokeColor": "black"},
    }
    epochs = {"scale": {"type": "symlog"}, "axis": {"values": [0, 1, 2, 5, 10, 20, 30]}, "title": "epoch"}
    accuracies = {"scale": ERROR_SCALE, "axis": error_axis(ERRORS[::2]), "title": "accuracy"}
    view = {
        "encoding": {
            "x": quantity("epoch", **epochs),
            "y": quantity("error", **accuracies),
            "color": revision(symbolType="stroke"),
            "tooltip": [*names("rev", "part", "epoch"), fraction("accuracy"), quantity("loss", format=".4f")],
        },
        "layer": [
            {"mark": "line", "encoding": {"strokeDash": name("part", **part)}},
            {
                "mark": {"type": "point", "filled": True, "size": 14, "opacity": 1},
                "encoding": {"detail": {"field": "part"}},
            },
        ],
    }
    transform = [*changed_alone("accuracy", "part", "epoch"), calculated("error", error("accuracy"))]
    return {**head(transform, "epoch", "accuracy", "loss"), **panels(110, view)}


def per_digit() -> Spec:
    """Return the table of each variant's accuracy on each digit, with its change, a panel a revision."""
    earliest = [{"op": "first_value", "field": "accuracy", "as": "earlier"}]
    change = "abs(datum.change) < 0.05 ? '' : ' ' + format(datum.change, '+.1f')"
    scale = {"scheme": "oranges", "reverse": True, "domain": [0.9, 1], "clamp": True}
    cells = {
        "mark": "rect",
        "encoding": {"color": quantity("accuracy", scale=scale, legend={"format": ".0%", "title": "accuracy"})},
    }
    figures = {
        "transform": [calculated("percent", f"format(100 * datum.accuracy, '.1f') + ({change})")],
        "mark": {"type": "text", "fontSize": 9},
        "encoding": {"text": name("percent"), "color": where("datum.accuracy < 0.915", "white", otherwise="black")},
    }
    transform = [
        *changed_alone("accuracy", "digit"),
        {"window": earliest, "groupby": ["variant", "digit"], "sort": [{"field": "rev"}]},
        calculated("change", "100 * (datum.accuracy - datum.earlier)"),
    ]
    return {
        **head(transform, "accuracy"),
        "facet": {"column": name("rev", title=None)},
        "spec": {
            "width": {"step": 50},
            "height": {"step": 15},
            "encoding": {
                "x": name("digit", axis={"labelAngle": 0}, title="digit"),
                "y": name("variant", sort=None, title=None),
            },
            "layer": [cells, figures],
        },
    }


def roc() -> Spec:
    """Return the plot of the ROC curves near the corner, each digit's and their mean, a panel a variant."""
    x, y = "false_positive_rate", "true_positive_rate"
    rates = {"scale": {"type": "log"}, "axis": {"format": "~%", "values": [0.001, 0.01, 0.1]}}
    mean = "datum.curve == 'macro'"
    view = {
        "mark": {"type": "line", "clip": True},
        "encoding": {
            "x": quantity(x, **rates, title="false positive rate"),
            "y": quantity(y, scale={"domain": [0.8, 1]}, axis={"format": ".0%"}, title="true positive rate"),
            "color": revision(),
            "detail": name("curve"),
            "size": where(mean, 2.5, otherwise=0.6),
            "opacity": where(mean, 1, otherwise=0.45),
            "tooltip": [*names("rev", "curve"), fraction(x), fraction(y)],
        },
    }
    corner = {"filter": f"datum.curve != 'micro' && datum.{x} >= 0.001 && datum.{x} <= 0.11"}
    return {**head([*changed_alone(y, "curve", x), corner], x, y), **panels(110, view)}


def confusion() -> Spec:
    """Return the plot of which digits are taken for which others, a panel a variant."""
    area = {"range": [0, 220], "domain": [0, 0.05], "clamp": True}
    view = {
        "mark": {"type": "point", "filled": False, "strokeWidth": 1.5},
        "encoding": {
            "x": field("predicted", "ordinal", axis={"labelAngle": 0}, title="taken for"),
            "y": field("actual", "ordinal", title="digit"),
            "size": quantity("rate", scale=area, legend={"format": ".1%", "title": "of the digit's images"}),
            "color": revision(),
            "tooltip": [*names("rev", "actual", "predicted"), fraction("rate")],
        },
    }
    errors = {"filter": "datum.actual != datum.predicted && datum.rate > 0"}
    return {**head([*changed_alone("rate", "actual", "predicted"), errors], "rate"), **panels(165, view)}


def head(transform: list[Spec], *numbers: str) -> Spec:
    """Return what every plot starts with; DVC, which fills in data and title, hands all columns over as text."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": "<DVC_METRIC_DATA>", "format": {"parse": dict.fromkeys(numbers, "number")}},
        "title": {"text": "<DVC_METRIC_TITLE>", "anchor": "start"},
        "transform": transform,
    }


def panels(height: int, view: Spec) -> Spec:
    """Return a panel a variant, five a row."""
    header = {"labelFontWeight": "bold", "labelPadding": 2}
    return {
        "columns": 5,
        "facet": name("variant", sort=[], title=None, header=header),
        "spec": {"width": 165, "height": height} | view,
    }


def changes(value: str, *key: str) -> list[Spec]:
    """Return the transform that marks each row: has its variant `changed`, and has any variant, `any_changed`?

    A variant changed if at some key the revisions differ in the value, or one of them has none.
    """
    count = [{"op": "distinct", "field": value, "as": "values"}, {"op": "distinct", "field": "rev", "as": "present"}]
    return [
        joined("distinct", "rev", "revisions"),
        {"joinaggregate": count, "groupby": ["variant", *key]},
        calculated("differs", "datum.values > 1 || datum.present < datum.revisions ? 1 : 0"),
        joined("max", "differs", "changed", "variant"),
        joined("max", "changed", "any_changed"),
    ]


def changed_alone(value: str, *key: str) -> list[Spec]:
    """Return the same, which leaves out the variants that did not change, unless none did."""
    return [*changes(value, *key), {"filter": SHOWN}]


def joined(op: str, of: str, to: str, *groups: str) -> Spec:
    """Return the step that gives each row an aggregate of its group."""
    return {"joinaggregate": [{"op": op, "field": of, "as": to}]} | ({"groupby": list(groups)} if groups else {})


def calculated(to: str, expression: str) -> Spec:
    """Return the step that gives each row a value of its own."""
    return {"calculate": expression, "as": to}


def error(column: str) -> str:
    """Return the expression of the error that the axis shows for an accuracy."""
    return f"max(1 - datum.{column}, {SMALLEST_ERROR})"


def error_axis(errors: list[float]) -> Spec:
    """Return an axis of errors that is labelled with accuracies."""
    return {"values": errors, "labelExpr": "format(100 - 100 * datum.value, '~r') + ' %'"}


def field(column: str, kind: str, **options: Any) -> Spec:
    """Return a channel that shows a column."""
    return {"field": column, "type": kind, **options}


def name(column: str, **options: Any) -> Spec:
    """Return a channel that shows a column of names."""
    return field(column, "nominal", **options)


def names(*columns: str) -> list[Spec]:
    """Return the lines of a tooltip that name something."""
    return [name(column) for column in columns]


def quantity(column: str, **options: Any) -> Spec:
    """Return a channel that shows a column of numbers."""
    return field(column, "quantitative", **options)


def fraction(column: str) -> Spec:
    """Return the line of a tooltip that gives a fraction in percent."""
    return quantity(column, format=".2%")


def revision(**legend: Any) -> Spec:
    """Return the channel of colour: a revision each."""
    return name("rev", title=None, legend={"orient": "top", **legend}, scale={"range": COLORS})


def where(test: str, value: Any, *, otherwise: Any) -> Spec:
    """Return a channel with one value where a test holds and another elsewhere."""
    return {"condition": {"test": test, "value": value}, "value": otherwise}


def strong(opacity: float, *, faint: float) -> Spec:
    """Return the opacity of what changed, and of the rest."""
    return where(SHOWN, opacity, otherwise=faint)
