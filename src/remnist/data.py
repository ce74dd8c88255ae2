"""The prepared data set: one safetensors file, and the parts of it that a run reads.

The file holds `{train,validation,test}_images` (uint8, (n, 28, 28)), `{train,validation,test}_labels`
(uint8, (n,)), and `mean` and `std` of the training images in units of the full range (float64, (1,)).
"""

from pathlib import Path
from typing import Literal

import torch
from safetensors import safe_open
from torch import Tensor

from remnist.errors import UserError

Part = Literal["train", "validation", "test"]
CLASSES = 10


def load(path: Path, part: Part, *, normalize: bool) -> tuple[Tensor, Tensor]:
    """Load a part of the data set into memory, ready for a network.

    Args:
        path: the file that preprocess wrote.
        part: which images; only these are read.
        normalize: subtract the training set's mean and divide by its standard deviation; without it pixels
            lie in [0, 1].

    Returns:
        Images as float32 of shape (n, 1, 28, 28), labels as int64 of shape (n,).

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            images = file.get_tensor(f"{part}_images")
            labels = file.get_tensor(f"{part}_labels")
            mean, std = file.get_tensor("mean").item(), file.get_tensor("std").item()
    except Exception as error:  # safetensors raises a class of its own, and OSError
        raise UserError(f"{path}: {error}; `dvc repro preprocess` makes it") from None
    pixels = images.unsqueeze(1).to(torch.float32).div_(255)
    if normalize:
        pixels.sub_(mean).div_(std)
    return pixels, labels.to(torch.int64)
