"""Processes that train side by side, one a core, and the seconds that they take."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import CONTESTANTS, Job
from remnist.learning import numerics

ROOT = Path(__file__).resolve().parents[1]


class ContestantError(Exception):
    """A contestant's process failed; the message is its last error."""


@dataclass(frozen=True)
class Times:
    """The times of processes side by side.

    Attributes:
        seconds: of an epoch and seed, from the second epoch on: the time until the last process ends, divided by the
            epochs of all processes.
        start: seconds from the start of the processes to the end of the first epoch, without an epoch's: libraries,
            data, compilation.
    """

    seconds: float
    start: float


def run(name: str, jobs: Sequence[Job]) -> Times:
    """Train jobs of one variant at the same time, each in a process of its own on a core of its own.

    Args:
        name: the contestant's.
        jobs: their variant trains two epochs or more.

    Raises:
        ContestantError: a process failed.
    """
    measured = jobs[0].variant.train.epochs - 1
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        started = time.perf_counter()
        processes = [_start(name, place, job, Path(scratch), stack) for place, job in enumerate(jobs)]
        _wait(processes, "ready", Path(scratch))
        ready = time.perf_counter()
        for process in processes:
            print(file=process.stdin, flush=True)
        _wait(processes, "done", Path(scratch))
        ended = time.perf_counter()
        _wait(processes, None, Path(scratch))
    return Times((ended - ready) / measured / len(jobs), ready - started - (ended - ready) / measured)


def _start(name: str, place: int, job: Job, scratch: Path, stack: ExitStack) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.peers", name, str(place), str(job.folder), job.name, str(job.seed)]
    errors = stack.enter_context((scratch / f"errors-{place}").open("w"))
    process = stack.enter_context(
        subprocess.Popen(
            command, cwd=ROOT, env=_environment(name, scratch), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=errors, text=True,
        )
    )  # fmt: skip
    stack.callback(process.kill)  # where another one fails, or at Ctrl-C
    return process


def _environment(name: str, scratch: Path) -> dict[str, str]:
    """Return the variables of a contestant's processes: one thread, and nothing that was set from outside."""
    kind = CONTESTANTS[name].numerics
    path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    if kind is not None:
        return numerics.environment(kind) | {"PYTHONPATH": path}
    others = {name: value for name, value in os.environ.items() if not name.startswith(numerics.CHOICES)}
    own = {"JAX_PLATFORMS": "cpu", "TORCHINDUCTOR_CACHE_DIR": str(scratch / "compiled")}  # an empty cache
    return others | numerics.THREADS | own | {"PYTHONPATH": path}


def _wait(processes: Sequence["subprocess.Popen[str]"], word: str | None, scratch: Path) -> None:
    """Wait until each process has said a word; None: until it has ended well."""
    for place, process in enumerate(processes):
        said = any(line.strip() == word for line in process.stdout or ())  # among what libraries may print
        if not said and (process.wait() or word):
            lines = (scratch / f"errors-{place}").read_text(errors="replace").strip().splitlines()
            errors = [line for line in lines if re.match(r"[\w.]+(: |$)", line)]  # not their tracebacks
            raise ContestantError([f"status {process.returncode}", *lines, *errors][-1])
