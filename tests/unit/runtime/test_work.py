"""What is done, in which order, and what is kept."""

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from remnist.errors import UserError
from remnist.learning.runs import Epoch, Run
from remnist.runtime import local
from remnist.runtime.finished import DATA, FinishedEvaluation, FinishedSeeds
from remnist.runtime.work import Work
from remnist.settings import Variant

METRICS = {f"{part}/{name}": 0.5 for part in ("train", "test") for name in ("loss", "accuracy")}


class Pretended:
    """A place that does each task at once, and notes it."""

    def __init__(self) -> None:
        self.epochs = Queue[tuple[str, Epoch]]()
        self.done: list[tuple[Any, ...]] = []

    def train(self, name: str, variant: Variant, seed: int) -> "Future[Run]":
        self.done.append((name, seed))
        return self._future(Run(seed, f"{name} {seed}".encode(), [METRICS] * (variant.train.epochs + 1)))

    def evaluate(self, variant: Variant, weights: list[Path]) -> "Future[dict[str, Any]]":
        content = [path.read_text() for path in weights]
        self.done.append(tuple(content))
        return self._future({"of": content})

    def room(self) -> int:
        return 2

    @staticmethod
    def _future(result: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(result)
        return future


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretended:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    DATA.parent.mkdir()
    DATA.write_bytes(b"data")
    place = Pretended()
    monkeypatch.setattr(local, "use", lambda variants, tasks, do: do(place))
    return place


def test_longest_runs_come_first_and_evaluations_when_all_seeds_are_there(place, variant):
    study = {"short": replace(variant, seeds=[0, 1]), "long": replace(variant, seeds=[5]), "trained": variant}
    kept = Path("models/trained")
    kept.mkdir(parents=True)
    for seed in variant.seeds:
        (kept / f"seed-{seed}.safetensors").write_text(f"trained {seed}")
    trained = {name: study[name] for name in ("short", "long")}
    Work(trained, study, lambda *_: None, seconds={"short": 1.0, "long": 2.0, "trained": 9.0}).do()
    assert place.done[:3] == [("long", 5), ("short", 0), ("short", 1)]
    assert sorted(place.done[3:]) == [
        ("long 5",), ("short 0", "short 1"), tuple(f"trained {seed}" for seed in variant.seeds),
    ]  # fmt: skip


def test_finished_work_is_not_done_again(place, variant):
    study = {"x": replace(variant, seeds=[0, 1, 2])}
    Work(study, study, lambda *_: None).do()
    done = len(place.done)
    Work(study, study, lambda *_: None).do()
    assert len(place.done) == done
    FinishedSeeds("x", study["x"]).weights(1).unlink()
    Work(study, study, lambda *_: None).do()
    assert place.done[done:] == [("x", 1)]


def test_every_epoch_is_reported_once_whatever_was_reported_before(place, variant):
    place.epochs.put(("x", Epoch(0, 0, METRICS)))
    reported = []
    Work({"x": replace(variant, seeds=[0])}, {}, lambda *_: None, on_epoch=lambda *epoch: reported.append(epoch)).do()
    assert reported == [("x", Epoch(0, number, METRICS)) for number in range(variant.train.epochs + 1)]


@pytest.mark.parametrize("stage", ["train", "evaluate"])
@pytest.mark.fault("input edited while a stage runs")
def test_a_result_of_changed_inputs_is_not_kept(place, variant, stage):
    def check(of: str, name: str) -> None:
        if of == stage:
            raise UserError(f"{of}@{name}: changed while it ran")

    study = {"x": replace(variant, seeds=[0])}
    with pytest.raises(UserError, match=f"{stage}@x: changed"):
        Work(study, study, check).do()
    kept = FinishedSeeds("x", study["x"])
    assert len(list(kept.runs([0]))) == (stage == "evaluate")
    if stage == "evaluate":
        assert FinishedEvaluation("x", study["x"], [kept.weights(0)]).read() is None
