"""The workers of a Dask cluster as a place for the runs of a variant's seeds.

They need this package, with the same libraries, and no file of the project's. The data travel to the scheduler once,
and from there to each worker once.
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any

from remnist.errors import UserError
from remnist.runtime.finished import sha256, software
from remnist.runtime.local import Epoch, Run, follow

if TYPE_CHECKING:
    from distributed import Client

ADDRESS = "DASK_SCHEDULER_ADDRESS"
DATA = "remnist-"  # what the scheduler's names of data begin with, which end with their SHA-256
ANSWER_S = 5  # that a scheduler may take at first
RESTART_S = 60  # that one which was lost may take to come back
LOSSES = 5  # of the scheduler before giving up


class ClusterLostError(Exception):
    """The connection to the scheduler was lost, and with it what was not finished."""


def train(address: str, settings: dict[str, Any], seeds: list[int], data_path: Path) -> Iterator[Epoch | Run]:
    """Train seeds of a variant on the workers of a cluster.

    A seed whose worker is lost begins anew on another, and so do all that are not finished if the scheduler is lost.

    Args:
        address: the scheduler's.
        settings: the variant's entry of the plan.
        seeds: which to train.
        data_path: the file that preprocess wrote.

    Yields:
        What `remnist.runtime.local.follow` does.

    Raises:
        UserError: Dask is not installed; nobody answers at the address; a worker has other versions of the package
            or its libraries; several were killed over the same seed; or what `remnist.learning.loop.run_seed` raises.
    """
    missing, patience_s = set(seeds), ANSWER_S
    for _ in range(LOSSES):
        try:
            with _submitter(address, patience_s, settings, data_path) as (submit, events):
                for message in follow([submit(seed) for seed in seeds if seed in missing], events):
                    yield message
                    if isinstance(message, Run):
                        missing.remove(message.seed)
            return
        except ClusterLostError:
            print(f"{address}: lost; what was not finished begins anew when it answers again", flush=True)
            patience_s = RESTART_S
    raise UserError(f"{ADDRESS}: {address}: lost {LOSSES} times")


@contextmanager
def _submitter(
    address: str, patience_s: float, settings: dict[str, Any], data_path: Path
) -> Iterator[tuple[Callable[[int], "Future[Run]"], "Queue[Epoch]"]]:
    """Connect to a scheduler; yield a function that submits a seed, and the queue of what the runs report."""
    try:
        from distributed import Client, KilledWorker
        from distributed.comm import resolve_address
    except ImportError as error:
        raise UserError(f"{ADDRESS} is set, which needs Dask ({error}): pip install '.[cluster]'") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it says of lost connections is told here
    try:
        resolve_address(address)  # of one that is none a client would stay half made
        client = Client(address, timeout=patience_s, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{ADDRESS}: {address}: no Dask scheduler answers: {' '.join(str(error).split())}") from None
    with client:
        events, topic = Queue[Epoch](), f"remnist-{uuid.uuid4()}"
        try:
            client.subscribe_topic(topic, lambda event: events.put(Epoch(*event[1])))
            digest, executor, expected = sha256(data_path), client.get_executor(pure=False), software()
            _bring(client, data_path, digest)
            yield lambda seed: executor.submit(_on_worker(), expected, settings, seed, digest, topic), events
        except ImportError as error:
            raise UserError(str(error)) from None
        except KilledWorker as error:
            raise UserError(
                f"{error.allowed_failures + 1} workers were killed over the same seed, the last at "
                f"{error.last_worker.address}; was there enough memory?"
            ) from None
        except (CancelledError, OSError):
            raise ClusterLostError from None


def _bring(client: "Client", data_path: Path, digest: str) -> None:
    """Put the data where workers find them: with the scheduler, if no stage before has done so."""
    name = f"{DATA}{digest}"
    if name not in client.list_datasets():
        with suppress(KeyError):  # another stage was faster
            client.publish_dataset(data_path.read_bytes(), name=name)
    if not client.ncores():
        print(f"{client.scheduler.address}: has no workers yet; waiting for the first", flush=True)


def _on_worker() -> Callable[..., Run]:
    """Return the task. A nested function travels as its code, so workers without this package can refuse it too."""

    def run_seed(expected: dict[str, str], *task: Any) -> Any:
        from distributed import get_worker

        try:
            from remnist.runtime.finished import software

            found = software()
            others = [
                f"{name} {found[name]} there, {known} here" for name, known in expected.items() if found[name] != known
            ]
            if others:
                raise ImportError(", ".join(others))
            from remnist.runtime import cluster_worker as remote

            return remote.run_seed(*task)
        except ImportError as error:
            message = f"worker {get_worker().address}: {error}; it needs the package and libraries that are here"
            raise ImportError(message) from None

    return run_seed
