"""Unpack every run's learning curves and predictions from docs/runs.tar.xz, each held against its hash in dvc.lock.

A clone can then judge the claims by other rules, without training. `make unpack` runs it.
"""

import argparse
import io
import lzma
import tarfile
import tempfile
from pathlib import Path

from remnist.commands import archive
from remnist.commands.lock import LOCK
from remnist.errors import UserError, listed, reason
from remnist.runtime.repository import checkout, repository


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line may say: nothing."""


def run(_: argparse.Namespace) -> None:
    """Put what is lacking here in DVC's cache and in its place, and say so.

    Raises:
        UserError: the archive is missing or damaged, or it is of other results than dvc.lock; the rest is in its place.
    """
    from dvc_data.hashfile.build import build
    from dvc_data.hashfile.transfer import transfer

    with repository() as repo, tempfile.TemporaryDirectory(dir=repo.tmp_dir) as folder:
        outs = archive.outputs(repo)
        _extract(Path(folder))
        here, other = [], []
        for out in outs:
            path = Path(folder, str(out))
            if path.exists():
                staged, _meta, found = build(out.cache, str(path), out.fs, "md5")
                if found.hash_info == out.hash_info:
                    transfer(staged, out.cache, {found.hash_info}, shallow=False)
                    here.append(str(out))
                    continue
            other.append(str(out))
        checkout(repo, here)
    if other:
        raise UserError(f"{archive.ARCHIVE}: not as {LOCK} has it: {listed(other)}; `make repro`, then `make pack`")
    print(f"{archive.ARCHIVE}: the curves and predictions of {len(outs) // len(archive.FOLDERS)} variants are here")


def _extract(folder: Path) -> None:
    """Unpack the archive into a folder, nothing beyond it.

    Raises:
        UserError: it is missing or damaged.
    """
    try:
        # All of it, whose checksum stands at its end: tarfile takes a damaged entry for the end of the archive.
        content = lzma.decompress(archive.ARCHIVE.read_bytes())
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            tar.extractall(folder, filter="data")
    except (OSError, lzma.LZMAError, tarfile.TarError) as error:
        raise UserError(f"{archive.ARCHIVE}: {reason(error)}; `git checkout {archive.ARCHIVE}`") from None
