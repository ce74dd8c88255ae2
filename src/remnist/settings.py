"""What params.yaml may say: every setting with its type, its range and what it is.

No setting has a default here. params.yaml holds them all, so that a reader finds there what a run used. A choice is a
class: its first field names it in params.yaml, its other fields are the settings that go with it, and its methods are
the rules that concern other settings. `CHOICES` lists the classes; a new model, optimiser, loss or schedule is one more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Misfit = tuple[str, str]  # the setting that does not suit the data, and the rule that it breaks


def _each_once(seeds: list[int]) -> list[int]:
    if len(set(seeds)) < len(seeds):
        raise ValueError("each seed stands here once")
    return seeds


Count = Annotated[int, Field(ge=1)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Betas = Annotated[list[Fraction], Field(min_length=2, max_length=2)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Seeds = Annotated[list[Seed], Field(min_length=1), AfterValidator(_each_once)]


class Settings(BaseModel):
    """Immutable; refuses unknown keys, values of another type, infinities."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Images(Settings):
    """A data set of square grey images."""

    name: Literal["mnist", "fashion_mnist", "kmnist", "digits"] = Field(description="data set")
    validation: Count = Field(description="training images held out for the curves, the last ones")
    normalize: bool = Field(description="subtract the training images' mean, divide by their standard deviation")
    image_size: int = Field(ge=1, le=1_024, description="pixels a side; other sizes are resized from 28")


class Xor(Settings):
    """XOR's four points, each an image of one row and two pixels."""

    name: Literal["xor"]


Data = Images | Xor


class ModelSettings(Settings):
    """What every model answers about itself."""

    def misfits(self, data: Data) -> Iterator[Misfit]:
        """Yield the settings that do not suit the data."""
        yield from ()

    def needs_two_images(self, data: Data) -> bool:
        """Return whether a batch of a single image leaves batch norm nothing to normalise over."""
        return False


class Mlp(ModelSettings):
    """A fully connected network."""

    name: Literal["mlp"]
    hidden: list[Width] = Field(description="width of each hidden layer, first to last")
    activation: Literal["relu", "gelu", "maxout"] = Field(description="activation of the hidden layers")
    batch_norm: bool = Field(description="normalise each hidden unit over the batch")
    dropout: Fraction = Field(description="probability to zero a hidden unit in training")

    def needs_two_images(self, data: Data) -> bool:
        """Return whether a batch of a single image leaves batch norm nothing to normalise over."""
        return self.batch_norm and bool(self.hidden)


class Convolutional(ModelSettings):
    """What the models with convolutions share: images that are large enough."""

    smallest_image: ClassVar[int]  # pixels a side below which a convolution or a pool finds nothing left

    def misfits(self, data: Data) -> Iterator[Misfit]:
        """Yield the settings that do not suit the data."""
        yield from _too_small(data, self.smallest_image)


class ResidualCnn(Convolutional):
    """Report 5's residual CNN."""

    smallest_image = 16
    name: Literal["residual_cnn"]
    dropout: Fraction = Field(description="probability to zero a channel, or a hidden unit, in training")


class Cnn(Convolutional):
    """The reference CNN."""

    smallest_image = 4
    name: Literal["cnn"]
    widths: Annotated[list[Width], Field(min_length=3, max_length=3)] = Field(
        description="channels of the three convolutions"
    )

    def needs_two_images(self, data: Data) -> bool:
        """Return whether a batch of a single image leaves batch norm nothing to normalise over."""
        return isinstance(data, Images) and data.image_size < 8  # one pixel a channel behind two pools


class Patched(ModelSettings):
    """What the models on patches share."""

    patch_size: Count = Field(description="pixels a side of a patch, a divisor of data.image_size")
    dim: Width = Field(description="channels a token")
    depth: Count = Field(description="layers")
    channels_mlp_dim: Width = Field(description="hidden width of the channel-mixing MLPs")

    def misfits(self, data: Data) -> Iterator[Misfit]:
        """Yield the settings that do not suit the data."""
        yield from _too_small(data, 1)
        if isinstance(data, Images) and data.image_size % self.patch_size:
            yield "patch_size", f"a divisor of data.image_size, {data.image_size}"


