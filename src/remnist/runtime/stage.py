"""How a stage, or a command, starts and ends.

DVC hashes a stage's inputs when the stage ends (treeverse/dvc issue 11058). An input that changes while the stage runs
would be credited with a result that was made of another. So a stage notes its inputs when it starts, and does not end
well if they are others then.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from pathspec import GitIgnoreSpec

from remnist.errors import UserError
from remnist.files import read_json, read_yaml
from remnist.plan import digests, entries
from remnist.runtime.isolation import isolate
from remnist.runtime.lifetime import end_with_parent, exit_interrupted
from remnist.settings import Variant

PIPELINE, PARAMS, PLAN, DIGESTS = Path("dvc.yaml"), Path("params.yaml"), Path("plan.json"), Path("digests.json")
IGNORED = Path(".dvcignore")


@contextmanager
def command_main() -> Iterator[None]:
    """End the process with one or two lines and a non-zero status where a traceback would help nobody.

    It ends at once when the DVC that runs it does.
    """
    end_with_parent()
    isolate()
    try:
        yield
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {error.filename or 'the system'}: {error.strerror or error}")
    except KeyboardInterrupt:
        exit_interrupted()


@contextmanager
def stage_main(
    stage: str, variant: str | None = None, prepare: Callable[[], None] = lambda: None
) -> Iterator["Inputs"]:
    """Run a stage's block as `command_main` does, if its code and libraries are those of the plan, and stay so.

    Args:
        stage: its name in dvc.yaml.
        variant: whose it is, of a train or evaluate stage.
        prepare: puts the inputs in order, once the plan is known to be current and before they are noted.
    """
    with command_main():
        inputs = Inputs(stage, variant)
        prepare()
        inputs.note()
        yield inputs
        inputs.check()


class Inputs:
    """The inputs of a stage, as they were when it started.

    Args:
        stage: its name in dvc.yaml.
        variant: whose it is, of a train or evaluate stage.

    Raises:
        UserError: the stage's digest is not the plan's, because its code, its libraries or its settings changed since.
    """

    def __init__(self, stage: str, variant: str | None = None) -> None:
        self.name = stage if variant is None else f"{stage}@{variant}"
        self.stage, self.key = stage, variant
        self.variant: Variant | None = None
        if variant is not None:
            self.variant = entries.read_variant(PLAN, variant)
        elif stage != "plan":
            entries.read(PLAN)
        if stage != "plan":
            self._check_plan()
        try:
            described = _pipeline(PIPELINE.read_bytes() if PIPELINE.is_file() else b"")["stages"][stage]
            described = described if variant is None else described["do"]
            self.paths = [Path(path.replace("${key}", variant or "")) for path in described.get("deps", [])]
            self.params = [key for key in described.get("params", []) if isinstance(key, str)]
        except (AttributeError, KeyError, TypeError):
            raise UserError(f"{PIPELINE}: it does not describe the stage {stage}; `git checkout {PIPELINE}`") from None
        self.note()

    @property
    def settings(self) -> Variant:
        """Return the variant's settings, of a train or evaluate stage."""
        if self.variant is None:
            raise ValueError(f"{self.name}: no variant's stage")
        return self.variant

    def note(self) -> None:
        """Note the inputs as they are now."""
        self.noted = self._state()

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
        if self.params:
            params = read_yaml(PARAMS)
            state |= {f"{PARAMS}: {key}": repr(_value(params, key)) for key in self.params}
        if self.stage != "plan":
            state[str(DIGESTS)] = self._planned()[0]
            state["its code or its libraries"] = digests.of_stage(self.stage, self.variant)
        return state

    def _planned(self) -> tuple[str, dict[str, str]]:
        """Return the stage's digest in the plan, and the versions of its libraries there."""
        content = read_json(DIGESTS)
        try:
            [stages] = content["digests"]
            digest = stages[self.stage] if self.key is None else stages[self.stage][self.key]
            return digest, {library: content["software"][library] for library in digests.LIBRARIES[self.stage]}
        except (KeyError, TypeError, ValueError):
            raise UserError(f"{DIGESTS}: not as the plan stage writes it; `dvc repro plan` makes it again") from None

    def _check_plan(self) -> None:
        """Check that what decides the stage's result is what the plan stage found."""
        digest, planned = self._planned()
        installed = digests.versions(planned)
        if others := [library for library in planned if installed[library] != planned[library]]:
            found = ", ".join(f"{library} {installed[library]}" for library in others)
            known = ", ".join(f"{library} {planned[library]}" for library in others)
            raise UserError(
                f"{self.name}: {found} installed, but the plan is of {known}\nInstall requirements.txt again, or "
                "plan with what is installed: `dvc repro --force --single-item plan`"
            )
        if digests.of_stage(self.stage, self.variant) != digest:
            reason = f"its code or its settings are not those of {PLAN} and {DIGESTS}"
            raise UserError(f"{self.name}: {reason}; `dvc repro plan` plans again")


@cache
def _pipeline(_: bytes) -> Any:
    """Return the content of dvc.yaml, which has these bytes."""
    return read_yaml(PIPELINE, aliases=True)


def _value(params: Any, key: str) -> Any:
    for part in key.split("."):
        params = params.get(part) if isinstance(params, dict) else None
    return params


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's files and their names; of nothing an empty one."""
    if path.is_dir():
        patterns = IGNORED.read_text(encoding="utf-8", errors="replace") if IGNORED.is_file() else ""
        ignored = GitIgnoreSpec.from_lines(patterns.splitlines())
        files = [each for each in sorted(path.rglob("*")) if each.is_file() and not ignored.match_file(each)]
        listing = "".join(f"{each.relative_to(path).as_posix()} {_sha256(each)}\n" for each in files)
        return hashlib.sha256(listing.encode()).hexdigest()
    try:
        found = path.stat()
    except FileNotFoundError:
        return ""
    return _sha256_of_file(path, found.st_mtime_ns, found.st_size, found.st_ino)


@cache
def _sha256_of_file(path: Path, *_: int) -> str:
    """Return a file's SHA-256, read again when its time, its size or its place on the disk is another."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
