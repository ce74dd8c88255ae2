"""How a stage, or a command, starts and ends.

DVC hashes a stage's inputs when the stage ends (treeverse/dvc issue 11058). An input that changes while the stage runs
would be credited with a result that was made of another. So a stage notes its inputs when it starts, and does not end
well if they are others then.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from remnist.errors import UserError
from remnist.files import read_json, read_yaml
from remnist.plan import digests, entries
from remnist.runtime.lifetime import end_with_parent
from remnist.settings import Variant

PIPELINE, PARAMS, PLAN, DIGESTS = Path("dvc.yaml"), Path("params.yaml"), Path("plan.json"), Path("digests.json")
IGNORED = ("__pycache__", ".tmp")  # ends of names in a folder that are no part of it, as in .dvcignore


@contextmanager
def command_main() -> Iterator[None]:
    """End the process with one or two lines and a non-zero status where a traceback would help nobody.

    It ends at once when the DVC that runs it does.
    """
    end_with_parent()
    try:
        yield
    except (UserError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


@contextmanager
def stage_main(
    stage: str, variant: str | None = None, prepare: Callable[[], None] = lambda: None
) -> Iterator["Inputs"]:
    """Run a stage's block as `command_main` does, if its code and libraries are those of the plan, and stay so.

    Args:
        stage: its name in dvc.yaml.
        variant: whose it is, of a train or evaluate stage.
        prepare: what to do to the inputs first.
    """
    with command_main():
        prepare()
        inputs = Inputs(stage, variant)
        yield inputs
        inputs.check()


class Inputs:
    """What a stage depends on, as it was when the stage started.

    Args:
        stage: its name in dvc.yaml.
        variant: whose it is, of a train or evaluate stage.

    Raises:
        UserError: the stage's digest is not the plan's, because its code, its libraries or its settings changed since.
    """

    def __init__(self, stage: str, variant: str | None = None) -> None:
        self.name = stage if variant is None else f"{stage}@{variant}"
        self.stage = stage
        self.variant: Variant | None = None
        if stage != "plan":
            plan = entries.read(PLAN)
            self.variant = None if variant is None else entries.find(PLAN, plan, variant)
            _check_plan(stage, variant, self.variant)
        described = read_yaml(PIPELINE)["stages"][stage]
        described = described if variant is None else described["do"]
        self.paths = [Path(path.replace("${key}", variant or "")) for path in described.get("deps", [])]
        self.keys = [key for key in described.get("params", []) if isinstance(key, str)]
        self.noted = self._state()

    @property
    def settings(self) -> Variant:
        """The variant's settings, of a train or evaluate stage."""
        if self.variant is None:
            raise ValueError(f"{self.name}: no variant's stage")
        return self.variant

    def check(self) -> None:
        """Compare the inputs with what they were.

        Raises:
            UserError: one has changed.
        """
        now = self._state()
        if changed := [name for name, digest in self.noted.items() if now[name] != digest]:
            raise UserError(f"{self.name}: changed while it ran: {', '.join(changed)}; `dvc repro` runs it again")

    def _state(self) -> dict[str, str]:
        state = {str(path): _sha256(path) for path in self.paths}
        if self.keys:
            params = read_yaml(PARAMS)
            state |= {f"{PARAMS}: {key}": repr(_value(params, key)) for key in self.keys}
        if self.stage != "plan":
            state["its code or its libraries"] = digests.of_stage(self.stage, self.variant)
        return state


def _check_plan(stage: str, name: str | None, variant: Variant | None) -> None:
    """Check that what decides a stage's result is what the plan stage found."""
    content = read_json(DIGESTS)
    try:
        planned, [recorded] = content["software"], content["digests"]
        expected = recorded[stage] if name is None else recorded[stage][name]
        libraries = {library: planned[library] for library in digests.LIBRARIES[stage]}
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{DIGESTS}: not as the plan stage writes it; `dvc repro plan` makes it again") from None
    installed = digests.versions(libraries)
    if others := [f"{each} {installed[each]}" for each, known in libraries.items() if installed[each] != known]:
        known = ", ".join(f"{each} {libraries[each]}" for each in libraries if installed[each] != libraries[each])
        raise UserError(
            f"{stage}: {', '.join(others)} installed, but the plan is of {known}\nInstall requirements.txt again, or plan "
            "with what is installed: `dvc repro --force --single-item plan`"
        )
    if digests.of_stage(stage, variant) != expected:
        raise UserError(f"{stage}: its code or its settings are not those of {PLAN} and {DIGESTS}; `dvc repro plan` plans again")


def _value(params: Any, key: str) -> Any:
    for part in key.split("."):
        params = params.get(part) if isinstance(params, dict) else None
    return params


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files and their names; of nothing an empty one."""
    if path.is_dir():
        files = [each for each in sorted(path.rglob("*")) if each.is_file() and not _is_ignored(each)]
        listing = "".join(f"{each.relative_to(path).as_posix()} {_sha256(each)}\n" for each in files)
        return hashlib.sha256(listing.encode()).hexdigest()
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _is_ignored(path: Path) -> bool:
    return any(part.endswith(IGNORED) for part in path.parts)
