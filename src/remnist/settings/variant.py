"""The registry of what params.yaml may choose, and a variant: one choice of each kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, get_args

from pydantic import TypeAdapter

from remnist.settings.base import Seeds, Settings
from remnist.settings.data import Data
from remnist.settings.models import Model
from remnist.settings.training import Augmentation, Loss, Optimizer, Schedule, Train

Kind = type[Settings]

# The sections of params.yaml: the classes that each always has, and the settings that choose among classes.
ALWAYS: dict[str, tuple[Kind, ...]] = {"data": (), "model": (), "train": (Train, Augmentation)}
CHOICES: dict[str, dict[str, tuple[Kind, ...]]] = {
    "data": {"name": get_args(Data)},
    "model": {"name": get_args(Model)},
    "train": {"optimizer": get_args(Optimizer), "loss": get_args(Loss), "schedule": get_args(Schedule)},
}
SECTIONS = tuple(CHOICES)
XOR = "xor"  # data set whose points are no images

_SEEDS = TypeAdapter(Seeds)


def tags(section: str, selector: str) -> dict[str, Kind]:
    """Return each value that a selector may have, with the class that it chooses."""
    kinds = CHOICES[section][selector]
    return {name: kind for kind in kinds for name in get_args(kind.model_fields[selector].annotation)}


def always(section: str, data: object) -> list[Kind]:
    """Return the classes that a section always has on a data set, whatever is chosen; XOR has no augmentation."""
    return [kind for kind in ALWAYS[section] if kind is not Augmentation or data != XOR]


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
            KeyError, TypeError, ValueError: the entry is not one.
        """
        if unknown := entry.keys() - {*SECTIONS, "seeds"}:
            raise ValueError(f"unknown {', '.join(unknown)}")
        parts = []
        for section in SECTIONS:
            settings = dict(entry[section])
            chosen = [tags(section, selector)[settings[selector]] for selector in CHOICES[section]]
            for kind in (*always(section, entry["data"]["name"]), *chosen):
                parts.append(kind.model_validate({key: settings.pop(key) for key in kind.model_fields}))
            if settings:
                raise ValueError(f"{section}: unknown {', '.join(settings)}")
        return cls.from_parts(parts, _SEEDS.validate_python(entry["seeds"], strict=True))

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
