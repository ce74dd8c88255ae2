"""The canary: known bits here, and each pin that is broken is seen, by name."""

import os
import subprocess
import sys

import pytest
import torch

from remnist.commands.short_study import vector_unit
from remnist.learning import canary, numerics
from remnist.machine import facts

# A process whose pins are broken in one way; what the libraries say of their kernels is not asked.
BROKEN = """
import os
from remnist.errors import UserError
from remnist.learning import numerics
numerics.pin("portable")
os.environ.update({environment})
import numpy, torch
from remnist.learning import canary
numerics._check_kernels = lambda: None
{before}
check, canary.check = canary.check, lambda: None
numerics.settle()
{after}
try:
    check()
except UserError as error:
    print(error)
"""
BREAKS = {
    "MKL's products": ({}, "numerics._multiply_by_kernels = lambda: None", "", "matrix products"),
    "torch's GELU": ({}, "numerics._activate_by_kernels = lambda: None", "", "GELU"),
    "MKL's mode": ({"MKL_CBWR": "AVX2"}, "", "", "exponentials and logarithms"),
    "ATen's capability": ({"ATEN_CPU_CAPABILITY": "default"}, "", "", "softmax"),
    "oneDNN's instructions": ({"ONEDNN_MAX_CPU_ISA": "SSE41"}, "", "", "convolutions"),
    "two threads": ({}, "", "torch.set_num_threads(2)", "softmax"),
    "flush-to-zero off": ({}, "", "torch.set_flush_denormal(False)", "numbers below 1.2e-38"),
}  # fmt: skip


def in_a_process(environment=None, before="", after=""):
    """Return what the check says there."""
    code = BROKEN.format(environment=environment or {}, before=before, after=after)
    variables = os.environ | {"PYTHONPATH": "src"}
    return subprocess.run(
        [sys.executable, "-c", code], env=variables, check=True, capture_output=True, text=True
    ).stdout


def test_this_machine_has_the_known_bits():
    assert in_a_process() == ""


@pytest.mark.parametrize(("environment", "before", "after", "kind"), BREAKS.values(), ids=BREAKS)
def test_a_broken_pin_is_seen(environment, before, after, kind):
    if "MKL_CBWR" in environment and facts()["vendor"] != "GenuineIntel":
        pytest.skip("MKL has one mode alone on the processors of others, so that its pin cannot be broken")
    said = in_a_process(environment, before, after)
    assert said.startswith("train.numerics: portable: other bits than everywhere else in: ")
    assert kind in said.splitlines()[0]
    assert "remnist.kernels" in said or "numpy" in said or "torch" in said
    assert len(said.splitlines()) == 2


@pytest.mark.skipif(vector_unit() != "AVX-512", reason="this processor has no AVX-512")
def test_numpys_own_kernels_are_seen_where_a_processor_has_wider_ones():
    assert "figures of the evaluation" in in_a_process({"NPY_DISABLE_CPU_FEATURES": ""})


def test_it_changes_no_draw_of_a_run():
    torch.manual_seed(3)
    expected = torch.rand(5)
    torch.manual_seed(3)
    canary.digests()
    assert torch.equal(torch.rand(5), expected)


def test_a_run_starts_with_it(monkeypatch):
    called = []
    monkeypatch.setattr(canary, "check", lambda: called.append(True))
    numerics.settle.cache_clear()
    numerics.settle()
    assert called
