"""From a data set's original arrays to the tensors that training reads."""

import numpy as np
from numpy.typing import NDArray

from remnist.data.sources import Arrays


def split(arrays: Arrays, validation: int) -> dict[str, NDArray[np.generic]]:
    """Hold out the last training images and measure the rest.

    Args:
        arrays: the official split.
        validation: how many of the last training images become the validation set.

    Returns:
        The tensors that `remnist.data.loading` describes. Mean and standard deviation are those of the images that
        are trained on, neither held out nor test, from exact integer sums.
    """
    held_out = len(arrays.train_images) - validation
    train_images = arrays.train_images[:held_out]
    count = train_images.size
    total = int(train_images.sum(dtype=np.uint64))
    squares = int(np.square(train_images, dtype=np.uint64).sum())
    mean = total / count
    std = (squares / count - mean**2) ** 0.5
    tensors = {
        "train_images": train_images,
        "train_labels": arrays.train_labels[:held_out],
        "validation_images": arrays.train_images[held_out:],
        "validation_labels": arrays.train_labels[held_out:],
        "test_images": arrays.test_images,
        "test_labels": arrays.test_labels,
        "mean": np.array([mean / 255]),
        "std": np.array([std / 255]),
    }
    # safetensors writes an array's memory as it lies, strides or not.
    return {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
