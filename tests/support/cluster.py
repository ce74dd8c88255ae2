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

import psutil

DASK = [sys.executable, "-m", "dask"]
WAIT_S = 60


class Cluster:
    """A scheduler and the workers that are added to it.

    Args:
        folder: the workers' folders are made here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.start_scheduler()

    def start_scheduler(self) -> None:
        command = ["scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        self.scheduler = self._start(self.folder / "scheduler", command, {})

    def add_worker(self, *options: str, **environment: str) -> "subprocess.Popen[bytes]":
        folder = self.folder / f"worker-{len(self.workers)}"
        command = ["worker", self.address, "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)]
        command += options
        self.workers.append(self._start(folder, command, environment))
        return self.workers[-1]

    def _start(self, folder: Path, command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*DASK, *command], cwd=folder, env=os.environ | environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def wait_for_workers(self) -> None:
        """Wait until there are as many workers as were added and not killed."""
        self.call(os.getpid)

    def call(self, function: Callable[..., Any]) -> dict[str, Any]:
        """Call a function on each worker, once there are as many as were added and not killed."""
        from distributed import Client

        with Client(self.address, timeout=WAIT_S, set_as_default=False) as client:
            client.wait_for_workers(sum(worker.poll() is None for worker in self.workers), timeout=WAIT_S)
            return client.run(function)

    @staticmethod
    def kill(process: "subprocess.Popen[bytes]") -> None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def trainers(self) -> list[psutil.Process]:
        """Return the processes that train for the workers, or still do for one that was killed."""
        found = []
        for process in psutil.process_iter():
            try:
                if "remnist.runtime.cluster_worker" in process.cmdline() and self.folder in Path(process.cwd()).parents:
                    found.append(process)
            except psutil.Error:
                pass
        return found

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                self.kill(process)


def until(condition: Callable[[], Any]) -> Any:
    """Wait for something to be true, and return it."""
    end = time.monotonic() + WAIT_S
    while not (value := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return value
