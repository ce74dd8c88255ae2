"""The bits of all C kernels together: the same from every compiler, with AVX2 and with AVX-512."""

import hashlib
import shutil
import subprocess

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from remnist.kernels import library
from remnist.kernels.convolutions import convolve, group, max_pool_relu
from tests.support.kernels import LAYERS, PROCESSORS


def everywhere(monkeypatch, made):
    for module in ("activations", "convolutions", "products"):
        monkeypatch.setattr(f"remnist.kernels.{module}.load", lambda: made)


def numbers(*shape):
    """Numbers that no generator draws."""
    flat = [((i * 7919) % 1009 - 504) / 311 for i in range(torch.Size(shape).numel())]
    return torch.tensor(flat).reshape(shape)


def bits() -> str:
    """The SHA-256 of a step of every kernel."""
    digest = hashlib.sha256()
    x, weights = numbers(20, 300).requires_grad_(), numbers(50, 300).requires_grad_()
    output = F.gelu(F.linear(x, weights, numbers(50)))
    for tensor in (output, *torch.autograd.grad(output.sum(), [x, weights])):
        digest.update(tensor.detach().numpy().tobytes())
    for inputs, outputs, kernel, padding in LAYERS:
        layer = nn.Conv2d(inputs, outputs, kernel, padding=padding)
        layer.weight.data, layer.bias.data = numbers(*layer.weight.shape), numbers(outputs)
        images = numbers(20, inputs, 8, 8).requires_grad_()
        output = max_pool_relu(convolve(group(images), layer))
        for tensor in (output, *torch.autograd.grad(output.sum(), [images, *layer.parameters()])):
            digest.update(tensor.detach().numpy().tobytes())
    return digest.hexdigest()[:16]


BITS = "19283fd07ec04637"


def test_the_bits_are_those_of_any_processor_and_compiler():
    assert bits() == BITS


@pytest.mark.parametrize("processor", PROCESSORS)
def test_the_bits_are_those_of_any_width_of_registers(processor, monkeypatch):
    everywhere(monkeypatch, library.compiled(processor))
    assert bits() == BITS


@pytest.mark.parametrize("options", ["-O1", "-O2", "-O3 -march=native"])
def test_the_bits_are_those_of_this_systems_compiler(options, tmp_path, monkeypatch):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no cc")
    path = tmp_path / "kernels.so"
    flags = [*options.split(), "-mavx2", "-mfma", "-ffp-contract=off", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, *library.FOLDER.glob("*.c"), "-o", path], check=True)
    everywhere(monkeypatch, library.declared(path))
    assert bits() == BITS
