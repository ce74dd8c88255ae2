"""The report's figures: readable at a page's width, colour-blind safe, one colour for one thing throughout."""

from collections.abc import Callable, Iterator
from io import BytesIO
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
from PIL import Image

from remnist.report import gallery, verdicts
from remnist.report.curves import learning_curves, roc
from remnist.report.effects import NO_EFFECT, REVERSED
from remnist.report.questions import Question
from remnist.report.summaries import digit_means
from remnist.report.tables import DIGITS, Digits, Results, alike, image_variants
from remnist.report.verdicts import Judged

BLUE, ORANGE, VERMILION, PINK = (sns.color_palette("colorblind")[i] for i in (0, 1, 3, 4))
GREY = "0.55"
OUTCOMES = dict.fromkeys(verdicts.OUTCOMES, GREY) | {
    **{outcome: BLUE for outcome in verdicts.OUTCOMES if outcome.startswith(verdicts.REPLICATED)},
    **{outcome: VERMILION for outcome in verdicts.OUTCOMES if outcome.startswith(REVERSED)},
    verdicts.NOT_REPLICATED: VERMILION, NO_EFFECT: PINK,
}  # fmt: skip
BEYOND = 20  # margins beyond which a difference is drawn on the edge
PUBLISHED_MARK: dict[str, Any] = {
    "s": 34, "facecolors": "none", "edgecolors": ORANGE, "marker": "D", "linewidths": 1.4
}  # fmt: skip
# Accuracies from chance to nearly all right share one axis, on which the error has a logarithmic scale.
ERRORS = (0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002)
SMALLEST_ERROR = 0.002  # error that stands for all smaller ones
DPI = 120
FONT = "DejaVu Sans"  # font that comes with matplotlib; seaborn would take Arial where it is installed


def draw(name: str, folder: Path, *content: Any) -> None:
    """Draw a figure, if there is something to show.

    Args:
        name: a name in `FIGURES`.
        folder: where to, as `<name>.png`.
        content: the arguments of the function there.
    """
    if len(content[0]):
        mpl.rcdefaults()  # whatever a user's matplotlibrc says
        sns.set_theme(style="whitegrid", context="paper", font=FONT, rc={"text.parse_math": False})
        figure = FIGURES[name](*content)
        with BytesIO() as drawn:
            figure.savefig(drawn, dpi=DPI, bbox_inches="tight")
            # Git keeps every version: a palette takes a third of the bytes. Without metadata, which name versions.
            image = Image.open(drawn).convert("RGB").quantize(dither=Image.Dither.NONE)
        image.save(folder / f"{name}.png", optimize=True)
        plt.close(figure)


def claims(judged: list[Judged]) -> Figure:
    """Draw each claim's difference with its interval, the published one, and the outcome, all in margins."""
    rows: list[Judged | str] = []
    for report in sorted({each.claim.report for each in judged}):
        rows += [f"Report {report}", *(each for each in judged if each.claim.report == report)]
    figure, axes = plt.subplots(figsize=(10, 1 + 0.2 * len(rows)), layout="constrained")
    table = pd.DataFrame(_claim_rows(rows), columns=["row", "color", "difference", "low", "high", "published"])
    axes.axvspan(-1, 1, color="0.9", linewidth=0)
    axes.axvline(0, color="0.3", linewidth=0.8)
    figures = table[["difference", "low", "high", "published"]].astype(float)
    edge = min(BEYOND, max(2.0, 1.05 * float(np.nanmax(figures.abs().to_numpy(), initial=0.0))))
    shown = table.assign(**figures.clip(-edge, edge))
    axes.hlines(shown["row"], shown["low"], shown["high"], colors=shown["color"].tolist(), linewidth=1.6)
    for marker, side in (("<", table["difference"] < -edge), (">", table["difference"] > edge),
                         ("o", table["difference"].abs() <= edge)):  # fmt: skip
        axes.scatter(
            shown["difference"][side], shown["row"][side], s=26, c=shown["color"][side], marker=marker, zorder=3
        )
    axes.scatter(shown["published"], shown["row"], zorder=4, **PUBLISHED_MARK)
    axes.set_xlabel("difference, in margins: the smallest that matters is 1")
    axes.grid(axis="y", color="0.93")
    axes.tick_params(axis="x", labeltop=True)  # the figure is higher than a screen
    labels = [each if isinstance(each, str) else each.claim.says for each in rows]
    for text in axes.set_yticks(range(len(rows)), labels, size=8):
        text.label1.set_fontweight("bold" if text.label1.get_text() in rows else "normal")
    axes.set(xlim=(-1.03 * edge, 1.03 * edge), ylim=(len(rows) - 0.4, -0.6))
    for row, each in enumerate(rows):
        if isinstance(each, Judged):
            axes.annotate(
                each.outcome, (1.02, row), xycoords=("axes fraction", "data"), va="center", size=8,
                color=OUTCOMES[each.outcome], annotation_clip=False,
            )  # fmt: skip
    handles: list[Any] = [axes.scatter([], [], s=26, color="0.3", label="measured, with its 95 % interval")]
    if table["published"].notna().any():
        handles.append(axes.scatter([], [], **PUBLISHED_MARK, label="published (one run each)"))
    handles.append(Rectangle((0, 0), 1, 1, color="0.9", label="too small to matter"))
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _claim_rows(rows: list[Judged | str]) -> Iterator[tuple[Any, ...]]:
    """Yield the row, the colour, and the figures in margins, of each claim that has an interval and a margin."""
    for row, each in enumerate(rows):
        if isinstance(each, Judged) and each.effect and each.claim.margin and not np.isnan(each.effect.interval[0]):
            published = each.size.published if each.size else np.nan
            figures = np.array([each.effect.difference, *each.effect.interval, published]) / each.claim.margin
            yield row, OUTCOMES[each.outcome], *figures


