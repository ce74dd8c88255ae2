"""Pack every run's learning curves and predictions into docs/runs.tar.xz, which Git keeps; the weights stay out.

Whoever has a clone can then judge the claims by other rules, without training. `make pack` runs it, after `make repro`.
"""

import argparse
import io
import lzma
import tarfile
from pathlib import Path

from remnist.commands import archive
from remnist.commands.lock import LOCK
from remnist.errors import UserError, listed
from remnist.files import write_bytes
from remnist.runtime.repository import repository


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line may say: nothing."""


def run(_: argparse.Namespace) -> None:
    """Write the archive, and say what it holds.

    Raises:
        UserError: something is missing here, or is not as dvc.lock has it.
    """
    with repository() as repo:
        outs = archive.outputs(repo)
        if other := [str(out) for out in outs if not out.exists or out.workspace_status()]:
            raise UserError(f"not here as {LOCK} has it: {listed(other)}; `make repro` or `dvc checkout` comes first")
    paths = [path for out in outs for path in (Path(str(out)), *Path(str(out)).rglob("*")) if path.is_file()]
    packed = io.BytesIO()
    with (
        lzma.open(packed, "wb", preset=9 | lzma.PRESET_EXTREME) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(paths, key=lambda path: (path.name, path)):  # files alike next to each other take less room
            tar.add(path, filter=_without_owner)
    write_bytes(archive.ARCHIVE, packed.getvalue())
    print(f"{archive.ARCHIVE}: {len(paths)} files, {len(packed.getvalue()) / 1e6:.1f} MB")


def _without_owner(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Keep the name and the content alone, so that the same results are the same archive."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o644
    return entry
