"""The models: exact parameter counts, shapes, cases worked by hand."""

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from remnist import models
from remnist.data import loading as data
from remnist.models.mixer import MixerLayer
from remnist.models.mlp import Maxout
from remnist.models.residual_cnn import ResidualBlock
from remnist.models.resmlp import Affine, Layer
from remnist.models.vision_permutator import PermuteMlp
from remnist.plan.resolve import resolve
from remnist.settings import MODELS

BASELINE = 784 * 100 + 100 + 100 * 80 + 80 + 80 * 10 + 10
CAPACITY = 784 * 256 + 256 + 256 * 10 + 10
# Worked out on paper: weights and biases of each layer; report 4 prints some of its own.
PARAMETERS = {
    "mlp-deep-500": 509_590,
    "mlp-wide-588": 509_510,
    "mlp-deep-196": 182_450,
    "image-14": 28_590,
    "image-56": 322_590,
    "capacity-256": 203_530,
    "capacity-12": 9_550,
    "capacity-24": 19_090,
    "capacity-784": 623_290,
    "capacity-2048": 1_628_170,
    "depth-512-256": 535_818,
    "activation-gelu": CAPACITY,
    "activation-maxout": CAPACITY + 131_584,
    "maxout-matched": CAPACITY + 131_474,
    "loss-kldiv": CAPACITY,
    "kldiv-batchmean": CAPACITY,
    "regularize-l2": CAPACITY,
    "regularize-weight-decay": CAPACITY,
    "regularize-dropout": CAPACITY,
    "regularize-batchnorm": CAPACITY + 2 * 256,
    "xor": 2 * 16 + 16 + 16 * 2 + 2,
    # Stem, 2 layers of [token norm, token MLP, channel norm, channel MLP], norm, head.
    "mixer-token-norm": 3_200 + 2 * (32 + 1_072 + 128 + 16_576) + 128 + 650,
    "mixer-expansion": 3_200 + 2 * (128 + 2_128 + 128 + 33_088) + 128 + 650,
    "mixer-raw-patches": 2 * (98 + 2_128 + 98 + 19_453) + 98 + 500,
    "mixer-standard": 3_200 + 2 * (128 + 1_072 + 128 + 33_088) + 128 + 650,
    # Stem, 2 layers of [affine, token mixing, scale, affine, channel MLP, scale], affine, head.
    "resmlp": 3_200 + 2 * (128 + 272 + 64 + 128 + 33_088 + 64) + 128 + 650,
    # Stem, 2 blocks of [norm, three branches, reweighting, projection, norm, channel MLP], norm, head.
    "vision-permutator": 3_200 + 2 * (128 + 3 * 4_096 + 1_040 + 3_264 + 4_160 + 128 + 24_832) + 128 + 650,
    # Convolution, residual block, convolution, residual block, two linear layers.
    "resnet-dropout": 260 + 1_820 + 5_020 + 7_240 + 16_050 + 510,
    "resnet-plain": 30_900,
    "resnet-dropout-logits": 30_900,
    "resnet-plain-logits": 30_900,
    # Three convolutions without bias, each with a batch norm, and the head.
    "reference-cnn": 400 + 32 + 4_608 + 64 + 18_432 + 128 + 650,
}
SETTINGS = {
    "mlp": {"hidden": [12, 8], "activation": "relu", "batch_norm": False, "dropout": 0.0},
    "mixer": {
        "patch_size": 4, "patch_embedding": True, "dim": 6, "depth": 2, "tokens_mlp_dim": 5, "channels_mlp_dim": 7,
        "norm_axis": "channels", "zero_init_head": False,
    },
    "resmlp": {"patch_size": 4, "dim": 6, "depth": 2, "channels_mlp_dim": 7, "layer_scale": 0.1},
    "vision_permutator": {"patch_size": 4, "dim": 20, "depth": 2, "channels_mlp_dim": 7},
    "resnet": {"dropout": 0.0},
    "cnn": {"widths": [3, 4, 5]},
}  # fmt: skip


def build(name: str, image_size: int = 20, **changes) -> nn.Module:
    settings = {"name": name} | SETTINGS[name] | changes
    return models.build(settings, image_shape=(1, image_size, image_size), classes=3)


def test_every_variant_builds_with_its_exact_parameter_count(params):
    plan = resolve(params)
    assert set(PARAMETERS) <= set(plan)
    for variant, entry in plan.items():
        size = entry["data"].get("image_size")
        shape = (1, size, size) if size else (1, 1, 2)
        model = models.build(entry["model"], image_shape=shape, classes=data.classes(entry["data"]))
        count = sum(parameter.numel() for parameter in model.parameters())
        assert count == PARAMETERS.get(variant, BASELINE), variant


