"""The cores of this machine as a place for runs and evaluations."""

import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from pathlib import Path
from queue import Queue
from typing import Any

from remnist.data import mapped
from remnist.learning.runs import Epoch, Run
from remnist.plan.digests import MODULES
from remnist.runtime import pool, tasks
from remnist.runtime.finished import DATA
from remnist.settings import Variant


class ThisMachine:
    """Processes of this machine, one task at a time each.

    Args:
        executor: the processes.
        epochs: a queue that they can put to.
    """

    def __init__(self, executor: Executor, epochs: "Queue[tuple[str, Epoch]]") -> None:
        self.executor, self.epochs = executor, epochs

    def train(self, name: str, variant: Variant, seed: int) -> "Future[Run]":
        """Start to train a seed, when a process is free."""
        return self.executor.submit(tasks.train, name, variant, seed, DATA, self.epochs.put)

    def evaluate(self, variant: Variant, weights: list[Path]) -> "Future[dict[str, Any]]":
        """Start to evaluate a variant, when a process is free."""
        return self.executor.submit(tasks.evaluate, variant, weights, DATA)

    def room(self) -> int:
        """Return that all tasks can be started: those that wait stay in this process."""
        return sys.maxsize


def use(variants: Iterable[Variant], counts: Mapping[str, int], do: Callable[[ThisMachine], None]) -> None:
    """Do something on the cores of this machine.

    Args:
        variants: all that are trained or evaluated; of one kind of numerics.
        counts: how many tasks of each stage there will be.
        do: what to do.

    Raises:
        UserError: a process was killed; or `do` raised it.
    """
    variants = list(variants)
    [kind] = {variant.train.numerics for variant in variants}
    modules = {f"models.{variant.model.name}" for variant in variants}
    modules |= {module for stage, count in counts.items() if count for module in MODULES[stage]}
    processes = pool.context(kind, [f"remnist.{module}" for module in sorted(modules)])
    mapped.forget(DATA)  # left behind by a run that was killed
    try:
        with pool.events(processes) as epochs, pool.workers(processes, sum(counts.values())) as executor:
            do(ThisMachine(executor, epochs))
    finally:
        mapped.forget(DATA)
