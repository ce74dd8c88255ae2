"""A task on a Dask worker that `remnist worker` has started: one at a time, pinned before it loaded any library."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any

from distributed import Worker, get_client, get_worker

from remnist.errors import UserError
from remnist.learning import numerics
from remnist.learning.runs import Epoch
from remnist.plan import digests
from remnist.runtime import tasks
from remnist.runtime.cluster_task import DATASET, Task

STAGES = ("train", "evaluate")


class UnwantedError(Exception):
    """Nobody waits for the task's result any more."""


def _on_disk() -> tuple[dict[str, str], str]:
    """Return the versions of the libraries that tasks use, and the digest of all their code and all models'."""
    rooms = ("learning", "models", "evaluation")
    modules = [path for room in rooms for path in digests.PACKAGE.glob(f"{room}/*.py")]
    return digests.versions({name for stage in STAGES for name in digests.LIBRARIES[stage]}), digests.code(modules)


LOADED = _on_disk()


def check(task: Task) -> None:
    """Check that this process computes with the client's code, libraries and numerics.

    Raises:
        ImportError: they are others, or have changed on disk since this process imported some of them.
    """
    task.check()
    if _on_disk() != LOADED:
        raise ImportError("its package or libraries have changed since it started; restart it")
    kind = task.variant.train.numerics
    pinned = numerics.environment(kind)
    if os.environ != pinned:
        raise ImportError(f"its numerics are not pinned as {kind}; start it with `remnist worker`")


def compute(message: dict[str, Any]) -> Any:
    """Train a seed or evaluate a variant in a task of a Dask worker.

    Args:
        message: the task as it travelled. Unless its data are on this machine, the scheduler has them.

    Returns:
        A `Run`, or an evaluation.

    Raises:
        ImportError: the package, its libraries or the numerics are not the client's, or not those that this worker
            has imported.
        UserError: as in training and evaluating; or the data cannot be stored.
        UnwantedError: nobody waits for the result any more.
    """
    task, worker = Task.from_json(message), get_worker()
    check(task)
    is_wanted = _asks(worker)

    def report(reported: tuple[str, Epoch]) -> None:
        if not is_wanted():
            raise UnwantedError
        name, epoch = reported
        worker.log_event(task.topic, (name, tuple(epoch)))

    try:
        data_path = _store(worker, task.data)
        if task.seed is not None:
            result: Any = tasks.train(task.name, task.variant, task.seed, data_path, report)
        else:
            result = _evaluate(task, data_path)
    except (OSError, UserError) as error:
        raise UserError(f"worker {worker.address}: {error}") from None
    check(task)  # also of what was imported meanwhile
    return result


def _asks(worker: Worker) -> Callable[[], bool]:
    """Return a function that says whether a client still wants the task that this thread computes."""
    key, known = worker.get_current_task(), worker.state.tasks

    def is_wanted() -> bool:
        found = known.get(key)  # which another thread may remove at any moment
        return found is not None and found.state != "cancelled"

    return is_wanted


def _evaluate(task: Task, data_path: Path) -> dict[str, Any]:
    with TemporaryDirectory(dir=data_path.parent) as folder:
        paths = [Path(folder, f"{i}.safetensors") for i in range(len(task.weights))]
        for path, content in zip(paths, task.weights, strict=True):
            path.write_bytes(content)
        return tasks.evaluate(task.variant, paths, data_path)


def _store(worker: Worker, digest: str) -> Path:
    """Store the prepared data on this machine, unless they are here, and return their path."""
    path = Path(worker.local_directory).parent / f"{DATASET}{digest}.safetensors"
    if not path.exists():
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:  # another worker may be storing them too
            file.write(get_client().get_dataset(f"{DATASET}{digest}"))
        Path(file.name).replace(path)
    return path
