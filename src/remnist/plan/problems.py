"""The problems of a user's YAML: a line for each setting, with its path, its value and what is allowed."""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from remnist.errors import UserError, printable, shown


class Problems:
    """The problems found so far, by path; the first problem of a path counts."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}

    def add(self, path: str, value: object, rule: str) -> None:
        """Note that the value at a path breaks a rule."""
        path = printable(path)
        self.lines.setdefault(path, f"{path}: {shown(value)}: {rule}")

    def add_invalid(self, path: str, error: ValidationError, only: str | None = None) -> None:
        """Note what pydantic found wrong below a path, or of one field there, in the words of the file."""
        for problem in error.errors(include_url=False):
            if only is not None and problem["loc"][:1] != (only,):
                continue
            where = ".".join(filter(None, [path, *map(str, problem["loc"])]))
            rule = problem["msg"].replace("Input should be", "allowed:").removeprefix("Value error, ")
            if problem["type"] == "value_error" and isinstance(problem["input"], dict):  # a rule of several settings
                self.lines.setdefault(printable(where), f"{printable(where)}: {rule}")
            else:
                self.add(where, None if problem["type"] == "missing" else problem["input"], rule)

    def merge(self, others: "Problems") -> None:
        """Note others' problems too."""
        for path, line in others.lines.items():
            self.lines.setdefault(path, line)

    def mapping(self, path: str, value: object) -> dict[str, Any]:
        """Return the value if it is a mapping, an empty one if it is null; note anything else."""
        if value is not None and not isinstance(value, dict):
            self.add(path, value, "a mapping is expected here")
        return value if isinstance(value, dict) else {}

    def unknown(self, path: str, values: Mapping[str, Any], known: Collection[str], owner: str) -> None:
        """Note every key that is not known."""
        for key in values:
            if key not in known:
                self.add(f"{path}{key}", values[key], f"no setting of {owner}; allowed: {', '.join(known)}")

    def raise_any(self) -> None:
        """Raise what was noted so far, if anything was.

        Raises:
            UserError: a line for each problem.
        """
        if self.lines:
            raise UserError("\n".join(self.lines.values()))
