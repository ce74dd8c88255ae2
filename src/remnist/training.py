"""One training loop for every module, and one seed's run from settings to weights."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Generator, Tensor, nn

from remnist import data, models, optimizers
from remnist.errors import UserError
from remnist.inference import Metrics, measure
from remnist.objectives import LOSSES, Loss
from remnist.optimizers import Step


def run_seed(
    settings: dict[str, Any], seed: int, data_path: Path, on_epoch: Callable[[tuple[int, Metrics]], None]
) -> bytes:
    """Train one seed of a variant.

    Initialisation, order of images and dropout masks come from three streams of the seed's own, so that the
    result depends on no other run, and two variants of one architecture start from the same weights and see the
    images in the same order.

    Args:
        settings: a variant's entry of the plan.
        seed: 0 to 2**32 - 1.
        data_path: the file that preprocess wrote.
        on_epoch: called after each epoch with the seed and, by name, `train/loss`, `train/accuracy`,
            `validation/loss` and `validation/accuracy`. Those on training data are taken after the epoch,
            without dropout, on as many of the first training images as there are validation images.

    Returns:
        The weights as a safetensors file.

    Raises:
        UserError: the device is not there, or the data cannot be read.
    """
    device, train = _device(settings["train"]["device"]), settings["train"]
    initialisation, order, dropout = np.random.SeedSequence(seed).generate_state(3, np.uint64).tolist()
    normalize = settings["data"]["normalize"]
    images, labels = (part.to(device) for part in data.load(data_path, "train", normalize=normalize))
    held_images, held_labels = (part.to(device) for part in data.load(data_path, "validation", normalize=normalize))
    sample = slice(len(held_labels))

    torch.manual_seed(initialisation)
    model = models.build(settings["model"], image_size=images.shape[-1], classes=data.CLASSES).to(device)
    torch.manual_seed(dropout)
    step, loss = optimizers.build(train, list(model.parameters())), LOSSES[train["loss"]]
    generator = Generator().manual_seed(order)
    for _ in range(train["epochs"]):
        train_epoch(model, step, loss, batches(images, labels, train["batch_size"], generator))
        on_train = measure(model, loss, images[sample], labels[sample], "train/")
        on_validation = measure(model, loss, held_images, held_labels, "validation/")
        on_epoch((seed, on_train | on_validation))
    return bytes(save({name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}))


def batches(images: Tensor, labels: Tensor, size: int, generator: Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Go once through the data in a new order; the last batch may be smaller.

    Args:
        images: of shape (n, ...).
        labels: of shape (n,).
        size: images a batch.
        generator: draws the order, on the CPU, so that it is the same for every device.
    """
    for index in torch.split(torch.randperm(len(labels), generator=generator).to(labels.device), size):
        yield images.index_select(0, index), labels.index_select(0, index)


def train_epoch(model: nn.Module, step: Step, loss: Loss, data: Iterator[tuple[Tensor, Tensor]]) -> None:
    """Take one step of the optimiser for each batch."""
    model.train()
    parameters = list(model.parameters())
    for images, labels in data:
        step(torch.autograd.grad(loss(model(images), labels), parameters))


def _device(name: str) -> torch.device:
    if name == "cuda":
        if not torch.cuda.is_available():
            raise UserError("train.device: 'cuda': torch finds no CUDA device here; allowed: cpu")
        torch.use_deterministic_algorithms(True)
    return torch.device(name)
