"""The training of a model: its optimiser, loss, schedule and augmentation, and the settings that every run has."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from remnist.settings.base import Betas, Count, Fraction, Misfit, Settings
from remnist.settings.data import Data, Images


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


class MseOfLogits(Settings):
    """Squared error of the raw outputs against the one-hot label."""

    loss: Literal["mse_of_logits"]


class MseArgmax(Settings):
    """Squared distance of the predicted class's index from the label."""

    loss: Literal["mse_argmax"]


Loss = CrossEntropy | CrossEntropyOfSoftmax | KlDivergence | MseOneHot | MseOfLogits | MseArgmax


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
    """The settings that every run has."""

    lr: float = Field(gt=0, description="learning rate")
    weight_decay: float = Field(ge=0, description="the optimiser's own; adamw's is decoupled from the gradient")
    l2_penalty: float = Field(ge=0, description="adds this times half the sum of all squared parameters to the loss")
    batch_size: Count = Field(description="images a step")
    epochs: Count = Field(description="passes over the training images")
    numerics: Literal["portable", "native"] = Field(
        description="portable: the same bits on any x86-64 with AVX2; native: the libraries' own kernels, the same "
        "bits on one machine"
    )
    device: Literal["cpu", "cuda"] = Field(description="cuda is repeatable on one kind of device")


class Augmentation(Settings):
    """How training images change from epoch to epoch; XOR's points have none."""

    random_shift: int = Field(ge=0, le=8, description="pixels; the largest move of a training image, either way")

    def misfits(self, data: Data) -> Iterator[Misfit]:
        """Yield the settings that do not suit the data."""
        if isinstance(data, Images) and self.random_shift >= data.image_size:
            yield "random_shift", f"less than data.image_size, {data.image_size}"
