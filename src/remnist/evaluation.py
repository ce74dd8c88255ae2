"""What the stored weights do on the test set, each seed by itself and the seeds together.

Accuracy, loss, accuracy by class, confusion, ROC and its area, every answer; the accuracy of ensembles.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve
from torch import Tensor

from remnist import data, models, objectives
from remnist.errors import UserError
from remnist.inference import predict
from remnist.objectives import Loss

# Where the stored ROC curves are sampled: false positive rates from 1 image in 1,000 up, evenly in the logarithm.
FALSE_POSITIVE_RATES = np.concatenate([[0.0], np.logspace(-3, 0, 25)])
FEW = 5  # report 5's number of networks to average or let vote
DECIMALS = 6  # decimals kept: an accuracy on 10,000 images has four, and the last bits of a sum are noise

Floats = NDArray[np.float64]


def evaluate_seed(settings: dict[str, Any], weights: Path, data_path: Path) -> tuple[dict[str, Any], Floats]:
    """Evaluate one seed of a variant on the test set.

    Args:
        settings: the variant's entry of the plan.
        weights: the safetensors file that training wrote.
        data_path: the file that preprocess wrote.

    Returns:
        `parameters` and what `score` returns; and the probabilities (n, classes) that the network gives.

    Raises:
        UserError: the weights are missing, damaged or of another model.
    """
    images, labels = data.load(data_path, "test", settings["data"])
    model = models.build(settings["model"], image_shape=images.shape[1:], classes=data.classes(settings["data"]))
    try:
        model.load_state_dict(load_file(weights))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise UserError(f"{weights}: {' '.join(str(error).split())}; `dvc repro` trains it anew") from None
    parameters = sum(parameter.numel() for parameter in model.parameters())
    logits = predict(model, images)
    figures = score(logits, labels, objectives.build(settings["train"]))
    return {"parameters": parameters, **figures}, probabilities(logits)


def evaluate_together(settings: dict[str, Any], answers: list[Floats], data_path: Path) -> dict[str, Any]:
    """Evaluate the seeds of a variant together on the test set.

    Args:
        settings: the variant's entry of the plan.
        answers: each seed's probabilities.
        data_path: the file that preprocess wrote.

    Returns:
        `labels`, a digit a test image. `ensembles`, what `ensemble` returns for five of the seeds and for all of them,
        as far as there are so many, and more than one; for five it is the mean over as many groups as there are seeds:
        each seed with the four after it, the first after the last.
    """
    labels = data.load(data_path, "test", settings["data"])[1].numpy()
    ensembles = []
    for members in sorted({FEW, len(answers)}):
        if 1 < members <= len(answers):
            starts = range(len(answers)) if members < len(answers) else range(1)
            groups = [[answers[(start + i) % len(answers)] for i in range(members)] for start in starts]
            figures = [ensemble(np.stack(group), labels) for group in groups]
            means = {key: round(float(np.mean([each[key] for each in figures])), DECIMALS) for key in figures[0]}
            ensembles.append({"members": members, **means})
    return {"labels": _digits(labels), "ensembles": ensembles}


def ensemble(answers: Floats, labels: NDArray[np.int64]) -> dict[str, float]:
    """Let networks answer together.

    Args:
        answers: the probabilities of each network, (networks, n, classes).
        labels: (n,).

    Returns:
        Two accuracies: of `average`, the class whose mean probability is largest; and of `vote`, the class that most
        networks name, where a tie goes to the larger mean probability.
    """
    mean = answers.mean(0)
    votes = np.eye(answers.shape[2])[answers.argmax(2)].sum(0)
    # A vote outweighs any mean probability, which is 1 at most.
    answered = {"average": mean, "vote": votes * 2 + mean}
    return {name: float((scores.argmax(1) == labels).mean()) for name, scores in answered.items()}


def probabilities(logits: Tensor) -> Floats:
    """Turn logits (n, classes) into probabilities, in double precision, so that confident answers do not tie at 1.

    A network that diverged answers nothing: where logits are not finite, all classes count as equally likely.
    """
    logits = torch.where(logits.isfinite().all(1, keepdim=True), logits, 0.0)
    return np.asarray(torch.softmax(logits.double(), 1).numpy())


def score(logits: Tensor, labels: Tensor, loss: Loss) -> dict[str, Any]:
    """Compare logits (n, classes) with labels (n,).

    Returns:
        `accuracy` (a fraction); `loss`, the given one, None where the network diverged; `correct` and `count` of each
        class; `confusion`, images of class i (row) taken for class j (column); `roc_auc`, the area under the ROC curve
        of each class against the rest, `micro` (all decisions pooled) and `macro` (the mean over the classes);
        `roc`, the `false_positive_rate` sampled at and the true positive rate of the same curves there, where
        `macro` is again the mean over the classes; `answers`, a digit a test image. Fractions are rounded to 6
        decimals.
    """
    classes = range(logits.shape[1])
    truth, answers = labels.numpy(), probabilities(logits)
    mean_loss = loss(logits.double(), labels).item()
    confusion = confusion_matrix(truth, answers.argmax(1), labels=classes)
    one_hot = np.eye(len(classes))[truth]
    curves = {str(k): (one_hot[:, k], answers[:, k]) for k in classes}
    curves["micro"] = (one_hot.ravel(), answers.ravel())
    roc = {name: _roc(*curve) for name, curve in curves.items()}
    roc_auc = {name: float(roc_auc_score(*curve)) for name, curve in curves.items()}
    roc["macro"] = np.mean([roc[str(k)] for k in classes], axis=0)
    roc["false_positive_rate"] = FALSE_POSITIVE_RATES
    roc_auc["macro"] = float(np.mean([roc_auc[str(k)] for k in classes]))
    return {
        "accuracy": round(float(np.trace(confusion) / len(truth)), DECIMALS),
        "loss": round(mean_loss, DECIMALS) if np.isfinite(mean_loss) else None,
        "correct": np.diag(confusion).tolist(),
        "count": confusion.sum(1).tolist(),
        "confusion": confusion.tolist(),
        "roc_auc": {name: round(area, DECIMALS) for name, area in roc_auc.items()},
        "roc": {name: curve.round(DECIMALS).tolist() for name, curve in roc.items()},
        "answers": _digits(answers.argmax(1)),
    }


def _digits(classes: NDArray[np.int64]) -> str:
    """Write classes, 0 to 9, one behind the other: a file of numbers would have a line an image."""
    return "".join(map(str, classes.tolist()))


def _roc(truth: Floats, answers: Floats) -> Floats:
    """Sample scikit-learn's ROC curve at `FALSE_POSITIVE_RATES`."""
    false_positive_rate, true_positive_rate, _ = roc_curve(truth, answers)
    return np.asarray(np.interp(FALSE_POSITIVE_RATES, false_positive_rate, true_positive_rate))
