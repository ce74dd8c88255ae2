"""The predictions of stored weights on the test set."""

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from remnist import models
from remnist.data import loading
from remnist.errors import UserError
from remnist.evaluation.metrics import Predictions
from remnist.learning import losses, numerics
from remnist.learning.inference import predict
from remnist.settings import Variant


def predict_test_set(variant: Variant, weights: Path, data_path: Path) -> Predictions:
    """Let one seed of a variant classify the test set.

    Args:
        variant: its settings.
        weights: the safetensors file that training wrote.
        data_path: the file that preprocess wrote.

    Raises:
        UserError: the weights are missing, damaged or of another model.
    """
    numerics.settle()
    images, labels = loading.load(data_path, "test", variant.data)
    model = models.build(variant.model, image_shape=images.shape[1:], classes=loading.classes(variant.data))
    try:
        model.load_state_dict(load_file(weights))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise UserError(f"{weights}: {' '.join(str(error).split())}; `dvc repro` trains it again") from None
    logits = predict(model, images)
    return Predictions(
        probabilities=probabilities(logits),
        labels=labels.numpy(),
        loss=losses.build(variant.loss)(logits.double(), labels).item(),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        weight_norm=math.sqrt(sum(parameter.double().square().sum().item() for parameter in model.parameters())),
    )


def probabilities(logits: Tensor) -> NDArray[np.float64]:
    """Turn logits (n, classes) into probabilities, in double precision, so that confident answers do not tie at 1.

    Where logits are not finite, all classes count as equally likely.
    """
    logits = torch.where(logits.isfinite().all(1, keepdim=True), logits, 0.0)
    return np.asarray(torch.softmax(logits.double(), 1).numpy())
