"""Numerics are pinned before torch is loaded, or refused."""

import os
import subprocess
import sys

import pytest

from remnist.learning import numerics


def in_fresh_process(code: str, **environment: str) -> str:
    variables = os.environ | environment
    return subprocess.run(
        [sys.executable, "-c", code], env=variables, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_too_late_is_an_error():
    assert "torch" in sys.modules or __import__("torch")
    numerics.pin("portable")  # as it is
    with pytest.raises(RuntimeError, match="before torch is imported"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBLAS_CORETYPE", "Zen")
        numerics.pin("portable")


def test_portable_pins_the_kernels_that_torch_reports():
    code = """
from remnist.learning import numerics
numerics.pin("portable")
import torch
print(torch.backends.cpu.get_cpu_capability(), torch.get_num_threads())
"""
    assert in_fresh_process(code, OMP_NUM_THREADS="7", ATEN_CPU_CAPABILITY="default") == "AVX2 1"


def test_native_takes_no_pin_from_outside():
    code = """
import os
from remnist.learning import numerics
numerics.pin("native")
print(sorted(set(os.environ) & set(os.environ["FROM_OUTSIDE"].split())))
"""
    outside = {
        "ATEN_CPU_CAPABILITY": "avx2", "DNNL_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "AVX2", "MKL_DYNAMIC": "TRUE",
        "NPY_DISABLE_CPU_FEATURES": "AVX2", "NVIDIA_TF32_OVERRIDE": "1", "OMP_DYNAMIC": "TRUE",
        "ONEDNN_DEFAULT_FPMATH_MODE": "BF16", "ONEDNN_MAX_CPU_ISA": "SSE41", "OPENBLAS_CORETYPE": "Zen",
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1",
    }  # fmt: skip
    assert in_fresh_process(code, FROM_OUTSIDE=" ".join(outside), **outside) == "[]"


PRODUCTS = """
from remnist.learning import numerics
numerics.pin("portable")
numerics.settle()
import torch
generator = torch.Generator().manual_seed(0)
a, b, bias = (torch.randn(*shape, generator=generator) for shape in ((5, 33, 70), (5, 70, 12), (12,)))
a.requires_grad_()
for ours, exact in (
    (a[0] @ b[0], a[0].double() @ b[0].double()),
    (b[0].T @ a[0].T, b[0].T.double() @ a[0].T.double()),
    (a[:, ::2] @ b, a[:, ::2].double() @ b.double()),
    (torch.nn.functional.linear(a, b[0].T, bias), a.double() @ b[0].double() + bias.double()),
    (torch.addmm(bias, a[0], b[0], beta=0.5, alpha=3.0), 3 * a[0].double() @ b[0].double() + 0.5 * bias.double()),
):
    assert ours.dtype == torch.float32 and ours.shape == exact.shape
    assert torch.allclose(ours.double(), exact, rtol=1e-5, atol=1e-5)
    [gradient] = torch.autograd.grad(ours.square().sum(), a)
    [reference] = torch.autograd.grad(exact.square().sum(), a)
    assert torch.allclose(gradient, reference, rtol=1e-4, atol=1e-3)
# One term after the other: of the ones, those behind the second large number survive.
x, y = torch.ones(200, 3000), torch.ones(3000, 200)
x[:, 0], x[:, 1500] = 2.0**40, -(2.0**40)
print((x @ y).eq(1499).all().item())
"""


def test_portable_products_are_the_kernels_and_right():
    assert in_fresh_process(PRODUCTS) == "True"
    native = PRODUCTS.replace("portable", "native")
    assert in_fresh_process(native) == "False"


def test_kernels_that_were_chosen_before_the_pins_are_refused():
    code = """
import torch
from remnist.errors import UserError
from remnist.learning import numerics
try:
    numerics.settle()
except UserError as error:
    print(error)
"""
    error = in_fresh_process(code, OPENBLAS_CORETYPE="Haswell", ATEN_CPU_CAPABILITY="default")
    assert error.startswith("train.numerics: portable: needs an x86-64 processor with AVX2; here torch takes DEFAULT.")
    assert error.endswith(" native runs anywhere")
    assert len(error.splitlines()) == 1
