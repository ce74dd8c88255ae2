"""The task that a client of a cluster sends to its workers: one seed of a variant, and what must decide its result."""

from typing import Any, NamedTuple, Self

from remnist.errors import UserError
from remnist.plan import digests
from remnist.settings import Variant

DATASET = "remnist-"  # prefix of the scheduler's name of the data, before their SHA-256


class Task(NamedTuple):
    """One seed of a variant, for a worker whose code and libraries are the client's."""

    variant: Variant
    seed: int
    data: str  # SHA-256 of the prepared data, hexadecimal
    topic: str  # name of the events that report epochs
    libraries: dict[str, str]  # versions that decide the result
    code: str  # digest of code, libraries and settings, which decide the result together

    @classmethod
    def made_here(cls, variant: Variant, seed: int, data: str, topic: str) -> Self:
        """Make the task for workers whose code and libraries are those of this process."""
        libraries = digests.versions(digests.LIBRARIES["train"])
        return cls(variant, seed, data, topic, libraries, digests.of_run(variant))

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
            found, code = digests.versions(self.libraries), digests.of_run(self.variant)
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
