"""The gain from running side by side, on scikit-learn's digits, whose short runs show its costs most.

First a train stage of each family by the process pool and by a Dask cluster of as many workers on this machine, in
turn. Then the demo by `dvc repro` and by `make repro JOBS=2`, which must leave the same dvc.lock. `make bench-parallel`
runs it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from tqdm import tqdm

from benchmarks.training import VARIANTS
from remnist.commands import demo
from remnist.errors import UserError
from remnist.runtime import pool
from remnist.runtime.cluster import ADDRESS
from remnist.runtime.stage import command_main

ROUNDS = 3


def main() -> None:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compare_places(Path(folder, "stages"))
        compare_lanes(Path(folder))


def compare_places(folder: Path) -> None:
    """Time train stages of four seeds by the pool and by a cluster."""
    from distributed import LocalCluster

    settings = demo.SETTINGS | {"seeds": [0, 1, 2, 3]}
    demo.copy(folder, settings, list(VARIANTS.values()))
    demo.leave_git(folder)
    run(folder, "dvc", "repro", "--quiet", "plan", "preprocess")
    ratios = []
    with LocalCluster(n_workers=pool.count(), threads_per_worker=1, dashboard_address=None) as cluster:
        for variant in tqdm([*VARIANTS.values()] * ROUNDS, disable=None):
            command = [sys.executable, "stages/train.py", variant]
            here = run(folder, *command)
            there = run(folder, *command, **{ADDRESS: cluster.scheduler_address})
            ratios.append(there / here)
            print(
                f"{variant:20} pool {here:5.1f} s, cluster {there:5.1f} s, {ratios[-1]:.2f} times as long", flush=True
            )
    print(f"median {statistics.median(ratios):.2f}\n")


def compare_lanes(folder: Path) -> None:
    """Time the demo by one lane and by two, and note how busy the cores are: what a second lane could win at most."""
    seconds, locks = [], []
    for name, command in (
        ("one", ["dvc", "repro"]),
        ("two", [sys.executable, "-m", "remnist.cli", "repro", "--jobs", "2"]),
    ):
        copy = folder / name
        demo.copy(copy, demo.SETTINGS, epochs=demo.EPOCHS)
        demo.leave_git(copy)
        psutil.cpu_percent()
        seconds.append(run(copy, *command))
        busy = psutil.cpu_percent()  # since it was last asked
        locks.append((copy / "dvc.lock").read_bytes())
        stages = "one stage" if name == "one" else "two stages"
        print(f"demo, {stages} at a time: {seconds[-1]:.0f} s, cores busy {busy:.0f} % of it", flush=True)
    if locks[0] != locks[1]:
        raise UserError("dvc.lock differs")
    print(f"{seconds[0] / seconds[1]:.2f} times as fast, the same dvc.lock")


def run(folder: Path, *command: str, **environment: str) -> float:
    """Run a command without its output; return the seconds that it takes."""
    start = time.perf_counter()
    variables = os.environ | {"PYTHONPATH": "src"} | environment  # the code of the copy
    subprocess.run(command, cwd=folder, env=variables, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    with command_main():
        main()
