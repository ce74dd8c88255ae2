"""The optimisers, each in torch's fused kernel.

Fused kernels take square roots with the processor's own instruction, which IEEE 754 fixes to the bit. Unfused
Adam and RMSprop go through MKL's vector library, whose last bits differ between processors.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adagrad, Adam, AdamW, Optimizer


class RMSprop(Adam):
    """RMSprop by way of Adam's fused kernel, since torch has none for RMSprop on a CPU.

    RMSprop (Tieleman and Hinton, lecture 6.5 of Neural Networks for Machine Learning, 2012) is Adam with
    beta1 = 0 and no bias correction: v = alpha v + (1 - alpha) g^2, w = w - lr g / (sqrt(v) + eps). The
    correction's divisors 1 - beta^t are exactly 1 in floating point once t is large, so counting starts there.

    Args:
        params: the parameters to train.
        lr: learning rate.
        alpha: decay of the running mean of squared gradients, at most 0.999.
        weight_decay: L2 penalty added to the gradient.
    """

    FIRST_STEP = 2.0**24  # where float32 stops counting; 0.999 ** FIRST_STEP is 0

    def __init__(self, params: Iterable[Tensor], lr: float, alpha: float, weight_decay: float) -> None:
        super().__init__(params, lr, betas=(0.0, alpha), weight_decay=weight_decay, fused=True)
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter] = {
                    "step": torch.tensor(self.FIRST_STEP, device=parameter.device),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }


def build(settings: dict[str, Any], parameters: Iterable[Tensor]) -> Optimizer:
    """Build the optimiser that the plan's `train` section names."""
    lr, weight_decay = settings["lr"], settings["weight_decay"]
    match settings["optimizer"]:
        case "sgd":
            return SGD(parameters, lr, momentum=settings["momentum"], weight_decay=weight_decay, fused=True)
        case "adam":
            return Adam(parameters, lr, tuple(settings["betas"]), weight_decay=weight_decay, fused=True)
        case "adamw":
            return AdamW(parameters, lr, tuple(settings["betas"]), weight_decay=weight_decay, fused=True)
        case "rmsprop":
            return RMSprop(parameters, lr, settings["alpha"], weight_decay)
        case "adagrad":
            # torch fuses Adagrad on the CPU alone.
            return Adagrad(parameters, lr, weight_decay=weight_decay, fused=settings["device"] == "cpu")
        case unknown:
            raise ValueError(f"no optimiser {unknown!r}")
