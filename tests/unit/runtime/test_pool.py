"""Processes for the seeds: their number, and none that outlives its task."""

import os
import subprocess
import sys
from pathlib import Path

import joblib
import pytest
from joblib.externals.loky.backend import context

from remnist.errors import UserError
from remnist.runtime import pool
from tests.support.processes import gone

SCRIPT = """
import os, time
from remnist.runtime import pool
if __name__ == "__main__":
    processes = pool.context("portable", ["math"])
    with pool.events(processes) as events, pool.workers(processes, 2) as executor:
        runs = [executor.submit(os.getpid) for _ in range(2)]
        runs.append(executor.submit(time.sleep, {sleep}))
        [run.result() for run in runs[:2]]
        print(*os.popen("pgrep -g 0").read().split(), flush=True)
        {then}
"""


def start(tmp_path: Path, sleep: int, then: str) -> "subprocess.Popen[str]":
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(sleep=sleep, then=then))
    variables = os.environ | {"PYTHONPATH": str(pool.SOURCE)}
    return subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables,
        start_new_session=True,
    )  # fmt: skip


@pytest.mark.parametrize("end", ["kill", "raise"])
def test_workers_end_with_the_process_that_started_them(tmp_path, end):
    process = start(tmp_path, 100, "time.sleep(100)" if end == "kill" else "raise RuntimeError('the stage failed')")
    assert process.stdout is not None
    group = {int(word) for word in process.stdout.readline().split()}
    assert len(group) > 4  # itself, the server, the queue, two workers
    if end == "kill":
        process.kill()
    process.communicate(timeout=30)
    assert all(gone(member) for member in group)


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", " "])
def test_bad_number_of_workers(monkeypatch, value):
    monkeypatch.setenv(pool.WORKERS, value)
    with pytest.raises(UserError, match=r"REMNIST_WORKERS: .*allowed: a whole number"):
        pool.count()


def test_number_of_workers(monkeypatch):
    monkeypatch.setenv(pool.WORKERS, "3")
    assert pool.count() == 3
    monkeypatch.setenv(pool.WORKERS, "")
    assert pool.count() == joblib.cpu_count()


def test_the_cores_that_a_process_may_use_count(monkeypatch):
    """A container with `--cpus 1` has a quota, a batch job an affinity, on a machine of many cores."""
    monkeypatch.delenv(pool.WORKERS, raising=False)
    with monkeypatch.context() as patch:
        patch.setattr(context, "_cpu_count_cgroup", lambda _: 1)
        assert pool.count() == 1
    one = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    code = f"{one}; from remnist.runtime import pool; print(pool.count())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "1\n"


KILLED = """
import os, signal
from multiprocessing import forkserver
from remnist.errors import UserError
from remnist.runtime import pool
if __name__ == "__main__":
    processes = pool.context("portable", {modules})
    if {loaded}:
        pool.await_server(processes)
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    try:
        with pool.events(processes) as events, pool.workers(processes, 2) as executor:
            executor.submit(os.getpid).result()
    except UserError as error:
        print(error)
"""


@pytest.mark.parametrize("loaded", [True, False])
@pytest.mark.fault("server of a pool killed")
def test_a_server_that_was_killed_is_replaced_by_no_other(tmp_path, loaded):
    """multiprocessing would start one whose numerics are not pinned."""
    script = tmp_path / "script.py"
    script.write_text(KILLED.format(modules=["math"], loaded=loaded))
    variables = os.environ | {"PYTHONPATH": str(pool.SOURCE)}
    done = subprocess.run([sys.executable, script], env=variables, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.startswith("a worker process was killed")
