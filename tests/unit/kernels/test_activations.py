"""GELU by the C kernel: as exact as torch's, the same with AVX2 and with AVX-512."""

import pytest
import torch
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from remnist.kernels import library
from remnist.kernels.activations import gelu, gelu_backward
from tests.support.kernels import PROCESSORS

VALUES = torch.cat([torch.linspace(-12, 12, 20_003), torch.tensor([0.0, 1e-30, -1e-30, 60.0, -60.0])])
ROUNDING = 3e-7  # of 1 and the value; float32 has 24 bits


def on(processor, monkeypatch):
    monkeypatch.setattr("remnist.kernels.activations.load", lambda: library.compiled(processor))
    out, slope = torch.empty_like(VALUES), torch.empty_like(VALUES)
    gelu(VALUES, out)
    gelu_backward(torch.ones_like(VALUES), VALUES, slope)
    return out, slope


@pytest.mark.parametrize("processor", PROCESSORS)
def test_gelu_and_its_gradient(processor, monkeypatch):
    out, slope = on(processor, monkeypatch)
    exact = VALUES.double().requires_grad_()
    value = F.gelu(exact)
    [gradient] = torch.autograd.grad(value.sum(), exact)
    size = VALUES.double().abs().clamp_min(1)
    assert ((out.double() - value).abs() / size).max() < ROUNDING
    assert (slope.double() - gradient).abs().max() < ROUNDING


def test_the_bits_are_the_same_on_every_processor(monkeypatch):
    first, *others = (on(processor, monkeypatch) for processor in PROCESSORS)
    for other in others:
        assert all(map(torch.equal, first, other))


def test_the_gradient_may_take_the_place_of_the_one_by_the_output():
    x, gradient = VALUES[:37].clone(), torch.full((37,), 2.0)
    expected = torch.empty(37)
    gelu_backward(gradient, x, expected)
    gelu_backward(gradient, x, gradient)
    assert torch.equal(gradient, expected)


def test_nan_shows():
    out, slope = torch.zeros(3), torch.zeros(3)
    gelu(torch.tensor([1.0, torch.nan, -1.0]), out)
    gelu_backward(torch.ones(3), torch.tensor([1.0, torch.nan, -1.0]), slope)
    assert out.isnan().tolist() == slope.isnan().tolist() == [False, True, False]


def test_torch_takes_it_for_float32_alone():
    x = torch.linspace(-3, 3, 50)
    ours = torch.empty(50)
    gelu(x, ours)
    assert torch.equal(F.gelu(x), ours)
    assert torch.allclose(F.gelu(x.double()), ours.double(), atol=1e-6)
    exact = 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))
    assert torch.allclose(F.gelu(x, approximate="tanh"), exact, atol=1e-6)
    x = x.double().requires_grad_()
    assert torch.autograd.gradcheck(F.gelu, x)
