"""Arithmetic that gives the same bits again: on this machine (native) or on any x86-64 with AVX2 (portable).

torch, MKL and oneDNN choose their kernels by processor when they are loaded, so the choice is made in the
environment before torch is imported, and refused after. One thread a process: a sum's order depends on how
many threads share it.
"""

import os
import sys

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
PINS = {
    "portable": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_CBWR": "COMPATIBLE",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
    },
    "native": {},
}
DEVICE = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}  # cuBLAS repeats its sums only with a workspace of fixed size


def pin(numerics: str) -> None:
    """Fix the kernels of torch in this process and in those it starts.

    Args:
        numerics: portable or native.

    Raises:
        RuntimeError: torch is imported already, too late for the choice to take effect.
    """
    if "torch" in sys.modules:
        raise RuntimeError("numerics must be pinned before torch is imported")
    for name in {name for pins in PINS.values() for name in pins}:
        os.environ.pop(name, None)  # a value from outside would change the bits of `native` unseen
    os.environ.update(THREADS | PINS[numerics] | DEVICE)
