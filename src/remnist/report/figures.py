"""The report's figures: readable at a page's width, colour-blind safe, one colour for one thing throughout."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from remnist.report import gallery
from remnist.report.curves import learning_curves, roc
from remnist.report.questions import Question
from remnist.report.tables import DIGITS, Digits, Results, digit_means, image_variants
from remnist.report.units import scale
from remnist.report.verdicts import NOT_TESTABLE, OTHER_CAUSE, REFUTED, UNDECIDED, UPHELD, Judged

mpl.use("agg")

BLUE, ORANGE, VERMILION, PINK = (sns.color_palette("colorblind")[i] for i in (0, 1, 3, 4))
GREY = "0.55"
OUTCOMES = {UPHELD: BLUE, REFUTED: VERMILION, OTHER_CAUSE: PINK, UNDECIDED: GREY, NOT_TESTABLE: GREY}
PUBLISHED_MARK: dict[str, Any] = {
    "s": 34, "facecolors": "none", "edgecolors": ORANGE, "marker": "D", "linewidths": 1.4
}  # fmt: skip
# Accuracies from chance to nearly all right share one axis, on which the error has a logarithmic scale.
ERRORS = (0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002)
SMALLEST_ERROR = 0.002  # error that stands for all smaller ones
DPI = 120


def draw(results: Results, questions: list[Question], folder: Path) -> None:
    """Draw the figures of the measurements.

    Args:
        results: the measurements.
        questions: the variants by question.
        folder: where to, as `<name>.png` for each name in `FIGURES`.
    """
    sns.set_theme(style="whitegrid", context="paper")
    for name, make in FIGURES.items():
        _save(make(results, questions), folder / f"{name}.png")


def draw_claims(judged: list[Judged], folder: Path) -> None:
    """Draw the claims, if there are any, as claims.png."""
    if judged:
        sns.set_theme(style="whitegrid", context="paper")
        _save(claims(judged), folder / "claims.png")


def draw_gallery(ranking: pd.DataFrame, images: Digits, folder: Path) -> None:
    """Draw the hardest images, if any network gets one wrong, as gallery.png.

    Args:
        ranking: the images, as `gallery.rank` returns them.
        images: the test images, (images, height, width).
        folder: where to.
    """
    if not ranking.empty:
        sns.set_theme(style="whitegrid", context="paper")
        _save(hardest(ranking, images), folder / "gallery.png")


def _save(figure: Figure, path: Path) -> None:
    # The metadata would name matplotlib's version.
    figure.savefig(path, dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def claims(judged: list[Judged]) -> Figure:
    """Draw each claim's difference with its interval, the published one, and the outcome; in points, or in epochs."""
    rows: list[Judged | str] = []
    for report in sorted({each.claim.report for each in judged}):
        rows += [f"Report {report}", *(each for each in judged if each.claim.report == report)]
    figure, panels = plt.subplots(
        1, 2, sharey=True, figsize=(10, 1 + 0.2 * len(rows)), width_ratios=[4, 1.3],
        layout="constrained",
    )  # fmt: skip
    for axes, unit in zip(panels, ("points", "epochs"), strict=True):
        axes.axvline(0, color="0.3", linewidth=0.8)
        for row, each in enumerate(rows):
            if isinstance(each, Judged) and not each.finding.missing and scale(each.claim.metric)[1] == unit:
                _claim_row(axes, row, each)
        axes.set_xscale("symlog", linthresh=1, linscale=1.2)
        axes.set_xlabel(f"difference, {unit}")
        axes.grid(axis="y", color="0.93")
        axes.minorticks_off()
    labels = [each if isinstance(each, str) else each.claim.says for each in rows]
    for text in panels[0].set_yticks(range(len(rows)), labels, size=8):
        text.label1.set_fontweight("bold" if text.label1.get_text() in rows else "normal")
    panels[0].set_ylim(len(rows) - 0.4, -0.6)
    _signed_ticks(panels[0], (0.5, 1, 3, 10, 100))
    _signed_ticks(panels[1], (1, 10, 100))
    for row, each in enumerate(rows):
        if isinstance(each, Judged):
            panels[1].annotate(
                each.outcome, (1.03, row), xycoords=("axes fraction", "data"), va="center", size=8,
                color=OUTCOMES[each.outcome], annotation_clip=False,
            )  # fmt: skip
    handle = panels[0].scatter([], [], s=26, color="0.3", label="measured, with its 95 % interval")
    published = panels[0].scatter([], [], **PUBLISHED_MARK, label="published (one run each)")
    figure.legend(handles=[handle, published], loc="outside upper center", ncols=2, frameon=False)
    return figure


