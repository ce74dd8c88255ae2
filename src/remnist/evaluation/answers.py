"""What stored weights answer on the test set."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from remnist import models
from remnist.common import data, objectives
from remnist.common.errors import UserError
from remnist.common.inference import predict


def answer(settings: dict[str, Any], weights: Path, data_path: Path) -> dict[str, Any]:
    """Let one seed of a variant answer the test set.

    Args:
        settings: the variant's entry of the plan.
        weights: the safetensors file that training wrote.
        data_path: the file that preprocess wrote.

    Returns:
        `probabilities`, (n, classes) in double precision; `labels`, (n,); `loss`, the training loss on the logits, not
        finite where the network diverged; `parameters`, how many it has. Plain, so that taking them loads no torch.

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
    loss = objectives.build(settings["train"])(logits.double(), labels).item()
    return {
        "probabilities": probabilities(logits),
        "labels": labels.numpy(),
        "loss": loss,
        "parameters": parameters,
    }


def probabilities(logits: Tensor) -> NDArray[np.float64]:
    """Turn logits (n, classes) into probabilities, in double precision, so that confident answers do not tie at 1.

    A network that diverged answers nothing: where logits are not finite, all classes count as equally likely.
    """
    logits = torch.where(logits.isfinite().all(1, keepdim=True), logits, 0.0)
    return np.asarray(torch.softmax(logits.double(), 1).numpy())
