"""Learning curves and ROC curves: a row of panels a question, a line a variant, and a legend a row."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remnist.report.questions import Question
from remnist.report.tables import DIGITS, Results, by_parts, image_variants

# Seven colours that colour-blind readers tell apart, each in four dashes.
COLORS = [*(sns.color_palette("colorblind")[i] for i in (0, 1, 2, 3, 4, 9)), (0.1, 0.1, 0.1)]
DASHES: list[tuple[float, ...]] = [(1, 0), (4, 1.5), (1, 1), (5, 1, 1, 1)]
CROWDED = 8  # lines of a question from which its bands are fainter
ERRORS = (0.9, 0.5, 0.3, 0.2, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001)
SMALLEST_ERROR = 0.001  # error that stands for all smaller ones
PANELS = ("train", "validation", "test")  # parts of the data, from left to right
BEYOND = 0.07  # largest share of a question's points that may lie below its panels


class X(NamedTuple):
    """A horizontal axis.

    Attributes:
        column: its values.
        label: what it shows.
        ticks: its labels by their values.
        scale: as matplotlib has it.
    """

    column: str
    label: str
    ticks: Mapping[float, str]
    scale: Mapping[str, Any]


UP_TO_ONE = {"value": "symlog", "linthresh": 1, "linscale": 0.3}  # linear from 0, before the first epoch, to 1
EPOCHS = X("epoch", "epoch", {epoch: str(epoch) for epoch in (0, 1, 2, 3, 5, 10, 20, 30, 50, 100)}, UP_TO_ONE)
FALSE_POSITIVES = X("false_positive_rate", "false positives, %", {0.001: "0.1", 0.01: "1", 0.1: "10"}, {"value": "log"})


def learning_curves(questions: list[Question], results: Results) -> Figure:
    """Draw accuracy by epoch on training, test and held-out images, mean and range over seeds."""
    curves = by_parts(results.curves)
    panels = tuple(part for part in PANELS if part in set(curves["part"]))
    curves = curves.assign(error=1 - curves["accuracy"], panel=curves["part"])
    return _draw(questions, results, curves, panels, EPOCHS, "accuracy, %")


def roc(questions: list[Question], results: Results) -> Figure:
    """Draw ROC curves near the corner, the mean over digits and the worst digit at each rate, mean over seeds."""
    corner = results.roc["curve"].isin(DIGITS) & results.roc["false_positive_rate"].between(1e-3, 0.11)
    digits = results.roc[corner].assign(error=lambda table: 1 - table["true_positive_rate"])
    points = digits.groupby(["variant", "false_positive_rate"], sort=False)["error"]
    panels = {"worst digit": points.max(), "mean over digits": points.mean()}
    curves = pd.concat([table.reset_index().assign(panel=panel) for panel, table in panels.items()])
    return _draw(questions, results, curves, tuple(panels), FALSE_POSITIVES, "true positives, %")


def _draw(
    questions: list[Question], results: Results, curves: pd.DataFrame, panels: tuple[str, ...], x: X, label: str
) -> Figure:
    """Draw errors on a logarithmic axis, which is labelled with their complements.

    Args:
        questions: a row each.
        results: the measurements.
        curves: `variant`, `panel`, `error`, and x.
        panels: a column each; the legends have the order of the lines at the right of the last one.
        x: the horizontal axis.
        label: the vertical axis.
    """
    curves = curves.assign(error=curves["error"].clip(lower=SMALLEST_ERROR))
    means = curves.groupby(["variant", "panel", x.column])["error"].mean().reset_index()
    on_images = means[means["variant"].isin(image_variants(results)) & (means[x.column] > 0)]
    rows: list[pd.DataFrame] = []
    limits: dict[str, tuple[float, float]] = {}
    for question in questions:
        errors = on_images[on_images["variant"].isin(question.variants)]["error"]
        low, high = (0.9 * float(errors.min()), 1.1 * float(errors.quantile(1 - BEYOND))) if len(errors) else (0.1, 1.0)
        limits[question.title] = low, high
        for line, variant in enumerate(question.variants):
            row = curves[curves["variant"] == variant]
            rows.append(row.assign(error=row["error"].clip(low, high), question=question.title, line=line))
    lines = range(max(len(question.variants) for question in questions))
    colors = {line: COLORS[line % len(COLORS)] for line in lines}
    dashes = {line: DASHES[line // len(COLORS) % len(DASHES)] for line in lines}
    grid = sns.relplot(
        pd.concat(rows), kind="line", x=x.column, y="error", row="question", col="panel", col_order=panels, hue="line",
        style="line", palette=colors, dashes=dashes, errorbar=("pi", 100), err_kws={"linewidth": 0, "alpha": 0.15},
        linewidth=1.5, legend=False, height=3, aspect=1.25,
        facet_kws={"sharex": "row", "sharey": "row", "despine": False},
    )  # fmt: skip
    last = means[means["panel"] == panels[-1]].sort_values(x.column).groupby("variant")["error"]
    rank = {str(variant): (errors.iloc[-1], errors.mean()) for variant, errors in last}  # equal ends are common
    for question, row in zip(questions, grid.axes, strict=True):
        own = curves[curves["variant"].isin(question.variants)][x.column]
        _scale(row[0], x, (own.min(), max(own.max(), 1.5 * own.min(), own.min() + 1e-3)), limits[question.title])
        for axes, panel in zip(row, panels, strict=True):
            axes.set_title(panel, size=9)
            axes.set(xlabel=x.label, ylabel=label if axes is row[0] else "")
            if len(question.variants) >= CROWDED:
                for band in axes.collections:
                    band.set_alpha(0.07)
        row[0].annotate(question.title, (0, 1.12), xycoords="axes fraction", weight="bold")
        handles = [
            Line2D([], [], color=colors[line], linestyle=(0, dashes[line]), linewidth=1.5, label=variant)
            for line, variant in sorted(enumerate(question.variants), key=lambda named: rank[named[1]])
        ]
        row[-1].legend(
            handles=handles, loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, handlelength=3.2,
            fontsize=8, labelspacing=0.25,
        )  # fmt: skip
    grid.figure.subplots_adjust(hspace=0.45, wspace=0.1)
    return grid.figure


def _scale(axes: Axes, x: X, across: tuple[float, float], errors: tuple[float, float]) -> None:
    """Set the scales that a row of panels shares, the vertical one upside down."""
    low, high = errors
    axes.set_xscale(**x.scale)
    axes.set(yscale="log", xlim=across, ylim=(high, low))
    axes.set_xticks([tick for tick in x.ticks if across[0] <= tick <= across[1]])
    axes.set_xticklabels([words for tick, words in x.ticks.items() if across[0] <= tick <= across[1]])
    shown = [error for error in ERRORS if low <= error <= high]
    axes.set_yticks(shown, [f"{100 - 100 * error:g}" for error in shown])
    axes.minorticks_off()