def _claim_row(axes: Axes, row: int, judged: Judged) -> None:
    color, (factor, _) = OUTCOMES[judged.outcome], scale(judged.claim.metric)
    low, high = judged.finding.interval
    axes.plot([low * factor, high * factor], [row, row], color=color, linewidth=1.6, solid_capstyle="butt")
    axes.scatter(judged.finding.difference * factor, row, s=26, color=color, zorder=3)
    if judged.published is not None:
        axes.scatter(judged.published * factor, row, zorder=4, **PUBLISHED_MARK)


def _signed_ticks(axes: Axes, ticks: tuple[float, ...]) -> None:
    """Label both sides of zero as far as there is something, and no further than the last tick."""
    low, high = (float(np.clip(bound, -ticks[-1], ticks[-1])) for bound in axes.get_xlim())
    shown = [tick for tick in (*(-tick for tick in ticks), 0, *ticks) if low <= tick <= high]
    axes.set_xticks(shown, [f"{tick:+g}" if tick else "0" for tick in shown], size=8)
    axes.set_xlim(low, high)


def accuracy(results: Results, questions: list[Question]) -> Figure:
    """Draw every seed's accuracy on the test set, each variant's mean, and the published figure."""
    sizes = [len(question.variants) + 1.5 for question in questions]
    cut = min(range(1, len(sizes) + 1), key=lambda place: abs(sum(sizes[:place]) - sum(sizes[place:])))
    columns = [part for part in (questions[:cut], questions[cut:]) if part]
    rows = max(sum(sizes[:cut]), sum(sizes[cut:]))
    figure = plt.figure(figsize=(5.2 * len(columns), 0.8 + 0.2 * rows), layout="constrained")
    parts = figure.subfigures(1, len(columns), squeeze=False)[0]
    for part, column in zip(parts, columns, strict=True):
        heights = [len(question.variants) + 0.4 for question in column]
        panels = part.subplots(len(column), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for axes, question in zip(panels, column, strict=True):
            _accuracy_panel(axes, question, results.runs)
        panels[-1].set_xlabel("accuracy on the test set, %", size=9)
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _accuracy_panel(axes: Axes, question: Question, runs: pd.DataFrame) -> None:
    rows = {variant: row for row, variant in enumerate(question.variants)}
    seeds = runs[runs["variant"].isin(rows)]
    errors = (1 - seeds["accuracy"]).clip(lower=SMALLEST_ERROR)
    axes.scatter(errors, seeds["variant"].map(rows), s=18, color=BLUE, alpha=0.45, linewidths=0, label="a seed")
    means = errors.groupby(seeds["variant"]).mean()
    axes.scatter(means, means.index.map(rows), s=90, color=BLUE, marker="|", linewidths=2, label="mean over seeds")
    published = {rows[v]: 1 - p.accuracy for v, p in question.published.items() if v in rows and p.accuracy is not None}
    errors = pd.Series(published, dtype=float).clip(lower=SMALLEST_ERROR)
    axes.scatter(errors, list(published), label="published (one run)", **PUBLISHED_MARK)
    axes.set_yticks(range(len(rows)), list(rows), size=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="y", color="0.93")
    axes.set_title(question.title, size=9, loc="left", pad=3)
    axes.set(xscale="log", xlim=(0.95, SMALLEST_ERROR * 0.9))
    axes.set_xticks(ERRORS, [f"{100 - 100 * error:g}" for error in ERRORS], size=8)
    axes.minorticks_off()


def per_digit(results: Results, _: list[Question]) -> Figure:
    """Draw the mean accuracy of each variant on each digit."""
    table = digit_means(results) * 100
    figure, axes = plt.subplots(figsize=(7.5, 0.8 + 0.27 * len(table)))
    low = float(np.nanquantile(table, 0.02))
    sns.heatmap(
        table[DIGITS], annot=True, fmt=".1f", cmap="Oranges_r", vmin=low, vmax=100, annot_kws={"size": 7},
        linewidths=0.5, cbar_kws={"label": "accuracy, %"}, ax=axes,
    )  # fmt: skip
    axes.set(xlabel="digit", ylabel="")
    axes.tick_params(left=False, bottom=False)
    return figure


def confusion(results: Results, questions: list[Question]) -> Figure:
    """Draw which digits are taken for which others, median over the variants of a question on images."""
    errors = results.confusion[results.confusion["variant"].isin(image_variants(results))]
    errors = errors.assign(rate=100 * errors["rate"].where(errors["actual"] != errors["predicted"]))
    tables = [errors[errors["variant"].isin(q.variants)].assign(question=q.title) for q in questions]
    rates = pd.concat(tables).groupby(["question", "actual", "predicted"], sort=False, as_index=False)["rate"].median()
    high = float(rates["rate"].quantile(0.98))

    def draw(data: pd.DataFrame, **_: Any) -> None:
        sns.heatmap(
            data.pivot(index="actual", columns="predicted", values="rate"), annot=True, fmt=".1f", cmap="Oranges",
            vmin=0, vmax=high, annot_kws={"size": 6}, linewidths=0.3, cbar=False,
        )  # fmt: skip

    grid = sns.FacetGrid(rates, col="question", col_wrap=3, height=3.2)
    grid.map_dataframe(draw).set_titles("{col_name}", size=8).set_axis_labels("taken for", "digit")
    for axes in grid.axes.flat:
        axes.grid(visible=False)
    grid.figure.colorbar(
        grid.axes.flat[0].collections[0], ax=list(grid.axes.flat), label="% of the digit's images", extend="max",
        shrink=0.6, pad=0.02,
    )  # fmt: skip
    return grid.figure


def hardest(ranking: pd.DataFrame, images: Digits) -> Figure:
    """Draw the hardest images, each with its label, its most frequent error, and its share of wrong predictions."""
    shown = ranking.head(gallery.SHOWN)
    columns, side_in, width, height = 10, 0.72, 1.12, 1.6  # width and height of a place, in sides of an image
    rows = -(-len(shown) // columns)
    figure = plt.figure(figsize=(side_in * columns * width, side_in * rows * height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    facts = zip(*(shown[column] for column in ("image", "label", "predicted", "wrong")), strict=True)
    for place, (index, label, predicted, wrong) in enumerate(facts):
        left, top = place % columns * width, place // columns * height
        extent = (left, left + 1, top + 1, top)
        axes.imshow(images[index], cmap="gray_r", vmin=0, vmax=255, extent=extent, interpolation="nearest")
        axes.add_patch(Rectangle((left, top), 1, 1, fill=False, color="0.8", lw=0.6))
        middle = left + 0.5
        axes.text(middle, top - 0.04, gallery.pair(label, predicted), ha="center", va="bottom", size=9)
        axes.text(middle, top + 1.04, f"{wrong * 100:.1f} % wrong", ha="center", va="top", size=7.5, color="0.3")
    axes.set(xlim=(0, columns * width), ylim=(rows * height - 0.3, -0.3))
    return figure


FIGURES: dict[str, Callable[[Results, list[Question]], Figure]] = {
    "accuracy": accuracy,
    "learning_curves": learning_curves,
    "per_digit": per_digit,
    "roc": roc,
    "confusion": confusion,
}
