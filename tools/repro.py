"""Run the study: `dvc repro`, after any interruption, and with several stages side by side if that is asked for.

Each stage starts Python and loads torch on one core; of short runs that is most of the time. The results and dvc.lock
do not depend on it. `make repro`, `make repro JOBS=2` and `make demo` run it.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from remnist.common import pool
from remnist.common.errors import UserError, reported
from remnist.common.files import read_json

LOCK, RWLOCK = Path("dvc.lock"), Path(".dvc/tmp/rwlock")
WRITTEN_S = 3  # DVC needs less to write the longer of the two
POLL_S = 0.1


def main() -> None:
    """Run what the variants need, then the variants side by side, then what is left, in the working directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1, help="stages at a time; they share the cores (default 1)")
    jobs = parser.parse_args().jobs
    if jobs < 1:
        raise UserError(f"--jobs: {jobs}: allowed: 1 or more")
    mend()
    if jobs > 1:
        dvc_repro([["plan", "preprocess"]])
        share = {pool.WORKERS: str(max(1, pool.count() // jobs))}
        dvc_repro(parts(list(read_json(Path("plan.json"))), jobs), jobs, share)
    dvc_repro([[]])


def mend() -> None:
    """Put right what DVC could not read: a file of its own that it was writing when it was killed.

    dvc.lock comes out of Git again; DVC's run cache has the stages that are missing there. The damaged one is kept.
    """
    for path, is_whole in ((RWLOCK, is_json), (LOCK, is_lock_file)):
        if not path.exists() or is_whole(path):
            continue
        time.sleep(WRITTEN_S)  # another DVC may be writing it at this moment
        if is_whole(path):
            continue
        kept = path.with_name(f"{path.name}.tmp")
        path.replace(kept)
        subprocess.run(["git", "checkout", "--quiet", "HEAD", "--", path], capture_output=True)
        origin = "Git's stands there again" if path.exists() else "DVC makes it anew"
        print(f"{path}: cut short or damaged, as when DVC is killed; {origin}, and {kept} keeps what it was.")


def is_json(path: Path) -> bool:
    """Whether a file is JSON."""
    try:
        read_json(path)
    except UserError:
        return False
    return True


def is_lock_file(path: Path) -> bool:
    """Whether DVC can read a file as its dvc.lock; of hashes cut short DVC's own schema knows nothing."""
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from dvc.utils.serialize import ParseError, load_yaml
    from voluptuous import Invalid

    try:
        stages = COMPILED_LOCKFILE_SCHEMA(load_yaml(path)).get("stages", {}).values()
    except (Invalid, ParseError, ValueError):  # a date that is none
        return False
    files = [file for stage in stages for kind in ("deps", "outs") for file in stage.get(kind, [])]
    return all(re.fullmatch(r"[0-9a-f]{32}(\.dir)?", str(file.get("md5"))) for file in files)


def parts(variants: list[str], jobs: int) -> Iterator[list[str]]:
    """Yield what to ask of each `dvc repro`: the stages of several variants, since DVC takes a second to start.

    Fewer and fewer, so that those side by side end together.
    """
    while variants:
        count = max(1, len(variants) // (2 * jobs))
        taken, variants = variants[:count], variants[count:]
        yield ["--single-item", *(f"{stage}@{variant}" for variant in taken for stage in ("train", "evaluate"))]


def dvc_repro(asked: Iterable[list[str]], jobs: int = 1, environment: dict[str, str] | None = None) -> None:
    """Run `dvc repro` for each of what is asked, several side by side.

    If one fails, those that run are waited for, and this process ends with its status; Ctrl-C reaches them by itself.
    """
    waiting, running = iter(asked), list[subprocess.Popen[bytes]]()
    try:
        while True:
            for arguments in islice(waiting, jobs - len(running)):
                command = ["dvc", "--wait-for-lock", "repro", *arguments]
                running.append(subprocess.Popen(command, env=os.environ | (environment or {})))
            if not running:
                return
            time.sleep(POLL_S)
            for process in [process for process in running if process.poll() is not None]:
                running.remove(process)
                if process.returncode:
                    sys.exit(process.returncode)
    finally:
        for process in running:
            process.wait()


if __name__ == "__main__":
    with reported():
        main()
