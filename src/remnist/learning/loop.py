"""One training loop for every module, and one seed's run from settings to weights."""

import math
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Generator, Tensor, nn

from remnist import models
from remnist.data import loading
from remnist.errors import UserError
from remnist.learning import by_hand, losses, numerics, optimizers
from remnist.learning.augmentation import draw_offsets, shift
from remnist.learning.inference import Metrics, measure
from remnist.learning.losses import Loss, l2_penalty
from remnist.learning.optimizers import Step
from remnist.learning.runs import Epoch, Run
from remnist.learning.schedules import factor
from remnist.settings import Loss as Choice
from remnist.settings import Variant

Batch = tuple[Tensor, Tensor]  # images and labels
Gradients = Callable[[Tensor, Tensor], tuple[float, tuple[Tensor, ...] | None]]  # and the loss, from images and labels


def run_seed(variant: Variant, seed: int, data_path: Path, on_epoch: Callable[[Epoch], None]) -> Run:
    """Train one seed of a variant.

    Initialisation, order of images, dropout masks and shifts come from four streams of the seed's own, so that the
    result depends on no other run, and two variants of one architecture start from the same weights and see the
    images in the same order.

    Args:
        variant: its settings.
        seed: 0 to 2**32 - 1.
        data_path: the file that preprocess wrote.
        on_epoch: called before the first epoch, with number 0, and after each. Its metrics are `test/loss` and
            `test/accuracy` on the test images; `train/loss` and `train/accuracy`, without dropout, on as many of the
            first training images; and `validation/loss` and `validation/accuracy` if images are held out. From epoch
            1 on there are `train/batch_loss` and `train/batch_loss_sd`: mean and population standard deviation over
            the epoch's batches of the loss that was trained on, with dropout and without the L2 penalty.

    Returns:
        The weights, and the metrics of all epochs from 0.

    Raises:
        UserError: the device is not there, or the data cannot be read.
    """
    numerics.settle()
    train, device = variant.train, _device(variant.train.device)
    initialisation, order, dropout, shifts = np.random.SeedSequence(seed).generate_state(4, np.uint64).tolist()

    def load(part: loading.Part) -> Batch:
        images, labels = loading.load(data_path, part, variant.data)
        return images.to(device), labels.to(device)

    images, labels = load("train")
    measured = {"test": load("test")}
    if variant.data.validation:
        measured["validation"] = load("validation")
    sample = len(measured["test"][1])
    measured["train"] = images[:sample], labels[:sample]

    torch.manual_seed(initialisation)
    model = models.build(variant.model, image_shape=images.shape[1:], classes=loading.classes(variant.data))
    model.to(device)
    torch.manual_seed(dropout)
    loss = losses.build(variant.loss)
    step = optimizers.build(
        variant.optimizer, list(model.parameters()), weight_decay=train.weight_decay, device=train.device
    )
    gradients = gradients_of(model, variant.loss, train.l2_penalty)
    steps = train.epochs * math.ceil(len(labels) / train.batch_size)
    rates = (train.lr * factor(variant.schedule, i, steps) for i in range(steps))
    pixels = variant.augmentation.random_shift if variant.augmentation else 0
    curve = list[Metrics]()

    def report(metrics: Metrics) -> None:
        for part, data in measured.items():
            metrics |= measure(model, loss, *data, f"{part}/")
        curve.append(metrics)
        on_epoch(Epoch(seed, len(curve) - 1, metrics))

    report({})
    orders, moves = Generator().manual_seed(order), Generator().manual_seed(shifts)
    for _ in range(train.epochs):
        offsets = draw_offsets(len(labels), pixels, moves).to(device)
        epoch = zip(
            batches(images, labels, train.batch_size, orders),
            torch.split(offsets, train.batch_size, 1),
            strict=True,
        )
        shifted = ((shift(batch, offset, pixels), answers) for (batch, answers), offset in epoch)
        batch_losses = train_epoch(model, gradients, step, rates, shifted)
        with np.errstate(invalid="ignore"):  # an infinite loss has no spread
            spread = float(np.std(batch_losses))
        report({"train/batch_loss": float(np.mean(batch_losses)), "train/batch_loss_sd": spread})
    weights = save({name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()})
    return Run(seed, bytes(weights), curve)


def batches(images: Tensor, labels: Tensor, size: int, generator: Generator) -> Iterator[Batch]:
    """Go once through the data in a new order; the last batch may be smaller.

    Args:
        images: of shape (n, ...).
        labels: of shape (n,).
        size: images a batch.
        generator: draws the order, on the CPU, so that it is the same for every device.
    """
    for index in torch.split(torch.randperm(len(labels), generator=generator).to(labels.device), size):
        yield images.index_select(0, index), labels.index_select(0, index)


def train_epoch(
    model: nn.Module, gradients: Gradients, step: Step, rates: Iterator[float], data: Iterator[Batch]
) -> list[float]:
    """Take one step of the optimiser for each batch.

    Args:
        model: the network, changed in place.
        gradients: the loss, and its gradients by the network's parameters.
        step: the optimiser's.
        rates: the learning rate of each step of the run.
        data: the batches of this epoch.

    Returns:
        The loss of each batch, before its step.
    """
    model.train()
    batch_losses = []
    for images, labels in data:
        (value, found), rate = gradients(images, labels), next(rates)
        batch_losses.append(value)
        if found is None:
            warnings.warn("the loss has no gradient, so no step is taken and nothing is learnt", stacklevel=1)
        else:
            step(found, rate)
    return batch_losses


def gradients_of(model: nn.Module, loss: Choice, l2: float = 0.0) -> Gradients:
    """Return how to take a loss and its gradients by a network's parameters: by hand where that is written out.

    Args:
        model: the network.
        loss: the loss' settings.
        l2: strength of the L2 penalty added to the loss.
    """
    if by_hand.knows(model):
        return by_hand.MlpGradients(model, losses.value_and_gradient(loss), l2)
    return by_autograd(model, losses.build(loss), l2)


def by_autograd(model: nn.Module, loss: Loss, l2: float) -> Gradients:
    """Return what takes the loss without the penalty, and the gradients in the parameters' order, None without any."""
    parameters = list(model.parameters())

    def gradients(images: Tensor, labels: Tensor) -> tuple[float, tuple[Tensor, ...] | None]:
        value = loss(model(images), labels)
        total = value + l2_penalty(parameters, l2) if l2 else value
        return value.item(), torch.autograd.grad(total, parameters) if total.requires_grad else None

    return gradients


def _device(name: str) -> torch.device:
    if name == "cuda":
        if not torch.cuda.is_available():
            raise UserError("train.device: 'cuda': torch finds no CUDA device here; allowed: cpu")
        torch.use_deterministic_algorithms(True)
    return torch.device(name)
