"""Report 5's residual CNN: two convolutions, each behind a max pool and a residual block, and two linear layers.

It has no batch norm, and 30,900 parameters on images of 28 pixels. The report trained it on the cross-entropy of its
softmax's output; here it returns logits, and that loss is `cross_entropy_of_softmax`.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from remnist import kernels
from remnist.kernels.convolutions import convolve, group, max_pool_relu, residual_block, ungroup
from remnist.models.layers import Dropout


class ResidualBlock(nn.Module):
    """ReLU(x + conv(ReLU(conv(x)))); (n, channels, h, w) to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Add what two convolutions make of x."""
        return F.relu(x + self.conv2(F.relu(self.conv1(x))))


class ResidualCnn(nn.Sequential):
    """Images (n, c, s, s) to logits (n, classes).

    Args:
        image_shape: (c, s, s), s at least 16.
        classes: number of logits.
        dropout: probability to zero a channel behind the second convolution, and a unit before the last layer.
    """

    def __init__(self, *, image_shape: tuple[int, ...], classes: int, dropout: float) -> None:
        channels, size, _ = image_shape
        side = ((size - 4) // 2 - 4) // 2
        super().__init__(
            nn.Conv2d(channels, 10, 5),  # (n, 10, s - 4, s - 4)
            nn.MaxPool2d(2),
            nn.ReLU(),
            ResidualBlock(10),  # (n, 10, 12, 12) of 28 pixels
            nn.Conv2d(10, 20, 5),
            Dropout(dropout, channels=True),
            nn.MaxPool2d(2),
            nn.ReLU(),
            ResidualBlock(20),  # (n, 20, 4, 4)
            nn.Flatten(),
            nn.Linear(20 * side**2, 50),
            nn.ReLU(),
            Dropout(dropout),
            nn.Linear(50, classes),
        )
        if not kernels.is_in_use:
            self.to(memory_format=torch.channels_last)  # faster on a CPU

    def forward(self, x: Tensor) -> Tensor:
        """Classify images; by the project's own kernels where they are in use."""
        if not (kernels.is_in_use and x.device.type == "cpu"):
            return super().forward(x)  # type: ignore[no-untyped-call]
        layers: list[Any] = list(self)
        first, _, _, block1, second, dropout, _, _, block2, *head = layers
        n, x = len(x), max_pool_relu(convolve(group(x), first))
        x = convolve(residual_block(x, block1.conv1, block1.conv2), second)
        if dropout.training and dropout.p:
            x = x * group(dropout.mask(torch.Size((n, second.out_channels, 1, 1))))
        x = ungroup(residual_block(max_pool_relu(x), block2.conv1, block2.conv2), n)
        for layer in head:
            x = layer(x)
        return x
