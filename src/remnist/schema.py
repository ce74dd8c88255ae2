"""What params.yaml may say: every setting with its type and range.

No setting has a default here. params.yaml holds them all, so that what a run used can be read there. A setting's
name is that of the argument it goes to. Adding a model is its file in models/ and its line in `MODELS`; adding an
optimiser, a loss or a schedule is its function and its line here.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

Fields = dict[str, Any]  # a setting's name, and its type


class Settings(BaseModel):
    """Refuses unknown keys, values of another type, infinities."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Section:
    """A section of params.yaml.

    Attributes:
        shared: the settings that it always has.
        choices: the settings that select others: each with what it may be, and the settings that go with that.
    """

    shared: Fields
    choices: dict[str, dict[str, Fields]]


# A rule that concerns another setting finds it in the context, the plan's entry as far as it is made; there a section
# that is wrong itself is missing.


def _image_size(info: ValidationInfo) -> int:
    return int((info.context or {}).get("data", {}).get("image_size", 0))


def _on_images(name: str, info: ValidationInfo) -> str:
    smallest, size = SMALLEST_IMAGE.get(name, 1), _image_size(info)
    if info.context and "data" in info.context and size < smallest:
        raise ValueError(f"allowed: on images of {smallest} pixels a side or more")
    return name


def _divides_image(patch_size: int, info: ValidationInfo) -> int:
    size = _image_size(info)
    if size and size % patch_size:
        raise ValueError(f"allowed: a divisor of data.image_size, {size}")
    return patch_size


def _pixels_of_a_raw_patch(dim: int, info: ValidationInfo) -> int:
    if info.data.get("patch_embedding") is False and dim != (pixels := info.data.get("patch_size", 0) ** 2):
        raise ValueError(f"allowed: {pixels}, the pixels of a patch, without model.patch_embedding")
    return dim


def _multiple_of_the_grid(dim: int, info: ValidationInfo) -> int:
    size = _image_size(info)
    if size and dim % (grid := size // info.data.get("patch_size", size)):
        raise ValueError(f"allowed: a multiple of the patches a side, {grid}")
    return dim


def _each_once(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError("each seed stands here once")
    return seeds


Count = Annotated[int, Field(ge=1)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
ImageSize = Annotated[int, Field(ge=1, le=1_024)]
OnImages = Annotated[str, AfterValidator(_on_images)]
PatchSize = Annotated[int, Field(ge=1), AfterValidator(_divides_image)]
Betas = Annotated[list[Fraction], Field(min_length=2, max_length=2)]
Seeds = Annotated[list[Seed], Field(min_length=1), AfterValidator(_each_once)]

SMALLEST_IMAGE = {"resnet": 16, "cnn": 4}  # below, a convolution or a pool finds nothing left

IMAGES: Fields = {"validation": Count, "normalize": bool, "image_size": ImageSize}
DATA: dict[str, Fields] = {
    "mnist": IMAGES,
    "fashion_mnist": IMAGES,
    "kmnist": IMAGES,
    "digits": IMAGES,
    "xor": {},
}

MODELS: dict[str, Fields] = {
    "mlp": {
        "hidden": list[Width],
        "activation": Literal["relu", "gelu", "maxout"],
        "batch_norm": bool,
        "dropout": Fraction,
    },
    "mixer": {
        "name": OnImages,
        "patch_size": PatchSize,
        "patch_embedding": bool,
        "dim": Annotated[Width, AfterValidator(_pixels_of_a_raw_patch)],
        "depth": Count,
        "tokens_mlp_dim": Width,
        "channels_mlp_dim": Width,
        "norm_axis": Literal["channels", "tokens"],
        "zero_init_head": bool,
    },
    "resmlp": {
        "name": OnImages,
        "patch_size": PatchSize,
        "dim": Width,
        "depth": Count,
        "channels_mlp_dim": Width,
        "layer_scale": Positive,
    },
    "vision_permutator": {
        "name": OnImages,
        "patch_size": PatchSize,
        "dim": Annotated[Width, AfterValidator(_multiple_of_the_grid)],
        "depth": Count,
        "channels_mlp_dim": Width,
    },
    "resnet": {"name": OnImages, "dropout": Fraction},
    "cnn": {"name": OnImages, "widths": Annotated[list[Width], Field(min_length=3, max_length=3)]},
}

OPTIMIZERS: dict[str, Fields] = {
    "sgd": {"momentum": Fraction},
    "adam": {"betas": Betas},
    "adamw": {"betas": Betas},
    "rmsprop": {"alpha": Fraction},
    "adagrad": {},
}

LOSSES: dict[str, Fields] = {
    "cross_entropy": {"label_smoothing": Fraction},
    "cross_entropy_of_softmax": {},
    "kl_divergence": {"label_smoothing": Fraction, "reduction": Literal["mean", "batchmean"]},
    "mse_one_hot": {},
    "mse_argmax": {},
}

SCHEDULES: dict[str, Fields] = {
    "constant": {},
    "cosine": {},
    "one_cycle": {},
}

SECTIONS: dict[str, Section] = {
    "data": Section({}, {"name": DATA}),
    "model": Section({}, {"name": MODELS}),
    "train": Section(
        {
            "lr": Positive,
            "weight_decay": NonNegative,
            "l2_penalty": NonNegative,
            "batch_size": Count,
            "epochs": Count,
            "random_shift": Annotated[int, Field(ge=0, le=8)],
            "numerics": Literal["portable", "native"],
            "device": Literal["cpu", "cuda"],
        },
        {"optimizer": OPTIMIZERS, "loss": LOSSES, "schedule": SCHEDULES},
    ),
    "seeds": Section({"seeds": Seeds}, {}),
}
