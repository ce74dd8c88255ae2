"""All images as one tensor in memory, and plain torch: eager, or with forward and backward pass compiled."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.peers import Job, plain
from remnist.data import loading
from remnist.learning import losses


def train(job: Job, on_epoch: Callable[[], None]) -> bytes:
    """Train eagerly."""
    return _train(job, on_epoch, lambda function: function)


def train_compiled(job: Job, on_epoch: Callable[[], None]) -> bytes:
    """Train with `torch.compile`, for the shape of each batch by itself: an epoch's last may be smaller."""
    return _train(job, on_epoch, lambda function: torch.compile(function, dynamic=False))


def _train(job: Job, on_epoch: Callable[[], None], transform: Callable[[Any], Any]) -> bytes:
    variant, model = job.variant, plain.network(job)
    optimizer, criterion = plain.optimizer(variant, model, fused=True), losses.build(variant.loss)
    images, labels = loading.load(job.data, "train", variant.data)

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        return criterion(model(images), labels)

    compute = transform(loss)
    for _ in range(variant.train.epochs):
        for index in torch.split(torch.randperm(len(labels)), variant.train.batch_size):
            optimizer.zero_grad()
            compute(images[index], labels[index]).backward()
            optimizer.step()
        on_epoch()
    return plain.saved(model)
