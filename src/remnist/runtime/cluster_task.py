"""The task that a client of a cluster sends to its workers, and what must decide its result."""

from typing import Any, Literal, NamedTuple, Self

from remnist.errors import UserError
from remnist.plan import digests
from remnist.settings import Variant

DATASET = "remnist-"  # prefix of the scheduler's name of the data, before their SHA-256


class Task(NamedTuple):
    """A seed to train, or a variant to evaluate, for a worker whose code and libraries are the client's."""

    stage: Literal["train", "evaluate"]
    name: str  # the variant's
    variant: Variant
    seed: int | None  # None of an evaluation
    weights: list[bytes]  # the safetensors file of each seed of an evaluation
    data: str  # SHA-256 of the prepared data, hexadecimal
    topic: str  # name of the events that report epochs
    libraries: dict[str, str]  # versions that decide the result
    code: str  # digest of code, libraries and settings, which decide the result together

    @classmethod
    def training(cls, name: str, variant: Variant, seed: int, data: str, topic: str) -> Self:
        """Return the task to train a seed, for workers whose code and libraries are those of this process."""
        return cls("train", name, variant, seed, [], data, topic, *_decided_by("train", variant))

    @classmethod
    def evaluation(cls, name: str, variant: Variant, weights: list[bytes], data: str, topic: str) -> Self:
        """Return the task to evaluate a variant, for workers whose code and libraries are those of this process."""
        return cls("evaluate", name, variant, None, weights, data, topic, *_decided_by("evaluate", variant))

    @classmethod
    def from_json(cls, message: dict[str, Any]) -> Self:
        """Read a task that arrived.

        Raises:
            ImportError: the client's package describes variants or tasks in another way.
        """
        try:
            return cls(**message | {"variant": Variant.from_json(message["variant"])})
        except (KeyError, TypeError, ValueError):
            raise ImportError("remnist there cannot read the task; it has other code") from None

    def to_json(self) -> dict[str, Any]:
        """Return the task as it travels: plain values, since the worker may lack this package or have another one."""
        return self._asdict() | {"variant": self.variant.to_json()}

    def check(self) -> None:
        """Compare the code and libraries of this machine with the client's.

        Raises:
            ImportError: they are others, or a library is missing.
        """
        try:
            found, code = digests.versions(self.libraries), digests.of_stage(self.stage, self.variant)
        except UserError as error:
            raise ImportError(str(error)) from None
        others = [
            f"{name} {found[name]} there, {known} here"
            for name, known in self.libraries.items()
            if found[name] != known
        ]
        if not others and code != self.code:
            others = [f"remnist has other code: {code} there, {self.code} here"]
        if others:
            raise ImportError(", ".join(others))


def _decided_by(stage: str, variant: Variant) -> tuple[dict[str, str], str]:
    return digests.versions(digests.LIBRARIES[stage]), digests.of_stage(stage, variant)
