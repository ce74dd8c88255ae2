"""The data as a run loads them: scaled, standardised, resized; XOR's points; damaged files."""

import pytest
import torch

from remnist.data import loading
from remnist.errors import UserError
from remnist.settings import Images, Xor

DIGITS = Images(name="digits", validation=143, normalize=False, image_size=28)


def test_data_is_scaled_and_standardised(prepared):
    images, labels = loading.load(prepared, "train", DIGITS)
    assert images.shape == (1294, 1, 28, 28)
    assert labels.dtype == torch.int64
    assert (images.min().item(), images.max().item()) == (0.0, 1.0)
    standard, _ = loading.load(prepared, "train", DIGITS.model_copy(update={"normalize": True}))
    assert standard.mean().item() == pytest.approx(0, abs=1e-5)
    assert standard.std().item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("size", [14, 56])
def test_images_are_resized_as_torchvision_does_it(prepared, size):
    from torchvision.transforms.functional import pil_to_tensor, resize, to_pil_image

    original, _ = loading.load(prepared, "test", DIGITS)
    resized, _ = loading.load(prepared, "test", DIGITS.model_copy(update={"image_size": size}))
    assert resized.shape == (360, 1, size, size)
    for before, after in zip(original[:20], resized, strict=False):
        theirs = pil_to_tensor(resize(to_pil_image((before * 255).round().to(torch.uint8)), [size, size]))
        assert torch.equal((after * 255).round().to(torch.uint8), theirs)


def test_xor_is_four_points_of_two_classes(tmp_path):
    settings = Xor(name="xor")
    points, labels = loading.load(tmp_path / "nothing", "test", settings)
    assert points.shape == (4, 1, 1, 2)
    assert {(*point, label) for point, label in zip(points.flatten(1).tolist(), labels.tolist(), strict=True)} == {
        (0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0),
    }  # fmt: skip
    train, _ = loading.load(tmp_path / "nothing", "train", settings)
    assert train.unique(dim=0).shape == points.shape
    assert loading.classes(settings) == 2


def test_missing_or_damaged_data_is_an_error_of_one_line(tmp_path):
    damaged = tmp_path / "images.safetensors"
    damaged.write_bytes(b"\xff" * 100)
    for path in (damaged, tmp_path / "nothing"):
        with pytest.raises(UserError, match="dvc repro preprocess") as error:
            loading.load(path, "train", DIGITS)
        assert len(str(error.value).splitlines()) == 1
