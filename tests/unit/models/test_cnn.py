"""The reference CNN."""

import torch
from torch.nn import functional

from tests.support.variants import small_model


def test_cnn_is_what_its_header_says():
    """Written out with functions, on the model's own weights and its statistics at the start: mean 0, variance 1."""
    torch.manual_seed(0)
    model = small_model("cnn").eval()
    x = images = torch.rand(4, 1, 20, 20)
    weights = dict(model.named_parameters())
    convolutions = [weight for weight in weights.values() if weight.ndim == 4]
    assert [tuple(weight.shape[2:]) for weight in convolutions] == [(5, 5), (3, 3), (3, 3)]
    for place, weight in enumerate(convolutions):
        x = functional.max_pool2d(x, 2) if place else x
        x = functional.conv2d(x, weight, padding=weight.shape[2] // 2)
        x = functional.relu(x / (1 + 1e-5) ** 0.5)
    assert x.shape == (4, 5, 5, 5)
    expected = functional.linear(x.mean((2, 3)), weights["head.weight"], weights["head.bias"])
    torch.testing.assert_close(model(images), expected)
