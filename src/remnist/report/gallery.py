"""The hardest test images: those that most seeds of most variants get wrong."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import safe_open

from remnist.errors import UserError
from remnist.report import markdown
from remnist.report.tables import DECIMALS, DIGITS, Digits, Results, image_variants

SHOWN = 30  # images in the figure


def rank(results: Results) -> pd.DataFrame:
    """Rank the test images by how many networks get them wrong.

    Shares of answers are means over variants of the fraction of seeds, so that each variant counts the same, whatever
    its number of seeds. Variants with a test set of their own are left out.

    Args:
        results: the measurements.

    Returns:
        A row an image that any network gets wrong, the hardest first, those as hard in the order of the test set:
        `image`, its index; `label`; `wrong`, the share of wrong answers; `answer`, the most frequent of these, the
        smallest digit where several are; `share`, its share of all answers; `variants`, of how many most seeds, more
        than half, are wrong.
    """
    variants = image_variants(results)
    labels = results.labels[variants[0]]
    images, total = np.arange(len(labels)), np.zeros((len(labels), len(DIGITS)))
    failed = np.zeros(len(labels), int)
    for variant in variants:
        answers = results.answers[variant]
        total += (answers[:, :, None] == np.arange(len(DIGITS))).mean(0)
        failed += (answers != labels).mean(0) > 0.5
    shares = (total / len(variants)).round(DECIMALS)  # the same fractions, summed in another order, have to tie
    wrong = (1 - shares[images, labels]).round(DECIMALS)
    shares[images, labels] = 0
    answer = shares.argmax(1)
    table = pd.DataFrame(
        {"image": images, "label": labels, "wrong": wrong, "answer": answer, "share": shares[images, answer],
         "variants": failed}
    )  # fmt: skip
    return table[table["wrong"] > 0].sort_values("wrong", ascending=False, kind="stable", ignore_index=True)


def read_images(path: Path, results: Results) -> Digits:
    """Read the test images that the variants were evaluated on.

    Args:
        path: the file that preprocess wrote.
        results: the measurements.

    Returns:
        The images, (images, height, width), 0 to 255.

    Raises:
        UserError: the file is missing, damaged, not one that preprocess wrote, or of other images.
    """
    try:
        with safe_open(path, framework="np") as file:
            images: NDArray[np.uint8] = file.get_tensor("test_images")
            labels: NDArray[np.uint8] = file.get_tensor("test_labels")
    except Exception as error:  # safetensors raises a class of its own, and OSError
        raise UserError(f"{path}: {error}; `dvc repro preprocess` makes it") from None
    square = images.ndim == 3 and images.shape[1] == images.shape[2] > 0
    if not (square and images.dtype == np.uint8 and labels.shape == images.shape[:1]):
        raise UserError(f"{path}: test: not as preprocess writes it; `dvc repro preprocess` makes it anew")
    for variant in image_variants(results):
        if not np.array_equal(labels, results.labels[variant]):
            raise UserError(f"{path}: not the test images that `{variant}` was evaluated on; `dvc repro` evaluates it")
    return images


def section(results: Results) -> list[str]:
    """Return the report's section, which refers to the figure where there is something to show."""
    ranking, title = rank(results), "## Hardest images"
    if ranking.empty:
        return [title, f"No network gets any of the {results.test_images:,} test images wrong."]
    variants = len(image_variants(results))
    in_all, in_half = (ranking["variants"] == variants).sum(), (2 * ranking["variants"] >= variants).sum()
    hardest = ranking.head(SHOWN)
    image, label, wrong, answer, share = (
        hardest[column].iloc[0] for column in ("image", "label", "wrong", "answer", "share")
    )
    pairs = Counter(zip(hardest["label"], hardest["answer"], strict=True))
    often = max(pairs.values())
    lines = [
        f"Of {results.test_images:,} test images most seeds of every variant get {in_all:,} wrong, most seeds of at "
        f"least half of the variants {in_half:,}.",
        f"Hardest: number {image} of the test set, counted from 0, {pair(label, answer)}; {markdown.percent(wrong)} of "
        f"its answers are wrong, {markdown.percent(share)} are {answer}.",
    ]
    if often > 1:
        most = ", ".join(pair(*digits) for digits, times in pairs.items() if times == often)
        lines.append(f"Most frequent among the {len(hardest)} hardest: {most} ({often} images).")
    return [
        title,
        "The test images that most seeds of most variants get wrong. Above each its label and the most frequent wrong "
        "answer, below it the share of wrong answers: the fraction of seeds, mean over variants, so that each variant "
        "counts the same.",
        markdown.bullets(lines),
        "![The hardest test images: label, most frequent wrong answer, share of wrong answers](plots/gallery.png)",
    ]


def pair(label: int, answer: int) -> str:
    """Return what is taken for what."""
    return f"{label} → {answer}"
