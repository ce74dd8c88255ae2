"""What the runs of a variant's seeds report, wherever they run, and the cores of this machine as such a place."""

import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from queue import Queue
from typing import Any, NamedTuple

from remnist.common import pool

RUN_SEED = "remnist.training.loop:run_seed"
POLL_S = 0.1


class Epoch(NamedTuple):
    """An epoch that a run has ended."""

    seed: int
    number: int  # from 1
    metrics: dict[str, float]


class Run(NamedTuple):
    """A run that has ended."""

    seed: int
    weights: bytes  # a safetensors file
    curve: list[dict[str, float]]  # the metrics of each epoch

    def epochs(self) -> Iterator[Epoch]:
        """Yield its epochs in turn."""
        return (Epoch(self.seed, number, metrics) for number, metrics in enumerate(self.curve, 1))


def train(
    processes: multiprocessing.context.BaseContext, settings: dict[str, Any], seeds: list[int], data_path: Path
) -> Iterator[Epoch | Run]:
    """Train seeds of a variant side by side, a process a core.

    Args:
        processes: a context of `remnist.common.pool`.
        settings: the variant's entry of the plan.
        seeds: which to train.
        data_path: the file that preprocess wrote.

    Yields:
        What `follow` does.

    Raises:
        UserError: the device is not there, the data cannot be read, or a process was killed.
    """
    with pool.events(processes) as events, pool.workers(processes, len(seeds)) as executor:
        runs = [executor.submit(pool.call, RUN_SEED, settings, seed, data_path, events.put) for seed in seeds]
        yield from follow(runs, events)


def follow(runs: Iterable["Future[Run]"], events: "Queue[Epoch]") -> Iterator[Epoch | Run]:
    """Yield what the runs report until all have ended; raise what one of them raised.

    Each epoch as it comes, which may be twice, or not at all if it was lost on its way; of each run that has ended, all
    its epochs, and then the run.
    """
    running = set(runs)
    while running:
        done, running = wait(running, timeout=POLL_S)
        while not events.empty():
            yield events.get()
        for future in done:
            run = future.result()
            yield from run.epochs()
            yield run
