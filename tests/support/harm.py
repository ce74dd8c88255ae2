"""What hostile input must end in, and what it would do if it were obeyed."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from remnist.errors import UserError


def refused(call: Callable[..., Any], *arguments: Any, naming: str, lines: int = 1) -> None:
    """Check that a call ends in a user's error of so many lines that name the culprit."""
    with pytest.raises(UserError) as error:
        call(*arguments)
    told = str(error.value)
    assert naming in told
    assert len(told.splitlines()) <= lines
    assert all(line.isprintable() for line in told.splitlines())


class Payload:
    """What a pickle can do: when loaded, it leaves a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("../beside/executed",))
