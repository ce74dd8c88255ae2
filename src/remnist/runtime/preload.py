"""What the server of a pool loads first: the modules that its processes need, at once, and nothing if nobody waits."""

import os
import sys
from importlib import import_module

from remnist.runtime.lifetime import end_with_parent_meanwhile
from remnist.runtime.pool import PRELOAD

# multiprocessing starts a server again that was killed. The second one lacks the pins, and must compute nothing.
if PRELOAD not in os.environ:
    os._exit(1)

with end_with_parent_meanwhile():
    for name in os.environ[PRELOAD].split():
        try:
            import_module(name)
        except (ImportError, MemoryError, OSError) as error:  # its caller would go on without it
            print(f"error: {name} cannot be loaded: {error}", file=sys.stderr, flush=True)
            os._exit(1)
