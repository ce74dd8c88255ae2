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

Step = Callable[[tuple[Tensor, ...], float], None]

# Where float32 stops counting. Adam divides its means by 1 - beta^t, which is exactly 1 from here on.
UNCORRECTED = 2.0**24


def build(settings: dict[str, Any], parameters: Sequence[Tensor]) -> Step:
    """Build the optimiser that the plan's `train` section names.

    RMSprop (Tieleman and Hinton, lecture 6.5 of Neural Networks for Machine Learning, 2012) has no fused kernel on
    a CPU. It is Adam with beta1 = 0 and no bias correction: v = alpha v + (1 - alpha) g^2,
    w = w - lr g / (sqrt(v) + eps), and so takes Adam's.

    Args:
        settings: the `train` section of a plan's entry.
        parameters: the tensors to train, which each step changes in place.

    Returns:
        A function that takes the parameters' gradients, in their order, and the learning rate, and makes one step.
    """
    weights = list(parameters)
    shared = {"weight_decay": settings["weight_decay"], "maximize": False}

    def zeros() -> list[Tensor]:
        return [torch.zeros_like(weight) for weight in weights]

    def counters(start: float) -> list[Tensor]:
        return [torch.full((), start, device=weight.device) for weight in weights]

    match settings["optimizer"]:
        case "sgd":
            momentum = settings["momentum"]
            buffers = zeros() if momentum else []
            shared |= {"momentum": momentum, "dampening": 0.0, "nesterov": False, "is_first_step": False}
            return no_grad(lambda gradients, lr: torch._fused_sgd_(weights, gradients, buffers, lr=lr, **shared))
        case "adam" | "adamw" | "rmsprop" as name:
            update = torch._fused_adamw_ if name == "adamw" else torch._fused_adam_
            beta1, beta2 = (0.0, settings["alpha"]) if name == "rmsprop" else settings["betas"]
            means, squares = zeros(), zeros()
            steps = counters(UNCORRECTED if name == "rmsprop" else 0.0)
            shared |= {"beta1": beta1, "beta2": beta2, "eps": 1e-8, "amsgrad": False}

            def adam(gradients: tuple[Tensor, ...], lr: float) -> None:
                torch._foreach_add_(steps, 1)
                update(weights, gradients, means, squares, [], steps, lr=lr, **shared)

            return no_grad(adam)
        case "adagrad":
            sums, steps = zeros(), [torch.zeros(()) for _ in weights]
            # torch fuses Adagrad on the CPU alone.
            shared |= {"lr_decay": 0.0, "eps": 1e-10, "fused": settings["device"] == "cpu"}
            return no_grad(lambda gradients, lr: adagrad(weights, list(gradients), sums, steps, lr=lr, **shared))
        case unknown:
            raise ValueError(f"no optimiser {unknown!r}")


def no_grad(step: Step) -> Step:
    """Keep a step out of the graph that gradients are taken of."""
    return torch.no_grad()(step)
