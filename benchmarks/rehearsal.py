"""The whole study on a Dask cluster whose workers sleep for as long as they would train.

A schedule on paper leaves out the work of the machine with the project: DVC, a process a stage, the scheduler, the
evaluations. Here `make repro JOBS=57` does all of that work. Only the workers, many on one machine, do nothing. An
evaluation computes for as long as the study's do, and the report is left out. `make rehearsal` runs it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from remnist.commands import demo
from remnist.commands.lanes import leave_sigint
from remnist.commands.repro import seconds_of_a_run
from remnist.errors import UserError
from remnist.files import read_json, read_yaml, write_json, write_text
from remnist.plan import entries
from remnist.runtime.cluster import ADDRESS
from remnist.runtime.stage import command_main

THREADS = 16  # runs that a worker takes at a time
EVALUATION_S = 4.5  # core-seconds; 4.2 for the twelve seeds of an MLP, 6.5 for the six of a Mixer or a CNN
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
    for number in range(1, variant.train.epochs + 1):
        time.sleep(seconds / variant.train.epochs)
        curve.append({f"{part}/{name}": figures[name] for part in ("train", "validation") for name in figures})
        on_epoch(Epoch(seed, number, curve[-1]))
    return Run(seed, bytes(4 * parameters), curve)
"""
EVALUATE = """
import pathlib, sys, time
while time.process_time() < SECONDS:
    pass
path = pathlib.Path(f"evaluations/{sys.argv[1]}.json")
path.parent.mkdir(exist_ok=True)
path.write_text("{}")
"""
NO_TORCH = "\n\ndef settle() -> None:\n    pass\n"


def main() -> None:
    """Print how long the study takes, and how long its longest run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=64, help=f"runs at a time, a multiple of {THREADS} (default 64)")
    parser.add_argument("--jobs", type=int, help="stages at a time (default: one a variant)")
    parser.add_argument("--speed", type=float, default=1, help="how many times as fast the workers are (default 1)")
    arguments = parser.parse_args()
    if arguments.workers < 1 or arguments.workers % THREADS:
        raise UserError(f"--workers: {arguments.workers}: allowed: a multiple of {THREADS}")
    if not arguments.speed > 0:
        raise UserError(f"--speed: {arguments.speed}: allowed: more than 0")
    with tempfile.TemporaryDirectory() as folder:
        trained, whole, used = rehearse(Path(folder, "copy"), arguments.workers, arguments.jobs, arguments.speed)
    print(f"{arguments.workers} workers: trained after {trained / 60:.1f} minutes, evaluated after {whole / 60:.1f}")
    print(f"DVC and its stages took {used / 2**30:.1f} GiB at most")


def rehearse(folder: Path, workers: int, jobs: int | None, speed: float) -> tuple[float, float, int]:
    """Run a copy of the project on a cluster of this machine.

    Args:
        folder: the copy's; workers keep their files next to it.
        workers: how many runs at a time, a multiple of THREADS.
        jobs: how many stages at a time; None: one a variant.
        speed: how many times as fast the workers are as those of docs/seconds.csv.

    Returns:
        Seconds until all variants are trained, and until they are evaluated too; bytes that DVC and its stages used.

    Raises:
        UserError: a stage failed; the end of what was said.
    """
    from distributed import SubprocessCluster

    demo.copy(folder, {"data": {"name": "digits"}})
    demo.leave_git(folder)
    runs = folder / "runs.json"
    pretend(folder, runs)
    os.environ["PYTHONPATH"] = str(folder / "src")  # of the stages and of the workers, whose code has to be the same
    subprocess.run(["dvc", "repro", "--quiet", "plan", "preprocess"], cwd=folder, check=True)
    plan, summary = entries.read(folder / "plan.json"), read_json(Path("metrics/summary.json"))
    seconds = {name: run / speed for name, run in seconds_of_a_run(plan).items()}
    figures = {name: [seconds[name], summary[name]["parameters"]] for name in plan}
    write_json(runs, {json.dumps(variant.to_json()): figures[name] for name, variant in plan.items()})
    all_seconds = [seconds[name] for name, variant in plan.items() for _ in variant.seeds]
    total, longest = sum(all_seconds) / 60, max(all_seconds) / 60
    print(f"{len(all_seconds)} runs: {total:.1f} minutes of one core, the longest {longest:.1f}", flush=True)
    weights = [folder / "models" / name / "seed-0.safetensors" for name in plan]
    trained, used = 0.0, 0
    options = {"memory_limit": 0, "local_directory": str(folder.parent)}
    with (
        SubprocessCluster(n_workers=workers // THREADS, threads_per_worker=THREADS, worker_kwargs=options) as cluster,
        (folder / "log").open("wb") as log,
        leave_sigint(),
    ):
        command = [sys.executable, "-m", "remnist.cli", "repro", "--jobs", str(jobs or len(plan))]
        variables = os.environ | {ADDRESS: cluster.scheduler_address}
        start = time.monotonic()
        repro = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log)
        while repro.poll() is None:
            time.sleep(POLL_S)
            used = max(used, own_memory(repro.pid))
            if not trained and all(path.exists() for path in weights):
                trained = time.monotonic() - start
        whole = time.monotonic() - start
    if repro.returncode:
        raise UserError((folder / "log").read_text(encoding="utf-8")[-2000:])
    return trained, whole, used


def pretend(folder: Path, runs: Path) -> None:
    """Put in the places of the training loop and of the evaluation what takes as long and does nothing.

    Args:
        folder: the project's copy, which has not planned yet: the plan digests its code.
        runs: a file of the seconds and the parameters of each run, by its settings as JSON.
    """
    package = folder / "src" / "remnist"
    write_text(package / "learning" / "loop.py", LOOP.replace("RUNS", repr(str(runs))))
    with (package / "learning" / "numerics.py").open("a", encoding="utf-8") as numerics:
        numerics.write(NO_TORCH)
    write_text(folder / "stages" / "evaluate.py", EVALUATE.replace("SECONDS", str(EVALUATION_S)))
    graph = read_yaml(folder / "dvc.yaml")
    del graph["stages"]["report"]
    write_json(folder / "dvc.yaml", {"stages": graph["stages"]})


def own_memory(process: int) -> int:
    """Return the bytes that a process and its descendants have for themselves."""
    total = 0
    try:
        parent = psutil.Process(process)
        for member in (parent, *parent.children(recursive=True)):
            memory = member.memory_info()
            total += memory.rss - memory.shared
    except psutil.Error:  # one that has just ended
        pass
    return total


if __name__ == "__main__":
    with command_main():
        main()
