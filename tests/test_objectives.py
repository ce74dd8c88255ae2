"""The losses against a computation by hand."""

import math

import pytest
import torch

from remnist.objectives import LOSSES


def test_cross_entropy_by_hand():
    logits = torch.tensor([[math.log(1.0), math.log(3.0)], [0.0, 0.0]])  # probabilities 1/4, 3/4 and 1/2, 1/2
    labels = torch.tensor([1, 0])
    expected = (-math.log(3 / 4) - math.log(1 / 2)) / 2
    assert LOSSES["cross_entropy"](logits, labels).item() == pytest.approx(expected, rel=1e-6)
