"""What stored weights answer on the test set."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from remnist import data, models, objectives
from remnist.errors import UserError
from remnist.inference import predict


@dataclass(frozen=True)
class Answers:
    """One network's answers.

    Args:
        probabilities: (n, classes), float64.
        labels: (n,), int64.
        loss: the training loss on the logits; not finite where the network diverged.
        parameters: how many the network has.
    """

    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    loss: float
    parameters: int


def answer(settings: dict[str, Any], weights: Path, data_path: Path) -> Answers:
    """Let one seed of a variant answer the test set.

    Args:
        settings: the variant's entry of the plan.
        weights: the safetensors file that training wrote.
        data_path: the file that preprocess wrote.

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
    return Answers(probabilities(logits), labels.numpy(), loss, parameters)


def probabilities(logits: Tensor) -> NDArray[np.float64]:
    """Turn logits (n, classes) into probabilities, in double precision, so that confident answers do not tie at 1.

    A network that diverged answers nothing: where logits are not finite, all classes count as equally likely.
    """
    logits = torch.where(logits.isfinite().all(1, keepdim=True), logits, 0.0)
    return np.asarray(torch.softmax(logits.double(), 1).numpy())