def test_every_model_has_its_file_and_is_tested_here():
    files = {path.stem for path in Path(models.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(MODELS) == set(SETTINGS)


@pytest.mark.parametrize("name", MODELS)
def test_images_become_logits_each_by_itself(name):
    """In evaluation, what a model says of an image depends on no other image of the batch."""
    torch.manual_seed(0)
    model = build(name).eval()
    images = torch.rand(5, 1, 20, 20)
    logits = model(images)
    assert logits.shape == (5, 3)
    torch.testing.assert_close(model(images[2:3]), logits[2:3])
    assert not torch.allclose(logits[0], logits[1], rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_has_a_gradient(name):
    torch.manual_seed(0)
    model = build(name)
    parameters = dict(model.named_parameters())
    gradients = torch.autograd.grad(model(torch.rand(8, 1, 20, 20)).square().sum(), list(parameters.values()))
    for parameter, gradient in zip(parameters, gradients, strict=True):
        assert gradient.abs().max() > 0, parameter


@pytest.mark.parametrize("hidden", [[], [7], [7, 5, 3]])
def test_mlp_of_any_depth(hidden):
    assert build("mlp", hidden=hidden)(torch.zeros(5, 1, 20, 20)).shape == (5, 3)


def test_mlp_by_hand():
    model = build("mlp", image_size=2, hidden=[2])
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
    ("activation", "expected"), [("relu", [0.0, 2.0]), ("gelu", [-0.15865525, 1.95449974]), ("maxout", [4.0, 6.0])]
)
def test_activations_by_hand(activation, expected):
    """What (-1, 2) becomes; Maxout's linear pieces are set here."""
    layer = build("mlp", hidden=[2], activation=activation)[2]
    if activation == "maxout":
        with torch.no_grad():
            # Unit 1: max of x1 = -1 and 2 x2 = 4; unit 2: max of x1 + x2 = 1 and 3 x2 = 6.
            layer.linear.weight.copy_(torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0], [0.0, 3.0]]))
            layer.linear.bias.zero_()
    assert layer(torch.tensor([[-1.0, 2.0]]))[0].tolist() == pytest.approx(expected)


def test_maxout_adds_what_report_4_counts():
    assert sum(parameter.numel() for parameter in Maxout(256).parameters()) == (256 * 256 + 256) * 2


def test_batch_norm_stands_between_linear_and_activation():
    kinds = [type(layer) for layer in build("mlp", hidden=[4], batch_norm=True)]
    assert kinds[1:4] == [nn.Linear, nn.BatchNorm1d, nn.ReLU]


@pytest.mark.parametrize("name", ["mlp", "resnet"])
def test_dropout_is_there_in_training_and_not_in_evaluation(name):
    model = build(name, dropout=0.5)
    images = torch.rand(8, 1, 20, 20)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))


def test_patches_row_by_row():
    from remnist.models.layers import Patches

    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert Patches(2)(image)[0].tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    # A linear map of patches is a convolution whose stride is its size.
    images, convolution = torch.rand(3, 2, 6, 6), nn.Conv2d(2, 5, 3, stride=3)
    linear = nn.functional.linear(Patches(3)(images), convolution.weight.flatten(1), convolution.bias)
    torch.testing.assert_close(linear, convolution(images).flatten(2).transpose(1, 2))


def fill(module: nn.Module, value: float) -> None:
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.Linear):
                layer.weight.fill_(value)
                if layer.bias is not None:
                    layer.bias.zero_()


def gelu(x: float) -> float:
    return x * (1 + math.erf(x / math.sqrt(2))) / 2


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
    model = build("mixer", patch_embedding=False, dim=16)
    assert isinstance(model.stem, nn.Identity)
    assert model(torch.rand(2, 1, 20, 20)).shape == (2, 3)


def test_published_mixer_starts_from_equal_logits():
    model = build("mixer", zero_init_head=True)
    assert torch.count_nonzero(model(torch.rand(2, 1, 20, 20))) == 0


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
    for i, j in ((0, 2), (1, 3), (2, 0), (3, 1)):  # of h * s: two tokens of two channels each
        swap[i, j] = 1
    with torch.no_grad():
        for name in ("height", "width", "channels"):
            getattr(module, name).weight.copy_(swap if name == branch else torch.zeros(4, 4))
    x = torch.rand(3, 2, 2, 4)
    torch.testing.assert_close(module(x), x.flip(1 if branch == "height" else 2) / 3)


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
    functional = nn.functional
    model = models.build({"name": "resnet", "dropout": 0.0}, image_shape=(1, 28, 28), classes=10)
    x = images = torch.rand(4, 1, 28, 28)
    conv1, block1, conv2, block2 = model[0], model[3], model[4], model[8]
    x = block1(functional.relu(functional.max_pool2d(conv1(x), 2)))
    x = block2(functional.relu(functional.max_pool2d(conv2(x), 2)))
    assert x.flatten(1).shape == (4, 320)
    x = model[13](functional.relu(model[10](x.flatten(1))))
    torch.testing.assert_close(model(images), x)
