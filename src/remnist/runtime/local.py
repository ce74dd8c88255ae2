"""The cores of this machine as a place for the runs of a variant's seeds, and how to follow runs wherever they are."""

import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from queue import Queue

from remnist.learning.runs import Epoch, Run
from remnist.runtime import pool
from remnist.settings import Variant

RUN_SEED = "remnist.learning.loop:run_seed"  # the function that trains, by name, since it imports torch
POLL_S = 0.1  # seconds between two looks for epochs


def train(
    processes: multiprocessing.context.BaseContext, variant: Variant, seeds: list[int], data_path: Path
) -> Iterator[Epoch | Run]:
    """Train seeds of a variant in parallel, a process a core.

    Args:
        processes: a context of `remnist.runtime.pool`.
        variant: its settings.
        seeds: which to train.
        data_path: the file that preprocess wrote.

    Yields:
        As `follow` does.

    Raises:
        UserError: the device is not there, the data cannot be read, or a process was killed.
    """
    with pool.events(processes) as events, pool.workers(processes, len(seeds)) as executor:
        runs = [executor.submit(pool.call, RUN_SEED, variant, seed, data_path, events.put) for seed in seeds]
        yield from follow(runs, events)


def follow(runs: Iterable["Future[Run]"], events: "Queue[Epoch]") -> Iterator[Epoch | Run]:
    """Yield epochs and runs until all runs have ended; raise the error of a run that fails.

    An epoch comes as soon as it is reported, possibly twice; if its report is lost, it comes when its run has ended.
    Each run that has ended yields all its epochs, then itself.
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
