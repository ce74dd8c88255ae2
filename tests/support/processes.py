"""Commands that a test starts, watches and interrupts."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil

from tests.support.repository import Repository


def start(folder: Path, *command: str, **environment: str) -> "subprocess.Popen[str]":
    """Start a command as a terminal does: Ctrl-C reaches it, even where these tests run in the background."""
    return subprocess.Popen(
        command, cwd=folder, env=Repository.environment() | environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def wait_for(process: "subprocess.Popen[str]", line: str) -> str:
    """Read a process's output up to a line that contains this text."""
    assert process.stdout is not None
    said = []
    for text in process.stdout:
        said.append(text)
        if line in text:
            return "".join(said)
    raise RuntimeError(f"it ended before it said {line!r}:\n{''.join(said)}")


def gone(process_id: int) -> bool:
    """Return whether a process has ended, or does so within ten seconds."""
    for _ in range(100):
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def members(session: int) -> list[psutil.Process]:
    """Return the living processes of a session."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            pass
    return found


def all_gone(session: int, seconds: float) -> bool:
    """Return whether the processes of a session have ended, or do so in time."""
    deadline = time.monotonic() + seconds
    while members(session):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