class MlpMixer(Patched):
    """MLP-Mixer, and the forms of it that the reports built."""

    name: Literal["mixer"]
    patch_embedding: bool = Field(description="map each patch to dim channels; without it a token is its raw patch")
    tokens_mlp_dim: Width = Field(description="hidden width of the token-mixing MLPs")
    norm_axis: Literal["channels", "tokens"] = Field(description="axis of the LayerNorm before token mixing")
    zero_init_head: bool = Field(description="start with a head of zeros")

    def misfits(self, data: Data) -> Iterator[Misfit]:
        """Yield the settings that do not suit the data."""
        yield from super().misfits(data)
        if not self.patch_embedding and self.dim != (pixels := self.patch_size**2):
            yield "dim", f"{pixels}, the pixels of a patch, without model.patch_embedding"


class ResMlp(Patched):
    """ResMLP."""

    name: Literal["resmlp"]
    layer_scale: float = Field(gt=0, description="factor of each residual branch at the start")


class VisionPermutator(Patched):
    """Vision Permutator."""

    name: Literal["vision_permutator"]
    dim: Annotated[int, Field(ge=4, le=65_536)] = Field(
        description="channels a token, a multiple of the patches a side; a fourth of them is a hidden width"
    )

    def misfits(self, data: Data) -> Iterator[Misfit]:
        """Yield the settings that do not suit the data."""
        yield from super().misfits(data)
        if isinstance(data, Images) and (grid := data.image_size // self.patch_size) and self.dim % grid:
            yield "dim", f"a multiple of the patches a side, {grid}"


Model = Mlp | MlpMixer | ResMlp | VisionPermutator | ResidualCnn | Cnn


class Sgd(Settings):
    """Stochastic gradient descent."""

    optimizer: Literal["sgd"]
    momentum: Fraction = Field(description="share of the last step that the next one keeps")


class Adam(Settings):
    """Adam."""

    optimizer: Literal["adam"]
    betas: Betas = Field(description="decay of the running means of the gradient and of its square")


class AdamW(Settings):
    """Adam with decoupled weight decay."""

    optimizer: Literal["adamw"]
    betas: Betas = Field(description="decay of the running means of the gradient and of its square")


class RmsProp(Settings):
    """RMSprop."""

    optimizer: Literal["rmsprop"]
    alpha: Fraction = Field(description="decay of the running mean of squared gradients")


class Adagrad(Settings):
    """Adagrad."""

    optimizer: Literal["adagrad"]


Optimizer = Sgd | Adam | AdamW | RmsProp | Adagrad


class CrossEntropy(Settings):
    """Cross-entropy of the logits."""

    loss: Literal["cross_entropy"]
    label_smoothing: Fraction = Field(description="share of the label that all classes divide among them")


class CrossEntropyOfSoftmax(Settings):
    """Cross-entropy that takes probabilities for logits."""

    loss: Literal["cross_entropy_of_softmax"]


class KlDivergence(Settings):
    """Kullback-Leibler divergence from smoothed one-hot labels."""

    loss: Literal["kl_divergence"]
    label_smoothing: Fraction = Field(description="share of the label that all classes divide among them")
    reduction: Literal["mean", "batchmean"] = Field(description="mean, over images and classes; batchmean, over images")


class MseOneHot(Settings):
    """Squared error of the probabilities against the one-hot label."""

    loss: Literal["mse_one_hot"]


class MseArgmax(Settings):
    """Squared distance of the predicted class's index from the label."""

    loss: Literal["mse_argmax"]


Loss = CrossEntropy | CrossEntropyOfSoftmax | KlDivergence | MseOneHot | MseArgmax


class Constant(Settings):
    """The learning rate as it is set."""

    schedule: Literal["constant"]


class Cosine(Settings):
    """Cosine annealing."""

    schedule: Literal["cosine"]


class OneCycle(Settings):
    """One cycle."""

    schedule: Literal["one_cycle"]


Schedule = Constant | Cosine | OneCycle


class Train(Settings):
    """What every run states of its training."""

    lr: float = Field(gt=0, description="learning rate")
    weight_decay: float = Field(ge=0, description="the optimiser's own; adamw's is decoupled from the gradient")
    l2_penalty: float = Field(ge=0, description="adds this times half the sum of all squared parameters to the loss")
    batch_size: Count = Field(description="images a step")
    epochs: Count = Field(description="passes over the training images")
    numerics: Literal["portable", "native"] = Field(
        description="portable: the same bits on any x86-64 with AVX2; native: faster, the same bits on one machine"
    )
    device: Literal["cpu", "cuda"] = Field(description="cuda is repeatable on one kind of device")


class Augmentation(Settings):
    """How training images change from epoch to epoch; XOR's points have none."""

    random_shift: int = Field(ge=0, le=8, description="pixels; the largest move of a training image, either way")

    def misfits(self, data: Data) -> Iterator[Misfit]:
        """Yield the settings that do not suit the data."""
        if isinstance(data, Images) and self.random_shift >= data.image_size:
            yield "random_shift", f"less than data.image_size, {data.image_size}"


Kind = type[Settings]

# The sections of params.yaml: the classes that each always has, and the settings that choose among classes.
ALWAYS: dict[str, tuple[Kind, ...]] = {"data": (), "model": (), "train": (Train, Augmentation)}
CHOICES: dict[str, dict[str, tuple[Kind, ...]]] = {
    "data": {"name": get_args(Data)},
    "model": {"name": get_args(Model)},
    "train": {"optimizer": get_args(Optimizer), "loss": get_args(Loss), "schedule": get_args(Schedule)},
}
SECTIONS = tuple(CHOICES)


def tags(section: str, selector: str) -> dict[str, Kind]:
    """Return each value that a selector may have, with the class that it chooses."""
    kinds = CHOICES[section][selector]
    return {name: kind for kind in kinds for name in get_args(kind.model_fields[selector].annotation)}


@dataclass(frozen=True)
class Variant:
    """A variant's settings in full, as plan.json states them."""

    data: Data
    model: Model
    train: Train
    augmentation: Augmentation | None
    optimizer: Optimizer
    loss: Loss
    schedule: Schedule
    seeds: list[int]

    @classmethod
    def from_parts(cls, parts: list[Settings], seeds: list[int]) -> Self:
        """Make a variant of the classes that its settings chose, in whatever order."""
        found: dict[str, Any] = {name: _one(parts, kinds) for name, kinds in _FIELDS.items()}
        return cls(**found, seeds=seeds)

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """Read an entry of plan.json.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        parts = []
        for section in SECTIONS:
            settings = dict(entry[section])
            chosen = [tags(section, selector)[settings[selector]] for selector in CHOICES[section]]
            for kind in (*ALWAYS[section], *chosen):
                if kind is not Augmentation or kind.model_fields.keys() <= settings.keys():
                    parts.append(kind.model_validate({key: settings.pop(key) for key in kind.model_fields}))
            if settings:
                raise ValueError(f"{section}: unknown {', '.join(settings)}")
        return cls.from_parts(parts, list(entry["seeds"]))

    def to_json(self) -> dict[str, Any]:
        """Return its entry of plan.json: `data`, `model`, `train`, `seeds`."""
        flat = [self.train, *([self.augmentation] if self.augmentation else []), self.optimizer, self.loss]
        train = {key: value for part in (*flat, self.schedule) for key, value in part.model_dump().items()}
        return {
            "data": self.data.model_dump(),
            "model": {"name": self.model.name} | self.model.model_dump(),
            "train": train,
            "seeds": list(self.seeds),
        }


_FIELDS: dict[str, tuple[Kind, ...]] = {
    "data": get_args(Data),
    "model": get_args(Model),
    "train": (Train,),
    "augmentation": (Augmentation,),
    "optimizer": get_args(Optimizer),
    "loss": get_args(Loss),
    "schedule": get_args(Schedule),
}


def _one(parts: list[Settings], kinds: tuple[Kind, ...]) -> Settings | None:
    return next((part for part in parts if isinstance(part, kinds)), None)


def _too_small(data: Data, smallest: int) -> Iterator[Misfit]:
    if not isinstance(data, Images) or data.image_size < smallest:
        yield "name", f"on images of {smallest} pixels a side or more"
