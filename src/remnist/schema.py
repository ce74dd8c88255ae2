"""What params.yaml may say: every setting with its type and range, one class a model and an optimiser.

No setting has a default here. params.yaml holds them all, so that what a run used can be read there.
A field's name is that of the constructor's argument it goes to.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Settings(BaseModel):
    """Refuses unknown keys, values of another type, infinities."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Data(Settings):
    """The images, and how they are scaled."""

    name: Literal["mnist", "fashion_mnist", "kmnist", "digits"]
    validation: Count
    normalize: bool


class MLP(Settings):
    """`remnist.models.mlp`."""

    name: Literal["mlp"]
    hidden: list[Width]
    dropout: Fraction


# Adding a model: its file in models/, its class above, its line here.
MODELS: dict[str, type[Settings]] = {
    "mlp": MLP,
}


class Train(Settings):
    """What all optimisers share."""

    optimizer: str
    lr: Positive
    weight_decay: NonNegative
    batch_size: Count
    epochs: Count
    loss: Literal["cross_entropy"]
    numerics: Literal["portable", "native"]
    device: Literal["cpu", "cuda"]


class SGD(Train):
    """Stochastic gradient descent with momentum."""

    momentum: Fraction


class Adam(Train):
    """Adam, and AdamW with its decoupled weight decay."""

    betas: Annotated[list[Fraction], Field(min_length=2, max_length=2)]


class RMSprop(Train):
    """RMSprop."""

    alpha: Fraction


class Adagrad(Train):
    """Adagrad."""


OPTIMIZERS: dict[str, type[Settings]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": Adam,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
}


def _each_once(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError("each seed stands here once")
    return seeds


class Seeds(Settings):
    """The seeds of a variant, each a run of its own."""

    seeds: Annotated[list[Seed], Field(min_length=1), AfterValidator(_each_once)]
