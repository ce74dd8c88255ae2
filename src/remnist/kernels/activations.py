"""GELU by the C kernel."""

from torch import Tensor

from remnist.kernels.library import load


def gelu(x: Tensor, out: Tensor) -> None:
    """Put GELU of x into `out`, both float32, contiguous and of one shape."""
    load().gelu_forward(x.data_ptr(), out.data_ptr(), x.numel())


def gelu_backward(gradient: Tensor, x: Tensor, out: Tensor) -> None:
    """Put the gradient by x, given the one by GELU of it, into `out`, which may be `gradient`; tensors likewise."""
    load().gelu_backward(x.data_ptr(), gradient.data_ptr(), out.data_ptr(), x.numel())
