"""Processes that end with the one that started them, however it went, and leave Ctrl-C to it."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait

POLL_S = 0.2


def end_with_parent(*, any_parent: bool = False) -> None:
    """End this process when its parent is gone: a worker with its stage, a stage with the DVC that runs it.

    A stage that outlived DVC would write to the same files as the next `dvc repro`. One started by hand goes on without
    the shell that it was started from.

    Args:
        any_parent: whatever the parent is.
    """
    worker_of, started_by = multiprocessing.parent_process(), os.getppid()

    def watch() -> None:
        if worker_of is not None:
            wait([worker_of.sentinel])
        while worker_of is None and os.getppid() == started_by:
            time.sleep(POLL_S)
        os._exit(1)

    if worker_of is not None or any_parent or "DVC_STAGE" in os.environ:
        threading.Thread(target=watch, daemon=True).start()


@contextmanager
def defer_sigint() -> Iterator[None]:
    """Put Ctrl-C off while the block starts processes: this one, the main thread, answers it when the block has ended.

    They never see it, nor does what they start: it is for this process to answer, which ends them. Interrupted halfway,
    this one would leave a process that complains of what it is not given.

    Raises:
        KeyboardInterrupt: after the block, if Ctrl-C came in it, where that is the answer.
    """
    came = []
    answer = signal.signal(signal.SIGINT, lambda *_: came.append(True))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which processes inherit
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, answer)
    if came:
        signal.raise_signal(signal.SIGINT)
