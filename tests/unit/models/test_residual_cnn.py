"""The residual CNN."""

import torch
from torch.nn import functional

from remnist import models
from remnist.models.residual_cnn import ResidualBlock
from tests.support.variants import small_settings


def test_residual_block_adds_its_input():
    block = ResidualBlock(2)
    x = torch.randn(1, 2, 5, 5)
    with torch.no_grad():
        block.conv2.weight.zero_()
        block.conv2.bias.copy_(torch.tensor([1.0, -1.0]))
    expected = torch.relu(x + torch.tensor([1.0, -1.0])[:, None, None])
    torch.testing.assert_close(block(x), expected)


def test_residual_cnn_follows_its_listing():
    """The report's order of layers, written out with functions, on the model's own weights."""
    torch.manual_seed(0)
    model = models.build(small_settings("residual_cnn"), image_shape=(1, 28, 28), classes=10)
    x = images = torch.rand(4, 1, 28, 28)
    conv1, block1, conv2, block2 = model[0], model[3], model[4], model[8]
    x = block1(functional.relu(functional.max_pool2d(conv1(x), 2)))
    x = block2(functional.relu(functional.max_pool2d(conv2(x), 2)))
    assert x.flatten(1).shape == (4, 320)
    x = model[13](functional.relu(model[10](x.flatten(1))))
    torch.testing.assert_close(model(images), x)
