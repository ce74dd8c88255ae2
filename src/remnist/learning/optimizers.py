"""The optimisers: torch's fused kernels.

Fused kernels take square roots with the processor's own instruction, which IEEE 754 fixes to the bit; the others
go through MKL's vector library, whose last bits differ between processors. `torch.optim`'s classes end in the same
calls, at a cost: a twelfth of a small network's step, and 1.4 s a process to load torch's compiler.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adagrad import adagrad

from remnist.settings import Adagrad, Adam, AdamW, Optimizer, RmsProp, Sgd

Step = Callable[[tuple[Tensor, ...], float], None]

UNCORRECTED = 2.0**24  # steps from which Adam divides its means by exactly 1; float32 counts no further


def build(settings: Optimizer, parameters: Sequence[Tensor], *, weight_decay: float = 0.0, device: str = "cpu") -> Step:
    """Build the optimiser of a variant.

    RMSprop (Tieleman and Hinton, lecture 6.5 of Neural Networks for Machine Learning, 2012) has no fused kernel on
    a CPU. It is Adam with beta1 = 0 and no bias correction: v = alpha v + (1 - alpha) g^2,
    w = w - lr g / (sqrt(v) + eps), and so takes Adam's.

    Args:
        settings: its own.
        parameters: the tensors to train, which each step changes in place.
        weight_decay: share of the learning rate by which a step shrinks each parameter.
        device: where they are, cpu or cuda.

    Returns:
        A function that takes the parameters' gradients, in their order, and the learning rate, and makes one step.
    """
    weights = list(parameters)
    match settings:
        case Sgd(momentum=momentum):
            return _sgd(weights, momentum, weight_decay)
        case Adam(betas=betas):
            return _adam(torch._fused_adam_, weights, betas, weight_decay)
        case AdamW(betas=betas):
            return _adam(torch._fused_adamw_, weights, betas, weight_decay)
        case RmsProp(alpha=alpha):
            return _adam(torch._fused_adam_, weights, [0.0, alpha], weight_decay, counted=UNCORRECTED)
        case Adagrad():
            # torch fuses Adagrad on the CPU alone.
            return _adagrad(weights, weight_decay, fused=device == "cpu")


def _sgd(weights: list[Tensor], momentum: float, weight_decay: float) -> Step:
    buffers = _zeros(weights) if momentum else []

    def step(gradients: tuple[Tensor, ...], lr: float) -> None:
        torch._fused_sgd_(
            weights, gradients, buffers, lr=lr, weight_decay=weight_decay, momentum=momentum, dampening=0.0,
            nesterov=False, maximize=False, is_first_step=False,
        )  # fmt: skip

    return no_grad(step)


def _adam(
    update: Callable[..., Any], weights: list[Tensor], betas: list[float], weight_decay: float, counted: float = 0.0
) -> Step:
    beta1, beta2 = betas
    means, squares = _zeros(weights), _zeros(weights)
    steps = [torch.full((), counted, device=weight.device) for weight in weights]

    def step(gradients: tuple[Tensor, ...], lr: float) -> None:
        torch._foreach_add_(steps, 1)
        update(
            weights, gradients, means, squares, [], steps, lr=lr, weight_decay=weight_decay, beta1=beta1, beta2=beta2,
            eps=1e-8, amsgrad=False, maximize=False,
        )  # fmt: skip

    return no_grad(step)


def _adagrad(weights: list[Tensor], weight_decay: float, *, fused: bool) -> Step:
    sums, steps = _zeros(weights), [torch.zeros(()) for _ in weights]

    def step(gradients: tuple[Tensor, ...], lr: float) -> None:
        adagrad(
            weights, list(gradients), sums, steps, lr=lr, weight_decay=weight_decay, lr_decay=0.0, eps=1e-10,
            maximize=False, fused=fused,
        )  # fmt: skip

    return no_grad(step)


def _zeros(weights: list[Tensor]) -> list[Tensor]:
    return [torch.zeros_like(weight) for weight in weights]


def no_grad(step: Step) -> Step:
    """Keep a step out of the graph that gradients are taken of."""
    return torch.no_grad()(step)
