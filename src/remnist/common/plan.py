"""The plan as the stages read it: one full entry a variant, and a digest that tells whether it is the plan's own."""

import hashlib
import json
from pathlib import Path
from typing import Any

from remnist.common.errors import UserError
from remnist.common.files import read_json

MODELS = Path(__file__).parents[1] / "models"


def digest(settings: dict[str, Any]) -> str:
    """Return the digest of a variant's settings and of its model's source, 16 hexadecimal digits.

    Args:
        settings: the variant's `data`, `model`, `train` and `seeds`.
    """
    source = (MODELS / f"{settings['model']['name']}.py").read_text(encoding="utf-8")
    return hashlib.sha256((json.dumps(settings, sort_keys=True) + source).encode()).hexdigest()[:16]


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Read all variants' entries.

    Raises:
        UserError: there is no plan, or it is another than the plan stage wrote.
    """
    plan = read_json(path)
    if not isinstance(plan, dict) or not plan:
        raise UserError(f"{path}: no plan; `dvc repro plan` makes it anew")
    for variant, entry in plan.items():
        if not _unchanged(entry):
            raise UserError(
                f"{path}: {variant}: not as params.yaml and its model's source have it; `dvc repro plan` makes it anew"
            )
    return plan


def read_entry(path: Path, variant: str) -> dict[str, Any]:
    """Read one variant's entry.

    Raises:
        UserError: there is no plan, or it is another than the plan stage wrote, or has no such variant.
    """
    plan = read(path)
    if variant not in plan:
        raise UserError(f"{path}: no variant {variant!r}; there are: {', '.join(plan)}")
    return plan[variant]


def _unchanged(entry: Any) -> bool:
    try:
        return bool(entry["digest"] == digest({key: value for key, value in entry.items() if key != "digest"}))
    except (KeyError, TypeError, OSError, ValueError):
        return False
