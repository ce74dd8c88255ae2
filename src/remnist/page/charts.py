"""The Vega-Lite charts of the page, a function each; the page gives them their rows, and colours by style."""

from typing import Any

from remnist.review.vega import (
    ERROR_SCALE,
    ERRORS,
    Spec,
    calculated,
    error,
    error_axis,
    field,
    fraction,
    name,
    names,
    where,
)
from remnist.review.vega import quantity as number

ROW = 26  # pixels of a row
HEIGHT = 260  # pixels of a chart without rows
PARTS = ["test", "train", "validation"]
AVERAGES = "datum.curve == 'macro' || datum.curve == 'micro'"

SIZE: Spec = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}}
AXIS: dict[str, Any] = {"scale": {"zero": False}, "title": None}


def charts() -> dict[str, Spec]:
    """Return each chart by its name."""
    made = (runs, rates, difference, figures, accuracy, loss, digits, confusion, roc, roc_corner)
    return {chart.__name__: chart() for chart in made}


def runs() -> Spec:
    """Return what each run has, a row a variant; `kind` is run, beyond (the last epoch), published or level."""
    mean = {"aggregate": "mean", "field": "value", "type": "quantitative"}
    return _rows(
        "variant",
        _only("level", "rule", y=None, x=_value()),
        _only("run", "point", x=_value(), tooltip=[*names("variant", "run"), number("value")]),
        _only("beyond", "point", x=_value(), tooltip=[*names("variant", "run")]),
        _only("run", "tick", style="mean", x=mean, tooltip=[name("variant"), mean]),
        _only("published", "point", x=_value(), tooltip=[*names("variant", "kind"), number("value")]),
    )


def rates() -> Spec:
    """Return how many runs of a variant something is true of, a row a variant, a square a run."""
    return _rows(
        "variant",
        {
            "mark": {"type": "square", "size": 170, "stroke": {"expr": "run_color"}},
            "encoding": {
                "x": field("place", "ordinal", axis=None),
                "fill": where("datum.value > 0", {"expr": "run_color"}, otherwise="transparent"),
                "tooltip": [*names("variant", "run"), number("value")],
            },
        },
    )


def difference() -> Spec:
    """Return a difference with its intervals, the margin on both sides of zero, and the published difference."""
    return {
        **SIZE,
        "height": ROW * 2,
        "layer": [
            _layer("rect", "margin", x=number("below", title=None), x2={"field": "margin"}),
            _layer("rule", "zero", x={"datum": 0}),
            _layer("rule", "with_images", x=number("low_with_images"), x2={"field": "high_with_images"}),
            _layer("rule", "interval", x=number("low"), x2={"field": "high"}),
            _layer("point", "mean_point", x=number("mean", title=None), tooltip=_of_difference()),
            {"transform": [{"filter": "isValid(datum.published)"}]}
            | _layer("point", "published", x=number("published"), tooltip=_of_difference()),
        ],
    }


def figures() -> Spec:
    """Return each published figure next to the runs and to the interval of one further run, a row a figure."""
    tooltip = [name("figure"), *(number(column) for column in ("published", "mean", "low", "high"))]
    return _rows(
        "figure",
        {"transform": [{"filter": "datum.kind == 'figure'"}]}
        | _layer("rule", "interval", x=number("low", **AXIS), x2={"field": "high"}),
        _only("run", "point", x=_value(), tooltip=[name("figure"), number("value")]),
        {"transform": [{"filter": "datum.kind == 'figure'"}]}
        | _layer("point", "published", x=number("published", **AXIS), tooltip=tooltip),
    )


def accuracy() -> Spec:
    """Return each seed's accuracy by epoch, the error on a logarithmic scale."""
    return _curves(
        [calculated("error", error("accuracy"))],
        number("error", scale=ERROR_SCALE, axis=error_axis(ERRORS), title=None),
    )


def loss() -> Spec:
    """Return each seed's loss by epoch, on a logarithmic scale."""
    return _curves([{"filter": "datum.loss > 0"}], number("loss", scale={"type": "log", "nice": False}, title=None))


def digits() -> Spec:
    """Return each seed's accuracy on the images of each digit, with the mean and the published accuracies."""
    y = number("accuracy", scale={"zero": False}, axis={"format": "~%"}, title=None)
    x = field("digit", "ordinal", axis={"labelAngle": 0}, title="digit")
    return {
        **SIZE,
        "height": HEIGHT,
        "encoding": {"x": x, "y": y},
        "layer": [
            _only("run", "point", tooltip=[*names("digit", "run"), fraction("accuracy")]),
            _only("run", "tick", style="mean", y={"aggregate": "mean"} | y),
            _only("published", "point", tooltip=[*names("digit", "kind"), fraction("accuracy")]),
        ],
    }


