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
from matplotlib.ticker import MaxNLocator

from remnist.plan.claims import scale
from remnist.plan.published import Published
from remnist.report import gallery
from remnist.report.panels import Panels, Scale
from remnist.report.tables import DIGITS, PARTS, Digits, Results, digit_means
from remnist.report.verdicts import NOT_TESTABLE, OTHER_CAUSE, REFUTED, UNDECIDED, UPHELD, Judged

mpl.use("agg")
Printed = dict[str, Published]

BLUE, ORANGE, VERMILION, PINK = (sns.color_palette("colorblind")[i] for i in (0, 1, 3, 4))
GREY = "0.55"
VERDICTS = {UPHELD: BLUE, REFUTED: VERMILION, OTHER_CAUSE: PINK, UNDECIDED: GREY, NOT_TESTABLE: GREY}
PUBLISHED_MARK: dict[str, Any] = {
    "s": 34, "facecolors": "none", "edgecolors": ORANGE, "marker": "D", "linewidths": 1.4
}  # fmt: skip
# Accuracies from chance to nearly all right share one axis, on which the error has a logarithmic scale.
ERRORS = (0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002)
SMALLEST_ERROR = 0.002  # what is more accurate is drawn here
DPI = 120


def draw(results: Results, published: Printed, folder: Path) -> None:
    """Draw the figures of the measurements.

    Args:
        results: the measurements.
        published: what the reports printed.
        folder: where to, as `<name>.png` for each name in `FIGURES`.
    """
    sns.set_theme(style="whitegrid", context="paper")
    for name, make in FIGURES.items():
        _save(make(results, published), folder / f"{name}.png")


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
    """Each claim's difference with its interval, the published one, and the verdict; in points, or in epochs."""
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
            if isinstance(each, Judged) and not each.finding.missing and scale(each.claim)[1] == unit:
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
                each.verdict, (1.03, row), xycoords=("axes fraction", "data"), va="center", size=8,
                color=VERDICTS[each.verdict], annotation_clip=False,
            )  # fmt: skip
    handle = panels[0].scatter([], [], s=26, color="0.3", label="measured, with its 95 % interval")
    printed = panels[0].scatter([], [], **PUBLISHED_MARK, label="published (one run each)")
    figure.legend(handles=[handle, printed], loc="outside upper center", ncols=2, frameon=False)
    return figure


def _claim_row(axes: Axes, row: int, judged: Judged) -> None:
    color, (factor, _) = VERDICTS[judged.verdict], scale(judged.claim)
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


