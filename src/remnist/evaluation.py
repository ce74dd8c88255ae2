"""What the stored weights do on the test set: accuracy, loss, per digit, confusion, ROC and AUC."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve
from sklearn.preprocessing import label_binarize
from torch import Tensor

from remnist import data, models
from remnist.errors import UserError
from remnist.inference import predict
from remnist.objectives import LOSSES

# Where the stored ROC curves are sampled: false positive rates from 1 image in 1,000 up, evenly in the logarithm.
FALSE_POSITIVE_RATES = np.concatenate([[0.0], np.logspace(-3, 0, 25)])
DIGITS = 6  # decimals kept: an accuracy on 10,000 images has four, and the last bits of a sum are noise

Floats = NDArray[np.float64]


def evaluate_seed(settings: dict[str, Any], weights: Path, data_path: Path) -> dict[str, Any]:
    """Evaluate one seed of a variant on the test set.

    Args:
        settings: the variant's entry of the plan.
        weights: the safetensors file that training wrote.
        data_path: the file that preprocess wrote.

    Returns:
        `parameters`, and what `score` returns.

    Raises:
        UserError: the weights are missing, damaged or of another model.
    """
    images, labels = data.load(data_path, "test", normalize=settings["data"]["normalize"])
    model = models.build(settings["model"], image_size=images.shape[-1], classes=data.CLASSES)
    try:
        model.load_state_dict(load_file(weights))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise UserError(f"{weights}: {' '.join(str(error).split())}; `dvc repro` trains it anew") from None
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {"parameters": parameters, **score(predict(model, images), labels, settings["train"]["loss"])}


def score(logits: Tensor, labels: Tensor, loss: str) -> dict[str, Any]:
    """Compare logits (n, classes) with labels (n,).

    Returns:
        `accuracy` (a fraction); `loss`, the mean of the named one; `correct` and `count` of each class;
        `confusion`, images of class i (row) taken for class j (column); `roc_auc`, the area under the ROC curve
        of each class against the rest, `micro` (all decisions pooled) and `macro` (the mean over the classes);
        `roc`, the `false_positive_rate` sampled at and the true positive rate of the same curves there, where
        `macro` is again the mean over the classes. Fractions are rounded to 6 decimals.

        A network that diverged answers nothing: where logits are not finite, all classes count as equally likely, and
        the loss is None.
    """
    classes = range(logits.shape[1])
    truth = labels.numpy()
    mean_loss = LOSSES[loss](logits.double(), labels).item()
    logits = torch.where(logits.isfinite().all(1, keepdim=True), logits, 0.0)
    # In double precision, so that confident answers do not tie at 1.
    probabilities = torch.softmax(logits.double(), 1).numpy()
    confusion = confusion_matrix(truth, logits.argmax(1).numpy(), labels=classes)
    one_hot = label_binarize(truth, classes=classes)
    curves = {str(k): (one_hot[:, k], probabilities[:, k]) for k in classes}
    curves["micro"] = (one_hot.ravel(), probabilities.ravel())
    roc = {name: _roc(*curve) for name, curve in curves.items()}
    roc_auc = {name: float(roc_auc_score(*curve)) for name, curve in curves.items()}
    roc["macro"] = np.mean([roc[str(k)] for k in classes], axis=0)
    roc["false_positive_rate"] = FALSE_POSITIVE_RATES
    roc_auc["macro"] = float(np.mean([roc_auc[str(k)] for k in classes]))
    return {
        "accuracy": round(float(np.trace(confusion) / len(truth)), DIGITS),
        "loss": round(mean_loss, DIGITS) if np.isfinite(mean_loss) else None,
        "correct": np.diag(confusion).tolist(),
        "count": confusion.sum(1).tolist(),
        "confusion": confusion.tolist(),
        "roc_auc": {name: round(area, DIGITS) for name, area in roc_auc.items()},
        "roc": {name: curve.round(DIGITS).tolist() for name, curve in roc.items()},
    }


def _roc(truth: NDArray[np.int_], probabilities: Floats) -> Floats:
    """Sample scikit-learn's ROC curve at `FALSE_POSITIVE_RATES`."""
    false_positive_rate, true_positive_rate, _ = roc_curve(truth, probabilities)
    return np.asarray(np.interp(FALSE_POSITIVE_RATES, false_positive_rate, true_positive_rate))
