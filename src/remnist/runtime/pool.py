"""Seeds in parallel: a process a core, one thread each, torch imported once.

A server imports torch under pinned numerics and forks the processes. So a process starts in milliseconds, and the
stage itself needs no torch.
"""

import errno
import multiprocessing
import os
import resource
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, resource_tracker
from multiprocessing.managers import SyncManager
from pathlib import Path
from queue import Queue
from typing import Any

from remnist.errors import UserError
from remnist.learning import numerics
from remnist.runtime.lifetime import defer_sigint, end_with_parent

WORKERS = "REMNIST_WORKERS"
PRELOAD = "REMNIST_PRELOAD"  # names of modules
FEWEST_FILES, ENOUGH_FILES = 32, 1024  # open files without which no worker starts, and with which many do
SOURCE = Path(__file__).resolve().parents[2]


def context(kind: str, modules: list[str]) -> multiprocessing.context.BaseContext:
    """Return a multiprocessing context whose processes compute with the pinned numerics.

    Their server starts at once and loads torch while this process goes on.

    Args:
        kind: portable or native, as `remnist.learning.numerics` says.
        modules: those to import once for all processes, so that an edit while they run cannot mix code.
    """
    _allow_files()
    before = dict(os.environ)
    numerics.pin(kind)
    # Forked processes import this copy of the package too, whatever else is installed.
    others = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(SOURCE), *others])
    os.environ[PRELOAD] = " ".join(modules)
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["remnist.runtime.preload"])
    try:
        with report_lack():
            resource_tracker.ensure_running()  # or the server would start it, and unblock Ctrl-C with it
            with defer_sigint():
                forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)
    return server


def _allow_files() -> None:
    """Let this process and its workers open as many files as they need, as far as the system allows it.

    Raises:
        UserError: it allows too few.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < ENOUGH_FILES:
        soft = ENOUGH_FILES if hard < 0 else min(hard, ENOUGH_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if 0 <= soft < FEWEST_FILES:
        raise UserError(
            f"open files: {soft} allowed: worker processes need {FEWEST_FILES}; `ulimit -n {ENOUGH_FILES}` allows more"
        )


@contextmanager
def events(processes: multiprocessing.context.BaseContext) -> Iterator["Queue[Any]"]:
    """Make a queue that tasks can put to and this process gets from, for as long as the block lasts."""
    manager = SyncManager(ctx=processes)
    await_server(processes)
    with report_killed_worker():
        with report_lack(), defer_sigint():
            manager.start(end_with_parent)
        with manager:
            yield manager.Queue()


def await_server(processes: multiprocessing.context.BaseContext) -> None:
    """Wait until their server has loaded what they need, or has ended. Ctrl-C ends the wait, but not a start."""

    def start() -> None:
        with suppress(OSError, EOFError):  # which the next start meets too, and reports
            processes.Process(target=int).start()  # type: ignore[attr-defined]

    first = threading.Thread(target=start, daemon=True)
    first.start()
    first.join()


@contextmanager
def workers(processes: multiprocessing.context.BaseContext, tasks: int) -> Iterator[Executor]:
    """Start as many processes as there are cores, or tasks if they are fewer; all end with the block.

    The environment variable REMNIST_WORKERS sets another number. The results do not depend on it.
    """
    with report_lack():
        executor = _Workers(min(tasks, count()), processes, initializer=end_with_parent)
    try:
        with report_killed_worker():
            yield executor
    except BaseException:
        for process in list((executor._processes or {}).values()):
            process.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


class _Workers(ProcessPoolExecutor):
    def submit(self, task: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> "Future[Any]":
        with report_lack(), defer_sigint():  # a task may start a process
            return super().submit(task, *arguments, **keywords)


@contextmanager
def report_lack() -> Iterator[None]:
    """Report to the user what the system lacks to start a process, of which its error names nothing."""
    try:
        yield
    except ConnectionError:  # the process that was to start it was killed
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        match error.errno:
            case errno.EMFILE | errno.ENFILE:
                way_out = f"`ulimit -n {ENOUGH_FILES}` allows more open files"
            case errno.EAGAIN | errno.ENOMEM:
                way_out = f"`ulimit -u` says how many are allowed; {WORKERS} sets how many run"
            case errno.EROFS | errno.EACCES | errno.ENOSYS | errno.ENOENT:
                way_out = f"they need {tempfile.gettempdir()} and /dev/shm, and to write there"
            case errno.ENOSPC:
                way_out = f"they need a little room in {tempfile.gettempdir()} and /dev/shm"
            case _:
                way_out = f"their sockets lie in {tempfile.gettempdir()}; TMPDIR names another folder, of a short path"
        raise UserError(f"worker processes cannot be started: {reason}; {way_out}") from None


@contextmanager
def report_killed_worker() -> Iterator[None]:
    """Report to the user when a process that this one relies on was killed, as the system does without memory left."""
    try:
        yield
    except (BrokenExecutor, ConnectionError, EOFError):
        raise UserError(
            "a worker process was killed; was there enough memory? REMNIST_WORKERS sets how many run"
        ) from None


def count() -> int:
    """Return how many processes to use: REMNIST_WORKERS, or one for each core that this process may use.

    Raises:
        UserError: REMNIST_WORKERS is not a whole number from 1.
    """
    asked = os.environ.get(WORKERS)
    if not asked:
        with warnings.catch_warnings(action="ignore"):  # it warns of /dev/shm, which its own workers would need
            from joblib import cpu_count  # knows the quotas of containers; takes a quarter of a second to import
        return int(cpu_count())
    if not asked.isdecimal() or int(asked) < 1:
        raise UserError(f"{WORKERS}: {asked!r}: allowed: a whole number of processes, 1 or more")
    return int(asked)