def accuracy(results: Results, published: Printed) -> Figure:
    """Every seed's accuracy on the test set, each variant's mean, and the published figure, a panel a report."""
    groups: dict[str, list[str]] = {}
    for variant in results.plan:
        title = f"Report {published[variant].report}" if variant in published else "Controls"
        groups.setdefault(title, []).append(variant)
    groups = {title: groups[title] for title in sorted(groups, key=lambda title: (title == "Controls", title))}
    titles, sizes = list(groups), [len(groups[title]) for title in groups]
    cut = min(range(1, len(titles) + 1), key=lambda place: abs(sum(sizes[:place]) - sum(sizes[place:])))
    columns = [part for part in (titles[:cut], titles[cut:]) if part]
    rows = max(sum(len(groups[title]) + 1.5 for title in titles) for titles in columns)
    figure = plt.figure(figsize=(5.2 * len(columns), 0.8 + 0.2 * rows), layout="constrained")
    error = results.runs.assign(error=_error(results.runs["accuracy"])).groupby("variant")["error"]
    parts = figure.subfigures(1, len(columns), squeeze=False)[0]
    for part, titles in zip(parts, columns, strict=True):
        heights = [len(groups[title]) + 0.4 for title in titles]
        panels = part.subplots(len(titles), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for axes, title in zip(panels, titles, strict=True):
            _accuracy_panel(axes, title, groups[title], error, published)
        panels[-1].set_xlabel("accuracy on the test set, %", size=9)
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _error(accuracy: "pd.Series[float]") -> "pd.Series[float]":
    """Return what is not accurate, as far as the axis can show it."""
    return (1 - accuracy).clip(lower=SMALLEST_ERROR)


def _accuracy_panel(axes: Axes, title: str, variants: list[str], error: Any, published: Printed) -> None:
    for row, variant in enumerate(variants):
        seeds = error.get_group(variant)
        first = "_" if row else ""  # a legend leaves out what starts with an underscore
        axes.scatter(seeds, [row] * len(seeds), s=18, color=BLUE, alpha=0.45, linewidths=0, label=f"{first}a seed")
        axes.scatter(seeds.mean(), row, s=90, color=BLUE, marker="|", linewidths=2, label=f"{first}mean over seeds")
    printed = {row: p.accuracy for row, v in enumerate(variants) if (p := published.get(v)) and p.accuracy is not None}
    axes.scatter(_error(pd.Series(printed, dtype=float)), list(printed), label="published (one run)", **PUBLISHED_MARK)
    axes.set_yticks(range(len(variants)), variants, size=8)
    axes.set_ylim(len(variants) - 0.4, -0.6)
    axes.grid(axis="y", color="0.93")
    axes.set_title(title, size=9, loc="left", pad=3)
    axes.set(xscale="log", xlim=(0.95, SMALLEST_ERROR * 0.9))
    axes.set_xticks(ERRORS, [f"{100 - 100 * error:g}" for error in ERRORS], size=8)
    axes.minorticks_off()


def learning_curves(results: Results, _: Printed) -> Figure:
    """Accuracy by epoch on training and validation data, mean and range over seeds, a panel a variant."""
    curves = results.curves.assign(error=_error(results.curves["accuracy"]))
    spread = curves.groupby(["part", "variant", "epoch"], sort=False)["error"].agg(["mean", "min", "max"]).reset_index()
    last = max(2, int(spread["epoch"].max()))
    accuracies = {error: f"{100 - 100 * error:g}" for error in ERRORS[::2]}
    panels = Panels(
        list(results.plan),
        Scale("epoch", 1, last, {epoch: str(epoch) for epoch in (1, 2, 5, 10, 20, 50) if epoch <= last}, np.log10),
        Scale("accuracy, %", 0.95, SMALLEST_ERROR * 0.9, accuracies, np.log10),
    )
    styles = {part: {"color": color, "linewidth": 1.4} for part, color in zip(PARTS, (GREY, BLUE), strict=True)}
    for part, style in styles.items():
        runs = [(str(v), run) for v, run in spread[spread["part"] == part].groupby("variant", sort=False)]
        panels.bands([(v, run["epoch"], run["max"], run["min"]) for v, run in runs], color=style["color"], alpha=0.25)
        panels.lines([(v, run["epoch"], run["mean"]) for v, run in runs], **style)
    panels.legend(styles)
    return panels.figure


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
    digits, mean = corner[corner["curve"].isin(DIGITS)], corner[corner["curve"] == "macro"]
    low = max(0.0, float(digits["true_positive_rate"].quantile(0.03)))
    margin = 0.02 * (1 - low)
    panels = Panels(
        list(results.plan),
        Scale("false positive rate", 1e-3, 0.1, {1e-3: "0.001", 1e-2: "0.01", 1e-1: "0.1"}, np.log10),
        Scale("true positive rate", low - margin, 1 + margin, {tick: f"{tick:.3g}" for tick in _ticks(low, 1)}),
    )
    styles = {
        "a digit against the rest": {"color": GREY, "linewidth": 0.7},
        "mean over digits": {"color": BLUE, "linewidth": 1.8},
    }
    for table, style in zip((digits, mean), styles.values(), strict=True):
        curves = table.groupby(["variant", "curve"], sort=False)
        panels.lines([(str(v), c["false_positive_rate"], c["true_positive_rate"]) for (v, _), c in curves], **style)
    panels.legend(styles)
    return panels.figure


def _ticks(low: float, high: float) -> list[float]:
    return [float(tick) for tick in MaxNLocator(4).tick_values(low, high) if low <= tick <= high]


def confusion(results: Results, _: Printed) -> Figure:
    """Which digits are taken for which others, a panel a variant."""
    rate = results.confusion["rate"].where(results.confusion["actual"] != results.confusion["predicted"]) * 100
    errors = results.confusion.assign(rate=rate)
    high = float(rate.quantile(0.99))
    ticks = {float(digit): digit for digit in DIGITS}
    panels = Panels(list(results.plan), Scale("taken for", -0.5, 9.5, ticks), Scale("digit", 9.5, -0.5, ticks))
    for variant, table in errors.groupby("variant", sort=False):
        matrix = table.pivot(index="actual", columns="predicted", values="rate").reindex(index=DIGITS, columns=DIGITS)
        image = panels.image(str(variant), matrix.to_numpy(float), cmap="Oranges", vmin=0, vmax=high)
    panels.colorbar(image, "% of the digit's images")
    return panels.figure


def hardest(ranking: pd.DataFrame, images: Digits) -> Figure:
    """The hardest images, each with its label, its most frequent wrong answer, and the share of wrong answers."""
    shown = ranking.head(gallery.SHOWN)
    columns, side_in, width, height = 10, 0.72, 1.12, 1.6  # width and height of a place, in sides of an image
    rows = -(-len(shown) // columns)
    figure = plt.figure(figsize=(side_in * columns * width, side_in * rows * height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    facts = zip(*(shown[column] for column in ("image", "label", "answer", "wrong")), strict=True)
    for place, (index, label, answer, wrong) in enumerate(facts):
        left, top = place % columns * width, place // columns * height
        extent = (left, left + 1, top + 1, top)
        axes.imshow(images[index], cmap="gray_r", vmin=0, vmax=255, extent=extent, interpolation="nearest")
        axes.add_patch(Rectangle((left, top), 1, 1, fill=False, color="0.8", lw=0.6))
        middle = left + 0.5
        axes.text(middle, top - 0.04, gallery.pair(label, answer), ha="center", va="bottom", size=9)
        axes.text(middle, top + 1.04, f"{wrong * 100:.1f} % wrong", ha="center", va="top", size=7.5, color="0.3")
    axes.set(xlim=(0, columns * width), ylim=(rows * height - 0.3, -0.3))
    return figure


FIGURES: dict[str, Callable[[Results, Printed], Figure]] = {
    "accuracy": accuracy,
    "learning_curves": learning_curves,
    "per_digit": per_digit,
    "roc": roc,
    "confusion": confusion,
}
