"""Metrics of predictions on the test set: of each seed by itself, and of the seeds together.

Accuracy, loss, accuracy by class, confusion, ROC and its area, every predicted class; the accuracy of ensembles.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import auc, confusion_matrix, roc_curve

# Sampling points of the stored ROC curves: from 1 image in 1,000 up, evenly in the logarithm.
FALSE_POSITIVE_RATES = np.concatenate([[0.0], np.logspace(-3, 0, 25)])
FEW = 5  # networks that average or vote together, as in report 5
DECIMALS = 6  # decimals kept; an accuracy on 10,000 images has four, and the last bits of a sum are noise

Floats = NDArray[np.float64]


class Predictions(NamedTuple):
    """One network's predictions on the test set."""

    probabilities: Floats  # (n, classes)
    labels: NDArray[np.int64]  # (n,)
    loss: float  # the training loss of the logits; not finite where the network diverged
    parameters: int
    weight_norm: float  # root of the sum of all squared parameters; not finite where the network diverged


def evaluate(predictions: Predictions) -> dict[str, Any]:
    """Compare one network's predictions with the labels.

    Args:
        predictions: the network's.

    Returns:
        `parameters`; `weight_norm` and `loss`, None where not finite; `accuracy` (a fraction); `correct` and `count` of
        each class; `confusion`, images of class i (row) taken for class j (column); `roc_auc`, the area under the ROC
        curve of each class against the rest, `micro` (all decisions pooled) and `macro` (the mean over the classes);
        `roc`, the `false_positive_rate` sampled at and the true positive rate of the same curves there, where
        `macro` is again the mean over the classes; `answers`, the predicted class of each test image, a digit each.
        Fractions are rounded to 6 decimals.
    """
    probabilities, labels, loss, parameters, weight_norm = predictions
    classes = range(probabilities.shape[1])
    confusion = confusion_matrix(labels, probabilities.argmax(1), labels=classes)
    one_hot = np.eye(len(classes))[labels]
    pairs = {str(k): (one_hot[:, k], probabilities[:, k]) for k in classes}
    pairs["micro"] = (one_hot.ravel(), probabilities.ravel())
    curves = {name: roc_curve(*pair)[:2] for name, pair in pairs.items()}
    roc = {name: np.interp(FALSE_POSITIVE_RATES, *curve) for name, curve in curves.items()}
    roc_auc = {name: float(auc(*curve)) for name, curve in curves.items()}
    roc["macro"] = np.mean([roc[str(k)] for k in classes], axis=0)
    roc["false_positive_rate"] = FALSE_POSITIVE_RATES
    roc_auc["macro"] = float(np.mean([roc_auc[str(k)] for k in classes]))
    return {
        "parameters": parameters,
        "weight_norm": _rounded(weight_norm),
        "accuracy": round(float(np.trace(confusion) / len(labels)), DECIMALS),
        "loss": _rounded(loss),
        "correct": np.diag(confusion).tolist(),
        "count": confusion.sum(1).tolist(),
        "confusion": confusion.tolist(),
        "roc_auc": {name: round(area, DECIMALS) for name, area in roc_auc.items()},
        "roc": {name: curve.round(DECIMALS).tolist() for name, curve in roc.items()},
        "answers": digits(probabilities.argmax(1)),
    }


def evaluate_all(seeds: list[int], predictions: list[Predictions]) -> dict[str, Any]:
    """Evaluate the seeds of a variant, each by itself and all together.

    Args:
        seeds: the seeds.
        predictions: each seed's, in the same order.

    Returns:
        The content of evaluations/<variant>.json: `seeds`, the figures of each; `labels`, a digit a test image;
        `ensembles`.
    """
    labels = predictions[0].labels
    return {
        "seeds": [{"seed": seed, **evaluate(each)} for seed, each in zip(seeds, predictions, strict=True)],
        "labels": digits(labels),
        "ensembles": ensembles([each.probabilities for each in predictions], labels),
    }


def ensembles(probabilities: list[Floats], labels: NDArray[np.int64]) -> list[dict[str, float]]:
    """Evaluate the seeds of a variant together.

    Args:
        probabilities: each seed's, (n, classes).
        labels: (n,).

    Returns:
        `members`, and of `average` and `vote`, as `ensemble` has them, the accuracy, and with `_se` behind the name the
        standard error that the choice of the images gives to its gain over the mean of one; for five of the seeds and
        for all of them, where there are that many and more than one. For five they are means over as many groups as
        there are seeds: each seed with the four after it, the first after the last.
    """
    results, seeds = [], len(probabilities)
    alone = np.mean([each.argmax(1) == labels for each in probabilities], axis=0)  # (n,)
    for members in sorted({FEW, seeds}):
        if 1 < members <= seeds:
            starts = range(seeds) if members < seeds else range(1)
            groups = [[probabilities[(start + i) % seeds] for i in range(members)] for start in starts]
            right = [ensemble(np.stack(group), labels) for group in groups]
            figures: dict[str, float] = {"members": members}
            for kind in right[0]:
                together = np.mean([each[kind] for each in right], axis=0)  # (n,)
                figures[kind] = round(float(together.mean()), DECIMALS)
                figures[f"{kind}_se"] = round(float((together - alone).std(ddof=1) / len(labels) ** 0.5), DECIMALS)
            results.append(figures)
    return results


def ensemble(probabilities: Floats, labels: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Let networks classify together.

    Args:
        probabilities: of each network, (networks, n, classes).
        labels: (n,).

    Returns:
        Which images are right, (n,), by two rules: `average`, the class whose mean probability is largest; and `vote`,
        the class that most networks name, where a tie goes to the larger mean probability.
    """
    mean = probabilities.mean(0)
    votes = np.eye(probabilities.shape[2])[probabilities.argmax(2)].sum(0)
    # A vote outweighs any mean probability, which is 1 at most.
    ranked = {"average": mean, "vote": votes * 2 + mean}
    return {name: ranks.argmax(1) == labels for name, ranks in ranked.items()}


def _rounded(value: float) -> float | None:
    return round(value, DECIMALS) if np.isfinite(value) else None


def digits(classes: NDArray[np.int64]) -> str:
    """Write classes, 0 to 9, one behind the other: a file of numbers would have a line an image."""
    return "".join(map(str, classes.tolist()))
