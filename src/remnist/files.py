"""Files that appear whole or not at all, and the two text formats that the stages read."""

import json
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent

from remnist.errors import UserError, reason


def read_yaml(path: Path, *, aliases: bool = False) -> Any:
    """Read a YAML 1.2 file, the dialect of DVC itself, in which ``1e-4`` is a number.

    Args:
        path: the file's.
        aliases: whether it may have aliases, which a file must not that `dvc exp run -S` changes.

    Raises:
        UserError: the file is missing, is no YAML, or has an alias where none is allowed.
    """
    yaml = YAML(typ="safe", pure=True)
    if not aliases:
        yaml.Composer = _WithoutAliases
    try:
        return yaml.load(path.read_text(encoding="utf-8"))
    except _AliasError as error:
        raise UserError(
            f"{path}: {error}; write out what it stands for, since `dvc exp run -S` overlooks what shares an anchor"
        ) from None
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run this from the project's root") from None
    except (YAMLError, ValueError, RecursionError) as error:  # also bytes or dates that are none, deep nests
        raise UserError(f"{path}: not YAML: {reason(error)}") from None


class _AliasError(Exception):
    """The file has an alias; the message says where."""


class _WithoutAliases(Composer):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.parser.check_event(AliasEvent):
            event = self.parser.peek_event()
            raise _AliasError(f"line {event.start_mark.line + 1}: *{event.anchor}: an alias")
        return super().compose_node(parent, index)


def read_params(section: str) -> dict[str, Any]:
    """Read one section of params.yaml in the working directory.

    Raises:
        UserError: there is no such file or section.
    """
    path = Path("params.yaml")
    params = read_yaml(path)
    if isinstance(params, dict) and isinstance(params.get(section), dict):
        return dict(params[section])
    raise UserError(f"{path}: {section}: a mapping is expected here")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        UserError: the file is missing or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; `dvc repro` makes it") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON: {error}; `dvc repro --force` makes it again") from None


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file by way of a temporary one, so that a reader finds the old file or the new one, and all of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".tmp")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8 with Unix line ends, whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, keys in their given order, whole or not at all; NaN is refused."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def replace_content(folder: Path, new: Path) -> None:
    """Move all files of a new folder to an old one, one by one, so that none is ever missing; remove all others."""
    folder.mkdir(exist_ok=True)
    names = sorted(path.name for path in new.iterdir())
    for name in names:
        (new / name).replace(folder / name)
    new.rmdir()
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink()


def keep_only(folder: Path, names: Collection[str]) -> None:
    """Remove from a folder what removed variants left behind, and say so.

    The folder as a whole is a dependency, so a file too many would change its hash. DVC's cache keeps the content.
    """
    for path in sorted(folder.iterdir()):
        if path.name not in names:
            print(f"Removing {path}: its variant is not in the plan. DVC's cache keeps it.")
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
