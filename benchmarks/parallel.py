"""The gain from one list of runs, on scikit-learn's digits, whose short runs show its costs most.

First `remnist ahead` on this machine's processes and on as many Dask workers, in turn. Then the whole graph by
`dvc repro` and by `remnist repro`, which must leave the same files: seconds, and the core-seconds of all processes.
`make bench-parallel` runs it, on Linux.
"""

import argparse
import ctypes
import hashlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from remnist.commands import demo
from remnist.errors import UserError
from remnist.runtime import pool
from remnist.runtime.stage import command_main
from remnist.runtime.work import ADDRESS

ROUNDS = 3
REMNIST = [sys.executable, "-m", "remnist.cli"]

PR_SET_CHILD_SUBREAPER = 36  # number of a request to Linux


def main() -> None:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compare_places(Path(folder, "places"))
        compare_graphs(Path(folder, "graphs"))


def compare_places(folder: Path) -> None:
    """Time all runs and evaluations here and on a cluster.

    Raises:
        UserError: a result differs.
    """
    from distributed import Client, LocalCluster

    copy(folder)
    run(folder, "dvc", "repro", "--quiet", "plan", "preprocess")
    workers, ratios, files = pool.count(), [], set[str]()
    with LocalCluster(n_workers=0, protocol="tcp", dashboard_address=":0") as scheduler:
        address = scheduler.scheduler_address
        processes = subprocess.Popen([*REMNIST, "worker", address, "--workers", str(workers)])
        with Client(scheduler) as client:
            client.wait_for_workers(workers)
        for _ in range(ROUNDS):
            seconds = []
            for environment in ({}, {ADDRESS: address}):
                seconds.append(run(folder, *REMNIST, "ahead", **environment)[0])
                files.add(content(folder, ["models", "evaluations"]))
                for name in ("models", "evaluations"):
                    shutil.rmtree(folder / name)
            ratios.append(seconds[1] / seconds[0])
            print(
                f"{workers} processes {seconds[0]:.1f} s, {workers} Dask workers {seconds[1]:.1f} s, "
                f"{ratios[-1]:.2f} times as long",
                flush=True,
            )
        processes.terminate()
        processes.wait()
    if len(files) > 1:
        raise UserError("weights or evaluations differ")
    print(f"median {statistics.median(ratios):.2f}, the same files\n", flush=True)


def compare_graphs(folder: Path) -> None:
    """Time the whole graph by DVC alone, and with its work done ahead.

    Raises:
        UserError: a result differs.
    """
    commands = {"dvc repro": ["dvc", "repro"], "remnist repro": [*REMNIST, "repro"]}
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    files = set[str]()
    for _ in range(ROUNDS):
        for name, command in commands.items():
            copy(folder)
            measured[name].append(run(folder, *command))
            files.add(content(folder, demo.RESULTS))
            print(f"{name}: {measured[name][-1][0]:.0f} s, {measured[name][-1][1]:.0f} core-seconds", flush=True)
    if len(files) > 1:
        raise UserError("dvc.lock or a result differs")
    for name, pairs in measured.items():
        seconds, used = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{name}: median {seconds:.0f} s, {used:.0f} core-seconds")
    print("the same dvc.lock and results")


def copy(folder: Path) -> None:
    """Copy the project, set to the digits, every variant."""
    demo.copy(folder, demo.SETTINGS, epochs=demo.EPOCHS)
    demo.leave_git(folder)


def content(folder: Path, names: Iterable[str]) -> str:
    """Return the SHA-256 of files, and of all files in folders."""
    digest = hashlib.sha256()
    for name in names:
        for path in sorted([folder / name, *(folder / name).rglob("*")]):
            if path.is_file():
                digest.update(f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def run(folder: Path, *command: str, **environment: str) -> tuple[float, float]:
    """Run a command without its output; return its seconds, and the core-seconds of all processes that it started."""
    ctypes.CDLL(None).prctl(
        PR_SET_CHILD_SUBREAPER, 1
    )  # this process inherits what the command leaves, and waits for it
    others, before = {each.pid for each in psutil.Process().children()}, core_seconds()
    variables = os.environ | {"PYTHONPATH": "src"} | environment  # the code of the copy
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=variables, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    while left := [each.pid for each in psutil.Process().children() if each.pid not in others]:
        os.waitpid(left[0], 0)
    return seconds, core_seconds() - before


def core_seconds() -> float:
    """Return the core-seconds of all processes that have ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    with command_main():
        main()
