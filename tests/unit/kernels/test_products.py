"""Products of matrices by the C kernel: right, in one order, the same with AVX2 and with AVX-512."""

import numpy as np
import pytest
import torch

from remnist.kernels import library
from remnist.kernels.products import Product, multiply
from tests.support.kernels import PROCESSORS

LARGE = 2.0**40  # swallows all ones of a sum
# rows, terms, columns: one of each, parts of a tile, whole ones, and more terms than are taken at a time
SHAPES = [(1, 1, 1), (3, 5, 7), (8, 16, 48), (17, 256, 16), (33, 257, 50), (64, 784, 100), (5, 600, 113)]


def matrix(*shape, by_columns=False):
    made = torch.randn(*shape)
    return made.transpose(-1, -2).contiguous().transpose(-1, -2) if by_columns else made


def product(a, b, bias=None):
    out = torch.full((*a.shape[:-1], b.shape[-1]), torch.nan)
    multiply(a, b, out, bias)
    return out


@pytest.fixture(params=PROCESSORS)
def processor(request, monkeypatch):
    monkeypatch.setattr("remnist.kernels.products.load", lambda: library.compiled(request.param))
    torch.manual_seed(0)


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("by_columns", [(False, False), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize("with_bias", [False, True])
def test_a_product(shape, by_columns, with_bias):
    rows, terms, columns = shape
    a, b = matrix(rows, terms, by_columns=by_columns[0]), matrix(terms, columns, by_columns=by_columns[1])
    bias = torch.randn(columns) if with_bias else None
    exact = a.double() @ b.double() + (bias.double() if with_bias else 0)
    assert torch.allclose(product(a, b, bias).double(), exact, rtol=1e-5, atol=1e-4)


@pytest.mark.usefixtures("processor")
def test_several_products_at_once_and_parts_of_larger_matrices():
    a, b = matrix(3, 10, 40)[:, ::2, 4:], matrix(3, 36, 30)[..., ::3]
    assert torch.allclose(product(a, b).double(), a.double() @ b.double(), atol=1e-5)
    same = b[:1].expand(3, -1, -1)
    assert torch.allclose(product(a, same).double(), a.double() @ same.double(), atol=1e-5)


@pytest.mark.usefixtures("processor")
def test_a_sum_without_terms_is_the_bias():
    assert product(torch.empty(3, 0), torch.empty(0, 2), torch.tensor([1.0, 2.0])).tolist() == [[1, 2]] * 3


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("by_columns", [False, True])
@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 299), (5, 90), (130, 257), (255, 256), (298, 299)])
def test_terms_are_added_one_after_the_other(first, second, by_columns):
    """Of the ones, those behind the second large number survive (Xie et al., USENIX ATC 2025)."""
    a = torch.ones(19, 300)
    a[:, first], a[:, second] = LARGE, -LARGE
    b = matrix(300, 60, by_columns=by_columns).fill_(1)
    assert product(a, b).eq(299 - second).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_bits_are_the_same_on_every_processor(shape, monkeypatch):
    rows, terms, columns = shape
    found = []
    for processor in PROCESSORS:
        monkeypatch.setattr("remnist.kernels.products.load", lambda processor=processor: library.compiled(processor))
        torch.manual_seed(0)
        bias = torch.randn(columns)
        found.append(
            [product(matrix(rows, terms), matrix(terms, columns, by_columns=turned), bias) for turned in (0, 1)]
        )
    for others in found[1:]:
        assert all(map(torch.equal, found[0], others))


def test_a_kept_product_takes_what_its_arrays_then_hold_and_others():
    a, b, out = (np.zeros(shape, np.float32) for shape in ((2, 3), (3, 4), (2, 4)))
    kept = Product(a, b, out, np.ones(4, np.float32))
    a[:], b[:] = 2, 3
    kept()
    assert (out == 19).all()
    kept(np.ones_like(a), np.ones_like(b))
    assert (out == 4).all()


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_what_is_not_finite_stays_in_its_row(value):
    a, b = torch.ones(9, 20), torch.ones(20, 30)
    a[4, 7] = value
    finite = product(a, b).isfinite().all(1)
    assert finite.tolist() == [row != 4 for row in range(9)]
