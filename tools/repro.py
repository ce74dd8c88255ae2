"""Run the study: `dvc repro`, after any interruption, and with several stages side by side if that is asked for.

Each stage starts Python and loads torch on one core; of short runs that is most of the time. The results and dvc.lock
do not depend on it. `make repro`, `make repro JOBS=2`, `make exp SET="model.dropout=0.5" JOBS=2`, `make demo` run it.
"""

import argparse
import csv
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from remnist.common import pool
from remnist.common.errors import UserError, printable, reported
from remnist.common.files import read_json

LOCK, RWLOCK = Path("dvc.lock"), Path(".dvc/tmp/rwlock")
SECONDS = Path(__file__).parents[1] / "docs" / "seconds.csv"  # a run of each variant, as tools/bench.py measured it
WRITTEN_S = 3  # DVC needs less to write the longer of the two
POLL_S = 0.1


def main() -> None:
    """Run what all variants need, train them side by side, evaluate them side by side, and run what is left.

    Training may be on other machines; evaluation is on this one, so no more of it at a time than there are cores.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1, help="stages at a time; they share the cores (default 1)")
    parser.add_argument(
        "--set", metavar="PARAMETERS", help="as `dvc exp run -S` has them, between spaces; makes it an experiment"
    )
    arguments = parser.parse_args()
    if arguments.jobs < 1:
        raise UserError(f"--jobs: {arguments.jobs}: allowed: 1 or more")
    mend()
    if arguments.set is not None:
        set_parameters(arguments.set)
    if arguments.jobs > 1:
        run_dvc([["repro", "plan", "preprocess"]])
        for stage, jobs in (("train", arguments.jobs), ("evaluate", min(arguments.jobs, pool.count()))):
            run_dvc(side_by_side(stage, jobs), jobs, {pool.WORKERS: str(max(1, pool.count() // jobs))})
    run_dvc([["repro"] if arguments.set is None else ["exp", "run"]])


def set_parameters(assignments: str) -> None:
    """Change params.yaml as `dvc exp run -S` does, which then makes an experiment of what it finds changed."""
    from dvc.exceptions import DvcException
    from dvc.utils.cli_parse import to_path_overrides
    from dvc.utils.hydra import apply_overrides

    try:
        for path, overrides in to_path_overrides(shlex.split(assignments)).items():
            apply_overrides(path, overrides)
    except (DvcException, ValueError, OSError) as error:
        reason = error.__cause__ or error
        raise UserError(f"SET: {assignments!r}: {printable(' '.join(str(reason).split()))}") from None


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


def side_by_side(stage: str, jobs: int) -> Iterator[list[str]]:
    """Yield what to ask of each DVC, so that a stage is run of all variants of which it is stale, longest first.

    Of several variants at a time, since DVC takes a second to start; fewer and fewer, so that they end together.
    """
    from dvc.repo import Repo

    with Repo() as repo:
        stale = {name.partition("@")[2] for name in repo.status([stage])}
    plan, seconds = read_json(Path("plan.json")), seconds_of_a_run()
    longest = max(seconds.values(), default=1.0)  # what a variant without a measurement may take
    sizes = {
        variant: seconds.get(variant, longest) * len(plan[variant]["seeds"]) for variant in plan if variant in stale
    }
    waiting = sorted(sizes, key=lambda variant: -sizes[variant])
    while waiting:
        share, taken = sum(sizes[variant] for variant in waiting) / (2 * jobs), [waiting.pop(0)]
        while waiting and sum(sizes[variant] for variant in (*taken, waiting[0])) <= share:
            taken.append(waiting.pop(0))
        yield ["repro", "--single-item", *(f"{stage}@{variant}" for variant in taken)]


def seconds_of_a_run() -> dict[str, float]:
    """Return how long a seed of each variant takes, by its name."""
    with SECONDS.open(encoding="utf-8", newline="") as file:
        return {row["variant"]: float(row["seconds"]) for row in csv.DictReader(file)}


def run_dvc(asked: Iterable[list[str]], jobs: int = 1, environment: dict[str, str] | None = None) -> None:
    """Run DVC for each of what is asked, several side by side.

    If one fails, those that run are waited for, and this process ends with its status; Ctrl-C reaches them by itself.
    """
    waiting, running = iter(asked), list[subprocess.Popen[bytes]]()
    try:
        while True:
            for arguments in islice(waiting, jobs - len(running)):
                command = ["dvc", "--wait-for-lock", *arguments]
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
