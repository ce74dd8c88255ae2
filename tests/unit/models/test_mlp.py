"""The fully connected network, its activations and its batch norm."""

import pytest
import torch
from torch import nn

from remnist.models.mlp import Maxout
from tests.support.variants import parameters, small_model


@pytest.mark.parametrize("hidden", [[], [7], [7, 5, 3]])
def test_mlp_of_any_depth(hidden):
    assert small_model("mlp", hidden=hidden)(torch.zeros(5, 1, 20, 20)).shape == (5, 3)


def test_mlp_by_hand():
    model = small_model("mlp", image_size=2, hidden=[2])
    first, last = [layer for layer in model if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 0, 0, 0], [-1.0, 0, 0, 2.0]]))
        first.bias.copy_(torch.tensor([0.5, 0.0]))
        last.weight.copy_(torch.tensor([[1.0, 1.0], [2.0, 0.0], [0.0, 1.0]]))
        last.bias.zero_()
    # Pixels 1, 2, 3, 4: hidden units 1.5 and -1 + 8 = 7; then pixels 1, 0, 0, 0: 1.5 and max(0, -1).
    images = torch.tensor([[1.0, 2, 3, 4], [1.0, 0, 0, 0]]).reshape(2, 1, 2, 2)
    assert model(images).tolist() == [[8.5, 3.0, 7.0], [1.5, 3.0, 0.0]]


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("relu", [0.0, 2.0]),
        ("gelu", [-0.15865525, 1.95449974]),
        ("maxout", [4.0, 5.0]),
        ("relu_maxout", [4.0, 4.0]),
    ],
)
def test_activations_by_hand(activation, expected):
    """The value that (-1, 2) becomes; Maxout's linear pieces are set here."""
    layers = nn.Sequential(*list(small_model("mlp", hidden=[2], activation=activation))[2:-2])
    for layer in layers:
        if isinstance(layer, Maxout):
            with torch.no_grad():
                # Unit 1: max of x1 and 2 x2; unit 2: max of x1 + x2 and 2 x2 - x1.
                layer.linear.weight.copy_(torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0], [-1.0, 2.0]]))
                layer.linear.bias.zero_()
    assert layers(torch.tensor([[-1.0, 2.0]]))[0].tolist() == pytest.approx(expected)


def test_maxout_adds_what_report_4_counts():
    assert parameters(Maxout(256)) == (256 * 256 + 256) * 2


def test_batch_norm_stands_between_linear_and_activation():
    kinds = [type(layer) for layer in small_model("mlp", hidden=[4], batch_norm=True)]
    assert kinds[1:4] == [nn.Linear, nn.BatchNorm1d, nn.ReLU]
