"""The models, one file each; a file's `Model` is built from the settings of the plan's `model` section."""

from importlib import import_module
from typing import Any

from torch import nn


def build(settings: dict[str, Any], *, image_size: int, classes: int) -> nn.Module:
    """Build a model with freshly drawn weights.

    Args:
        settings: `name`, the model's module here, and the arguments of its `Model`.
        image_size: pixels a side of the images, which come as (n, 1, image_size, image_size).
        classes: number of logits a image.

    Returns:
        A module from images to logits of shape (n, classes).
    """
    arguments = {key: value for key, value in settings.items() if key != "name"}
    module = import_module(f"{__name__}.{settings['name']}")
    model: nn.Module = module.Model(image_size=image_size, classes=classes, **arguments)
    return model
