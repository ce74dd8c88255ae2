"""Layers that the models share."""

import torch
from torch import Tensor, nn

AHEAD = 64  # masks a draw; a draw's fixed cost is a tenth of a small network's step


class Dropout(nn.Module):
    """Dropout (Srivastava et al., JMLR 2014) as `nn.Dropout` does it, with its masks drawn many at a time.

    In training a unit is zeroed with probability p and else scaled by 1 / (1 - p); in evaluation nothing happens.

    Args:
        p: probability to zero a unit, at least 0 and below 1.
        channels: zero whole channels, as `nn.Dropout2d` does (Tompson et al., CVPR 2015).
    """

    def __init__(self, p: float, *, channels: bool = False) -> None:
        super().__init__()
        self.p = p
        self.channels = channels
        self.masks: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        """Return x with some units zeroed and the others scaled; same shape."""
        if not self.training or self.p == 0:
            return x
        return x * self.mask(torch.Size((*x.shape[:2], 1, 1)) if self.channels else x.shape, x.device)

    def mask(self, shape: torch.Size, device: torch.device | None = None) -> Tensor:
        """Return the next mask, of 0 and 1 / (1 - p)."""
        if not self.masks or self.masks[-1].shape != shape:  # an epoch's last batch may be smaller
            drawn = torch.rand(AHEAD, *shape, device=device)
            self.masks = list(torch.unbind(drawn.ge_(self.p).div_(1 - self.p)))
        return self.masks.pop()


class Maxout(nn.Module):
    """Maxout (Goodfellow et al., ICML 2013): each unit is the largest of several linear functions of the layer below.

    Args:
        width: units, in and out.
        pieces: linear functions a unit.
    """

    def __init__(self, width: int, pieces: int = 2) -> None:
        super().__init__()
        self.linear = nn.Linear(width, pieces * width)
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, width) to (n, width)."""
        return self.linear(x).unflatten(1, (self.pieces, -1)).amax(1)  # (n, pieces, width) to (n, width)


class Patches(nn.Module):
    """Cut images into square patches, row by row.

    Args:
        size: pixels a side of a patch.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """Map images (n, c, h, w) to patches (n, h / size * w / size, c * size * size)."""
        n, c, h, w = x.shape
        x = x.reshape(n, c, h // self.size, self.size, w // self.size, self.size)
        return x.permute(0, 2, 4, 1, 3, 5).reshape(n, -1, c * self.size**2)


class MlpBlock(nn.Sequential):
    """Two linear layers with a GELU between; the last axis keeps its size.

    Args:
        dim: size of the last axis.
        mlp_dim: hidden width.
    """

    def __init__(self, dim: int, mlp_dim: int) -> None:
        super().__init__(nn.Linear(dim, mlp_dim), nn.GELU(), nn.Linear(mlp_dim, dim))
