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

sys.path.insert(0, "src")  # this checkout's code, whatever else is installed

from remnist.learning.runs import Epoch, Run
from remnist.runtime import cluster, finished, local, pool
from remnist.runtime.stage import Inputs, stage_main
from remnist.settings import Variant


def main(name: str, variant: Variant, inputs: Inputs) -> None:
    """Train a variant's seeds, write models/<variant> and dvclive/<variant>.

    Until all are finished, models/<variant>.tmp keeps those that are, for the next start if this one is interrupted.
    """
    data, seeds = Path("data/images.safetensors"), variant.seeds
    train: Callable[..., Iterator[Epoch | Run]]
    if address := os.environ.get(cluster.ADDRESS):
        train = partial(cluster.train, address)
    else:
        modules = ["remnist.learning.loop", f"remnist.models.{variant.model.name}"]
        train = partial(local.train, pool.context(variant.train.numerics, preload=modules))
    from remnist.runtime import progress  # its log takes a second, in which the processes' server loads torch

    kept = finished.Finished(Path("models", f"{name}.tmp"), variant, data)
    trained = {run.seed: run for run in kept.runs(seeds)}
    missing = [seed for seed in seeds if seed not in trained]
    with progress.EpochLog(name, seeds, variant.train.epochs, Path("dvclive", name)) as log:
        for epoch in chain.from_iterable(run.epochs() for run in trained.values()):
            log(epoch)
        for message in train(variant, missing, data) if missing else ():
            if isinstance(message, Epoch):
                log(message)
            else:
                inputs.check()
                kept.keep(message)
                trained[message.seed] = message
    for run in trained.values():
        run.write(Path("models", name))
    inputs.check()
    kept.remove()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", help="a name in plan.json")
    name = parser.parse_args().variant
    with stage_main("train", name) as inputs:
        main(name, inputs.settings, inputs)
