"""A seed on a Dask worker, trained by a process beside it.

The kernels are chosen when a process loads its libraries, by its variant's numerics; a Dask worker has loaded some
before it is asked for anything. Its own processes may also start no others by multiprocessing. So each of its threads
that trains takes a process of those that wait here, pinned from their start, or starts one; it loads torch once.
"""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from threading import Lock
from typing import Any

from distributed import Worker, get_client, get_worker

from remnist.errors import UserError
from remnist.files import write_bytes
from remnist.learning import numerics
from remnist.runtime import pool
from remnist.runtime.cluster import DATA
from remnist.runtime.finished import software
from remnist.runtime.lifetime import end_with_parent
from remnist.runtime.local import RUN_SEED, Epoch, Run

LOADED = software()
STARTS = 3  # of a process that is killed; where memory runs out it would be killed for ever
POLL_S = 0.2


class Trainer:
    """A process that trains one seed after the other.

    Args:
        kind: its numerics, portable or native.
    """

    def __init__(self, kind: str) -> None:
        self.connection, theirs = Pipe()
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        self.process = subprocess.Popen(
            command, env=numerics.environment(kind), pass_fds=[theirs.fileno()], process_group=0
        )
        theirs.close()

    def train(self, task: tuple[Any, ...], on_epoch: Callable[[Epoch], None], is_wanted: Callable[[], bool]) -> Run:
        """Train a seed.

        Args:
            task: what the training loop is called with, but for its last argument.
            on_epoch: called after each epoch.
            is_wanted: asked now and then whether to go on.

        Raises:
            EOFError, ConnectionError: the process was killed.
            RuntimeError: nobody wants the result any more.
            Exception: what training raised.
        """
        self.connection.send(task)
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


_waiting = defaultdict[str, list[Trainer]](list)
_storing = Lock()


def run_seed(settings: dict[str, Any], seed: int, digest: str, topic: str) -> Run:
    """Train one seed of a variant, as `remnist.learning.loop.run_seed` does; called in a task of a Dask worker.

    Args:
        settings: the variant's entry of the plan.
        seed: 0 to 2**32 - 1.
        digest: the SHA-256 of the data, hexadecimal; if they are not here, the scheduler has them.
        topic: of the events that tell of the epochs.

    Raises:
        ImportError: the package is not what it was when this worker imported it.
        UserError: as there; or the data cannot be stored, or the process that trains was killed again and again.
    """
    if software() != LOADED:
        raise ImportError("its package or libraries have changed since it started; start it anew")
    worker, waiting = get_worker(), _waiting[settings["train"]["numerics"]]
    task, tasks = worker.get_current_task(), worker.state.tasks
    try:
        data_path = _data(worker, digest)
        for _ in range(STARTS):
            trainer = waiting.pop() if waiting else Trainer(settings["train"]["numerics"])
            try:
                run = trainer.train(
                    (settings, seed, data_path),
                    on_epoch=lambda epoch: worker.log_event(topic, tuple(epoch)),
                    is_wanted=lambda: task in tasks and tasks[task].state != "cancelled",
                )
                waiting.append(trainer)
                return run
            except (EOFError, ConnectionError):
                trainer.end()
            except BaseException:
                trainer.end()
                raise
    except (OSError, UserError) as error:
        raise UserError(f"worker {worker.address}: {error}") from None
    raise UserError(f"worker {worker.address}: its training process was killed {STARTS} times; enough memory there?")


def _data(worker: Worker, digest: str) -> Path:
    path = Path(worker.local_directory, f"{digest}.safetensors")
    with _storing:
        if not path.exists():
            write_bytes(path, get_client().get_dataset(f"{DATA}{digest}"))
    return path


def main() -> None:
    """Train what comes over the connection whose file descriptor the command line names, until it ends."""
    end_with_parent(any_parent=True)
    connection = Connection(int(sys.argv[1]))
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        try:
            answer = pool.call(RUN_SEED, *task, connection.send)
        except Exception as error:
            answer = error
        connection.send(answer)


if __name__ == "__main__":
    main()
