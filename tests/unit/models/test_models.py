"""All models: exact parameter counts, a file each, and how they answer."""

from pathlib import Path

import pytest
import torch

from remnist import models
from remnist.data import loading
from remnist.plan.resolve import resolve
from remnist.settings import Images, Variant, tags
from tests.support.variants import SMALL, parameters, small_model, small_settings

MODELS = tags("model", "name")
# Worked out on paper, weights and biases of each layer: the small models of tests/support, on images of 20 pixels.
OF_SMALL = {
    "mlp": 4_812 + 104 + 27,
    # 25 tokens. Stem, 2 layers of [token norm, token MLP, channel norm, channel MLP], norm, head.
    "mixer": 102 + 2 * (12 + 280 + 12 + 97) + 12 + 21,
    # Stem, 2 layers of [affine, token mixing, scale, affine, channel MLP, scale], affine, head.
    "resmlp": 102 + 2 * (12 + 650 + 6 + 12 + 97 + 6) + 12 + 21,
    # Stem, 2 blocks of [norm, three branches, reweighting, projection, norm, channel MLP], norm, head.
    "vision_permutator": 340 + 2 * (40 + 3 * 400 + 105 + 360 + 420 + 40 + 307) + 40 + 63,
    # Convolution, residual block, convolution, residual block, two linear layers.
    "residual_cnn": 260 + 1_820 + 5_020 + 7_240 + 4_050 + 153,
    # Three convolutions without bias, each with a batch norm, and the head.
    "cnn": 75 + 6 + 108 + 8 + 180 + 10 + 18,
}
CAPACITY = 784 * 256 + 256 + 256 * 10 + 10
# Likewise the study's, one variant of each architecture; report 4 prints some of its own.
OF_STUDY = {
    "mlp-baseline": 784 * 100 + 100 + 100 * 80 + 80 + 80 * 10 + 10,
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
    "activation-maxout-relu": CAPACITY + 131_584,
    "maxout-matched": CAPACITY + 131_474,
    "regularize-batchnorm": CAPACITY + 2 * 256,
    "xor": 2 * 16 + 16 + 16 * 2 + 2,
    # The parts as in OF_SMALL.
    "mixer-token-norm": 3_200 + 2 * (32 + 1_072 + 128 + 16_576) + 128 + 650,
    "mixer-expansion": 700 + 3 * (28 + 2_128 + 28 + 1_638) + 28 + 150,
    "mixer-raw-patches": 2 * (98 + 2_128 + 98 + 19_453) + 98 + 500,
    "mixer-standard": 3_200 + 2 * (128 + 1_072 + 128 + 33_088) + 128 + 650,
    "resmlp": 3_200 + 2 * (128 + 272 + 64 + 128 + 33_088 + 64) + 128 + 650,
    "vision-permutator": 3_200 + 2 * (128 + 3 * 4_096 + 1_040 + 3_264 + 4_160 + 128 + 24_832) + 128 + 650,
    "resnet-dropout": 260 + 1_820 + 5_020 + 7_240 + 16_050 + 510,
    "reference-cnn": 400 + 32 + 4_608 + 64 + 18_432 + 128 + 650,
}


def architecture(variant: Variant) -> str:
    """Return what decides the number of parameters: the model's settings but for dropout, and the size of an image."""
    model = variant.model.model_dump_json(exclude={"dropout"})
    return f"{model} on {variant.data.image_size if isinstance(variant.data, Images) else 'two'} pixels"


def count(variant: Variant) -> int:
    size = variant.data.image_size if isinstance(variant.data, Images) else None
    shape = (1, size, size) if size else (1, 1, 2)
    return parameters(models.build(variant.model, image_shape=shape, classes=loading.classes(variant.data)))


def unstated(plan: dict[str, Variant]) -> list[str]:
    """Return the variants whose architecture has no count in OF_STUDY."""
    stated = {architecture(plan[name]) for name in OF_STUDY}
    return [name for name, variant in plan.items() if architecture(variant) not in stated]


