"""Arithmetic that gives the same bits again: on this machine (native) or on any x86-64 with AVX2 (portable).

The libraries choose their kernels by processor when they are loaded, so the choice is made in the environment before
torch is imported, and refused after. One thread a process: a sum's order depends on how many threads share it.

MKL, which torch multiplies matrices with, keeps its bits from processor to processor in its slowest mode alone.
OpenBLAS, which comes with numpy, lets a variable choose whose kernels it uses. With Haswell's, which need AVX2, it is
2.7 times as fast as that mode, and as fast as MKL's own choice on a processor with AVX-512; so portable products are
numpy's.
"""

import os
import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from remnist import kernels
from remnist.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
CORE = "Haswell"  # the oldest processor with AVX2
PINS = {
    "portable": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_CBWR": "COMPATIBLE",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # numpy's kernels beyond AVX2
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": CORE,
    },
    "native": {},
}
# Prefixes of variables that choose kernels, precision or threads: a value from outside would change the bits unseen.
CHOICES = (
    "ATEN_", "DNNL_", "GOTO_", "KMP_", "MKL_", "NPY_", "NUMEXPR_", "NVIDIA_TF32", "OMP_", "ONEDNN_", "OPENBLAS_",
    "PYTORCH_", "SCIPY_", "SKLEARN_", "TORCH",
)  # fmt: skip
DEVICE = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}  # cuBLAS repeats its sums only with a workspace of fixed size
# glibc gives large blocks back to the system when they are freed. Each step would fetch its activations' pages again,
# zeroed one by one: a third of the time of the reference CNN.
MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**30)}


def environment(numerics: str) -> dict[str, str]:
    """Return this process' environment with the kernels fixed, for a process to start in.

    Args:
        numerics: portable or native.
    """
    others = {name: value for name, value in os.environ.items() if not name.startswith(CHOICES)}
    return others | _pins(numerics)


def _pins(numerics: str) -> dict[str, str]:
    return THREADS | PINS[numerics] | DEVICE | MEMORY


def pin(numerics: str) -> None:
    """Fix the kernels in this process and in those it starts. To fix the same again changes nothing.

    Args:
        numerics: portable or native.

    Raises:
        RuntimeError: torch is imported already, too late for another choice to take effect.
    """
    if "torch" in sys.modules:
        if _pins(numerics).items() - os.environ.items():
            raise RuntimeError("numerics must be pinned before torch is imported")
        return
    pinned = environment(numerics)
    for name in set(os.environ) - set(pinned):
        del os.environ[name]
    os.environ.update(pinned)


def is_portable() -> bool:
    """Whether this process is pinned as portable."""
    return os.environ.get("OPENBLAS_CORETYPE") == CORE


@cache
def settle() -> None:
    """Make torch compute as pinned in this process, once and for all: call it before the first computation.

    A process that is pinned as portable then computes what `remnist.learning.canary` knows the bits of.

    One thread. Numbers below 1.2e-38, which Adam's means and the momentum of idle weights decay to, count as 0, since
    processors take up to a hundred times as long over them. If the pins are portable, matrix products are OpenBLAS',
    and the residual CNN's convolutions those of `remnist.kernels`.

    Raises:
        UserError: the pins are portable, and the kernels that torch or numpy took are others: the processor lacks
            them, or the libraries were loaded before the pins were set. Or a result has other bits.
    """
    import torch

    from remnist.learning import canary

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if is_portable():
        _check_kernels()
        kernels.is_in_use = True
        _multiply_by_openblas()
        canary.check()


def _check_kernels() -> None:
    """Check which kernels torch and numpy say that they took.

    Raises:
        UserError: others than those that were pinned.
    """
    import torch
    from threadpoolctl import threadpool_info

    libraries = [library for library in threadpool_info() if library["user_api"] == "blas"]
    used = {str(library.get("architecture", library["internal_api"])) for library in libraries}
    vector_unit = torch.backends.cpu.get_cpu_capability()
    if used != {CORE} or vector_unit != "AVX2":
        raise UserError(
            "train.numerics: portable: needs an x86-64 processor with AVX2 and numpy from requirements.txt, whose "
            f"OpenBLAS takes {CORE}'s kernels; here it takes {', '.join(sorted(used)) or 'no OpenBLAS'}, and torch "
            f"{vector_unit}. native runs anywhere"
        )


def _multiply_by_openblas() -> None:
    """Let numpy take torch's matrix products on the CPU, forward and backward, whatever module asks for them."""
    import numpy as np
    import torch

    np.seterr(over="ignore", invalid="ignore")  # a network that diverges is the report's to show

    def matmul(a: "Tensor", b: "Tensor") -> "Tensor":
        out = a.new_empty(*a.shape[:-1], b.shape[-1])
        np.matmul(a.numpy(force=True), b.numpy(force=True), out=out.numpy())
        return out

    def addmm(bias: "Tensor", a: "Tensor", b: "Tensor", *, beta: float = 1, alpha: float = 1) -> "Tensor":
        product = matmul(a, b)
        if alpha != 1:
            product.mul_(alpha)
        return product.add_(bias, alpha=beta)

    kernels: dict[str, Callable[..., Tensor]] = {"mm": matmul, "bmm": matmul, "addmm": addmm}
    for name, kernel in kernels.items():
        torch.library.impl(f"aten::{name}", "cpu", kernel)
