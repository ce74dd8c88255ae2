"""A fully connected network: flatten, then [linear, ReLU, dropout] for each hidden layer, then linear.

The reports' baseline is 784-100-80-10 with dropout 0.2: 87,390 parameters.
"""

from itertools import pairwise

from torch import nn

from remnist.layers import Dropout


class Model(nn.Sequential):
    """Images (n, 1, s, s) to logits (n, classes).

    Args:
        image_size: s, pixels a side.
        classes: number of logits.
        hidden: width of each hidden layer, first to last; none gives softmax regression.
        dropout: probability to zero a hidden unit in training.
    """

    def __init__(self, *, image_size: int, classes: int, hidden: list[int], dropout: float) -> None:
        layers: list[nn.Module] = [nn.Flatten()]  # (n, s * s)
        for inputs, outputs in pairwise([image_size**2, *hidden]):
            layers += [nn.Linear(inputs, outputs), nn.ReLU(), Dropout(dropout)]  # (n, outputs)
        super().__init__(*layers, nn.Linear([image_size**2, *hidden][-1], classes))
