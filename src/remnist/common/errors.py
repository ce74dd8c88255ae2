"""Errors that are the user's to mend, and how a command ends on one."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from remnist.common.lifetime import end_with_parent


class UserError(Exception):
    """Something the user can mend; the message is one or two lines and says how."""


@contextmanager
def reported() -> Iterator[None]:
    """End the process with one or two lines and a non-zero status where a traceback would help nobody.

    It ends at once when the DVC that runs it does.
    """
    end_with_parent()
    try:
        yield
    except UserError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
