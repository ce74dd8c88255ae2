"""Errors that are the user's to mend, and how a message shows a value."""

import json

LONGEST = 100  # characters of a value that a message shows


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


def reason(error: BaseException) -> str:
    """Return what another library's error says, on one line."""
    return printable(" ".join(str(error).split()))


def printable(text: str) -> str:
    """Return a text with all escaped that would break its line, or tell a terminal what to do."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
