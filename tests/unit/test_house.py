"""The house: imports run one way through its rooms, and no file is too long to read."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/remnist"
# Floors, the ground first: a room imports only from its own floor's rooms that stand before it, and from floors below.
ORDER = [
    "errors", "files", "machine", "settings", "data", "plan", "kernels", "models", "learning", "evaluation", "runtime",
    "report", "review", "page", "commands", "cli",
]  # fmt: skip
LONGEST = 300  # lines of a file
FILES = sorted(path for folder in ("src", "stages", "benchmarks", "tests") for path in (ROOT / folder).rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """The rooms that a module imports from, at its head or in a function."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "remnist":
            names += [f"remnist.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    inside = {name.split(".")[1] for name in names if name.startswith("remnist.")}
    return {name for name in inside if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()}


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_from_rooms_below(path):
    own = ORDER.index(room(path))
    assert all(ORDER.index(name) <= own for name in imported_rooms(path))


def test_what_decides_bits_knows_nothing_of_processes_or_reports():
    for name in ("learning", "models", "evaluation", "data"):
        for path in (PACKAGE / name).glob("*.py"):
            assert imported_rooms(path).isdisjoint({"runtime", "report", "review", "page", "commands", "cli"})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_can_be_read_at_a_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST
