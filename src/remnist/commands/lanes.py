"""DVCs side by side, and Ctrl-C while they run."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from remnist.runtime import pool

DVC_S = 2  # core-seconds to start DVC
POLL_S = 0.1


class Lanes:
    """DVCs side by side, each of which runs the same stages of some variants.

    Args:
        stages: which, in their order.
        count: how many DVCs at a time.
        waiting: the variants of each.
        then: the lanes that are to take over what is done here.
    """

    def __init__(
        self, stages: list[str], count: int, waiting: Iterable[list[str]], then: "Lanes | None" = None
    ) -> None:
        self.stages, self.count, self.waiting, self.then = stages, count, deque(waiting), then
        self.running: dict[subprocess.Popen[bytes], list[str]] = {}

    def start(self, cores: int) -> int:
        """Start a DVC for each core, as far as any wait and have a lane; return their number."""
        started = min(cores, self.count - len(self.running), len(self.waiting))
        share = {pool.WORKERS: str(max(1, cores // self.count))}
        for _ in range(started):
            variants = self.waiting.popleft()
            targets = [f"{stage}@{variant}" for variant in variants for stage in self.stages]
            self.running[start_dvc("repro", "--single-item", *targets, **share)] = variants
        return started

    def collect(self) -> None:
        """Hand over what is done; exit with the status of a DVC that has failed."""
        for process in [process for process in self.running if process.poll() is not None]:
            variants = self.running.pop(process)
            if process.returncode:
                sys.exit(process.returncode)
            if self.then:
                self.then.waiting.append(variants)


def run_all(lanes: Sequence[Lanes], cores: int) -> None:
    """Run all that waits in the lanes and all that follows from it.

    If a DVC fails, or Ctrl-C comes, those that run are waited for; this process then ends with the status of the one
    that failed.

    Raises:
        KeyboardInterrupt: after the last DVC has ended, if Ctrl-C came.
    """
    with leave_sigint() as came:
        try:
            while not came and any(group.waiting or group.running for group in lanes):
                started = sum(group.start(cores) for group in lanes)
                crowded = started and any(group.waiting and len(group.running) < group.count for group in lanes)
                time.sleep(DVC_S if crowded else POLL_S)  # or the longest would not come first
                for group in lanes:
                    group.collect()
        finally:
            for group in lanes:
                for process in group.running:
                    process.wait()


@contextmanager
def leave_sigint() -> Iterator[list[int]]:
    """Leave Ctrl-C to the DVCs, which it reaches by itself, however often it comes; answer it after the block.

    Yields:
        A list that is empty until it comes.

    Raises:
        KeyboardInterrupt: after the block, if it came.
    """
    came: list[int] = []
    answer = signal.getsignal(signal.SIGINT)
    if answer is not signal.SIG_IGN:  # which DVCs inherit, as in a script's background
        signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, answer)
        if came:
            raise KeyboardInterrupt


def start_dvc(*arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
    """Start DVC, which will wait for others that are at work here."""
    return subprocess.Popen(["dvc", "--wait-for-lock", *arguments], env=os.environ | environment)


def run_dvc(*arguments: str) -> None:
    """Run DVC; exit with its status if it fails."""
    with leave_sigint():
        status = start_dvc(*arguments).wait()
    if status:
        sys.exit(status)
