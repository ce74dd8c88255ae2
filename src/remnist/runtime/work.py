"""One list of runs and evaluations, longest first, for the cores of this machine or the workers of a Dask cluster.

A stage does its own variant's so, and `remnist ahead` those of all variants that are stale, which their stages then
find finished. The results do not depend on it.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from queue import Queue
from typing import Any, Protocol

from remnist.learning.runs import Epoch, Run
from remnist.runtime.finished import WEIGHTS, FinishedEvaluation, FinishedSeeds
from remnist.settings import Variant

ADDRESS = "DASK_SCHEDULER_ADDRESS"
POLL_S = 0.1  # seconds between two looks for epochs


class Place(Protocol):
    """Where tasks are computed."""

    epochs: "Queue[tuple[str, Epoch]]"  # with the variant's name; one may come twice, or be lost

    def train(self, name: str, variant: Variant, seed: int) -> "Future[Run]":
        """Start to train a seed, when a worker is free."""

    def evaluate(self, variant: Variant, weights: list[Path]) -> "Future[dict[str, Any]]":
        """Start to evaluate a variant, when a worker is free."""

    def room(self) -> int:
        """Return how many tasks can be started without an end, 1 or more."""


class Work:
    """The runs and evaluations to do.

    Args:
        train: the variants to train.
        evaluate: the variants to evaluate. Those that are not trained too have their weights in models/.
        check: called with a stage and a variant before its result is kept; raises an error if its inputs have changed.
        seconds: what an epoch of each variant takes, in any unit; the longest runs come first.
        on_epoch: called with each variant's name and each next epoch of its runs.

    Raises:
        UserError: the data or the weights cannot be read.
    """

    def __init__(
        self,
        train: Mapping[str, Variant],
        evaluate: Mapping[str, Variant],
        check: Callable[[str, str], None],
        seconds: Mapping[str, float] | None = None,
        on_epoch: Callable[[str, Epoch], None] = lambda name, epoch: None,
    ) -> None:
        self.variants = {**evaluate, **train}
        self.check, self.on_epoch = check, on_epoch
        self.seconds = seconds or dict.fromkeys(self.variants, 1.0)
        self.finished = {name: FinishedSeeds(name, variant) for name, variant in train.items()}
        self.missing = {
            (name, seed)
            for name, variant in train.items()
            for seed in set(variant.seeds) - {run.seed for run, _ in self.finished[name].runs(variant.seeds)}
        }
        self.unevaluated = {name for name in evaluate if not self._is_evaluated(name)}

    def do(self) -> None:
        """Do all that is not finished, where DASK_SCHEDULER_ADDRESS says, or on this machine.

        Raises:
            UserError: a task raised it, an input has changed, or a worker cannot be had or was lost.
        """
        if not self.missing and not self.unevaluated:
            return
        from remnist.runtime.progress import Progress

        runs = [name for name, _ in self.missing]
        with Progress(self.variants, self.seconds, {name: runs.count(name) for name in runs}) as progress:
            if address := os.environ.get(ADDRESS):
                from remnist.runtime import cluster

                cluster.use(address, self.variants.values(), lambda place: self._do(place, progress.show))
            else:
                from remnist.runtime import local

                counts = {"train": len(self.missing), "evaluate": len(self.unevaluated)}
                local.use(self.variants.values(), counts, lambda place: self._do(place, progress.show))

    def _do(self, place: Place, show: Callable[[str, Epoch], bool]) -> None:
        """Do all that is not finished, in a place."""

        def reported(name: str, epochs: Iterable[Epoch]) -> None:
            for epoch in epochs:
                if show(name, epoch):
                    self.on_epoch(name, epoch)

        waiting = deque(sorted(self.missing, key=lambda run: (-self._run_seconds(run[0]), *run)))
        ready = deque(sorted(name for name in self.unevaluated if self._is_trained(name)))
        runs: dict[Future[Run], str] = {}
        evaluations: dict[Future[dict[str, Any]], str] = {}
        while waiting or ready or runs or evaluations:
            while (waiting or ready) and len(runs) + len(evaluations) < place.room():
                if waiting:
                    name, seed = waiting.popleft()
                    runs[place.train(name, self.variants[name], seed)] = name
                else:
                    name = ready.popleft()
                    evaluations[place.evaluate(self.variants[name], self._weights(name))] = name
            pending: list[Future[Any]] = [*runs, *evaluations]
            done, _ = wait(pending, POLL_S, FIRST_COMPLETED)
            while not place.epochs.empty():
                name, epoch = place.epochs.get()
                reported(name, [epoch])
            for run in [future for future in runs if future in done]:
                name, trained = runs.pop(run), run.result()
                reported(name, trained.epochs())
                self._keep_run(name, trained)
                if name in self.unevaluated and self._is_evaluated(name):  # before, and the same weights came out
                    self.unevaluated.remove(name)
                elif name in self.unevaluated and self._is_trained(name):
                    ready.append(name)
            for evaluation in [future for future in evaluations if future in done]:
                name = evaluations.pop(evaluation)
                self.check("evaluate", name)
                self._evaluation(name).keep(evaluation.result())
                self.unevaluated.remove(name)

    def _keep_run(self, name: str, run: Run) -> None:
        from remnist.runtime.progress import files

        self.check("train", name)
        self.finished[name].keep(run, files(run))
        self.missing.remove((name, run.seed))

    def _is_trained(self, name: str) -> bool:
        return all(missing != name for missing, _ in self.missing)

    def _is_evaluated(self, name: str) -> bool:
        return self._is_trained(name) and self._evaluation(name).read() is not None

    def _weights(self, name: str) -> list[Path]:
        kept = self.finished.get(name)
        seeds = self.variants[name].seeds
        return [kept.weights(seed) if kept else WEIGHTS / name / f"seed-{seed}.safetensors" for seed in seeds]

    def _evaluation(self, name: str) -> FinishedEvaluation:
        return FinishedEvaluation(name, self.variants[name], self._weights(name))

    def _run_seconds(self, name: str) -> float:
        return self.seconds[name] * self.variants[name].train.epochs