@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_its_exact_parameter_count(name):
    assert name in OF_SMALL, f"state the count of a small {name} in OF_SMALL"
    assert parameters(small_model(name)) == OF_SMALL[name]


def test_every_variant_has_its_exact_parameter_count(params):
    plan = resolve(params)
    assert unstated(plan) == [], "state the count of each of these architectures in OF_STUDY"
    expected = {architecture(plan[name]): number for name, number in OF_STUDY.items()}
    assert len(expected) == len(OF_STUDY)
    for name, variant in plan.items():
        assert count(variant) == expected[architecture(variant)], name


@pytest.mark.parametrize(
    "change",
    [{"model": {"hidden": [101, 80]}}, {"model": {"batch_norm": True}}, {"model": {"activation": "maxout"}},
     {"data": {"image_size": 20}}],
)  # fmt: skip
def test_a_new_architecture_has_no_count_by_default(params, change):
    params["variants"]["new"] = change
    assert unstated(resolve(params)) == ["new"]


def test_every_model_has_its_file_and_a_small_form():
    files = {path.stem for path in Path(models.__file__).parent.glob("*.py")} - {"__init__", "layers"}
    assert files == set(MODELS) == set(SMALL) == set(OF_SMALL)


@pytest.mark.parametrize("name", MODELS)
def test_images_become_logits_each_by_itself(name):
    """In evaluation, a model's answer to an image depends on no other image of the batch."""
    torch.manual_seed(0)
    model = small_model(name).eval()
    images = torch.rand(5, 1, 20, 20)
    logits = model(images)
    assert logits.shape == (5, 3)
    torch.testing.assert_close(model(images[2:3]), logits[2:3])
    assert not torch.allclose(logits[0], logits[1], rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_has_a_gradient(name):
    torch.manual_seed(0)
    model = small_model(name)
    named = dict(model.named_parameters())
    gradients = torch.autograd.grad(model(torch.rand(8, 1, 20, 20)).square().sum(), list(named.values()))
    for parameter, gradient in zip(named, gradients, strict=True):
        assert gradient.abs().max() > 0, parameter


@pytest.mark.parametrize("name", ["mlp", "residual_cnn"])
def test_dropout_is_there_in_training_and_not_in_evaluation(name):
    model = small_model(name, dropout=0.5)
    images = torch.rand(8, 1, 20, 20)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))


@pytest.mark.parametrize(("name", "size"), [("residual_cnn", 16), ("cnn", 4), ("vision_permutator", 4)])
def test_the_smallest_images_that_are_allowed_suffice(name, size):
    assert small_model(name, image_size=size)(torch.rand(2, 1, size, size)).shape == (2, 3)


def test_the_narrowest_permutator_that_is_allowed_builds():
    assert small_model("vision_permutator", image_size=8, dim=4)(torch.rand(2, 1, 8, 8)).shape == (2, 3)


IMAGES = [
    *((name, size, {}) for name in MODELS for size in (16, 20)),
    *(("cnn", size, {}) for size in (4, 5, 7, 8, 12)),
]
IMAGES += [("mlp", 4, {"batch_norm": True}), ("mlp", 4, {"batch_norm": True, "hidden": []})]


@pytest.mark.parametrize(("name", "size", "changes"), IMAGES)
def test_a_model_needs_two_images_where_batch_norm_says_so_and_nowhere_else(name, size, changes):
    data = Images(name="mnist", validation=0, normalize=False, image_size=size)
    model = small_model(name, image_size=size, **changes)
    if small_settings(name, **changes).needs_two_images(data):
        with pytest.raises(ValueError, match="more than 1 value per channel"):
            model(torch.rand(1, 1, size, size))
    else:
        assert model(torch.rand(1, 1, size, size)).shape == (1, 3)
    assert model(torch.rand(2, 1, size, size)).shape == (2, 3)
