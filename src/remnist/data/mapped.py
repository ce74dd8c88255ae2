"""Files next to the prepared data, which the processes of a machine map into memory: all share their pages."""

import os
from collections.abc import Iterable
from pathlib import Path
from tempfile import mkstemp
from typing import Any


def place(data_path: Path, digest: str) -> Path:
    """Return where such a file lies, by a digest of its content."""
    return data_path.with_name(f"{data_path.stem}-{digest}.tmp")


def write(path: Path, chunks: Iterable[Any]) -> None:
    """Write a file, whole or not at all; several processes may do so at once.

    Args:
        path: where to.
        chunks: its content, one buffer after the other.
    """
    descriptor, partial = mkstemp(prefix=f"{path.stem}-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def forget(data_path: Path) -> None:
    """Remove these files; processes that have mapped one keep its pages."""
    for path in data_path.parent.glob(f"{data_path.stem}-*.tmp"):
        path.unlink(missing_ok=True)
