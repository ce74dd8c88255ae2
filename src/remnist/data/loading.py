"""The data that a run reads: a part of the prepared data set, one safetensors file, or XOR's four points.

The file holds `{train,validation,test}_images` (uint8, (n, 28, 28)), `{train,validation,test}_labels`
(uint8, (n,)), and `mean` and `std` of the training images in units of the full range (float64, (1,)). The validation
part may be empty.

A network reads floats, four bytes a pixel. Those of a part are written to a file once, which the processes of a machine
map: they share its pages, and no process has a copy.
"""

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from remnist.data import mapped, xor
from remnist.errors import UserError
from remnist.settings import Data, Xor

Part = Literal["train", "validation", "test"]
CHUNK = 1000  # images that are converted at a time


def classes(settings: Data) -> int:
    """Return the number of classes."""
    return xor.CLASSES if isinstance(settings, Xor) else 10


def load(path: Path, part: Part, settings: Data) -> tuple[Tensor, Tensor]:
    """Load a part of the data set, ready for a network.

    Args:
        path: the file that preprocess wrote. Files next to it hold the images as asked for.
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
    size, (shift, scale) = settings.image_size, (mean, std) if settings.normalize else (0.0, 1.0)
    return _mapped(path, images, size, shift, scale), labels.to(torch.int64)


def converted(images: Tensor, size: int, shift: float, scale: float) -> Iterator[Tensor]:
    """Yield images, uint8 of shape (n, h, w), some at a time, as floats (n, 1, size, size), shifted and scaled."""
    for chunk in torch.split(images.unsqueeze(1), CHUNK):
        resized = chunk
        if size != chunk.shape[-1]:
            resized = F.interpolate(chunk, (size, size), mode="bilinear", antialias=True)
        pixels = resized.to(torch.float32).div_(255)
        yield pixels.sub_(shift).div_(scale) if (shift, scale) != (0.0, 1.0) else pixels


def _mapped(data_path: Path, images: Tensor, size: int, shift: float, scale: float) -> Tensor:
    """Return all of them from a file, which is written first if need be; from memory where it cannot be."""
    decided_by = f"{hashlib.sha256(images.numpy().data).hexdigest()} {size} {shift} {scale}"
    path = mapped.place(data_path, hashlib.sha256(decided_by.encode()).hexdigest()[:16])
    shape = (len(images), 1, size, size)
    try:
        if not path.exists() or path.stat().st_size != math.prod(shape) * torch.float32.itemsize:
            mapped.write(path, (chunk.numpy() for chunk in converted(images, size, shift, scale)))
        return torch.from_file(str(path), size=math.prod(shape), dtype=torch.float32).reshape(shape)
    except (OSError, RuntimeError):  # a full disk, or another run has removed it
        return torch.cat(list(converted(images, size, shift, scale)))


def _xor(repeats: int) -> tuple[Tensor, Tensor]:
    points = torch.tensor(xor.POINTS).repeat(repeats, 1)
    return points.to(torch.float32)[:, None, None], points[:, 0] ^ points[:, 1]
