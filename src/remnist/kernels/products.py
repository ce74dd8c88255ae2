"""Products of matrices by the C kernel, whose sums have one order."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from remnist.kernels.library import Matrices, load

Array = NDArray[np.float32]
Steps = tuple[int, ...]  # floats from an element to the next along each axis


def multiply(a: Tensor, b: Tensor, out: Tensor, bias: Tensor | None = None) -> None:
    """Compute out = a b [+ bias], of float32.

    Args:
        a: ([count,] rows, terms).
        b: ([count,] terms, columns).
        out: ([count,] rows, columns), contiguous, and no part of the others.
        bias: (columns,), contiguous.
    """
    matrices = _matrices(tuple(a.shape), a.stride(), tuple(b.shape), b.stride())
    added = None if bias is None else bias.data_ptr()
    load().multiply(a.data_ptr(), b.data_ptr(), added, out.data_ptr(), matrices)


class Product:
    """The same of arrays, as often as it is called.

    Args:
        a: as `multiply` takes them, and the others too.
        b: likewise.
        out: likewise.
        bias: likewise.
    """

    def __init__(self, a: Array, b: Array, out: Array, bias: Array | None = None) -> None:
        self.matrices = _matrices(a.shape, _steps(a), b.shape, _steps(b))
        self.kept = a, b, out, bias  # the memory that the pointers are of
        self.a, self.b, self.out, self.bias = (None if each is None else each.ctypes.data for each in self.kept)
        self.multiply = load().multiply

    def __call__(self, a: Array | None = None, b: Array | None = None) -> None:
        """Compute it from what the arrays now hold, or from others of the same shapes and steps."""
        of_a = self.a if a is None else a.ctypes.data
        of_b = self.b if b is None else b.ctypes.data
        self.multiply(of_a, of_b, self.bias, self.out, self.matrices)


def _steps(array: Array) -> Steps:
    return tuple(step // array.itemsize for step in array.strides)


@cache
def _matrices(a: Steps, a_steps: Steps, b: Steps, b_steps: Steps) -> Matrices:
    """Return the shapes and steps of two matrices, or of as many pairs, as the kernel takes them."""
    *count, rows, terms = a
    (*a_matrix, a_row, a_term), (*b_matrix, b_term, b_column) = a_steps, b_steps
    return Matrices(
        *(count or [1]), rows, terms, b[-1], *(a_matrix or [0]), a_row, a_term, *(b_matrix or [0]), b_term, b_column, 0
    )
