"""How hostile input must end, and the harm that it would do if it were obeyed."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from remnist.errors import UserError


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
