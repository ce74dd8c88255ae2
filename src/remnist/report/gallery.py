"""The hardest test images: those that most seeds of most variants get wrong."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import safe_open

from remnist.errors import UserError
from remnist.report.tables import DECIMALS, DIGITS, Digits, Results, image_variants

SHOWN = 30  # images, at most, in the figure


def rank(results: Results) -> pd.DataFrame:
    """Rank the test images by how many networks get them wrong.

    A share is the mean over variants of the fraction of seeds, so that each variant counts the same, whatever its
    number of seeds. Variants with a test set of their own are left out, and runs that diverged.

    Args:
        results: the measurements.

    Returns:
        A row an image that any network gets wrong, the hardest first, those as hard in the order of the test set:
        `image`, its index; `label`; `wrong`, the share of wrong predictions; `predicted`, the most frequent of these,
        the smallest digit where several are; `share`, its share of all predictions; `variants`, the number of those
        with more than half of their seeds wrong.
    """
    variants = counted(results)
    labels = results.labels[image_variants(results)[0]]
    images, total = np.arange(len(labels)), np.zeros((len(labels), len(DIGITS)))
    failed = np.zeros(len(labels), int)
    for predictions in variants:
        total += (predictions[:, :, None] == np.arange(len(DIGITS))).mean(0)
        failed += (predictions != labels).mean(0) > 0.5
    shares = (total / len(variants)).round(DECIMALS)  # the same fractions, summed in another order, have to tie
    wrong = (1 - shares[images, labels]).round(DECIMALS)
    shares[images, labels] = 0
    predicted = shares.argmax(1)
    table = pd.DataFrame(
        {"image": images, "label": labels, "wrong": wrong, "predicted": predicted,
         "share": shares[images, predicted], "variants": failed}
    )  # fmt: skip
    return table[table["wrong"] > 0].sort_values("wrong", ascending=False, kind="stable", ignore_index=True)


def counted(results: Results) -> list[Digits]:
    """Return the predictions of each variant on images, in runs that did not diverge; all, where every run did."""
    learnt = ~results.runs.set_index("variant")["diverged"].astype(bool)
    names = image_variants(results)
    found = [results.predictions[name][learnt.loc[[name]].to_numpy()] for name in names]
    return [predictions for predictions in found if len(predictions)] or [results.predictions[name] for name in names]


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
        raise UserError(f"{path}: test: not as preprocess writes it; `dvc repro preprocess` makes it again")
    for variant in image_variants(results):
        if not np.array_equal(labels, results.labels[variant]):
            raise UserError(f"{path}: not the test images that `{variant}` was evaluated on; `dvc repro` evaluates it")
    return images


def facts(results: Results, ranking: pd.DataFrame) -> dict[str, Any]:
    """Return what the report says of the hardest images.

    Returns:
        `wrong_in_all` and `wrong_in_half`: the images that most seeds of all variants, or of half of them, get wrong;
        `hardest`, the first row of the ranking; `shown`, the images of the figure; `often`, which digits are most
        frequently taken for which among these, and `times`, how often.
    """
    variants, shown = len(counted(results)), ranking.head(SHOWN)
    pairs = Counter(pair(*digits) for digits in zip(shown["label"], shown["predicted"], strict=True))
    times = max(pairs.values())
    return {
        "wrong_in_all": int((ranking["variants"] == variants).sum()),
        "wrong_in_half": int((2 * ranking["variants"] >= variants).sum()),
        "hardest": {column: shown[column].iloc[0] for column in shown},
        "shown": len(shown),
        "often": [digits for digits, count in pairs.items() if count == times],
        "times": times,
    }


def pair(label: int, predicted: int) -> str:
    """Return which digit is taken for which."""
    return f"{label} → {predicted}"
