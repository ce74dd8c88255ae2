"""The contestants, each a file, started by name in processes of their own, so that torch and JAX never share one.

A contestant is a function `train(job, on_epoch)`: it trains the job's epochs on all training images, calls `on_epoch`
after each, measures nothing, and returns the weights as safetensors, under the names of the project's model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from remnist.plan import entries
from remnist.settings import Variant

Train = Callable[["Job", Callable[[], None]], bytes]


@dataclass(frozen=True)
class Contestant:
    """A way to train.

    Attributes:
        title: its name in the table.
        train: its function, `module:function`, here.
        package: the package that it needs, whose version the page states.
        numerics: the project's, portable or native; None: a peer, whose libraries choose their kernels.
    """

    title: str
    train: str
    package: str = "torch"
    numerics: Literal["portable", "native"] | None = None


CONTESTANTS = {
    "dataloader": Contestant("usual `DataLoader` loop", "dataloader:train"),
    "eager": Contestant("eager tensors, `torch.optim`", "eager:train"),
    "compile": Contestant("the same, `torch.compile`", "eager:train_compiled"),
    "jax": Contestant("JAX, `jit` and `scan`", "jax_scan:train", package="jax"),
    "portable": Contestant("this project, portable", "project:train", numerics="portable"),
    "native": Contestant("this project, native", "project:train", numerics="native"),
}


@dataclass(frozen=True)
class Job:
    """A run of a variant.

    Attributes:
        folder: has plan.json, whose epochs are those to train; images.safetensors; MNIST/raw, the same training images
            as published files; and weights to start from.
        name: the variant's.
        seed: the run's.
    """

    folder: Path
    name: str
    seed: int

    @property
    def variant(self) -> Variant:
        """Return the settings."""
        return entries.read_variant(self.folder / "plan.json", self.name)

    @property
    def data(self) -> Path:
        """Return the file of images, as preprocess writes it."""
        return self.folder / "images.safetensors"

    @property
    def start(self) -> Path:
        """Return the file of the weights that a peer starts from; the project draws the same from the seed."""
        return self.folder / f"{self.name}-{self.seed}.safetensors"

    @property
    def end(self) -> Path:
        """Return the file for the trained weights."""
        return self.folder / f"{self.name}-{self.seed}-trained.safetensors"
