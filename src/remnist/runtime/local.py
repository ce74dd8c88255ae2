"""The cores of this machine as a place for the runs of a variant's seeds, and how to follow runs wherever they are."""

import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path
from queue import Queue

from remnist.learning.runs import Epoch, Run
from remnist.runtime import pool
from remnist.settings import Variant

RUN_SEED = "remnist.learning.loop:run_seed"
POLL_S = 0.1


def train(
    processes: multiprocessing.context.BaseContext, variant: Variant, seeds: list[int], data_path: Path
) -> Iterator[Epoch | Run]:
    """Train seeds of a variant side by side, a process a core.

    Args:
        processes: a context of `remnist.runtime.pool`.
        variant: its settings.
        seeds: which to train.
        data_path: the file that preprocess wrote.

    Yields:
        What `follow` does.

    Raises:
        UserError: the device is not there, the data cannot be read, or a process was killed.
    """
    with pool.events(processes) as events, pool.workers(processes, len(seeds)) as executor:
        runs = [executor.submit(pool.call, RUN_SEED, variant, seed, data_path, events.put) for seed in seeds]
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
