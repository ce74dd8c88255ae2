"""DVC, and other programs, run by a command, and Ctrl-C while they run."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def run_dvc(*arguments: str) -> None:
    """Run DVC, which will wait for others that are at work here; exit with its status if it fails."""
    run_program("dvc", "--wait-for-lock", *arguments)


def run_program(*command: str) -> None:
    """Run a program; exit with its status if it fails."""
    with leave_sigint():
        status = subprocess.Popen(command).wait()
    if status:
        sys.exit(status)


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
