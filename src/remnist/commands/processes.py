"""Programs that a command runs in processes of their own, which end with it, and Ctrl-C while they run."""

import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from remnist.runtime.lifetime import block_sigint, end_with_parent, exit_interrupted


def run_dvc(*arguments: str) -> None:
    """Run DVC, which will wait for others that are at work here; exit with its status if it fails."""
    run_process(_dvc, "--wait-for-lock", *arguments)


def run_process(function: Callable[..., Any], *arguments: Any) -> None:
    """Call a function in a new process; exit with its status if it fails."""
    process = multiprocessing.get_context("spawn").Process(target=_answer_sigint, args=(function, *arguments))
    with leave_sigint():
        with block_sigint():  # the process answers when it has loaded
            process.start()
        process.join()
    if process.exitcode:
        sys.exit(process.exitcode)


def _answer_sigint(function: Callable[..., Any], *arguments: Any) -> None:
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        function(*arguments)
    except KeyboardInterrupt:
        exit_interrupted()


def _dvc(*arguments: str) -> None:
    end_with_parent()
    from dvc.cli import main

    sys.exit(main(list(arguments)))


@contextmanager
def leave_sigint() -> Iterator[None]:
    """Leave Ctrl-C to the programs that run, which it reaches by itself, however often it comes; answer it afterwards.

    Raises:
        KeyboardInterrupt: after the block, if it came.
    """
    came: list[int] = []
    answer = signal.getsignal(signal.SIGINT)
    if answer is not signal.SIG_IGN:  # which programs inherit, as in a script's background
        signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, answer)
        if came:
            raise KeyboardInterrupt
