"""The usual loop, as a tutorial has it: torchvision's MNIST, ToTensor, DataLoader, a torch.optim optimiser."""

from collections.abc import Callable

import torch
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from benchmarks.peers import Job, plain
from remnist.learning import losses


def train(job: Job, on_epoch: Callable[[], None]) -> bytes:
    """Train with an image at a time from the data set, and what torch does by itself."""
    variant, model = job.variant, plain.network(job)
    model.to(memory_format=torch.contiguous_format)
    optimizer, criterion = plain.optimizer(variant, model, fused=False), losses.build(variant.loss)
    dataset = datasets.MNIST(job.folder, train=True, transform=transforms.ToTensor())
    loader = DataLoader(dataset, batch_size=variant.train.batch_size, shuffle=True)
    for _ in range(variant.train.epochs):
        for images, labels in loader:
            optimizer.zero_grad()
            torch.autograd.backward(criterion(model(images), labels))
            optimizer.step()
        on_epoch()
    return plain.saved(model)
