"""The whole study on a Dask cluster whose workers sleep for as long as they would train.

A schedule on paper leaves out the work of the machine with the project: DVC, its stages, the list of runs, the
scheduler. Here `remnist repro` does all of that work. Only the workers, many in one process, do nothing. The report
is left out. `make rehearsal` runs it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from remnist.commands import demo
from remnist.commands.ahead import seconds_of_an_epoch
from remnist.commands.processes import leave_sigint
from remnist.errors import UserError
from remnist.files import read_json, read_yaml, write_json, write_text
from remnist.learning import numerics
from remnist.plan import entries
from remnist.runtime.stage import command_main
from remnist.runtime.work import ADDRESS

EVALUATION_S = 4.5  # core-seconds of an evaluation: 4.2 of twelve seeds of an MLP, 6.5 of six of a Mixer or a CNN
POLL_S = 1
# In the place of the training loop: epochs that sleep, and weights of the right size. A run does not know its variant's
# name, so its settings find these figures.
LOOP = """
import json, time
from pathlib import Path
from remnist.learning.runs import Epoch, Run

def run_seed(variant, seed, data_path, on_epoch):
    seconds, parameters = json.loads(Path(RUNS).read_text())[json.dumps(variant.to_json())]
    curve, figures = [], {"loss": 0.1, "accuracy": 0.9}
    for number in range(variant.train.epochs + 1):
        time.sleep(seconds / variant.train.epochs if number else 0)
        curve.append({f"{part}/{name}": figures[name] for part in ("train", "test") for name in figures})
        on_epoch(Epoch(seed, number, curve[-1]))
    return Run(seed, bytes(4 * parameters), curve)
"""
EVALUATE = """
import time

def evaluate(variant, weights, data_path):
    time.sleep(SECONDS)
    return {}
"""


class Rehearsed(NamedTuple):
    """The figures of a rehearsal."""

    trained: float  # seconds until all runs are there
    evaluated: float  # seconds until all evaluations are there too
    ended: float  # seconds until DVC has run all stages
    memory: int  # bytes that all processes but the workers had for themselves at most


def main() -> None:
    """Print how long the study takes, and how long its longest run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=64, help="runs at a time (default %(default)s)")
    parser.add_argument("--speed", type=float, default=1, help="how many times as fast the workers are (default 1)")
    arguments = parser.parse_args()
    if arguments.workers < 1:
        raise UserError(f"--workers: {arguments.workers}: allowed: 1 or more")
    if not arguments.speed > 0:
        raise UserError(f"--speed: {arguments.speed}: allowed: more than 0")
    with tempfile.TemporaryDirectory() as folder:
        found = rehearse(Path(folder, "copy"), arguments.workers, arguments.speed)
    minutes = [f"{seconds / 60:.1f}" for seconds in (found.trained, found.evaluated, found.ended)]
    print(f"{arguments.workers} workers: all trained after {minutes[0]} minutes, evaluated after {minutes[1]}")
    print(f"DVC had run all stages but the report after {minutes[2]}")
    print(f"DVC, its stages, the list and the scheduler took {found.memory / 2**30:.1f} GiB at most")


