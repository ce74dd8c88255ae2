"""Numerics are pinned before torch is loaded, or refused."""

import os
import subprocess
import sys

import pytest

from remnist import numerics


def in_fresh_process(code: str, **environment: str) -> str:
    variables = os.environ | environment
    return subprocess.run(
        [sys.executable, "-c", code], env=variables, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_too_late_is_an_error():
    assert "torch" in sys.modules or __import__("torch")
    with pytest.raises(RuntimeError, match="before torch is imported"):
        numerics.pin("portable")


def test_portable_pins_the_kernels_that_torch_reports():
    code = """
from remnist import numerics
numerics.pin("portable")
import torch
print(torch.backends.cpu.get_cpu_capability(), torch.get_num_threads())
"""
    assert in_fresh_process(code, OMP_NUM_THREADS="7", ATEN_CPU_CAPABILITY="default") == "AVX2 1"


def test_native_takes_no_pin_from_outside():
    code = """
import os
from remnist import numerics
numerics.pin("native")
print([name for name in ("ATEN_CPU_CAPABILITY", "MKL_CBWR", "ONEDNN_MAX_CPU_ISA") if name in os.environ])
"""
    assert in_fresh_process(code, MKL_CBWR="AVX2", ATEN_CPU_CAPABILITY="avx2") == "[]"
