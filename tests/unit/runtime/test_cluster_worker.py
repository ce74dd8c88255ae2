"""What a Dask worker refuses to compute, and how those of a machine share the data."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from remnist.errors import UserError
from remnist.runtime import cluster_worker
from remnist.runtime.cluster_task import Task
from remnist.settings import Variant


@pytest.fixture
def task(variant: Variant) -> Task:
    return Task.training("mlp-baseline", variant, 3, "0" * 64, "epochs")


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are pinned, but scikit-learn has set variables of its own."""
    monkeypatch.setattr(cluster_worker, "PINNED", {"portable"})


def test_a_task_survives_its_journey(variant, task):
    evaluation = Task.evaluation("mlp-baseline", variant, [b"weights"], "0" * 64, "epochs")
    for each in (task, evaluation):
        assert Task.from_json(each.to_json()) == each
        each.check()
    assert task.code != evaluation.code


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"libraries": {"numpy": "1.0", "torch": "1.0"}}, r"numpy .* there, 1\.0 here, torch .* there, 1\.0 here$"),
        ({"libraries": {"no-such-library": "1.0"}}, "no-such-library"),
        ({"code": "0" * 16}, "remnist has other code: .* there, 0000000000000000 here$"),
    ],
)
@pytest.mark.fault("worker with other software")
def test_a_task_of_other_software_is_refused(task, change, named):
    with pytest.raises(ImportError, match=named):
        Task.from_json(task._replace(**change).to_json()).check()


@pytest.mark.parametrize("change", [{"variant": {"model": {"name": "transformer"}}}, {"priority": 1}])
@pytest.mark.fault("worker with other software")
def test_a_task_that_another_package_describes_is_refused(task, change):
    with pytest.raises(ImportError, match="cannot read the task; it has other code"):
        Task.from_json(task.to_json() | change)


@pytest.mark.fault("package of a worker edited while it runs")
def test_a_package_edited_under_a_worker_is_refused(pinned, task, monkeypatch):
    cluster_worker.check(task, threads=1)
    monkeypatch.setattr(cluster_worker, "LOADED", ({"numpy": "1.0"}, "0" * 16))
    with pytest.raises(ImportError, match="have changed since it started; restart it"):
        cluster_worker.check(task, threads=1)


@pytest.mark.parametrize(("kinds", "threads"), [(set(), 1), ({"native"}, 1), ({"portable"}, 2)])
@pytest.mark.fault("worker whose numerics are not pinned")
def test_other_numerics_are_refused(task, monkeypatch, kinds, threads):
    """Numbers below 1.2e-38 count as 0 in the thread alone that has settled them so."""
    monkeypatch.setattr(cluster_worker, "PINNED", kinds)
    with pytest.raises(UserError, match="not pinned as portable; start it by `remnist worker`"):
        cluster_worker.check(task, threads)


@pytest.mark.fault("workers of a machine that store its data at once")
def test_data_are_stored_once_for_all_workers_of_a_machine(tmp_path, monkeypatch):
    asked = []

    def get_dataset(name: str) -> bytes:
        asked.append(name)
        time.sleep(0.1)
        return b"data"

    def store(i: int) -> Path:
        worker: Any = SimpleNamespace(local_directory=str(tmp_path / f"worker-{i}"))
        return cluster_worker._store(worker, "0" * 64)

    monkeypatch.setattr(cluster_worker, "get_client", lambda: SimpleNamespace(get_dataset=get_dataset))
    with ThreadPoolExecutor(4) as workers:
        [path] = set(workers.map(store, range(4)))
    assert path.read_bytes() == b"data"
    assert asked == [f"remnist-{'0' * 64}"]
