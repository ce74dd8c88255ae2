"""The models, one file each; a file's `Model` is built from the settings of the plan's `model` section."""

from importlib import import_module
from typing import Any

from torch import nn


def build(settings: dict[str, Any], *, image_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Build a model with freshly drawn weights.

    Args:
        settings: `name`, the model's module here, and the arguments of its `Model`.
        image_shape: channels, height and width of an image.
        classes: number of logits an image.

    Returns:
        A module from images (n, channels, height, width) to logits (n, classes).
    """
    arguments = {key: value for key, value in settings.items() if key != "name"}
    module = import_module(f"{__name__}.{settings['name']}")
    model: nn.Module = module.Model(image_shape=image_shape, classes=classes, **arguments)
    return model
