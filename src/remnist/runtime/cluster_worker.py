"""A task on a Dask worker that `remnist worker` has started: one at a time, pinned before it loaded any library."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from distributed import Worker, get_client, get_worker

from remnist.data import mapped
from remnist.errors import UserError
from remnist.learning import numerics
from remnist.learning.runs import Epoch
from remnist.plan import digests
from remnist.runtime import tasks
from remnist.runtime.cluster_task import DATASET, Task

STAGES = ("train", "evaluate")
# Kinds of numerics that this process is pinned as, before it loads scikit-learn, which sets variables of its own.
PINNED = {kind for kind in numerics.PINS if os.environ == numerics.environment(kind)}


class UnwantedError(Exception):
    """Nobody waits for the task's result any more."""


def _on_disk() -> tuple[dict[str, str], str]:
    """Return the versions of the libraries that tasks use, and the digest of all their code and all models'."""
    rooms = ("learning", "models", "evaluation")
    modules = [path for room in rooms for path in digests.PACKAGE.glob(f"{room}/*.py")]
    return digests.versions({name for stage in STAGES for name in digests.LIBRARIES[stage]}), digests.code(modules)


LOADED = _on_disk()


def check(task: Task, threads: int) -> None:
    """Check that this process computes with the client's code, libraries and numerics.

    Args:
        task: the task.
        threads: how many the worker computes with. Numerics settle in one.

    Raises:
        ImportError: code or libraries are others, or have changed on disk since this process imported some of them.
        UserError: the numerics are others.
    """
    task.check()
    if _on_disk() != LOADED:
        raise ImportError("its package or libraries have changed since it started; restart it")
    kind = task.variant.train.numerics
    if kind not in PINNED or threads > 1:
        raise UserError(f"its numerics are not pinned as {kind}; start it by `remnist worker`")


def compute(message: dict[str, Any]) -> Any:
    """Train a seed or evaluate a variant in a task of a Dask worker.

    Args:
        message: the task as it travelled. Unless its data are on this machine, the scheduler has them.

    Returns:
        A `Run`, or an evaluation.

    Raises:
        ImportError: the package or its libraries are not the client's, or not those that this worker has imported.
        UserError: as in training and evaluating; the numerics are not pinned; or the data cannot be stored.
        UnwantedError: nobody waits for the result any more.
    """
    task, worker = Task.from_json(message), get_worker()
    is_wanted = _asks(worker)

    def report(reported: tuple[str, Epoch]) -> None:
        if not is_wanted():
            raise UnwantedError
        name, epoch = reported
        worker.log_event(task.topic, (name, tuple(epoch)))

    try:
        check(task, worker.state.nthreads)
        data_path = _store(worker, task.data)
        if task.seed is not None:
            result = tasks.train(task.name, task.variant, task.seed, data_path, report)
        else:
            result = _evaluate(task, data_path)
        check(task, worker.state.nthreads)  # also of what was imported meanwhile
    except (OSError, UserError) as error:
        raise UserError(f"worker {worker.address}: {error}") from None
    return result


def _asks(worker: Worker) -> Callable[[], bool]:
    """Return a function that says whether a client still wants the task that this thread computes."""
    key, known = worker.get_current_task(), worker.state.tasks

    def is_wanted() -> bool:
        found = known.get(key)  # which another thread may remove at any moment
        return found is not None and found.state != "cancelled"

    return is_wanted


def _evaluate(task: Task, data_path: Path) -> Any:
    with TemporaryDirectory(dir=data_path.parent) as folder:
        paths = [Path(folder, f"{i}.safetensors") for i in range(len(task.weights))]
        for path, content in zip(paths, task.weights, strict=True):
            path.write_bytes(content)
        return tasks.evaluate(task.variant, paths, data_path)


def _store(worker: Worker, digest: str) -> Path:
    """Store the prepared data on this machine, unless they are here, and return their path."""
    path = Path(worker.local_directory).with_name(f"{DATASET}{digest}.safetensors")
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be storing them
        if not path.exists():
            mapped.write(path, [get_client().get_dataset(f"{DATASET}{digest}")])
    return path
