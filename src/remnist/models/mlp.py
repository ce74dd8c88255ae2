"""A fully connected network: [linear, batch norm, activation, dropout] for each hidden layer, then linear.

The reports' baseline is 784-100-80-10 with ReLU and dropout 0.2: 87,390 parameters.
"""

import math
from collections.abc import Callable
from itertools import pairwise

from torch import nn

from remnist.models.layers import Dropout, Maxout

# The layers of each, from the width of the layer before them.
ACTIVATIONS: dict[str, Callable[[int], list[nn.Module]]] = {
    "relu": lambda _: [nn.ReLU()],
    "gelu": lambda _: [nn.GELU()],
    "maxout": lambda width: [Maxout(width)],
    "relu_maxout": lambda width: [nn.ReLU(), Maxout(width)],
}


class Mlp(nn.Sequential):
    """Images (n, c, h, w) to logits (n, classes).

    Args:
        image_shape: (c, h, w).
        classes: number of logits.
        hidden: width of each hidden layer, first to last; none gives softmax regression.
        activation: relu; gelu; maxout, a layer of its own, of 2 pieces, behind each hidden linear layer; or
            relu_maxout, the same with a ReLU before it.
        batch_norm: normalise each hidden unit over the batch, before the activation.
        dropout: probability to zero a hidden unit in training.
    """

    def __init__(
        self,
        *,
        image_shape: tuple[int, ...],
        classes: int,
        hidden: list[int],
        activation: str,
        batch_norm: bool,
        dropout: float,
    ) -> None:
        widths = [math.prod(image_shape), *hidden]
        layers: list[nn.Module] = [nn.Flatten()]  # (n, c * h * w)
        for inputs, outputs in pairwise(widths):
            layers.append(nn.Linear(inputs, outputs))  # (n, outputs)
            if batch_norm:
                layers.append(nn.BatchNorm1d(outputs))
            layers += [*ACTIVATIONS[activation](outputs), Dropout(dropout)]
        super().__init__(*layers, nn.Linear(widths[-1], classes))