def confusion() -> Spec:
    """Return how often the images of a digit are taken for another one."""
    strong = number("rate", scale={"type": "sqrt", "range": [0.1, 1]}, legend=None)
    tooltip = [*names("actual", "predicted"), fraction("rate")]
    return {
        **SIZE,
        "height": HEIGHT + 60,
        "transform": [
            {"filter": "datum.actual != datum.predicted && datum.rate > 0"},
            {"joinaggregate": [{"op": "max", "field": "rate", "as": "most"}]},
        ],
        "encoding": {
            "x": field("predicted", "ordinal", axis={"labelAngle": 0}, title="taken for"),
            "y": field("actual", "ordinal", title="digit"),
        },
        "layer": [
            {"mark": {"type": "rect", "color": {"expr": "run_color"}},
             "encoding": {"opacity": strong, "tooltip": tooltip}},
            {
                "transform": [{"filter": "datum.rate >= 0.0005"}],
                "mark": {"type": "text", "fontSize": 10},
                "encoding": {
                    "text": number("rate", format=".1%"),
                    "color": where("datum.rate > 0.3 * datum.most", {"expr": "ground_color"},
                                   otherwise={"expr": "text_color"}),
                },
            },
        ],
    }  # fmt: skip


def roc() -> Spec:
    """Return the whole ROC curves: each digit against the rest, their mean (macro), all answers together (micro)."""
    return _roc([], {"domain": [0, 1]}, {"domain": [0, 1]}, {"format": "~%"})


def roc_corner() -> Spec:
    """Return the corner of the ROC curves where they differ."""
    corner = {"filter": "datum.false_positive_rate >= 0.001 && datum.false_positive_rate <= 0.11"}
    axis = {"format": "~%", "values": [0.001, 0.01, 0.1]}
    return _roc([corner], {"type": "log", "domain": [0.001, 0.11]}, {"domain": [0.8, 1]}, axis)


def _rows(column: str, *layers: Spec) -> Spec:
    """Return a chart with a row for each value of a column."""
    y = name(column, sort=None, title=None, axis={"labelLimit": 190})
    return {**SIZE, "height": {"step": ROW}, "encoding": {"y": y}, "layer": list(layers)}


def _layer(mark: str, style: str, **encoding: Any) -> Spec:
    return {"mark": {"type": mark, "style": style}, "encoding": encoding}


def _only(kind: str, mark: str, style: str = "", **encoding: Any) -> Spec:
    """Return the layer of the rows of a kind."""
    return {"transform": [{"filter": f"datum.kind == '{kind}'"}]} | _layer(mark, style or kind, **encoding)


def _value() -> Spec:
    return number("value", **AXIS)


def _of_difference() -> list[Spec]:
    columns = ("mean", "low", "high", "low_with_images", "high_with_images", "published", "margin")
    return [number(column) for column in columns]


def _curves(transform: list[Spec], y: Spec) -> Spec:
    epochs = {"scale": {"type": "symlog"}, "axis": {"values": [0, 1, 2, 3, 5, 10, 20, 30, 50]}, "title": "epoch"}
    legend = {"orient": "top", "title": None, "symbolType": "stroke"}
    return {
        **SIZE,
        "height": HEIGHT,
        "transform": transform,
        "mark": {"type": "line", "strokeWidth": 1.2, "opacity": 0.8, "point": {"size": 14}},
        "encoding": {
            "x": number("epoch", **epochs),
            "y": y,
            "color": name("part", sort=PARTS, legend=legend),
            "detail": field("seed", "nominal"),
            "tooltip": [*names("part", "seed", "epoch"), fraction("accuracy"), number("loss", format=".4f")],
        },
    }


def _roc(transform: list[Spec], x: Spec, y: Spec, axis: Spec) -> Spec:
    rates = ("false_positive_rate", "true_positive_rate")
    return {
        **SIZE,
        "height": HEIGHT,
        "transform": transform,
        "mark": {"type": "line", "clip": True},
        "encoding": {
            "x": number(rates[0], scale=x, axis=axis, title="false positive rate"),
            "y": number(rates[1], scale=y, axis={"format": "~%"}, title="true positive rate"),
            "detail": field("curve", "nominal"),
            "color": {"condition": {"test": AVERAGES, "field": "curve", "type": "nominal",
                                    "scale": {"domain": ["macro", "micro"]},
                                    "legend": {"orient": "top", "title": None, "symbolType": "stroke"}},
                      "value": {"expr": "faint_color"}},
            "strokeDash": {"condition": {"test": AVERAGES, "value": [5, 3]}, "value": [1, 0]},
            "strokeWidth": {"condition": {"test": AVERAGES, "value": 2.5}, "value": 1},
            "tooltip": [name("curve"), *(fraction(rate) for rate in rates)],
        },
    }  # fmt: skip
