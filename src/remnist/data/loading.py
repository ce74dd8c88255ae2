"""The data that a run reads: a part of the prepared data set, one safetensors file, or XOR's four points.

The file holds `{train,validation,test}_images` (uint8, (n, 28, 28)), `{train,validation,test}_labels`
(uint8, (n,)), and `mean` and `std` of the training images in units of the full range (float64, (1,)).
"""

import math
from pathlib import Path
from typing import Literal

import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from remnist.data import xor
from remnist.errors import UserError
from remnist.settings import Data, Xor

Part = Literal["train", "validation", "test"]


def classes(settings: Data) -> int:
    """Return the number of classes."""
    return xor.CLASSES if isinstance(settings, Xor) else 10


def load(path: Path, part: Part, settings: Data) -> tuple[Tensor, Tensor]:
    """Load a part of the data set into memory, ready for a network.

    Args:
        path: the file that preprocess wrote.
        part: which images; only these are read.
        settings: the variant's. Images of another size than 28 are resized as
            torchvision does it, bilinear with antialiasing, in integers, which round alike everywhere.

    Returns:
        Images as float32 of shape (n, c, h, w), labels as int64 of shape (n,). Pixels lie in [0, 1], or have the
        training set's mean subtracted and are divided by its standard deviation. XOR is an image of one row and two
        pixels.

    Raises:
        UserError: the file is missing, damaged or not one that preprocess wrote.
    """
    if isinstance(settings, Xor):
        return _xor(xor.REPEATS if part == "train" else 1)
    try:
        with safe_open(path, framework="pt") as file:
            images = file.get_tensor(f"{part}_images")
            labels = file.get_tensor(f"{part}_labels")
            mean, std = file.get_tensor("mean").item(), file.get_tensor("std").item()
    except Exception as error:  # safetensors raises a class of its own, and OSError
        raise UserError(f"{path}: {error}; `dvc repro preprocess` makes it") from None
    if not (
        images.dtype == labels.dtype == torch.uint8
        and images.ndim == 3
        and images.shape[1] == images.shape[2] > 0
        and labels.shape == images.shape[:1] != (0,)
        and labels.max() < classes(settings)
        and math.isfinite(mean)
        and 0 < std < math.inf
    ):
        raise UserError(f"{path}: {part}: not as preprocess writes it; `dvc repro preprocess` makes it again")
    images = images.unsqueeze(1)
    size = settings.image_size
    if size != images.shape[-1]:
        images = F.interpolate(images, (size, size), mode="bilinear", antialias=True)
    pixels = images.to(torch.float32).div_(255)
    if settings.normalize:
        pixels.sub_(mean).div_(std)
    return pixels, labels.to(torch.int64)


def _xor(repeats: int) -> tuple[Tensor, Tensor]:
    points = torch.tensor(xor.POINTS).repeat(repeats, 1)
    return points.to(torch.float32)[:, None, None], points[:, 0] ^ points[:, 1]
