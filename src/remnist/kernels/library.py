"""The C kernels as a library, compiled once for each version of them, next to the installed packages.

The compiler is a package like any other, `ziglang`, so that a machine needs none. Set-up compiles (`python -m
remnist.kernels.library`); where it did not, the first process that needs the library does.
"""

import atexit
import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from remnist.errors import UserError

FOLDER = Path(__file__).parent
# Each operation as it is written.
OPTIONS = ("-O3", "-ffp-contract=off", "-fno-fast-math", "-shared", "-fPIC", "-nostdlib", "-s")
PROCESSORS = {"AVX2": "-mcpu=haswell", "AVX-512": "-mcpu=skylake_avx512"}  # the oldest; the bits are the same
FAILED = "train.numerics: portable: its kernels"


class Matrices(ctypes.Structure):
    """Products of matrices, as the kernel takes them: shapes, and steps in memory, in floats."""

    _fields_ = [
        (name, ctypes.c_long)
        for name in (
            "count", "rows", "terms", "columns", "a_matrix", "a_row", "a_term", "b_matrix", "b_term", "b_column",
            "resumed",
        )
    ]  # fmt: skip


class Shape(ctypes.Structure):
    """A convolution of stride 1, as the kernels take it."""

    _fields_ = [
        (name, ctypes.c_int) for name in ("groups", "inputs", "height", "width", "outputs", "kernel", "padding")
    ]


POINTER, NUMBER = ctypes.c_void_p, ctypes.c_int
FUNCTIONS = {
    "gelu_backward": [POINTER] * 3 + [ctypes.c_long],
    "gelu_forward": [POINTER] * 2 + [ctypes.c_long],
    "multiply": [POINTER] * 4 + [Matrices],
    "pack_weights": [POINTER] * 2 + [NUMBER] * 4,
    "conv_forward": [POINTER] * 5 + [Shape, NUMBER],
    "conv_weight_gradient": [POINTER] * 5 + [Shape],
    "pool_forward": [POINTER] * 2 + [NUMBER] * 4,
    "pool_backward": [POINTER] * 4 + [NUMBER] * 4,
}


@cache
def load() -> ctypes.CDLL:
    """Return the library, whose functions are those of the C files here.

    Raises:
        UserError: it cannot be compiled or loaded.
    """
    import torch

    return compiled("AVX-512" if torch.cpu._is_avx512_supported() else "AVX2")


def compiled(processor: str) -> ctypes.CDLL:
    """Return the library for one of `PROCESSORS`.

    Raises:
        UserError: it cannot be compiled or loaded.
    """
    options = (*OPTIONS, PROCESSORS[processor])
    digest = hashlib.sha256(repr(options).encode())
    for source in sorted([*FOLDER.glob("*.c"), *FOLDER.glob("*.h")]):
        digest.update(source.read_bytes())
    path = folder() / f"remnist-{digest.hexdigest()[:16]}.so"
    if not path.exists():
        build(path, options)
    return declared(path)


def declared(path: Path) -> ctypes.CDLL:
    """Load a library, and say what its functions take.

    Raises:
        UserError: it cannot be loaded.
    """
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise UserError(f"{FAILED} cannot be loaded: {error}; native computes without them") from None
    for name, arguments in FUNCTIONS.items():
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, None
    return library


@cache
def folder() -> Path:
    """Return where libraries are kept: with the packages, or if these are read-only, in this process' own folder."""
    packages = Path(sysconfig.get_path("platlib"))
    if os.access(packages, os.W_OK):
        return packages
    own = Path(tempfile.mkdtemp(prefix="remnist-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return own


def build(path: Path, options: Iterable[str]) -> None:
    """Compile the library.

    Raises:
        UserError: there is no compiler, or it fails.
    """
    if find_spec("ziglang") is None:
        raise UserError(f"{FAILED} need the compiler ziglang, of requirements.txt; native computes without them")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f"{path.stem}-") as made:
        output = Path(made, path.name)
        sources = map(str, sorted(FOLDER.glob("*.c")))
        command = [sys.executable, "-m", "ziglang", "cc", *options, *sources, "-o", str(output)]
        caches = {"ZIG_GLOBAL_CACHE_DIR": made, "ZIG_LOCAL_CACHE_DIR": made}
        done = subprocess.run(command, env=os.environ | caches, capture_output=True, text=True)
        if done.returncode:
            said = " ".join(done.stderr.split())[-300:]
            raise UserError(f"{FAILED} cannot be compiled: {said}; native computes without them")
        output.replace(path)


if __name__ == "__main__":
    try:
        for processor in PROCESSORS:
            compiled(processor)
    except UserError as error:  # set-up goes on, as on another kind of processor: all else works without them
        print(f"warning: {error}", file=sys.stderr)
