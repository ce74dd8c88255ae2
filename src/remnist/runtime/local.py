"""The cores of this machine as a place for runs and evaluations."""

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from pathlib import Path
from queue import Queue
from typing import Any

from remnist.data import mapped
from remnist.learning.runs import Epoch, Run
from remnist.runtime import pool
from remnist.runtime.finished import DATA
from remnist.settings import Variant

TASKS = "remnist.runtime.tasks"  # by name, since it imports torch


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
        return self.executor.submit(pool.call, f"{TASKS}:train", name, variant, seed, DATA, self.epochs.put)

    def evaluate(self, variant: Variant, weights: list[Path]) -> "Future[dict[str, Any]]":
        """Start to evaluate a variant, when a process is free."""
        return self.executor.submit(pool.call, f"{TASKS}:evaluate", variant, weights, DATA)

    def room(self) -> int:
        """Return that all tasks can be started: those that wait stay in this process."""
        return sys.maxsize


def use(variants: Iterable[Variant], tasks: int, do: Callable[[ThisMachine], None]) -> None:
    """Do something on the cores of this machine.

    Args:
        variants: all that are trained or evaluated; of one kind of numerics.
        tasks: how many tasks there will be.
        do: what to do.

    Raises:
        UserError: a process was killed; or `do` raised it.
    """
    variants = list(variants)
    [kind] = {variant.train.numerics for variant in variants}
    modules = [TASKS, *sorted({f"remnist.models.{variant.model.name}" for variant in variants})]
    processes = pool.context(kind, preload=modules)
    mapped.forget(DATA)  # what a run left behind that was killed
    try:
        with pool.events(processes) as epochs, pool.workers(processes, tasks) as executor:
            do(ThisMachine(executor, epochs))
    finally:
        mapped.forget(DATA)
