"""Learning curves and ROC curves: a row of panels a question, a line a variant, and a legend a row."""

from collections.abc import Mapping
from math import log
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remnist.report.questions import Question
from remnist.report.summaries import by_parts
from remnist.report.tables import DIGITS, Results, alike, image_variants

# Seven colours that colour-blind readers tell apart, each in four dashes.
COLORS = [*(sns.color_palette("colorblind")[i] for i in (0, 1, 2, 3, 4, 9)), (0.1, 0.1, 0.1)]
DASHES: list[tuple[float, ...]] = [(1, 0), (4, 1.5), (1, 1), (5, 1, 1, 1)]
CROWDED = 8  # lines of a question from which its bands are fainter
ERRORS = (0.9, 0.5, 0.3, 0.2, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001)
CLOSEST = 0.08  # share of an axis between two labels, at the least
SMALLEST_ERROR = 0.001  # error that stands for all smaller ones
STATISTICS: list[Any] = ["mean", "min", "max"]  # over seeds
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
    """Draw accuracy by epoch on training, held-out and test images, mean and range over seeds, and published ones.

    A run that lacks a digit, where others of its variant have all, has a line of its own.
    """
    curves = by_parts(results.curves)
    panels = tuple(part for part in PANELS if part in set(curves["part"]))
    curves = curves.assign(error=1 - curves["accuracy"], panel=curves["part"])
    counted = results.runs.assign(counts=alike(results.runs))[["variant", "seed", "counts"]]
    curves = curves.merge(counted, on=["variant", "seed"])
    apart = {
        key: [run for _, run in table.groupby("seed")]
        for key, table in curves[~curves["counts"]].groupby(["variant", "panel"])
    }
    return _draw(questions, results, curves[curves["counts"]], panels, EPOCHS, "accuracy, %", apart)


def roc(questions: list[Question], results: Results) -> Figure:
    """Draw ROC curves near the corner, the mean over digits and the worst digit at each rate, mean over seeds."""
    corner = results.roc["curve"].isin(DIGITS) & results.roc["false_positive_rate"].between(1e-3, 0.11)
    digits = results.roc[corner].assign(error=lambda table: 1 - table["true_positive_rate"])
    points = digits.groupby(["variant", "false_positive_rate"], sort=False)["error"]
    panels = {"worst digit": points.max(), "mean over digits": points.mean()}
    curves = pd.concat([table.reset_index().assign(panel=panel) for panel, table in panels.items()])
    return _draw(questions, results, curves, tuple(panels), FALSE_POSITIVES, "true positives, %")


def _draw(
    questions: list[Question],
    results: Results,
    curves: pd.DataFrame,
    panels: tuple[str, ...],
    x: X,
    label: str,
    apart: Mapping[Any, list[pd.DataFrame]] | None = None,
) -> Figure:
    """Draw errors on a logarithmic axis, which is labelled with their complements.

    Args:
        questions: a row each.
        results: the measurements.
        curves: `variant`, `panel`, `error`, and x.
        panels: a column each; the legends have the order of the lines at the right of the last one.
        x: the horizontal axis.
        label: the vertical axis.
        apart: by variant and panel, runs that have lines of their own, `error` and x of each.
    """
    curves = curves.assign(error=curves["error"].clip(lower=SMALLEST_ERROR))
    errors = curves.groupby(["variant", "panel", x.column])["error"].agg(STATISTICS).reset_index()
    trained = errors[errors["variant"].isin(image_variants(results)) & (errors[x.column] > 0)]
    lines = {key: table.set_index(x.column)[STATISTICS] for key, table in errors.groupby(["variant", "panel"])}
    figure, grid = plt.subplots(
        len(questions), len(panels), sharex="row", sharey="row", squeeze=False,
        figsize=(3.4 * len(panels) + 1.8, 2.6 * len(questions)),
    )  # fmt: skip
    for question, row in zip(questions, grid, strict=True):
        own = trained[trained["variant"].isin(question.variants)]["mean"]
        low, high = (0.9 * float(own.min()), 1.1 * float(own.quantile(1 - BEYOND))) if len(own) else (0.1, 1.0)
        styles: dict[str, dict[str, Any]] = {
            variant: {"color": COLORS[line % len(COLORS)],
                      "linestyle": (0, DASHES[line // len(COLORS) % len(DASHES)])}
            for line, variant in enumerate(question.variants)
        }  # fmt: skip
        for axes, panel in zip(row, panels, strict=True):
            for variant, style in styles.items():
                line = lines[variant, panel].clip(low, high)
                axes.plot(line.index, line["mean"], linewidth=1.5, **style)
                alpha = 0.15 if len(styles) < CROWDED else 0.07
                for run in (apart or {}).get((variant, panel), []):
                    axes.plot(run[x.column], run["error"].clip(low, high), linewidth=0.6, color=style["color"])
                axes.fill_between(line.index, line["min"], line["max"], color=style["color"], alpha=alpha, linewidth=0)
            axes.set_title(panel, size=9)
            axes.set(xlabel=x.label, ylabel=label if axes is row[0] else "")
        if x is EPOCHS:
            _publish(row[-1], question, results, styles, (low, high))
        across = curves[curves["variant"].isin(question.variants)][x.column]
        _scale(row[0], x, (across.min(), max(across.max(), 1.5 * across.min(), across.min() + 1e-3)), (low, high))
        row[0].annotate(
            question.title, (0, 1), (0, 18), xycoords="axes fraction", textcoords="offset points", weight="bold"
        )
        ends = {variant: lines[variant, panels[-1]]["mean"] for variant in styles}  # equal ends are common
        order = sorted(styles, key=lambda variant: (ends[variant].iloc[-1], ends[variant].mean()))
        row[-1].legend(
            handles=[Line2D([], [], linewidth=1.5, label=variant, **styles[variant]) for variant in order],
            loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, handlelength=3.2, fontsize=8,
            labelspacing=0.25,
        )  # fmt: skip
    figure.subplots_adjust(bottom=0, top=1, hspace=0.6, wspace=0.1)
    return figure


def _publish(
    axes: Axes, question: Question, results: Results, styles: Mapping[str, Any], errors: tuple[float, float]
) -> None:
    """Draw the published accuracies, by epoch and at the end."""
    for variant, printed in question.published.items():
        if variant not in styles:  # which the plan has not
            continue
        printed_at = {results.plan[variant].train.epochs: printed.accuracy}
        printed_at |= {epoch: each.accuracy for epoch, each in printed.epochs.items()}
        points = {epoch: 1 - accuracy for epoch, accuracy in printed_at.items() if accuracy is not None}
        axes.scatter(
            list(points), np.clip(list(points.values()), *errors), s=24, marker="D", facecolors="none",
            edgecolors=styles[variant]["color"], linewidths=1.2, zorder=3, clip_on=False,
        )  # fmt: skip


def _scale(axes: Axes, x: X, across: tuple[float, float], errors: tuple[float, float]) -> None:
    """Set the scales that a row of panels shares, the vertical one upside down."""
    low, high = errors
    axes.set_xscale(**x.scale)
    axes.set(yscale="log", xlim=across, ylim=(high, low))
    axes.set_xticks([tick for tick in x.ticks if across[0] <= tick <= across[1]])
    axes.set_xticklabels([words for tick, words in x.ticks.items() if across[0] <= tick <= across[1]])
    shown: list[float] = []
    for error in ERRORS:
        if low <= error <= high and (not shown or log(shown[-1] / error) >= CLOSEST * log(high / low)):
            shown.append(error)
    axes.set_yticks(shown, [f"{100 - 100 * error:g}" for error in shown])
    axes.minorticks_off()
