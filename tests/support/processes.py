"""Commands that a test starts, watches and interrupts."""

import signal
import subprocess
from pathlib import Path

from tests.support.repository import Repository


def start(folder: Path, *command: str, **environment: str) -> "subprocess.Popen[str]":
    """Start a command as a terminal does: Ctrl-C reaches it, even where these tests run in the background without."""
    return subprocess.Popen(
        command, cwd=folder, env=Repository.environment() | environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def wait_for(process: "subprocess.Popen[str]", line: str) -> str:
    """Read what a process says up to a line that has this in it."""
    assert process.stdout is not None
    said = []
    for text in process.stdout:
        said.append(text)
        if line in text:
            return "".join(said)
    raise RuntimeError(f"it ended before it said {line!r}:\n{''.join(said)}")
