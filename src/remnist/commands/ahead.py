"""Train and evaluate all variants that are stale, ahead of DVC, whose stages then find their work done.

All seeds are one list, longest first, for processes that load torch and scikit-learn once: one a core of this machine,
or the workers of the Dask cluster whose scheduler DASK_SCHEDULER_ADDRESS names. A stage would load them for its own few
seeds. Stages in DVC's run cache are left to DVC. `make repro` runs it, and then DVC.
"""

import argparse
import csv
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from remnist.plan import entries
from remnist.runtime.repository import repository
from remnist.runtime.stage import PLAN, Inputs, command_main
from remnist.runtime.work import Work
from remnist.settings import Variant

if TYPE_CHECKING:
    from dvc.repo import Repo

SECONDS = Path("docs/seconds.csv")  # core-seconds of an epoch of each variant by round, by benchmarks/study.py


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line may say: nothing."""


def run(_: argparse.Namespace) -> None:
    """Do the work in the working directory."""
    work()


def main() -> None:
    """Do the same in a process of its own, which ends with the one that started it."""
    with command_main():
        work()


def work() -> None:
    """Do the work of all stale train and evaluate stages of one kind of numerics: that of the longest run."""
    train, evaluate = stale_variants()
    plan = entries.read(PLAN)
    seconds = seconds_of_an_epoch(plan)
    longest = max(train | evaluate, key=lambda name: seconds[name] * plan[name].train.epochs, default=None)
    if longest is None:
        return
    # Processes are forked from one server, whose numerics are pinned once.
    alike = {name for name in plan if plan[name].train.numerics == plan[longest].train.numerics}
    inputs = {("train", name): Inputs("train", name) for name in train & alike}
    inputs |= {("evaluate", name): Inputs("evaluate", name) for name in evaluate & alike}
    Work(
        {name: plan[name] for name in plan if name in train & alike},
        {name: plan[name] for name in plan if name in evaluate & alike},
        check=lambda stage, name: inputs[stage, name].check(),
        seconds=seconds,
    ).do()


def stale_variants() -> tuple[set[str], set[str]]:
    """Return the variants that are to be trained, and those to be evaluated, because DVC has not done so yet."""
    logging.getLogger("dvc").setLevel(logging.ERROR)
    with repository() as repo:
        stale = {name: set(_variants(repo.status([name]))) for name in ("train", "evaluate")}
        cached = {name: {variant for variant in stale[name] if _is_cached(repo, name, variant)} for name in stale}
    train = stale["train"] - cached["train"]
    # DVC brings the weights of a cached training only when it runs the stages.
    evaluate = (stale["evaluate"] - cached["evaluate"] - cached["train"]) | train
    return train, evaluate


def _variants(stages: Iterable[str]) -> Iterable[str]:
    return (stage.partition("@")[2] for stage in stages)


def _is_cached(repo: "Repo", name: str, variant: str) -> bool:
    """Whether DVC's run cache has the outputs of a stage, as it stands now."""
    from dvc.stage.cache import RunCacheNotFoundError

    [stage] = repo.stage.collect(f"{name}@{variant}")
    if not all(dep.exists for dep in stage.deps):
        return False
    if not stage.deps_cached():
        stage.save_deps()
        stage.cmd_changed = True  # or DVC would look for the outputs that dvc.lock has, of other inputs
    try:
        repo.stage_cache.restore(stage, dry=True)
    except RunCacheNotFoundError:
        return False
    return True


def seconds_of_an_epoch(plan: Mapping[str, Variant]) -> dict[str, float]:
    """Return the core-seconds of an epoch of each variant on MNIST; one that was not measured is among the longest."""
    rounds = defaultdict[str, list[float]](list)
    with SECONDS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rounds[row["variant"]].append(float(row["seconds"]))
    measured = {name: median(seconds) for name, seconds in rounds.items()}
    longest = max(measured.values())
    return {name: measured.get(name, longest) for name in plan}
