"""The losses, each from logits (n, classes) and labels (n,) to a scalar."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from remnist.settings import CrossEntropy, CrossEntropyOfSoftmax, KlDivergence, MseArgmax, MseOfLogits, MseOneHot
from remnist.settings import Loss as Choice

Loss = Callable[[Tensor, Tensor], Tensor]


def build(settings: Choice) -> Loss:
    """Build the loss of a variant."""
    match settings:
        case CrossEntropy(label_smoothing=smoothing):
            return partial(F.cross_entropy, label_smoothing=smoothing)
        case CrossEntropyOfSoftmax():
            return cross_entropy_of_softmax
        case KlDivergence(label_smoothing=smoothing, reduction=reduction):
            return partial(kl_divergence, label_smoothing=smoothing, reduction=reduction)
        case MseOneHot():
            return mse_one_hot
        case MseOfLogits():
            return mse_of_logits
        case MseArgmax():
            return mse_argmax


def value_and_gradient(settings: Choice) -> Callable[[Tensor, Tensor], tuple[float, Tensor | None]]:
    """Build a variant's loss with its gradient by the logits, as autograd computes them; None if it has no gradient."""
    loss = build(settings)

    def by_autograd(logits: Tensor, labels: Tensor) -> tuple[float, Tensor | None]:
        with torch.enable_grad():
            leaf = logits.detach().requires_grad_()
            value = loss(leaf, labels)
        return value.item(), torch.autograd.grad(value, leaf)[0] if value.requires_grad else None

    match settings:
        case CrossEntropy(label_smoothing=0):
            return _cross_entropy_and_gradient
        case _:
            return by_autograd


def _cross_entropy_and_gradient(logits: Tensor, labels: Tensor) -> tuple[float, Tensor]:
    n, logs = len(labels), torch.log_softmax(logits, 1)
    of_labels = np.arange(n), labels.numpy()
    by_logs = np.zeros(logs.shape, np.float32)
    by_logs[of_labels] = np.float32(-1) / np.float32(n)
    value = -math.fsum(logs.numpy()[of_labels].tolist()) / n  # F.nll_loss takes twice as long
    return value, torch._log_softmax_backward_data(torch.from_numpy(by_logs), logs, 1, logs.dtype)


def cross_entropy_of_softmax(logits: Tensor, labels: Tensor) -> Tensor:
    """Take probabilities for logits: cross-entropy, which has a softmax of its own, of the softmax (report 5).

    At ten classes it lies between log(e + 9) - 1 = 1.4612, sure and right, and 2.4612, sure and wrong. Its gradient at
    a logit is proportional to that class's probability: a class whose probability is zero cannot come back.
    """
    return F.cross_entropy(F.softmax(logits, 1), labels)


def kl_divergence(logits: Tensor, labels: Tensor, *, label_smoothing: float, reduction: str) -> Tensor:
    """Kullback-Leibler divergence of the smoothed one-hot labels from the network's answer (report 4).

    Args:
        logits: (n, classes).
        labels: (n,).
        label_smoothing: s; the label's class gets 1 - s, and all classes share s.
        reduction: mean, over images and classes, is `nn.KLDivLoss`'s default and not the divergence; batchmean, over
            images, is, and equals the cross-entropy with label smoothing but for a constant.
    """
    classes = logits.shape[1]
    target = F.one_hot(labels, classes).to(logits.dtype) * (1 - label_smoothing) + label_smoothing / classes
    divergence = F.kl_div(F.log_softmax(logits, 1), target, reduction="sum")  # torch means to change its `mean`
    return divergence / (target.numel() if reduction == "mean" else len(target))


def mse_one_hot(logits: Tensor, labels: Tensor) -> Tensor:
    """Squared error of the probabilities against the one-hot label, the mean over images and classes."""
    return F.mse_loss(F.softmax(logits, 1), F.one_hot(labels, logits.shape[1]).to(logits.dtype))


def mse_of_logits(logits: Tensor, labels: Tensor) -> Tensor:
    """Squared error of the raw outputs against the one-hot label, the mean over images and classes (report 2)."""
    return F.mse_loss(logits, F.one_hot(labels, logits.shape[1]).to(logits.dtype))


def mse_argmax(logits: Tensor, labels: Tensor) -> Tensor:
    """Squared distance of the answer's index from the label (report 3), which has no gradient: nothing is learnt."""
    return F.mse_loss(logits.argmax(1).to(logits.dtype), labels.to(logits.dtype))


def l2_penalty(parameters: Sequence[Tensor], strength: float) -> Tensor:
    """Return strength / 2 times the sum of all squared parameters.

    Its gradient, strength times a parameter, is what SGD's weight decay of the same strength adds.
    """
    return sum((parameter.square().sum() for parameter in parameters), start=parameters[0].new_zeros(())) * strength / 2
