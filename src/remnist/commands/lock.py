"""dvc.lock, and DVC's record of who is at work, whole after a kill."""

import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from remnist.errors import UserError
from remnist.files import read_json

LOCK, RWLOCK = Path("dvc.lock"), Path(".dvc/tmp/rwlock")
WRITTEN_S = 3  # seconds in which DVC has written either file


def mend() -> None:
    """Put right what DVC could not read: a file of its own that it was writing when it was killed.

    dvc.lock comes out of Git again; DVC's run cache has the stages that are missing there. The damaged one is kept.
    """
    for path, is_whole in ((RWLOCK, is_json), (LOCK, is_whole_lock)):
        if not path.exists() or is_whole(path):
            continue
        time.sleep(WRITTEN_S)  # another DVC may be writing it at this moment
        if is_whole(path):
            continue
        kept = path.with_name(f"{path.name}.tmp")
        path.replace(kept)
        with suppress(OSError):  # without Git DVC makes it again
            subprocess.run(["git", "checkout", "--quiet", "HEAD", "--", path], capture_output=True)
        origin = "Git's stands there again" if path.exists() else "DVC makes it again"
        print(f"{path}: cut short or damaged, as when DVC is killed; {origin}, and {kept} keeps what it was.")


def is_json(path: Path) -> bool:
    """Whether a file is JSON."""
    try:
        read_json(path)
    except UserError:
        return False
    return True


def is_whole_lock(path: Path) -> bool:
    """Whether DVC can read a file as its dvc.lock; DVC's own schema does not see a hash that is cut short."""
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from dvc.utils.serialize import ParseError, load_yaml
    from voluptuous import Invalid

    try:
        stages = COMPILED_LOCKFILE_SCHEMA(load_yaml(path)).get("stages", {}).values()
    except (Invalid, ParseError, ValueError):  # an impossible date
        return False
    files = [file for stage in stages for kind in ("deps", "outs") for file in stage.get(kind, [])]
    return all(re.fullmatch(r"[0-9a-f]{32}(\.dir)?", str(file.get("md5"))) for file in files)
