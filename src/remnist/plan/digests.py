"""Digests of what decides each stage's result: its settings, the versions of its libraries, and its code.

The code of a stage is what its modules import, as Python parses it: without comments, docstrings and layout, and
without what is said when something is raised or warned of; C without comments and layout. So a progress bar, an error
text or a reformatting makes no result stale. The digest is the same from every supported Python, on every system.
"""

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.version import Version

from remnist.errors import UserError
from remnist.plan.syntax import canonical
from remnist.settings import Variant

PACKAGE = Path(__file__).parents[1]
SCRIPTS = PACKAGE.parents[1] / "stages"
NAME = PACKAGE.name

# Modules and packages that decide no result: what they check or carry stands in the settings, or in claims.yaml.
FREE = (
    "errors", "files", "learning.canary", "machine", "settings", "runtime", "plan.digests", "plan.entries",
    "plan.problems", "plan.resolve", "plan.schema", "plan.syntax",
)  # fmt: skip

# Distributions whose versions can change a stage's result.
LIBRARIES: dict[str, tuple[str, ...]] = {
    "download": ("scikit-learn",),
    "preprocess": ("numpy", "pillow", "safetensors"),
    "train": ("numpy", "torch"),
    "evaluate": ("numpy", "torch", "scikit-learn"),
    "report": ("jinja2", "matplotlib", "numpy", "pandas", "pillow", "scipy", "seaborn", "statsmodels"),
}
# Modules whose code decides the bits of a variant's stages; its model's file is one more.
MODULES = {
    "train": ("learning.loop",),
    "evaluate": ("evaluation.seeds",),
}

Digests = dict[str, Any]  # a digest a stage, or one a variant of the stage


def of_study(plan: Mapping[str, Variant]) -> dict[str, Any]:
    """Return what plan writes to digests.json.

    Args:
        plan: every variant's settings.

    Returns:
        `software`, the versions that the digests cover, and `digests`, a list of one mapping from each stage to its
        digest, or to its variants' digests. The list keeps `dvc exp show` from giving each of them a column.
    """
    names = sorted({name for names in LIBRARIES.values() for name in names})
    stages: Digests = {stage: of_stage(stage) for stage in ("download", "preprocess", "report")}
    for stage in ("train", "evaluate"):
        stages[stage] = {name: of_stage(stage, variant) for name, variant in plan.items()}
    return {"software": versions(names), "digests": [stages]}


def of_stage(stage: str, variant: Variant | None = None) -> str:
    """Return the digest of a stage, 16 hexadecimal digits.

    Args:
        stage: its name; `train` and `evaluate` are a variant's.
        variant: its settings.
    """
    if variant is None:
        return _sha(versions(LIBRARIES[stage]), code(roots(stage)))
    if stage == "train":
        return _sha(of_run(variant), variant.seeds)
    settings = variant.to_json()
    read = {
        "data": settings["data"],
        "model": settings["model"],
        "loss": variant.loss.model_dump(),
        "numerics": variant.train.numerics,
    }
    return _sha(read, variant.seeds, versions(LIBRARIES[stage]), code(roots(stage, variant)))


def of_run(variant: Variant) -> str:
    """Return the digest of what decides a single seed's run, apart from its data: all but the list of seeds."""
    settings = {name: section for name, section in variant.to_json().items() if name != "seeds"}
    return _sha(settings, versions(LIBRARIES["train"]), code(roots("train", variant)))


def roots(stage: str, variant: Variant | None = None) -> list[Path]:
    """Return the modules whose code, with what they import, decides a stage's result.

    The scripts of a variant's stages decide none: they ask for its runs or its evaluation, and store them.
    """
    if variant is None:
        return [SCRIPTS / f"{stage}.py"]
    return [*map(_module, MODULES[stage]), _module(f"models.{variant.model.name}")]


def versions(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of installed distributions, without the label of a local build, as in 2.15.0+cpu.

    Raises:
        UserError: one is not installed.
    """
    try:
        return {name: Version(version(name)).public for name in names}
    except PackageNotFoundError as error:
        raise UserError(f"{error.name}: not installed; install requirements.txt") from None


def code(roots: Iterable[Path]) -> str:
    """Return the digest of modules, and of all in the package that they import and that is not in `FREE`."""
    return _sha({name: _text_digest(name, content) for name, content in sorted(_closure(roots))})


def closure(roots: Iterable[Path]) -> list[str]:
    """Return the files whose code the digest of these modules covers, as paths within the project, sorted."""
    return sorted(name for name, _ in _closure(roots))


@cache
def _text_digest(name: str, content: bytes) -> str:
    match Path(name).suffix:
        case ".py":
            return _sha(canonical(content))
        case ".c" | ".h":
            return _sha(re.sub(r"/\*.*?\*/", " ", content.decode(), flags=re.DOTALL).split())
        case _:
            return _sha(content.decode().replace("\r\n", "\n"))


def _closure(roots: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of modules, of what they import, their templates, their C and their tables."""
    waiting, seen = list(roots), set[Path]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        content = path.read_bytes()
        yield _name(path), content
        if path.suffix == ".py":
            try:
                waiting += _imported(content)
            except SyntaxError as error:  # as in a file that is being edited
                raise UserError(f"{_name(path)}: line {error.lineno}: {error.msg}") from None
            except ValueError as error:  # null bytes, until Python 3.11.4
                raise UserError(f"{_name(path)}: {error}") from None
            own = (path.with_suffix(suffix) for suffix in (".c", ".csv"))
            waiting += sorted([*path.parent.glob("templates/*.j2"), *filter(Path.exists, own)])
        elif path.suffix == ".c":
            waiting += [path.with_name(name.decode()) for name in re.findall(rb'#include "(.+)"', content)]


@cache
def _imported(content: bytes) -> list[Path]:
    """Return the modules of the package that a module imports, and their packages, but for those in `FREE`."""
    names = []
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    inside = {name.removeprefix(f"{NAME}.") for name in names if name.startswith(f"{NAME}.")}
    modules = [name for name in inside if _module(name).is_file() and not _is_free(name)]
    packages = {".".join(parts[:i]) for name in modules for parts in [name.split(".")] for i in range(1, len(parts))}
    return [PACKAGE / "__init__.py", *map(_module, sorted({*modules, *packages}))]


def _is_free(name: str) -> bool:
    return any(name == free or name.startswith(f"{free}.") for free in FREE)


def _module(name: str) -> Path:
    """Return the file of a module of the package, or of a subpackage."""
    path = PACKAGE.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_name(f"{path.name}.py")


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE.parent if path.is_relative_to(PACKAGE) else SCRIPTS.parent).as_posix()


def _sha(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
