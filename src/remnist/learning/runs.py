"""The reports of a run: each epoch, and in the end its weights."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from remnist.files import write_bytes


class Epoch(NamedTuple):
    """A run after an epoch; epoch 0 is before the first."""

    seed: int
    number: int  # from 0
    metrics: dict[str, float]


class Run(NamedTuple):
    """A run that has ended."""

    seed: int
    weights: bytes  # a safetensors file
    curve: list[dict[str, float]]  # the metrics of each epoch, from 0

    def write(self, folder: Path) -> None:
        """Write the weights to a folder, as seed-<seed>.safetensors."""
        write_bytes(folder / f"seed-{self.seed}.safetensors", self.weights)

    def epochs(self) -> Iterator[Epoch]:
        """Yield its epochs in turn."""
        return (Epoch(self.seed, number, metrics) for number, metrics in enumerate(self.curve))
