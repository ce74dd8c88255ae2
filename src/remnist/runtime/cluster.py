"""The workers of a Dask cluster as a place for runs and evaluations.

Workers need this package with the same libraries, and no file of the project. The data travel to the scheduler once,
and from there to each machine once.
"""

import logging
import math
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any

from remnist.errors import UserError, reason
from remnist.learning.runs import Epoch, Run
from remnist.runtime.cluster_task import DATASET, Task
from remnist.runtime.finished import DATA, sha256_of_data
from remnist.runtime.work import ADDRESS
from remnist.settings import Variant

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S = 5  # seconds until the first connection to a scheduler fails
RECONNECT_S = 60  # seconds until the connection to a lost scheduler fails
CONNECTIONS = 5  # to a scheduler that is lost again and again
AHEAD = 2  # tasks that a worker has, one of which waits
COUNT_S = 1  # seconds between two counts of the workers


class ClusterLostError(Exception):
    """The connection to the scheduler was lost, and with it all unfinished tasks."""


class Cluster:
    """The workers of a cluster, one task at a time each.

    Args:
        client: the connection to the scheduler.
        kind: the numerics of all tasks.
    """

    def __init__(self, client: "Client", kind: str) -> None:
        self.epochs, self.topic = Queue[tuple[str, Epoch]](), f"remnist-{uuid.uuid4()}"
        client.subscribe_topic(self.topic, lambda event: self.epochs.put((event[1][0], Epoch(*event[1][1]))))
        self.client, self.kind, self.data = client, kind, sha256_of_data()
        self.order, self.counted = count(), -math.inf
        _publish(client, self.data)
        if not self._workers():
            start = f"remnist worker {'' if kind == 'portable' else f'--numerics {kind} '}{client.scheduler.address}"
            print(f"{client.scheduler.address}: has no {kind} workers yet; waiting for `{start}`", flush=True)

    def train(self, name: str, variant: Variant, seed: int) -> "Future[Run]":
        """Start to train a seed, when a worker is free."""
        return self._submit(Task.training(name, variant, seed, self.data, self.topic))

    def evaluate(self, variant: Variant, weights: list[Path]) -> "Future[dict[str, Any]]":
        """Start to evaluate a variant, when a worker is free."""
        content = [path.read_bytes() for path in weights]
        return self._submit(Task.evaluation("", variant, content, self.data, self.topic))

    def room(self) -> int:
        """Return how many tasks can be started without an end: for each worker one, and one that waits.

        Dask gives tasks to workers when they are submitted, and counts it against all that a worker has when it is
        killed. So those that need not wait there wait here.
        """
        if time.monotonic() > self.counted + COUNT_S:
            self.tasks, self.counted = max(1, AHEAD * self._workers()), time.monotonic()
        return self.tasks

    def _submit(self, task: Task) -> "Future[Any]":
        executor = self.client.get_executor(pure=False, resources={self.kind: 1})
        # By itself Dask would start tasks that wait for a resource in another order.
        return executor.submit(_on_worker(), task.to_json(), priority=-next(self.order))

    def _workers(self) -> int:
        """Return how many workers take tasks of this kind."""
        return sum(self.kind in worker["resources"] for worker in self.client.scheduler_info()["workers"].values())


def use(address: str, variants: Iterable[Variant], do: Callable[[Cluster], None]) -> None:
    """Do something on the workers of a cluster.

    A task whose worker is lost starts again on another. If the scheduler is lost, `do` is called again.

    Args:
        address: the scheduler's.
        variants: all that are trained or evaluated; of one kind of numerics.
        do: does all that is not finished.

    Raises:
        UserError: Dask is not installed; nobody answers at the address; a worker has other versions of the package
            or its libraries; several were killed over the same task; or a task raised it.
    """
    [kind] = {variant.train.numerics for variant in variants}
    patience_s = CONNECT_S
    for _ in range(CONNECTIONS):
        try:
            with _connect(address, patience_s) as client:
                do(Cluster(client, kind))
            return
        except ClusterLostError:
            print(f"{address}: lost; unfinished seeds start again when it answers", flush=True)
            patience_s = RECONNECT_S
    raise UserError(f"{ADDRESS}: {address}: lost {CONNECTIONS} times; the next start takes up the finished seeds")


@contextmanager
def _connect(address: str, patience_s: float) -> Iterator["Client"]:
    """Connect to a scheduler, and report what its workers and Dask raise meanwhile."""
    try:
        from dask import config
        from distributed import Client, KilledWorker
        from distributed.comm import resolve_address
    except ImportError as error:
        raise UserError(f"{ADDRESS} is set, which needs Dask ({error}): pip install '.[cluster]'") from None
    except ValueError as error:  # a user's configuration is wrong
        raise UserError(f"Dask: {reason(error)}") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # this module reports lost connections itself
    try:
        resolve_address(address)  # or a client of a malformed address would stay half made
        client = Client(address, timeout=patience_s, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{ADDRESS}: {address}: no Dask scheduler answers: {reason(error)}") from None
    quiet = {"distributed.admin.large-graph-warning-threshold": "1 GB"}  # the weights of an evaluation travel with it
    with config.set(quiet), client:
        try:
            yield client
        except ImportError as error:
            raise UserError(str(error)) from None
        except KilledWorker as error:
            raise UserError(
                f"{error.allowed_failures + 1} workers were killed over the same task, the last at "
                f"{error.last_worker.address}; was there enough memory there?"
            ) from None
        except (CancelledError, OSError) as error:
            if getattr(error, "errno", None) is not None:  # a file's; those of Dask have none
                raise
            raise ClusterLostError from None


def _publish(client: "Client", digest: str) -> None:
    """Give the data to the scheduler, where workers find them, unless another run has done so."""
    name = f"{DATASET}{digest}"
    if name not in client.list_datasets():
        with suppress(KeyError):  # another run was faster
            client.publish_dataset(DATA.read_bytes(), name=name)


def _on_worker() -> Callable[[dict[str, Any]], Any]:
    """Return what a worker calls. A nested function travels as its code, so one without this package can refuse too."""

    def compute(message: Any) -> Any:
        from distributed import get_worker

        try:
            from remnist.runtime.cluster_worker import compute

            return compute(message)
        except ImportError as error:
            reason = f"worker {get_worker().address}: {error}; it needs the package and libraries that are here"
            raise ImportError(reason) from None

    return compute
