"""The C kernels against torch's in double, and their bits."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from remnist import kernels, models
from remnist.kernels.convolutions import convolve, group, max_pool_relu, residual_block, ungroup
from tests.support.kernels import LAYERS
from tests.support.variants import digits

ROUNDING = 2e-6  # of the largest value; float32 has 24 bits, and a sum here up to 20,000 terms


def assert_close(ours, exact):
    assert ours.shape == exact.shape
    assert (ours.double() - exact).abs().max() <= ROUNDING * exact.abs().max().clamp_min(1)


def gradients(output, inputs):
    torch.manual_seed(1)
    return torch.autograd.grad(output, inputs, torch.randn(output.shape).to(output.dtype))


@pytest.mark.parametrize("n", [1, 16, 37])
@pytest.mark.parametrize("channels", [1, 3])
def test_groups_give_their_images_back(n, channels):
    images = torch.rand(n, channels, 5, 4)
    groups = group(images)
    assert groups.shape == (-(-n // 16), channels * 16, 5, 4)
    assert groups.permute(0, 2, 3, 1).is_contiguous()
    assert torch.equal(ungroup(groups, n), images)


@pytest.mark.parametrize("n", [16, 37])
@pytest.mark.parametrize(("inputs", "outputs", "kernel", "padding"), LAYERS)
def test_a_convolution_and_its_gradients(inputs, outputs, kernel, padding, n):
    torch.manual_seed(0)
    layer = nn.Conv2d(inputs, outputs, kernel, padding=padding)
    exact = copy.deepcopy(layer).double()
    images = torch.randn(n, inputs, 11, 9, requires_grad=True)
    doubled = images.detach().double().requires_grad_()
    ours, theirs = ungroup(convolve(group(images), layer), n), exact(doubled)
    assert_close(ours, theirs)
    pairs = zip(
        gradients(ours, [images, *layer.parameters()]), gradients(theirs, [doubled, *exact.parameters()]), strict=True
    )
    for mine, other in pairs:
        assert_close(mine, other)


def test_a_residual_block_and_its_gradients():
    torch.manual_seed(0)
    first, second = (nn.Conv2d(10, 10, 3, padding=1) for _ in range(2))
    images = torch.randn(20, 10, 7, 6, requires_grad=True)
    parameters = [images, *first.parameters(), *second.parameters()]
    ours = ungroup(residual_block(group(images), first, second), 20)
    theirs = F.relu(images + second(F.relu(first(images))))
    torch.testing.assert_close(ours, theirs)
    for mine, other in zip(gradients(ours, parameters), gradients(theirs, parameters), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [(8, 6), (7, 5)])
def test_a_max_pool_and_its_gradient(size):
    """Many pixels are equal here, and the gradient is the first one's, as torch has it."""
    images = torch.randint(-3, 4, (20, 3, *size)).float().requires_grad_()
    ours, theirs = ungroup(max_pool_relu(group(images)), 20), F.relu(F.max_pool2d(images, 2))
    assert torch.equal(ours, theirs)
    assert torch.equal(*(gradients(output, [images])[0] for output in (ours, theirs)))


@pytest.fixture
def network():
    torch.manual_seed(0)
    model = models.build(digits("resnet-dropout").model, image_shape=(1, 28, 28), classes=10)
    return model.train()


def test_the_residual_cnn_computes_what_torchs_layers_do(network, monkeypatch):
    """With the same masks of channels and units, for whole groups and others."""
    found = []
    for is_in_use in (True, False):
        monkeypatch.setattr(kernels, "is_in_use", is_in_use)
        torch.manual_seed(2)
        images, labels = torch.rand(40, 1, 28, 28), torch.randint(0, 10, (40,))
        model = copy.deepcopy(network)
        loss = F.cross_entropy(model(images), labels)
        found.append([loss, *torch.autograd.grad(loss, list(model.parameters()))])
    for mine, other in zip(*found, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


def test_what_an_image_gives_depends_on_no_other():
    layer, images = nn.Conv2d(1, 10, 5), torch.rand(20, 1, 28, 28)
    alone = [ungroup(convolve(group(image[None]), layer), 1) for image in images]
    assert torch.equal(ungroup(convolve(group(images), layer), 20), torch.cat(alone))


def test_numbers_that_are_not_finite_come_through():
    layer = nn.Conv2d(1, 5, 3, padding=1)
    images = torch.full((16, 1, 6, 6), float("nan"))
    assert convolve(group(images), layer).isnan().all()
    assert max_pool_relu(group(images)).isnan().all()
