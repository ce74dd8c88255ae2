"""Run the study: `dvc repro`, after any interruption, and with several stages side by side if that is asked for.

Each stage starts Python and loads torch on one core; of short runs that is most of the time. The results and dvc.lock
do not depend on it. `make repro`, `make repro JOBS=2`, `make exp SET="model.dropout=0.5" JOBS=2`, `make demo` run it.
"""

import argparse
import csv
import os
import shlex
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from remnist.commands import lock
from remnist.commands.lanes import Lanes, leave_sigint, run_all, run_dvc
from remnist.errors import UserError, printable
from remnist.plan import entries
from remnist.runtime import pool
from remnist.runtime.cluster import ADDRESS
from remnist.settings import Variant

SECONDS = Path("docs/seconds.csv")  # core-seconds of an epoch of each variant, by benchmarks/training.py
DATA, MNIST_BYTES = Path("data/images.safetensors"), 55e6  # bytes of the data behind SECONDS
START_S = 4  # core-seconds of a variant's stages, however short its runs
PART_S = 20  # core-seconds that a DVC is asked for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line may say."""
    parser.add_argument("--jobs", type=int, default=1, help="stages at a time; they share the cores (default 1)")
    parser.add_argument(
        "--set", metavar="PARAMETERS", help="as `dvc exp run -S` has them, between spaces; makes it an experiment"
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the variants side by side, if so asked, and then all that is left, in the working directory."""
    if arguments.jobs < 1:
        raise UserError(f"--jobs: {arguments.jobs}: allowed: 1 or more")
    lock.mend()
    if arguments.set is not None:
        set_parameters(arguments.set)
    if arguments.jobs > 1:
        side_by_side(arguments.jobs)
    run_dvc(*(["repro"] if arguments.set is None else ["exp", "run"]))


def side_by_side(jobs: int) -> None:
    """Train and evaluate all variants that are stale, several at a time."""
    before = lock.order_of_stages()
    try:
        run_dvc("repro", "plan", "preprocess")
        stale, cores = stale_variants(), pool.count()
        if os.environ.get(ADDRESS):  # training is elsewhere then, evaluation here
            evaluate = Lanes(["evaluate"], min(jobs, cores), parts(stale["evaluate"] - stale["train"], jobs))
            lanes = [Lanes(["train"], jobs, parts(stale["train"], jobs), evaluate), evaluate]
        else:
            lanes = [Lanes(["train", "evaluate"], jobs, parts(stale["train"] | stale["evaluate"], jobs))]
        run_all(lanes, cores)
    finally:  # every DVC has ended
        with leave_sigint():
            lock.order_stages(before)


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
    plan = entries.read(Path("plan.json"))
    share_of_mnist = DATA.stat().st_size / MNIST_BYTES
    sizes = {
        variant: START_S + seconds * share_of_mnist * len(plan[variant].seeds)
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


def seconds_of_a_run(plan: Mapping[str, Variant]) -> dict[str, float]:
    """Return what a seed of each variant takes on MNIST; a variant that was not measured has the longest epochs."""
    with SECONDS.open(encoding="utf-8", newline="") as file:
        epoch = {row["variant"]: float(row["seconds"]) for row in csv.DictReader(file)}
    longest = max(epoch.values())
    return {name: epoch.get(name, longest) * variant.train.epochs for name, variant in plan.items()}
