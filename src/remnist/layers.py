"""Layers that the models share."""

import torch
from torch import Tensor, nn

AHEAD = 64  # masks a draw: its fixed cost, and MKL's for Bernoulli numbers, is a tenth of a small network's step


class Dropout(nn.Module):
    """Dropout (Srivastava et al., JMLR 2014) as `nn.Dropout` does it, with its masks drawn many at a time.

    In training a unit is zeroed with probability p and else scaled by 1 / (1 - p); in evaluation nothing happens.

    Args:
        p: probability to zero a unit, at least 0 and below 1.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.masks: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        """Return x with some units zeroed and the others scaled; same shape."""
        if not self.training or self.p == 0:
            return x
        if not self.masks or self.masks[-1].shape != x.shape:  # an epoch's last batch may be smaller
            kept = torch.rand(AHEAD, *x.shape, device=x.device) >= self.p
            self.masks = list(torch.unbind(kept.to(x.dtype).div_(1 - self.p)))
        return x * self.masks.pop()
