"""dvc.lock, and DVC's record of who is at work, whole after a kill."""

import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from remnist.errors import UserError
from remnist.files import read_json

LOCK, RWLOCK = Path("dvc.lock"), Path(".dvc/tmp/rwlock")
WRITTEN_S = 3  # seconds in which DVC has written either file


def mend() -> None:
    """Put right what DVC could not read: a file of its own that it was writing when it was killed.

    dvc.lock comes out of Git again; DVC's run cache has the stages that are missing there. The damaged one is kept.
    DVC waits for processes that are gone, too, where nobody has taken note of their end, as in a container.
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
    with suppress(UserError):  # there is none, or another DVC is writing it
        if (named := holders(read_json(RWLOCK))) and not any(map(is_running, named)):
            RWLOCK.unlink()


def holders(content: Any) -> set[int]:
    """Return the ids of the processes that the record names; one that cannot be one counts as none."""
    entries = [content.get(mode, {}) for mode in ("read", "write")] if isinstance(content, dict) else []
    found = [entry for each in entries if isinstance(each, dict) for entry in each.values()]
    infos = [info for entry in found for info in (entry if isinstance(entry, list) else [entry])]
    return {int(info["pid"]) for info in infos if isinstance(info, dict) and str(info.get("pid")).isdecimal()}


def is_running(process: int) -> bool:
    """Whether a process is there and has not ended."""
    import psutil

    try:
        return str(psutil.Process(process).status()) != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def is_json(path: Path) -> bool:
    """Whether a file is JSON."""
    try:
        read_json(path)
    except UserError:
        return False
    return True


def is_whole_lock(path: Path) -> bool:
    """Whether DVC can read a file as its dvc.lock; DVC's own schema does not see a hash that is cut short."""
    if not path.read_bytes().endswith(b"\n"):  # cut short, perhaps in a number
        return False
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from dvc.utils.serialize import ParseError, load_yaml
    from voluptuous import Invalid

    try:
        stages = COMPILED_LOCKFILE_SCHEMA(load_yaml(path)).get("stages", {}).values()
    except (Invalid, ParseError, ValueError):  # an impossible date
        return False
    files = [file for stage in stages for kind in ("deps", "outs") for file in stage.get(kind, [])]
    return all(re.fullmatch(r"[0-9a-f]{32}(\.dir)?", str(file.get("md5"))) for file in files)
