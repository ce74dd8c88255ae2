"""A Dask cluster on this machine whose workers have folders of their own and nothing of the project's workspace."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from remnist.commands import demo

DASK = [sys.executable, "-m", "dask"]
WORKER = [sys.executable, "-m", "remnist.cli", "worker"]
WAIT_S = 120


class Cluster:
    """A scheduler and the workers that are added to it.

    Args:
        folder: the workers' folders are made here.
        environment: variables of the scheduler.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self.environment = folder, environment
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.start_scheduler()

    def start_scheduler(self) -> None:
        command = ["scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        self.scheduler = self._start(self.folder / "scheduler", [*DASK, *command], self.environment)

    def add_worker(self, workers: int = 1, **environment: str) -> "subprocess.Popen[bytes]":
        """Start `remnist worker`; its folder is that of its log, and of its temporary files."""
        return self._add([*WORKER, self.address, "--workers", str(workers)], environment)

    def add_plain_worker(self, *options: str, **environment: str) -> "subprocess.Popen[bytes]":
        """Start Dask's own worker."""
        command = [*DASK, "worker", self.address, "--nthreads", "1", "--no-dashboard", *options]
        return self._add(command, environment)

    def files(self, worker: "subprocess.Popen[bytes]") -> list[Path]:
        """Return a worker's files but for its log and for Dask's locks."""
        folder = self.folder / f"worker-{self.workers.index(worker)}"
        paths = [path for path in folder.rglob("*") if path.is_file()]
        return [path for path in paths if path.name != "log" and not path.name.endswith("lock")]

    def _add(self, command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        folder = self.folder / f"worker-{len(self.workers)}"
        variables = {"TMPDIR": str(folder), "PYTHONPATH": str(demo.ROOT / "src")} | environment
        self.workers.append(self._start(folder, command, variables))
        return self.workers[-1]

    def _start(self, folder: Path, command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=folder, env=os.environ | environment, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=_answer,
            )  # fmt: skip

    def call(self, function: Callable[..., Any], workers: int | None = None) -> dict[str, Any]:
        """Call a function on each worker, once there are `workers`, or as many as commands that start them and live."""
        from distributed import Client

        if workers is None:
            workers = sum(worker.poll() is None for worker in self.workers)
        with Client(self.address, timeout=WAIT_S, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=WAIT_S)
            return client.run(function)

    def busy(self) -> bool:
        """Return whether the scheduler knows of a task that a worker has."""
        from distributed import Client

        with Client(self.address, timeout=WAIT_S, set_as_default=False) as client:
            return any(client.processing().values())

    def wait_for_workers(self, workers: int | None = None) -> None:
        """Wait until there are `workers`, or as many as commands that start them and live."""
        self.call(os.getpid, workers)

    @staticmethod
    def kill(process: "subprocess.Popen[bytes]") -> None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                self.kill(process)


def _answer() -> None:
    """Answer Ctrl-C and a closed terminal, also where these tests run in the background or under nohup."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def until(condition: Callable[[], Any]) -> Any:
    """Wait for something to be true, and return it."""
    end = time.monotonic() + WAIT_S
    while not (value := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return value
