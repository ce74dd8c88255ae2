"""Train all seeds of a variant, side by side, and keep their weights and learning curves.

On this machine's cores, or on the Dask cluster whose scheduler DASK_SCHEDULER_ADDRESS names.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

sys.path.insert(0, "src")  # the code beside this script, whatever else is installed

from remnist.common import plan, pool
from remnist.common.errors import reported
from remnist.common.files import write_bytes
from remnist.training import cluster, finished, runs


def main() -> None:
    """Read the variant's plan, train its seeds, write models/<variant> and dvclive/<variant>.

    Until all are finished, models/<variant>.tmp keeps those that are, for the next start if this one is interrupted.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", help="a name in plan.json")
    variant = parser.parse_args().variant
    entry, data = plan.read_entry(Path("plan.json"), variant), Path("data/images.safetensors")
    train: Callable[..., Iterator[runs.Epoch | runs.Run]]
    if address := os.environ.get(cluster.ADDRESS):
        train = partial(cluster.train, address)
    else:
        train = partial(runs.train, pool.context(entry["train"]["numerics"], preload="remnist.training.loop"))
    from remnist.training import progress  # its log takes a second, in which the processes' server loads torch

    kept = finished.Finished(Path("models", f"{variant}.tmp"), entry, data)
    trained = {run.seed: run for run in kept.runs(entry["seeds"])}
    missing = [seed for seed in entry["seeds"] if seed not in trained]
    with progress.EpochLog(variant, entry["seeds"], entry["train"]["epochs"], Path("dvclive", variant)) as log:
        for epoch in chain.from_iterable(run.epochs() for run in trained.values()):
            log(epoch)
        for message in train(entry, missing, data) if missing else ():
            if isinstance(message, runs.Epoch):
                log(message)
            else:
                kept.keep(message)
                trained[message.seed] = message
    for seed, run in trained.items():
        write_bytes(Path("models", variant, f"seed-{seed}.safetensors"), run.weights)
    kept.remove()


if __name__ == "__main__":
    with reported():
        main()
