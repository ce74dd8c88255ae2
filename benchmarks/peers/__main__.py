"""A process of a contestant: train, and wait after the first epoch until all processes are ready."""

import os
import sys
from pathlib import Path
from pkgutil import resolve_name

from benchmarks.peers import CONTESTANTS, Job, Train


def main(name: str, place: int, job: Job) -> None:
    """Train on one core.

    A variable holds torch to one thread. JAX starts a thread for each core that it may use, so it may use one.
    """
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[place % len(cores)]})
    train: Train = resolve_name(f"benchmarks.peers.{CONTESTANTS[name].train}")
    ends = iter(range(1, job.variant.train.epochs + 1))

    def on_epoch() -> None:
        number = next(ends)
        if number == 1:
            print("ready", flush=True)
            sys.stdin.readline()
        if number == job.variant.train.epochs:
            print("done", flush=True)

    job.end.write_bytes(train(job, on_epoch))


if __name__ == "__main__":
    contestant, place, folder, variant, seed = sys.argv[1:]
    main(contestant, int(place), Job(Path(folder), variant, int(seed)))
