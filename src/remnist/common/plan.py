"""The plan as the other stages read it: one full entry a variant."""

from pathlib import Path
from typing import Any

from remnist.common.errors import UserError
from remnist.common.files import read_json


def read_entry(path: Path, variant: str) -> dict[str, Any]:
    """Read one variant's entry.

    Raises:
        UserError: there is no plan, or no such variant in it.
    """
    plan = read_json(path)
    if not isinstance(plan, dict) or not isinstance(plan.get(variant), dict):
        names = ", ".join(plan) if isinstance(plan, dict) else "none"
        raise UserError(f"{path}: no variant {variant!r}; there are: {names}")
    return dict(plan[variant])
