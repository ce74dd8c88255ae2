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
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from remnist.errors import UserError, printable
from remnist.files import read_json
from remnist.runtime import pool
from remnist.runtime.cluster import ADDRESS
from remnist.runtime.stage import stage_main

LOCK, RWLOCK = Path("dvc.lock"), Path(".dvc/tmp/rwlock")
SECONDS = (
    Path(__file__).parents[1] / "docs" / "seconds.csv"
)  # of an epoch of each variant, as benchmarks/training.py measured
DATA, MNIST_BYTES = Path("data/images.safetensors"), 55e6  # that it was measured on
START_S = 4  # of a core, that the stages of a variant take however short its runs
DVC_S = 2  # of a core, that DVC takes to start
PART_S = 20  # of a core, that what a DVC is asked for should take
WRITTEN_S = 3  # DVC needs less to write the longer of the two
POLL_S = 0.1


def main() -> None:
    """Run the variants side by side, if so asked, and then all that is left, in the working directory."""
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
        side_by_side(arguments.jobs)
    run_dvc(*(["repro"] if arguments.set is None else ["exp", "run"]))


def side_by_side(jobs: int) -> None:
    """Train and evaluate all variants that are stale, several at a time."""
    before = order_of_lock()
    run_dvc("repro", "plan", "preprocess")
    stale, cores = stale_variants(), pool.count()
    if os.environ.get(ADDRESS):  # training is elsewhere then, evaluation here
        evaluate = Lanes(["evaluate"], min(jobs, cores), parts(stale["evaluate"] - stale["train"], jobs))
        lanes = [Lanes(["train"], jobs, parts(stale["train"], jobs), evaluate), evaluate]
    else:
        lanes = [Lanes(["train", "evaluate"], jobs, parts(stale["train"] | stale["evaluate"], jobs))]
    run_all(lanes, cores)
    order_lock(before)


def set_parameters(assignments: str) -> None:
    """Change params.yaml as `dvc exp run -S` does, which then makes an experiment of what it finds changed."""
    from dvc.exceptions import DvcException
    from dvc.utils.cli_parse import to_path_overrides
    from dvc.utils.hydra import apply_overrides

    try:
        changes = to_path_overrides(shlex.split(assignments))
        if not changes:
            raise ValueError("names no parameter; for instance model.dropout=0.5")
        for path, overrides in changes.items():
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


def stale_variants() -> dict[str, set[str]]:
    """Return for train and evaluate the variants of which this stage is stale."""
    from dvc.repo import Repo

    stale: dict[str, set[str]] = {"train": set(), "evaluate": set()}
    with Repo() as repo:
        for name in repo.status(list(stale)):
            stage, _, variant = name.partition("@")
            stale[stage].add(variant)
    return stale


def parts(variants: Collection[str], jobs: int) -> Iterator[list[str]]:
    """Yield what to ask of each DVC, longest first.

    Several variants at a time, since DVC takes its time to start; fewer and fewer, so that the lanes end together.
    """
    plan = read_json(Path("plan.json"))
    share_of_mnist = DATA.stat().st_size / MNIST_BYTES
    sizes = {
        variant: START_S + seconds * share_of_mnist * len(plan[variant]["seeds"])
        for variant, seconds in seconds_of_a_run(plan).items()
        if variant in variants
    }
    waiting = sorted(sizes, key=lambda variant: -sizes[variant])
    while waiting:
        left, taken = sum(sizes[variant] for variant in waiting), [waiting.pop(0)]
        share = max(PART_S, left / (2 * jobs))
        while waiting and sum(sizes[variant] for variant in (*taken, waiting[0])) <= share:
            taken.append(waiting.pop(0))
        yield taken


def seconds_of_a_run(plan: dict[str, Any]) -> dict[str, float]:
    """Return what a seed of each variant takes on MNIST; a variant that was not measured has the longest epochs."""
    with SECONDS.open(encoding="utf-8", newline="") as file:
        epoch = {row["variant"]: float(row["seconds"]) for row in csv.DictReader(file)}
    return {
        variant: epoch.get(variant, max(epoch.values())) * entry["train"]["epochs"] for variant, entry in plan.items()
    }


def order_of_lock() -> list[str]:
    """Return the stages of dvc.lock in their order."""
    from dvc.utils.serialize import load_yaml

    return list(load_yaml(LOCK).get("stages", {})) if LOCK.exists() else []


def order_lock(before: list[str]) -> None:
    """Put the stages that are new in dvc.lock in the order in which a single `dvc repro` runs them."""
    from dvc.repo import Repo
    from dvc.repo.reproduce import plan_repro
    from dvc.utils.serialize import modify_yaml

    after = order_of_lock()
    if after == before:
        return
    with Repo() as repo:
        order = [*before, *(stage.name for stage in plan_repro(repo.index.graph) if stage.name not in before)]
    with modify_yaml(LOCK) as lock:
        lock["stages"] = {name: lock["stages"][name] for name in order if name in after}


class Lanes:
    """DVCs side by side, each of which runs the same stages of some variants.

    Args:
        stages: which, in their order.
        count: how many DVCs at a time.
        waiting: the variants of each.
        then: the lanes that are to take over what is done here.
    """

    def __init__(
        self, stages: list[str], count: int, waiting: Iterable[list[str]], then: "Lanes | None" = None
    ) -> None:
        self.stages, self.count, self.waiting, self.then = stages, count, deque(waiting), then
        self.running: dict[subprocess.Popen[bytes], list[str]] = {}

    def start(self, cores: int) -> int:
        """Start as many DVCs as there are cores, if so many wait and have a lane; return their number."""
        started = min(cores, self.count - len(self.running), len(self.waiting))
        share = {pool.WORKERS: str(max(1, cores // self.count))}
        for _ in range(started):
            variants = self.waiting.popleft()
            targets = [f"{stage}@{variant}" for variant in variants for stage in self.stages]
            self.running[start_dvc("repro", "--single-item", *targets, **share)] = variants
        return started

    def collect(self) -> None:
        """Hand over what is done; exit with the status of a DVC that has failed."""
        for process in [process for process in self.running if process.poll() is not None]:
            variants = self.running.pop(process)
            if process.returncode:
                sys.exit(process.returncode)
            if self.then:
                self.then.waiting.append(variants)


def run_all(lanes: Sequence[Lanes], cores: int) -> None:
    """Run all that waits in the lanes and all that follows from it.

    If a DVC fails, those that run are waited for, and this process ends with its status; Ctrl-C reaches them by itself.
    """
    try:
        while any(group.waiting or group.running for group in lanes):
            started = sum(group.start(cores) for group in lanes)
            crowded = started and any(group.waiting and len(group.running) < group.count for group in lanes)
            time.sleep(DVC_S if crowded else POLL_S)  # or the longest would not come first
            for group in lanes:
                group.collect()
    finally:
        for group in lanes:
            for process in group.running:
                process.wait()


def start_dvc(*arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
    """Start DVC, which will wait for others that are at work here."""
    return subprocess.Popen(["dvc", "--wait-for-lock", *arguments], env=os.environ | environment)


def run_dvc(*arguments: str) -> None:
    """Run DVC; exit with its status if it fails."""
    process = start_dvc(*arguments)
    try:
        process.wait()
    finally:
        process.wait()  # Ctrl-C reaches it by itself
    if process.returncode:
        sys.exit(process.returncode)


if __name__ == "__main__":
    with stage_main():
        main()
