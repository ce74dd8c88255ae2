"""The whole study on a Dask cluster whose workers sleep for as long as they would train.

A schedule on paper leaves out what the machine with the project has to do: DVC, a process a stage, the scheduler, the
evaluations. Here all of that runs, by `make repro JOBS=57`; the workers alone are made up, and so are many on one
machine. An evaluation computes for as long as the study's do, and the report is left out. `make rehearsal` runs it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from remnist.commands import demo
from remnist.commands.repro import seconds_of_a_run
from remnist.errors import UserError
from remnist.files import read_json, read_yaml, write_json
from remnist.runtime.cluster import ADDRESS
from remnist.runtime.stage import stage_main

THREADS = 16  # runs that a worker takes at a time
EVALUATION_S = 4.5  # of a core: 4.2 for the twelve seeds of an MLP, 6.5 for the six of a Mixer or a CNN
POLL_S = 1
# In the place of the training loop: epochs that sleep, and weights of the right size. The numbers of a variant are
# found by the digest of its settings, since a run does not know its name.
LOOP = """
import json, time
from pathlib import Path
from remnist.runtime.local import Epoch, Run

def run_seed(settings, seed, data_path, on_epoch):
    seconds, parameters = json.loads(Path(RUNS).read_text())[settings["digest"]]
    curve, figures = [], {"loss": 0.1, "accuracy": 0.9}
    for number in range(1, settings["train"]["epochs"] + 1):
        time.sleep(seconds / settings["train"]["epochs"])
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
        folder: the copy's; workers keep their files beside it.
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
    os.environ["PYTHONPATH"] = str(folder / "src")  # of the stages and of the workers, which have to be of one kind
    subprocess.run(["dvc", "repro", "--quiet", "plan", "preprocess"], cwd=folder, check=True)
    plan = read_json(folder / "plan.json")
    seconds = {variant: run / speed for variant, run in seconds_of_a_run(plan).items()}
    pretend(folder, seconds)
    runs = [seconds[variant] for variant, entry in plan.items() for _ in entry["seeds"]]
    print(f"{len(runs)} runs: {sum(runs) / 60:.1f} minutes of one core, the longest {max(runs) / 60:.1f}", flush=True)
    weights = [folder / "models" / variant / "seed-0.safetensors" for variant in plan]
    trained, used = 0.0, 0
    options = {"memory_limit": 0, "local_directory": str(folder.parent)}
    with (
        SubprocessCluster(n_workers=workers // THREADS, threads_per_worker=THREADS, worker_kwargs=options) as cluster,
        (folder / "log").open("wb") as log,
    ):
        command = [sys.executable, "-m", "remnist.commands.repro", "--jobs", str(jobs or len(plan))]
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


def pretend(folder: Path, seconds: dict[str, float]) -> None:
    """Put in the places of the training loop and of the evaluation what takes as long and does nothing."""
    plan, summary, runs = read_json(folder / "plan.json"), read_json(Path("metrics/summary.json")), folder / "runs.json"
    write_json(runs, {plan[v]["digest"]: [seconds[v], summary[v]["parameters"]] for v in plan})
    package = folder / "src" / "remnist"
    (package / "training" / "loop.py").write_text(LOOP.replace("RUNS", repr(str(runs))), encoding="utf-8")
    with (package / "common" / "numerics.py").open("a", encoding="utf-8") as numerics:
        numerics.write(NO_TORCH)
    (folder / "stages" / "evaluate.py").write_text(EVALUATE.replace("SECONDS", str(EVALUATION_S)), encoding="utf-8")
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
    with stage_main():
        main()
