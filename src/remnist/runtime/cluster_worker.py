"""A seed on a Dask worker, trained by a process that the worker starts.

A process chooses its kernels by its variant's numerics when it loads its libraries; a Dask worker has loaded some
before its first task. Dask's own processes may also start no others by multiprocessing. So each of the worker's threads
that trains takes a waiting process, pinned from its start, or starts one; it loads torch once.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

from distributed import Worker, get_client, get_worker

from remnist.errors import UserError
from remnist.files import write_bytes
from remnist.learning import numerics
from remnist.learning.runs import Epoch, Run
from remnist.plan import digests
from remnist.runtime import pool
from remnist.runtime.cluster_task import DATASET, Task
from remnist.runtime.lifetime import end_with_parent
from remnist.runtime.local import RUN_SEED

ATTEMPTS = 3  # processes for a seed; where memory runs out, each would be killed
POLL_S = 0.2  # seconds between two looks whether a client still wants the seed


def _on_disk() -> tuple[dict[str, str], str]:
    """Return the versions of the libraries that training uses, and the digest of all its code and all models'."""
    modules = [path for room in ("learning", "models") for path in digests.PACKAGE.glob(f"{room}/*.py")]
    return digests.versions(digests.LIBRARIES["train"]), digests.code(modules)


LOADED = _on_disk()


def check(task: Task) -> None:
    """Check that this process computes with the client's code and libraries.

    Raises:
        ImportError: they are others, or have changed on disk since this process imported some of them.
    """
    task.check()
    if _on_disk() != LOADED:
        raise ImportError("its package or libraries have changed since it started; restart it")


class Trainer:
    """A process that trains one seed after the other.

    Args:
        kind: its numerics, portable or native.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.connection, theirs = Pipe()
        command = [sys.executable, "-m", __name__, str(theirs.fileno()), str(os.getpid())]
        self.process = subprocess.Popen(
            command, env=numerics.environment(kind), pass_fds=[theirs.fileno()], process_group=0
        )
        theirs.close()

    def train(
        self,
        message: dict[str, Any],
        data_path: Path,
        on_epoch: Callable[[Epoch], None],
        is_wanted: Callable[[], bool],
    ) -> Run:
        """Train a seed.

        Args:
            message: the task as it travelled.
            data_path: the prepared data on this machine.
            on_epoch: called after each epoch.
            is_wanted: asked several times a second whether to go on.

        Raises:
            EOFError, ConnectionError: the process was killed.
            RuntimeError: nobody wants the result any more.
            Exception: training raised it.
        """
        self.connection.send((message, data_path))
        while is_wanted():
            if self.connection.poll(POLL_S):
                answer = self.connection.recv()
                if isinstance(answer, Run):
                    return answer
                if isinstance(answer, Exception):
                    raise answer
                on_epoch(answer)
        raise RuntimeError("nobody waits for this seed any more")

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.wait()
        self.connection.close()


_waiting = {kind: SimpleQueue[Trainer]() for kind in numerics.PINS}
_storing = Lock()


def run_task(message: dict[str, Any]) -> Run:
    """Train one seed of a variant, as `remnist.learning.loop.run_seed` does, in a task of a Dask worker.

    Args:
        message: the task as it travelled. Unless its data are on this machine, the scheduler has them.

    Raises:
        ImportError: the package or its libraries are not the client's, or not those that this worker has imported.
        UserError: as in `run_seed`; or the data cannot be stored, or the training process was killed repeatedly.
    """
    task = Task.from_json(message)
    worker, kind = get_worker(), task.variant.train.numerics
    key, tasks = worker.get_current_task(), worker.state.tasks

    def is_wanted() -> bool:
        found = tasks.get(key)  # which another thread may remove at any moment
        return found is not None and found.state != "cancelled"

    try:
        check(task)
        data_path = _store(worker, task.data)
        for _ in range(ATTEMPTS):
            trainer = take(kind)
            try:
                run = trainer.train(
                    message, data_path, on_epoch=lambda epoch: worker.log_event(task.topic, tuple(epoch)),
                    is_wanted=is_wanted,
                )  # fmt: skip
                leave(trainer)
                return run
            except (EOFError, ConnectionError):
                trainer.end()
            except BaseException:
                trainer.end()
                raise
    except (OSError, UserError) as error:
        raise UserError(f"worker {worker.address}: {error}") from None
    raise UserError(f"worker {worker.address}: its training process was killed {ATTEMPTS} times; enough memory there?")


def take(kind: str) -> Trainer:
    """Return a process that waits for a seed, or a new one.

    Args:
        kind: its numerics, portable or native.
    """
    try:
        return _waiting[kind].get_nowait()
    except Empty:
        return Trainer(kind)


def leave(trainer: Trainer) -> None:
    """Let a process wait for the next seed."""
    _waiting[trainer.kind].put(trainer)


def _store(worker: Worker, digest: str) -> Path:
    """Store the prepared data on this machine, unless they are here, and return their path."""
    path = Path(worker.local_directory, f"{digest}.safetensors")
    with _storing:
        if not path.exists():
            write_bytes(path, get_client().get_dataset(f"{DATASET}{digest}"))
    return path


def main() -> None:
    """Train each seed that comes over a connection, until it ends.

    The command line names the connection's file descriptor and the process id of the Dask worker.
    """
    descriptor, worker = map(int, sys.argv[1:])
    end_with_parent(worker)
    connection = Connection(descriptor)
    while True:
        try:
            message, data_path = connection.recv()
        except EOFError:
            return
        answer: Run | Exception
        try:
            task = Task.from_json(message)
            answer = pool.call(RUN_SEED, task.variant, task.seed, data_path, connection.send)
            check(task)  # also of what was imported while it trained
        except Exception as error:
            answer = error
        connection.send(answer)


if __name__ == "__main__":
    main()
