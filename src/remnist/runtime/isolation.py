"""What a process of the project takes from its surroundings: nothing that changes what it computes, draws or writes."""

import os
import sys
import warnings
from io import TextIOWrapper

from remnist.learning import numerics

# matplotlib reads a user's settings when it is imported, and a backend that another program asked for.
DRAWING = {"MPLBACKEND": "agg", "MATPLOTLIBRC": os.devnull}
OTHERS = ("DVCLIVE_", "PANDAS_", "PYTHONWARNINGS")  # prefixes of what their libraries read


def isolate() -> None:
    """Take from the environment what libraries would read there; call it before any of them is imported.

    Kernels are pinned as portable, until a process is started for numerics of another kind; where torch is loaded it is
    too late, as in a benchmark, which starts processes for all that it computes. A character that the terminal lacks
    is printed as its code.
    """
    if "torch" not in sys.modules:
        numerics.pin("portable")
    for name in [name for name in os.environ if name.startswith(OTHERS)]:
        del os.environ[name]
    os.environ.update(DRAWING)
    if sys.warnoptions:
        warnings.simplefilter("default")  # and none an error
    warnings.filterwarnings("ignore", category=ImportWarning)  # numpy's, on kernels that a processor lacks anyway
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