def rehearse(folder: Path, workers: int, speed: float) -> Rehearsed:
    """Run a copy of the project on a cluster of this machine.

    Args:
        folder: the copy's; workers keep their files next to it.
        workers: how many runs at a time.
        speed: how many times as fast the workers are as those of docs/seconds.csv.

    Raises:
        UserError: a stage failed; the end of what was said.
    """
    demo.copy(folder, {"data": {"name": "digits"}})
    demo.leave_git(folder)
    runs = folder / "runs.json"
    pretend(folder, runs)
    os.environ["PYTHONPATH"] = str(folder / "src")  # the stages' and the workers', whose code has to be the same
    subprocess.run(["dvc", "repro", "--quiet", "plan", "preprocess"], cwd=folder, check=True)
    plan, summary = entries.read(folder / "plan.json"), read_json(Path("metrics/summary.json"))
    seconds = {name: each * plan[name].train.epochs / speed for name, each in seconds_of_an_epoch(plan).items()}
    figures = {name: [seconds[name], summary[name]["parameters"]] for name in plan}
    write_json(runs, {json.dumps(variant.to_json()): figures[name] for name, variant in plan.items()})
    all_seconds = [seconds[name] for name, variant in plan.items() for _ in variant.seeds]
    total, longest = sum(all_seconds) / 60, max(all_seconds) / 60
    print(f"{len(all_seconds)} runs: {total:.1f} minutes of one core, the longest {longest:.1f}", flush=True)
    trained = evaluated = 0.0
    memory = 0
    with sleeping(folder.parent, workers) as address, (folder / "log").open("wb") as log, leave_sigint():
        command, variables = [sys.executable, "-m", "remnist.cli", "repro"], os.environ | {ADDRESS: address}
        start = time.monotonic()
        repro = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log)
        while repro.poll() is None:
            time.sleep(POLL_S)
            memory = max(memory, own_memory(psutil.Process(), repro.pid))
            if not trained and len(list(folder.glob("models/*.tmp/*/seed-*.json"))) == len(all_seconds):
                trained = time.monotonic() - start
            if not evaluated and len(list(folder.glob("evaluations/*.tmp/*.json"))) == len(plan):
                evaluated = time.monotonic() - start
        ended = time.monotonic() - start
    if repro.returncode:
        raise UserError((folder / "log").read_text(encoding="utf-8")[-2000:])
    return Rehearsed(trained, evaluated, ended, memory)


def pretend(folder: Path, runs: Path) -> None:
    """Put in the places of the training loop and of the evaluation what takes as long and does nothing.

    Args:
        folder: the project's copy, which has not planned yet: the plan digests its code.
        runs: a file of the seconds and the parameters of each run, by its settings as JSON.
    """
    package = folder / "src" / "remnist"
    write_text(package / "learning" / "loop.py", LOOP.replace("RUNS", repr(str(runs))))
    write_text(package / "evaluation" / "seeds.py", EVALUATE.replace("SECONDS", str(EVALUATION_S)))
    graph = read_yaml(folder / "dvc.yaml", aliases=True)
    del graph["stages"]["report"]
    write_json(folder / "dvc.yaml", {"stages": graph["stages"]})


@contextmanager
def sleeping(folder: Path, workers: int) -> Iterator[str]:
    """Start a scheduler, and workers in one process, pinned like those of `remnist worker`; yield its address."""
    from distributed import Client, LocalCluster

    options = {"nthreads": 1, "resources": {"portable": 1}, "memory_limit": 0, "local_directory": str(folder)}
    spec = {str(i): {"cls": "distributed.Worker", "opts": options} for i in range(workers)}
    with (
        LocalCluster(n_workers=0, protocol="tcp", dashboard_address=":0") as scheduler,
        (folder / "log").open("wb") as log,
    ):
        command = [sys.executable, "-m", "dask", "spec", scheduler.scheduler_address, "--spec", json.dumps(spec)]
        process = subprocess.Popen(command, env=numerics.environment("portable"), stderr=log, start_new_session=True)
        try:
            with Client(scheduler) as client:
                client.wait_for_workers(workers)
            yield scheduler.scheduler_address
        finally:
            process.kill()
            process.wait()


def own_memory(scheduler: psutil.Process, repro: int) -> int:
    """Return the bytes that the scheduler's process has for itself, and another one with its descendants."""
    total = 0
    try:
        parent = psutil.Process(repro)
        for member in (scheduler, parent, *parent.children(recursive=True)):
            memory = member.memory_info()
            total += memory.rss - memory.shared
    except psutil.Error:  # one that has just ended
        pass
    return total


if __name__ == "__main__":
    with command_main():
        main()
