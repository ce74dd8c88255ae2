"""The plan as the stages read it."""

from pathlib import Path
from typing import Any

from remnist.errors import UserError
from remnist.files import read_json
from remnist.settings import Variant


def read(path: Path) -> dict[str, Variant]:
    """Read all variants.

    Raises:
        UserError: there is no plan, or it is damaged.
    """
    return {name: _variant(path, name, entry) for name, entry in _read(path).items()}


def read_variant(path: Path, name: str) -> Variant:
    """Read one variant.

    Raises:
        UserError: there is no plan, it has no such variant, or this variant is damaged.
    """
    plan = _read(path)
    if name not in plan:
        raise UserError(f"{path}: no variant {name!r}; there are: {', '.join(plan)}")
    return _variant(path, name, plan[name])


def _read(path: Path) -> dict[str, Any]:
    plan = read_json(path)
    if not isinstance(plan, dict) or not plan:
        raise UserError(f"{path}: no plan; `dvc repro plan` makes it again")
    return plan


def _variant(path: Path, name: str, entry: Any) -> Variant:
    try:
        return Variant.from_json(entry)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(f"{path}: {name}: not as `dvc repro plan` writes it, which makes it again") from None
