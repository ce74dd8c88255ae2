"""The data as a run loads them: scaled, standardised, resized; XOR's points; damaged files."""

import pytest
import torch
from safetensors import safe_open
from torch.nn import functional

from remnist.data import loading, mapped
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


@pytest.mark.parametrize("change", [{}, {"normalize": True}, {"image_size": 14}, {"image_size": 56}])
def test_mapped_images_are_those_that_are_converted_at_once(prepared, tmp_path, change):
    """A file that is cut short is written again, and one that cannot be written is done without."""
    data = tmp_path / "images.safetensors"
    data.write_bytes(prepared.read_bytes())
    settings = DIGITS.model_copy(update=change)
    images, labels = loading.load(data, "train", settings)
    [written] = tmp_path.glob("*.tmp")
    assert torch.equal(loading.load(data, "train", settings)[0], images)
    with safe_open(data, framework="pt") as file:
        original, mean, std = (file.get_tensor(name) for name in ("train_images", "mean", "std"))
        assert torch.equal(labels, file.get_tensor("train_labels").long())
    pixels = original[:, None]
    if settings.image_size != 28:
        pixels = functional.interpolate(pixels, (settings.image_size,) * 2, mode="bilinear", antialias=True)
    expected = pixels.float() / 255
    if settings.normalize:
        expected = (expected - mean.item()) / std.item()
    assert torch.equal(images, expected)
    written.write_bytes(written.read_bytes()[:100])
    assert torch.equal(loading.load(data, "train", settings)[0], expected)
    mapped.forget(data)
    assert list(tmp_path.glob("*")) == [data]


def test_images_are_loaded_where_no_file_can_be_written(prepared, tmp_path, monkeypatch):
    def refused(*_: object) -> None:
        raise OSError("No space left on device")

    data = tmp_path / "images.safetensors"
    data.write_bytes(prepared.read_bytes())
    expected, _ = loading.load(data, "train", DIGITS)
    mapped.forget(data)
    monkeypatch.setattr(mapped, "write", refused)
    assert torch.equal(loading.load(data, "train", DIGITS)[0], expected)


def test_xor_is_four_points_of_two_classes(tmp_path):
    settings = Xor(name="xor")
    points, labels = loading.load(tmp_path / "nothing", "test", settings)
    assert points.shape == (4, 1, 1, 2)
    assert {(*point, label) for point, label in zip(points.flatten(1).tolist(), labels.tolist(), strict=True)} == {
        (0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0),
    }  # fmt: skip
    train, answers = loading.load(tmp_path / "nothing", "train", settings)
    assert train.unique(dim=0).shape == points.shape
    assert torch.equal(train[:4], points) and torch.equal(answers[:4], labels)
    assert settings.validation == 0
    assert loading.classes(settings) == 2


def test_missing_or_damaged_data_is_an_error_of_one_line(tmp_path):
    damaged = tmp_path / "images.safetensors"
    damaged.write_bytes(b"\xff" * 100)
    for path in (damaged, tmp_path / "nothing"):
        with pytest.raises(UserError, match="dvc repro preprocess") as error:
            loading.load(path, "train", DIGITS)
        assert len(str(error.value).splitlines()) == 1
