"""The models, one file each, and the layers that they share."""

from importlib import import_module

from torch import nn

from remnist.settings import Model


def build(settings: Model, *, image_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Build a model with freshly drawn weights: the class named as its settings' class, in the file of its name here.

    Args:
        settings: those of the model, whose fields are the arguments of its class.
        image_shape: channels, height and width of an image.
        classes: logits an image.

    Returns:
        A module from images (n, channels, height, width) to logits (n, classes).
    """
    kind: type[nn.Module] = getattr(import_module(f"{__name__}.{settings.name}"), type(settings).__name__)
    arguments = settings.model_dump(exclude={"name"})
    return kind(image_shape=image_shape, classes=classes, **arguments)
