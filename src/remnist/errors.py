"""Errors that are the user's to mend, and how a message shows a value."""

import json
from collections.abc import Sequence

LONGEST = 100  # characters of a value that a message shows
SHOWN = 10  # names in a message


class UserError(Exception):
    """Something the user can mend; the message is one or two lines and says how."""


def shown(value: object) -> str:
    """Return a value as JSON, for a message: on one line, and cut where it is long."""
    text = ""
    try:
        for part in json.JSONEncoder(default=str, ensure_ascii=False).iterencode(value):
            text += part
            if len(text) > LONGEST:  # a few lines of YAML's aliases can stand for billions
                text = text[:LONGEST] + "..."
                break
    except (TypeError, ValueError):  # a key that JSON has not, a list that is in itself
        text += "..."
    return printable(text)


def listed(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def reason(error: BaseException) -> str:
    """Return what another library's error says, on one line."""
    return printable(" ".join(str(error).split()))


def printable(text: str) -> str:
    """Return a text with all escaped that would break its line, or tell a terminal what to do."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
