"""The workers of a Dask cluster as a place for the runs of a variant's seeds.

Workers need this package with the same libraries, and no file of the project. The data travel to the scheduler once,
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
from remnist.learning.runs import Epoch, Run
from remnist.runtime.cluster_task import DATASET, Task
from remnist.runtime.finished import sha256
from remnist.runtime.local import follow
from remnist.settings import Variant

if TYPE_CHECKING:
    from distributed import Client

ADDRESS = "DASK_SCHEDULER_ADDRESS"
CONNECT_S = 5  # seconds until the first connection to a scheduler fails
RECONNECT_S = 60  # seconds until the connection to a lost scheduler fails
CONNECTIONS = 5  # to a scheduler that is lost again and again


class ClusterLostError(Exception):
    """The connection to the scheduler was lost, and with it all unfinished runs."""


def train(address: str, variant: Variant, seeds: list[int], data_path: Path) -> Iterator[Epoch | Run]:
    """Train seeds of a variant on the workers of a cluster.

    A seed whose worker is lost starts again on another. If the scheduler is lost, all unfinished seeds start again.

    Args:
        address: the scheduler's.
        variant: its settings.
        seeds: which to train.
        data_path: the file that preprocess wrote.

    Yields:
        As `remnist.runtime.local.follow` does.

    Raises:
        UserError: Dask is not installed; nobody answers at the address; a worker has other versions of the package
            or its libraries; several were killed over the same seed; or `remnist.learning.loop.run_seed` raised it.
    """
    missing, patience_s = set(seeds), CONNECT_S
    for _ in range(CONNECTIONS):
        try:
            with _submitter(address, patience_s, variant, data_path) as (submit, events):
                for message in follow([submit(seed) for seed in seeds if seed in missing], events):
                    yield message
                    if isinstance(message, Run):
                        missing.remove(message.seed)
            return
        except ClusterLostError:
            print(f"{address}: lost; unfinished seeds start again when it answers", flush=True)
            patience_s = RECONNECT_S
    raise UserError(f"{ADDRESS}: {address}: lost {CONNECTIONS} times")


@contextmanager
def _submitter(
    address: str, patience_s: float, variant: Variant, data_path: Path
) -> Iterator[tuple[Callable[[int], "Future[Run]"], "Queue[Epoch]"]]:
    """Connect to a scheduler; yield a function that submits a seed, and the queue of the epochs that runs report."""
    try:
        from distributed import Client, KilledWorker
        from distributed.comm import resolve_address
    except ImportError as error:
        raise UserError(f"{ADDRESS} is set, which needs Dask ({error}): pip install '.[cluster]'") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # this module reports lost connections itself
    try:
        resolve_address(address)  # or a client of a malformed address would stay half made
        client = Client(address, timeout=patience_s, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{ADDRESS}: {address}: no Dask scheduler answers: {' '.join(str(error).split())}") from None
    with client:
        events, topic = Queue[Epoch](), f"remnist-{uuid.uuid4()}"
        try:
            client.subscribe_topic(topic, lambda event: events.put(Epoch(*event[1])))
            data, executor = sha256(data_path), client.get_executor(pure=False)
            _publish(client, data_path, data)

            def submit(seed: int) -> "Future[Run]":
                return executor.submit(_on_worker(), Task.made_here(variant, seed, data, topic).to_json())

            yield submit, events
        except ImportError as error:
            raise UserError(str(error)) from None
        except KilledWorker as error:
            raise UserError(
                f"{error.allowed_failures + 1} workers were killed over the same seed, the last at "
                f"{error.last_worker.address}; was there enough memory?"
            ) from None
        except (CancelledError, OSError):
            raise ClusterLostError from None


def _publish(client: "Client", data_path: Path, digest: str) -> None:
    """Give the data to the scheduler, where workers find them, unless another stage has done so."""
    name = f"{DATASET}{digest}"
    if name not in client.list_datasets():
        with suppress(KeyError):  # another stage was faster
            client.publish_dataset(data_path.read_bytes(), name=name)
    if not client.ncores():
        print(f"{client.scheduler.address}: has no workers yet; waiting for the first", flush=True)


def _on_worker() -> Callable[[dict[str, Any]], Run]:
    """Return the task. A nested function travels as its code, so workers without this package can refuse it too."""

    def run_seed(message: Any) -> Any:
        from distributed import get_worker

        try:
            from remnist.runtime.cluster_worker import run_task

            return run_task(message)
        except ImportError as error:
            reason = f"worker {get_worker().address}: {error}; it needs the package and libraries that are here"
            raise ImportError(reason) from None

    return run_seed
