"""The shared layers."""

import pytest
import torch
from torch import nn

from remnist.models.layers import Dropout, Patches


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_dropout_zeroes_its_share_and_scales_the_rest(p):
    torch.manual_seed(0)
    layer, ones = Dropout(p), torch.ones(100, 50)
    out = torch.stack([layer(ones) for _ in range(200)])
    kept = out[out != 0]
    assert torch.allclose(kept, torch.tensor(1 / (1 - p)))
    # The share zeroed of a million draws has a standard deviation of 0.0005 at most.
    assert (out == 0).double().mean().item() == pytest.approx(p, abs=0.0025)
    assert not torch.equal(out[0], out[1])


def test_dropout_in_evaluation_and_at_zero_does_nothing():
    x = torch.rand(4, 3)
    assert torch.equal(Dropout(0.5).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)


def test_dropout_of_channels_zeroes_each_whole():
    torch.manual_seed(0)
    out = torch.stack([Dropout(0.25, channels=True)(torch.ones(20, 10, 3, 3)) for _ in range(50)])
    per_channel = out.flatten(3)
    assert torch.equal(per_channel.amin(3), per_channel.amax(3))
    assert set(out.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert (out == 0).double().mean().item() == pytest.approx(0.25, abs=0.02)  # 10,000 draws


def test_dropout_takes_a_smaller_last_batch_and_passes_gradients_by_its_mask():
    layer = Dropout(0.5)
    for rows in (8, 8, 3, 8):
        x = torch.rand(rows, 5, requires_grad=True)
        out = layer(x)
        out.sum().backward()
        assert out.shape == x.shape
        assert torch.equal(x.grad == 0, out == 0)


def test_patches_row_by_row():
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert Patches(2)(image)[0].tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    # A linear map of patches is a convolution whose stride is its size.
    images, convolution = torch.rand(3, 2, 6, 6), nn.Conv2d(2, 5, 3, stride=3)
    linear = nn.functional.linear(Patches(3)(images), convolution.weight.flatten(1), convolution.bias)
    torch.testing.assert_close(linear, convolution(images).flatten(2).transpose(1, 2))
