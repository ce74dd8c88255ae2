"""Processes that end with the one that started them, however it ended, and leave Ctrl-C to it."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import NoReturn

from remnist import STARTED_BY

POLL_S = 0.2  # seconds between two looks for the parent
INIT = 1  # process that adopts what its parent leaves behind


def end_with_parent(started_by: int | None = None) -> None:
    """End this process when its parent is gone: a worker with its stage, a stage with the DVC that runs it.

    A stage that outlived DVC would write to the same files as the next `dvc repro`. A stage started by hand goes on
    without its shell.

    Args:
        started_by: the parent's process id, where the parent passed it. A child cannot always learn it: it reads init's
            if the parent ended before.
    """
    worker_of = multiprocessing.parent_process()
    parent = STARTED_BY if started_by is None else started_by
    # Where DVC itself is process 1, in a container, it leads the group of its stages.
    adopted = started_by is None and STARTED_BY == INIT != os.getpgrp()

    def watch() -> None:
        if worker_of is not None:
            wait([worker_of.sentinel])
        while worker_of is None and os.getppid() == parent and not adopted:
            time.sleep(POLL_S)
        os._exit(1)

    if worker_of is not None or started_by is not None or "DVC_STAGE" in os.environ:
        threading.Thread(target=watch, daemon=True).start()


@contextmanager
def end_with_parent_meanwhile() -> Iterator[None]:
    """End this process when its parent ends during the block. No thread is left after it, so that it can be forked."""
    parent, over = os.getppid(), threading.Event()

    def watch() -> None:
        while not over.wait(POLL_S):
            if os.getppid() != parent:
                os._exit(1)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


@contextmanager
def block_sigint() -> Iterator[None]:
    """Hold Ctrl-C back in this thread during the block; processes that start in it go on holding it back."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def exit_interrupted() -> NoReturn:
    """End this process as after Ctrl-C, whatever comes while it ends: a further one would kill it halfway."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(130)


@contextmanager
def defer_sigint() -> Iterator[None]:
    """Defer Ctrl-C while the block starts processes: this process, its main thread, answers it after the block.

    Those processes never see it, nor do their children: this process ends them when it answers. Interrupted halfway,
    it would leave a process that complains about what it was not given.

    Raises:
        KeyboardInterrupt: after the block, if Ctrl-C came during it and raises this here.
    """
    came = []
    answer = signal.signal(signal.SIGINT, lambda *_: came.append(True))
    try:
        with block_sigint():
            yield
    finally:
        signal.signal(signal.SIGINT, answer)
    if came:
        signal.raise_signal(signal.SIGINT)
