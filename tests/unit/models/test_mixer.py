"""MLP-Mixer and its three other forms."""

import math

import pytest
import torch
from torch import nn

from remnist.models.mixer import MixerLayer
from tests.support.variants import fill, gelu, small_model


@pytest.mark.parametrize("axis", ["channels", "tokens"])
def test_mixer_layer_by_hand(axis):
    """Two tokens of two channels; all weights 1, so that each mixing adds to an entry gelu of a sum of normed ones."""
    layer = MixerLayer(tokens=2, dim=2, tokens_mlp_dim=1, channels_mlp_dim=1, norm_axis=axis)
    fill(layer, 1.0)
    x = torch.tensor([[[0.0, 4.0], [2.0, 2.0]]])
    one = 1 / math.sqrt(1 + 1e-5 / 4)  # a norm of (0, 4): -1 and 1, but for LayerNorm's epsilon
    if axis == "channels":
        # Tokens normed: (-1, 1) and (0, 0). Each channel's sum over tokens: -1 and 1.
        mixed = [[0 + gelu(-one), 4 + gelu(one)], [2 + gelu(-one), 2 + gelu(one)]]
    else:
        # Channels normed over the tokens: (0, 2) to (-1, 1), (4, 2) to (1, -1). Their sums: 0 and 0.
        mixed = [[0.0, 4.0], [2.0, 2.0]]
    # Every token normed over its channels sums to 0: channel mixing adds gelu(0) = 0.
    torch.testing.assert_close(layer(x), torch.tensor([mixed]), rtol=1e-4, atol=1e-4)


def test_mixer_without_embedding_takes_raw_patches():
    model = small_model("mixer", patch_embedding=False, dim=16)
    assert isinstance(model.stem, nn.Identity)
    assert model(torch.rand(2, 1, 20, 20)).shape == (2, 3)


def test_published_mixer_starts_from_equal_logits():
    model = small_model("mixer", zero_init_head=True)
    assert torch.count_nonzero(model(torch.rand(2, 1, 20, 20))) == 0
