"""The report's figures: readable at a page's width, colour-blind safe, one colour for one thing throughout."""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from remnist.published import Published
from remnist.tables import DIGITS, PARTS, Results, digit_means

mpl.use("agg")
Printed = dict[str, Published]

BLUE, ORANGE, *_ = sns.color_palette("colorblind")
GREY = "0.55"
COLUMNS = 5  # panels beside each other, where each variant has its own
PANEL_IN = 1.9  # width of such a panel
DPI = 120


def draw(results: Results, published: Printed, folder: Path) -> None:
    """Draw all figures.

    Args:
        results: the measurements.
        published: what the reports printed.
        folder: where to, as `<name>.png` for each name in `FIGURES`.
    """
    sns.set_theme(style="whitegrid", context="paper")
    for name, make in FIGURES.items():
        figure = make(results, published)
        # The metadata would name matplotlib's version.
        figure.savefig(folder / f"{name}.png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
        plt.close(figure)


def accuracy(results: Results, published: Printed) -> Figure:
    """Every seed's accuracy on the test set, each variant's mean, and the published figure."""
    variants = list(results.plan)
    figure, axes = plt.subplots(figsize=(7.5, 0.8 + 0.27 * len(variants)))
    rows = {variant: row for row, variant in enumerate(variants)}
    runs = results.runs.assign(row=results.runs["variant"].map(rows))
    means = runs.groupby("row")["accuracy"].mean()
    printed = {rows[v]: p.accuracy for v, p in published.items() if v in rows and p.accuracy is not None}
    axes.scatter(runs["accuracy"], runs["row"], s=22, color=BLUE, alpha=0.45, linewidths=0, label="a seed")
    axes.scatter(means, means.index, s=130, color=BLUE, marker="|", linewidths=2, label="mean over seeds")
    axes.scatter(
        list(printed.values()), list(printed), s=42, facecolors="none", edgecolors=ORANGE, marker="D",
        linewidths=1.6, label="published (one run)",
    )  # fmt: skip
    axes.set_yticks(range(len(variants)), variants)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    for row in range(1, len(variants)):
        axes.axhline(row - 0.5, color="0.92", linewidth=0.6, zorder=0)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.set_xlabel("accuracy on the test set")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    return figure


def learning_curves(results: Results, _: Printed) -> Figure:
    """Accuracy by epoch on training and validation data, mean and range over seeds, a panel a variant."""
    curves = results.curves
    grid = sns.relplot(
        curves, x="epoch", y="accuracy", hue="part", hue_order=PARTS, palette=[GREY, BLUE],
        col="variant", col_wrap=COLUMNS, col_order=list(results.plan), kind="line", errorbar=("pi", 100),
        marker="o", markersize=3, markeredgewidth=0, height=PANEL_IN * 0.85, aspect=1 / 0.85,
    )  # fmt: skip
    late = curves["accuracy"][curves["epoch"] > 1]
    low = (late if len(late) else curves["accuracy"]).min()
    grid.set(ylim=(low - 0.1 * (1 - low), 1 + 0.02 * (1 - low)), xticks=range(0, curves["epoch"].max() + 1, 5))
    grid.set_titles("{col_name}", size=8)
    grid.set_axis_labels("epoch", "accuracy")
    for axes in grid.axes.flat:
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    sns.move_legend(grid, "lower center", bbox_to_anchor=(0.45, 1.0), ncols=2, title=None)
    return grid.figure


def per_digit(results: Results, _: Printed) -> Figure:
    """Mean accuracy of each variant on each digit."""
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


def roc(results: Results, _: Printed) -> Figure:
    """ROC curves near the corner: each digit against the rest, and their mean, a panel a variant."""
    corner = results.roc[results.roc["false_positive_rate"].between(1e-3, 0.11)]
    digits = corner[corner["curve"].isin(DIGITS)]
    grid = sns.FacetGrid(
        corner, col="variant", col_wrap=COLUMNS, col_order=list(results.plan), height=PANEL_IN * 0.85, aspect=1 / 0.85
    )
    for variant, axes in grid.axes_dict.items():
        for _, curve in digits[digits["variant"] == variant].groupby("curve"):
            axes.plot(curve["false_positive_rate"], curve["true_positive_rate"], color=GREY, linewidth=0.7)
        mean = corner[(corner["variant"] == variant) & (corner["curve"] == "macro")]
        axes.plot(mean["false_positive_rate"], mean["true_positive_rate"], color=BLUE, linewidth=1.8)
        axes.set_title(variant, size=8)
    low = max(0.0, float(digits["true_positive_rate"].quantile(0.03)))
    grid.set(xscale="log", xlim=(1e-3, 0.1), ylim=(low - 0.02 * (1 - low), 1 + 0.02 * (1 - low)))
    grid.set_axis_labels("false positive rate", "true positive rate")
    grid.axes.flat[0].plot([], color=GREY, linewidth=0.7, label="a digit against the rest")
    grid.axes.flat[0].plot([], color=BLUE, linewidth=1.8, label="mean over digits")
    grid.figure.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return grid.figure


def confusion(results: Results, _: Printed) -> Figure:
    """Which digits are taken for which others, a panel a variant."""
    errors = results.confusion.assign(
        rate=results.confusion["rate"].where(results.confusion["actual"] != results.confusion["predicted"]) * 100
    )
    high = float(errors["rate"].quantile(0.99))
    variants = list(results.plan)
    rows = -(-len(variants) // COLUMNS)
    figure, panels = plt.subplots(
        rows, COLUMNS, figsize=(PANEL_IN * COLUMNS, PANEL_IN * rows), squeeze=False, layout="constrained"
    )
    for axes, variant in zip(panels.flat, variants, strict=False):
        table = errors[errors["variant"] == variant].pivot_table(
            index="actual", columns="predicted", values="rate", dropna=False
        )
        image = axes.imshow(table.loc[DIGITS, DIGITS], cmap="Oranges", vmin=0, vmax=high)
        axes.set_title(variant, size=8)
        axes.set_xticks(range(10), DIGITS, size=6)
        axes.set_yticks(range(10), DIGITS, size=6)
        axes.tick_params(length=0, pad=1)
        axes.grid(visible=False)
    for axes in list(panels.flat)[len(variants) :]:
        axes.set_axis_off()
    figure.supxlabel("taken for", size=9)
    figure.supylabel("digit", size=9)
    figure.colorbar(image, ax=panels, label="% of the digit's images", shrink=0.6, extend="max")
    return figure


FIGURES: dict[str, Callable[[Results, Printed], Figure]] = {
    "accuracy": accuracy,
    "learning_curves": learning_curves,
    "per_digit": per_digit,
    "roc": roc,
    "confusion": confusion,
}
