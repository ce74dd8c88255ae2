"""A model's answers, and how good they are."""

import torch
from torch import Tensor, nn

from remnist.learning.losses import Loss

Metrics = dict[str, float]
BATCH = 200  # images; the activations of more leave a core's cache, and a CNN takes twice as long


@torch.no_grad()
def predict(model: nn.Module, images: Tensor) -> Tensor:
    """Return the logits of all images, (n, classes), without dropout."""
    model.eval()
    return torch.cat([model(batch) for batch in torch.split(images, BATCH)])


def measure(model: nn.Module, loss: Loss, images: Tensor, labels: Tensor, prefix: str) -> Metrics:
    """Return `loss` and `accuracy` (a fraction) over all images, their names behind a prefix."""
    logits = predict(model, images)
    accuracy = (logits.argmax(1) == labels).double().mean().item()
    return {f"{prefix}loss": loss(logits, labels).item(), f"{prefix}accuracy": accuracy}