def accuracy(questions: list[Question], results: Results) -> Figure:
    """Draw every seed's accuracy on the test set, each variant's mean, and the published figure."""
    sizes = [len(question.variants) + 0.4 for question in questions]
    figure, panels = plt.subplots(
        len(questions), 1, sharex=True, figsize=(7.5, 0.8 + 0.2 * sum(sizes) + 0.45 * len(sizes)), height_ratios=sizes,
        layout="constrained", squeeze=False,
    )  # fmt: skip
    for axes, question in zip(panels[:, 0], questions, strict=True):
        _accuracy_panel(axes, question, results.runs)
    axes.set_xlabel("accuracy on the test set, %", size=9)
    handles, labels = axes.get_legend_handles_labels()
    published = any(each.accuracy is not None for question in questions for each in question.published.values())
    shown = slice(None if published else -1)
    figure.legend(handles[shown], labels[shown], loc="outside upper center", ncols=3, frameon=False)
    return figure


def _accuracy_panel(axes: Axes, question: Question, runs: pd.DataFrame) -> None:
    rows = {variant: row for row, variant in enumerate(question.variants)}
    seeds = runs[runs["variant"].isin(rows)]
    errors = (1 - seeds["accuracy"]).clip(lower=SMALLEST_ERROR)
    axes.scatter(errors, seeds["variant"].map(rows), s=18, color=BLUE, alpha=0.45, linewidths=0, label="a seed")
    means = errors[alike(seeds)].groupby(seeds["variant"]).mean()
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
    axes.tick_params(axis="x", labelbottom=True)  # below each panel: the figure is higher than a screen
    axes.minorticks_off()


def per_digit(_: list[Question], results: Results) -> Figure:
    """Draw the mean accuracy of each variant on each digit."""
    table = digit_means(results) * 100
    figure, axes = plt.subplots(figsize=(7.5, 0.8 + 0.27 * len(table)))
    low = min(float(np.nanquantile(table, 0.1)), 99.0)  # %, below which one colour stands for all
    sns.heatmap(
        table[DIGITS], annot=True, fmt=".1f", cmap="Oranges_r", vmin=low, vmax=100, annot_kws={"size": 7},
        linewidths=0.5, cbar_kws={"label": "accuracy, %", "extend": "min"}, ax=axes,
    )  # fmt: skip
    axes.set(xlabel="digit", ylabel="")
    axes.tick_params(left=False, bottom=False, labeltop=True)  # a figure of a row a variant is higher than a screen
    return figure


def confusion(questions: list[Question], results: Results) -> Figure:
    """Draw which digits are taken for which others, median over the variants of a question on images."""
    errors = results.confusion[results.confusion["variant"].isin(image_variants(results))]
    errors = errors.assign(rate=100 * errors["rate"].where(errors["actual"] != errors["predicted"]))
    tables = [errors[errors["variant"].isin(q.variants)].assign(question=q.title) for q in questions]
    rates = pd.concat(tables).groupby(["question", "actual", "predicted"], sort=False, as_index=False)["rate"].median()
    high = float(rates["rate"].quantile(0.98))

    def draw(data: pd.DataFrame, **_: Any) -> None:
        sns.heatmap(
            data.pivot(index="actual", columns="predicted", values="rate"), annot=True, fmt=".1f", cmap="Oranges",
            vmin=0, vmax=high, annot_kws={"size": 7}, linewidths=0.3, cbar=False,
        )  # fmt: skip

    grid = sns.FacetGrid(rates, col="question", col_wrap=2, height=3.4)
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
        axes.text(middle, top + 1.04, f"{wrong * 100:.3g} % wrong", ha="center", va="top", size=7.5, color="0.3")
    axes.set(xlim=(0, columns * width), ylim=(rows * height - 0.3, -0.3))
    return figure


# Figures of the measurements take the questions and the results; `claims` takes the claims with their outcomes,
# `gallery` the ranking of the images, and the images.
OF_RESULTS = ("accuracy", "learning_curves", "per_digit", "roc", "confusion")
BY_QUESTION = ("learning_curves", "roc")  # a few lines to a panel; the others group variants by report
FIGURES: dict[str, Callable[..., Figure]] = {
    "accuracy": accuracy,
    "learning_curves": learning_curves,
    "per_digit": per_digit,
    "roc": roc,
    "confusion": confusion,
    "claims": claims,
    "gallery": hardest,
}
