"""The plan as the stages read it."""

from pathlib import Path

from remnist.errors import UserError
from remnist.files import read_json
from remnist.settings import Variant


def read(path: Path) -> dict[str, Variant]:
    """Read all variants.

    Raises:
        UserError: there is no plan, or it is damaged.
    """
    plan = read_json(path)
    if not isinstance(plan, dict) or not plan:
        raise UserError(f"{path}: no plan; `dvc repro plan` makes it again")
    variants = {}
    for name, entry in plan.items():
        try:
            variants[name] = Variant.from_json(entry)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UserError(f"{path}: {name}: not as `dvc repro plan` writes it, which makes it again") from None
    return variants


def find(path: Path, plan: dict[str, Variant], name: str) -> Variant:
    """Return a variant of the plan that was read from a path.

    Raises:
        UserError: it has no such variant.
    """
    if name not in plan:
        raise UserError(f"{path}: no variant {name!r}; there are: {', '.join(plan)}")
    return plan[name]
