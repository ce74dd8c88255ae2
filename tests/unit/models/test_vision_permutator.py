"""Vision Permutator."""

import math

import pytest
import torch

from remnist.models.vision_permutator import PermuteMlp


def permute(grid: int = 2, dim: int = 4) -> PermuteMlp:
    """A Permute-MLP of three branches that change nothing, whose sum of thirds is projected unchanged."""
    module = PermuteMlp(grid, dim)
    with torch.no_grad():
        for branch in (module.height, module.width, module.channels, module.projection):
            branch.weight.copy_(torch.eye(dim))
        module.projection.bias.zero_()
        for parameter in module.reweight.parameters():
            parameter.zero_()
    return module


def test_permutator_weighs_its_branches_by_a_softmax_over_three():
    x = torch.rand(2, 2, 2, 4)
    module = permute()
    torch.testing.assert_close(module(x), x)  # three thirds of x
    with torch.no_grad():
        module.height.weight.zero_()
        module.reweight[2].bias.copy_(torch.tensor([[math.log(2.0), 0.0, 0.0]] * 4).flatten())  # h twice w, and c
    torch.testing.assert_close(module(x), x / 2)  # h counts for half, and gives nothing


@pytest.mark.parametrize("branch", ["height", "width"])
def test_permutator_mixes_along_the_axis_that_it_names(branch):
    """Set one branch to swap its axis' two tokens within each segment; the others give nothing."""
    module = permute()
    swap = torch.zeros(4, 4)
    for i, j in ((0, 2), (1, 3), (2, 0), (3, 1)):  # from h * s: two tokens of two channels each
        swap[i, j] = 1
    with torch.no_grad():
        for name in ("height", "width", "channels"):
            getattr(module, name).weight.copy_(swap if name == branch else torch.zeros(4, 4))
    x = torch.rand(3, 2, 2, 4)
    torch.testing.assert_close(module(x), x.flip(1 if branch == "height" else 2) / 3)
