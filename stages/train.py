"""Train all seeds of a variant, side by side, and keep their weights and learning curves."""

import argparse
import shutil
import sys
from pathlib import Path

sys.path.insert(0, "src")  # the code beside this script, whatever else is installed

from remnist.common import plan, pool
from remnist.common.errors import reported
from remnist.common.files import write_bytes


def main() -> None:
    """Read the variant's plan, train its seeds, write models/<variant> and dvclive/<variant>.

    Until all are finished, models/<variant>.tmp keeps those that are, for the next start if this one is interrupted.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", help="a name in plan.json")
    variant = parser.parse_args().variant
    entry = plan.read_entry(Path("plan.json"), variant)
    seeds = entry["seeds"]
    processes = pool.context(entry["train"]["numerics"], preload="remnist.training.finished")
    from remnist.training import progress  # it and its log take a second, in which the processes' server loads torch

    log = progress.EpochLog(variant, seeds, entry["train"]["epochs"], Path("dvclive", variant))
    with log, pool.events(processes) as events, pool.workers(processes, len(seeds)) as executor:
        data, finished = Path("data/images.safetensors"), Path("models", f"{variant}.tmp")
        train = "remnist.training.finished:run_seed_once"
        runs = [executor.submit(pool.call, train, entry, seed, data, events.put, finished) for seed in seeds]
        for seed, metrics in progress.follow(runs, events):
            log(seed, metrics)
    for seed, run in zip(seeds, runs, strict=True):
        write_bytes(Path("models", variant, f"seed-{seed}.safetensors"), run.result())
    shutil.rmtree(finished, ignore_errors=True)


if __name__ == "__main__":
    with reported():
        main()
