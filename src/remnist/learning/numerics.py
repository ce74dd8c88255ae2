"""Arithmetic that gives the same bits again: on this machine (native) or on any x86-64 with AVX2 (portable).

The libraries choose their kernels by processor when they are loaded, so the choice is made in the environment before
torch is imported, and refused after. One thread a process: a sum's order depends on how many threads share it.

MKL, which torch multiplies matrices with, keeps its bits from processor to processor in its slowest mode alone, and
OpenBLAS, which numpy does, with the kernels of one old processor; so portable products are those of
`remnist.kernels`, which have the same bits with AVX2 and with AVX-512.
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
    processors take up to a hundred times as long over them. If the pins are portable, matrix products, GELU and the
    residual CNN's convolutions are those of `remnist.kernels`.

    Raises:
        UserError: the pins are portable, and the kernels that torch took are others: the processor lacks them, or torch
            was loaded before the pins were set. Or those of `remnist.kernels` cannot be compiled, or a result has
            other bits.
    """
    import torch

    from remnist.learning import canary

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if is_portable():
        _check_kernels()
        kernels.is_in_use = True
        _multiply_by_kernels()
        _activate_by_kernels()
        canary.check()


def _check_kernels() -> None:
    """Check which kernels torch says that it took.

    Raises:
        UserError: others than those that were pinned.
    """
    import torch

    if (vector_unit := torch.backends.cpu.get_cpu_capability()) != "AVX2":
        raise UserError(
            "train.numerics: portable: needs an x86-64 processor with AVX2; here torch takes "
            f"{vector_unit}. native runs anywhere"
        )


def _multiply_by_kernels() -> None:
    """Let the kernels take torch's matrix products on the CPU, forward and backward, whatever module asks for them.

    Products of other numbers than float32, of which the study has none, are numpy's.
    """
    import numpy as np
    import torch

    from remnist.kernels.products import multiply

    np.seterr(over="ignore", invalid="ignore")  # a network that diverges is the report's to show

    def matmul(a: "Tensor", b: "Tensor", bias: "Tensor | None" = None) -> "Tensor":
        out = a.new_empty(*a.shape[:-1], b.shape[-1])
        if out.dtype == torch.float32:
            multiply(a, b, out, bias)
        else:
            np.matmul(a.numpy(force=True), b.numpy(force=True), out=out.numpy())
        return out

    def addmm(bias: "Tensor", a: "Tensor", b: "Tensor", *, beta: float = 1, alpha: float = 1) -> "Tensor":
        if beta == alpha == 1 and bias.shape == b.shape[1:] and bias.is_contiguous() and bias.dtype == torch.float32:
            return matmul(a, b, bias)
        return matmul(a, b).mul_(alpha).add_(bias, alpha=beta)

    kernels: dict[str, Callable[..., Tensor]] = {"mm": matmul, "bmm": matmul, "addmm": addmm}
    for name, kernel in kernels.items():
        torch.library.impl(f"aten::{name}", "cpu", kernel)


def _activate_by_kernels() -> None:
    """Let the kernels take torch's GELU on the CPU, forward and backward; its approximation by tanh stays torch's."""
    import torch

    from remnist.kernels import activations

    aten = torch.ops.aten

    def is_ours(x: "Tensor", approximate: str) -> bool:
        return approximate == "none" and x.dtype == torch.float32

    def gelu(x: "Tensor", *, approximate: str = "none") -> "Tensor":
        x = x.contiguous()
        out = torch.empty_like(x)
        if not is_ours(x, approximate):
            return aten.gelu.out(x, approximate=approximate, out=out)
        activations.gelu(x, out)
        return out

    def gelu_backward(gradient: "Tensor", x: "Tensor", *, approximate: str = "none") -> "Tensor":
        gradient, x = gradient.contiguous(), x.contiguous()
        out = torch.empty_like(x)
        if not is_ours(x, approximate):
            return aten.gelu_backward.grad_input(gradient, x, approximate=approximate, grad_input=out)
        activations.gelu_backward(gradient, x, out)
        return out

    torch.library.impl("aten::gelu", "cpu", gelu)
    torch.library.impl("aten::gelu_backward", "cpu", gelu_backward)
