"""How hostile input must end, and the harm that it would do if it were obeyed."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remnist.errors import UserError
from tests.support.repository import Repository


def refused(call: Callable[..., Any], *arguments: Any, naming: str, lines: int = 1) -> None:
    """Check that a call ends in a user's error that names the culprit, in at most `lines` lines."""
    with pytest.raises(UserError) as error:
        call(*arguments)
    message = str(error.value)
    assert naming in message
    assert len(message.splitlines()) <= lines
    assert all(line.isprintable() for line in message.splitlines())


class Payload:
    """A pickle that does harm: when loaded, it leaves a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("../outside/executed",))


def in_own_mounts(script: str, study: Repository, folder: Path, *arguments: str) -> str:
    """Run a shell script that may mount what it likes: no other process sees it."""
    unshare = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount file systems of their own")
    command = [*unshare, "sh", "-c", script, "sh", str(study.folder), str(folder), *arguments]
    done = subprocess.run(command, env=study.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout
