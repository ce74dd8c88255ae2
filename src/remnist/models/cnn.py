"""The reference CNN: a plain modern recipe, to compare the reports' networks with.

Three convolutions with batch norm (Ioffe and Szegedy, ICML 2015), a max pool between each and the next, then the mean
over what is left of the image and one linear layer.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)


class Cnn(nn.Module):
    """Images (n, c, s, s) to logits (n, classes).

    Args:
        image_shape: (c, s, s), s at least 4.
        classes: number of logits.
        widths: channels of the three convolutions.
    """

    def __init__(self, *, image_shape: tuple[int, ...], classes: int, widths: list[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([image_shape[0], *widths]):
            pool = [nn.MaxPool2d(2)] if layers else []
            convolution = nn.Conv2d(inputs, outputs, 3 if layers else 5, padding="same", bias=False)
            layers += [*pool, convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1], classes)
        self.to(memory_format=torch.channels_last)  # faster on a CPU

    def forward(self, x: Tensor) -> Tensor:
        """Classify images."""
        x = self.features(x)  # (n, widths[2], s / 4, s / 4)
        return self.head(F.avg_pool2d(x, x.shape[2:]).flatten(1))  # (n, widths[2]) to (n, classes)
