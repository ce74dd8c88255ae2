"""Processes that end with the one that started them, however it went."""

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.connection import wait

POLL_S = 0.2


def end_with_parent() -> None:
    """End this process when its parent is gone: a worker with its stage, a stage with the DVC that runs it.

    A stage that outlived DVC would write to the same files as the next `dvc repro`. One started by hand goes on without
    the shell that it was started from.
    """
    worker_of, started_by = multiprocessing.parent_process(), os.getppid()

    def watch() -> None:
        if worker_of is not None:
            wait([worker_of.sentinel])
        while worker_of is None and os.getppid() == started_by:
            time.sleep(POLL_S)
        os._exit(1)

    if worker_of is not None or "DVC_STAGE" in os.environ:
        threading.Thread(target=watch, daemon=True).start()


def start_worker() -> None:
    """Make a worker process end with its parent, and at Ctrl-C without a traceback."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
