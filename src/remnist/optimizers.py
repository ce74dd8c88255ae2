"""The optimisers: torch's functional forms, in their fused kernels.

Fused kernels take square roots with the processor's own instruction, which IEEE 754 fixes to the bit; the others
go through MKL's vector library, whose last bits differ between processors. The functional forms do what
`torch.optim`'s classes do without loading torch's compiler, 1.4 s a process.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adagrad import adagrad
from torch.optim.adam import adam
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

Step = Callable[[Sequence[Tensor]], None]

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
        A function that takes the parameters' gradients, in their order, and makes one step.
    """
    weights = list(parameters)
    shared = {"lr": settings["lr"], "weight_decay": settings["weight_decay"], "maximize": False, "fused": True}

    def zeros() -> list[Tensor]:
        return [torch.zeros_like(weight) for weight in weights]

    def counters(start: float, device: torch.device | None = None) -> list[Tensor]:
        return [torch.tensor(start, device=device or weight.device) for weight in weights]

    match settings["optimizer"]:
        case "sgd":
            buffers = zeros()
            sgd_settings = shared | {"momentum": settings["momentum"], "dampening": 0.0, "nesterov": False}
            return no_grad(lambda gradients: sgd(weights, list(gradients), list(buffers), **sgd_settings))
        case "adam" | "adamw" | "rmsprop" as name:
            means, squares = zeros(), zeros()
            steps = counters(UNCORRECTED if name == "rmsprop" else 0.0)
            beta1, beta2 = (0.0, settings["alpha"]) if name == "rmsprop" else settings["betas"]
            adam_settings = shared | {"beta1": beta1, "beta2": beta2, "eps": 1e-8, "amsgrad": False}
            update = adamw if name == "adamw" else adam
            return no_grad(
                lambda gradients: update(weights, list(gradients), means, squares, [], steps, **adam_settings)
            )
        case "adagrad":
            sums, steps = zeros(), counters(0.0, torch.device("cpu"))
            # torch fuses Adagrad on the CPU alone.
            adagrad_settings = shared | {"lr_decay": 0.0, "eps": 1e-10, "fused": settings["device"] == "cpu"}
            return no_grad(lambda gradients: adagrad(weights, list(gradients), sums, steps, **adagrad_settings))
        case unknown:
            raise ValueError(f"no optimiser {unknown!r}")


def no_grad(step: Step) -> Step:
    """Keep a step out of the graph that gradients are taken of."""
    return torch.no_grad()(step)
