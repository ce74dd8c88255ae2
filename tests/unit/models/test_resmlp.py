"""ResMLP."""

import torch

from remnist.models.resmlp import Affine, Layer
from tests.support.variants import fill, gelu


def test_resmlp_layer_by_hand():
    layer = Layer(tokens=2, dim=1, channels_mlp_dim=1, layer_scale=0.1)
    fill(layer, 1.0)
    # Affine is the identity at first. Token mixing: both tokens get 0.1 * (1 + 3) more; then 0.1 * gelu of themselves.
    after = [1.4, 3.4]
    expected = [[[value + 0.1 * gelu(value)] for value in after]]
    torch.testing.assert_close(layer(torch.tensor([[[1.0], [3.0]]])), torch.tensor(expected))


def test_affine_scales_and_shifts_each_channel():
    affine = Affine(2)
    with torch.no_grad():
        affine.alpha.copy_(torch.tensor([2.0, 3.0]))
        affine.beta.copy_(torch.tensor([1.0, 0.0]))
    assert affine(torch.tensor([[[1.0, 1.0], [0.0, 2.0]]])).tolist() == [[[3.0, 3.0], [1.0, 6.0]]]
