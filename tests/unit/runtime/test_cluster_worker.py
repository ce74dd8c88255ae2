"""A Dask worker's threads share the processes that train, and refuse what they would compute with other code."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from types import FrameType
from typing import Any

import pytest

from remnist.runtime import cluster_worker, pool
from remnist.runtime.cluster_task import Task


class Idle:
    """A process that trains nothing."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


def switch_threads(frame: FrameType, event: str, _: Any) -> Any:
    """Let another thread run before each instruction of the module under test."""
    if frame.f_code.co_filename != cluster_worker.__file__:
        return None
    frame.f_trace_opcodes = True
    if event == "opcode":
        time.sleep(0)
    return switch_threads


@pytest.mark.fault("threads of a worker that take a process at once")
def test_no_two_threads_take_one_process(monkeypatch):
    monkeypatch.setattr(cluster_worker, "Trainer", Idle)
    start = threading.Barrier(2)

    def take(_: int) -> Any:
        start.wait()
        return cluster_worker.take("portable")

    threading.settrace(switch_threads)
    try:
        with ThreadPoolExecutor(2) as threads:
            for _ in range(100):
                waiting = Idle("portable")
                cluster_worker.leave(waiting)
                first, second = threads.map(take, range(2))
                assert first is not second
                assert waiting in (first, second)
    finally:
        threading.settrace(None)
    cluster_worker.leave(waiting)
    assert cluster_worker.take("native") is not waiting
    assert cluster_worker.take("portable") is waiting


@pytest.mark.fault("worker killed while its training process starts")
def test_a_training_process_ends_if_its_worker_is_gone_before_it_starts():
    connection, theirs = Pipe()
    worker = subprocess.Popen(["true"])
    worker.wait()
    command = [sys.executable, "-m", "remnist.runtime.cluster_worker", str(theirs.fileno()), str(worker.pid)]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=os.environ | {"PYTHONPATH": str(pool.SOURCE)})
    try:
        assert process.wait(timeout=60) == 1
    finally:
        process.kill()
    connection.close()


def test_a_task_survives_its_journey(variant):
    task = Task.made_here(variant, 3, "0" * 64, "epochs")
    assert Task.from_json(task.to_json()) == task
    task.check()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"libraries": {"numpy": "1.0", "torch": "1.0"}}, r"numpy .* there, 1\.0 here, torch .* there, 1\.0 here$"),
        ({"libraries": {"no-such-library": "1.0"}}, "no-such-library"),
        ({"code": "0" * 16}, "remnist has other code: .* there, 0000000000000000 here$"),
    ],
)
@pytest.mark.fault("worker with other software")
def test_a_task_of_other_software_is_refused(variant, change, named):
    task = Task.made_here(variant, 3, "0" * 64, "epochs")._replace(**change)
    with pytest.raises(ImportError, match=named):
        Task.from_json(task.to_json()).check()


@pytest.mark.parametrize("change", [{"variant": {"model": {"name": "transformer"}}}, {"priority": 1}])
@pytest.mark.fault("worker with other software")
def test_a_task_that_another_package_describes_is_refused(variant, change):
    message = Task.made_here(variant, 3, "0" * 64, "epochs").to_json() | change
    with pytest.raises(ImportError, match="cannot read the task; it has other code"):
        Task.from_json(message)


@pytest.mark.fault("package of a worker edited while it runs")
def test_a_package_edited_under_a_worker_is_refused(variant, monkeypatch):
    task = Task.made_here(variant, 3, "0" * 64, "epochs")
    cluster_worker.check(task)
    monkeypatch.setattr(cluster_worker, "LOADED", ({"numpy": "1.0"}, "0" * 16))
    with pytest.raises(ImportError, match="have changed since it started; restart it"):
        cluster_worker.check(task)
