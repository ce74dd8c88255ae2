"""The gradients of a fully connected network without autograd: the same arithmetic in the same order, into buffers.

Autograd takes half of a small network's step, and fetches memory for each result. Here each layer's backward pass is
written out, in numpy where a call costs less than torch's and has the same bits. The gradients are autograd's to the
bit, which a test holds every variant to.
"""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from remnist.kernels import activations
from remnist.kernels.products import Product
from remnist.learning import numerics
from remnist.models.layers import Dropout, Maxout

Array = NDArray[np.float32]
OfLogits = Callable[[Tensor, Tensor], tuple[float, Tensor | None]]  # a loss and its gradient, from logits and labels
aten, tensor = torch.ops.aten, torch.from_numpy


class Layer(Protocol):
    """A layer in training, for batches of one size."""

    def forward(self, x: Array) -> Array:
        """Return its output, and keep what `backward` needs."""

    def backward(self, gradient: Array) -> Array:
        """Keep the gradients by its parameters, and return the one by its input, given the one by its output."""


def knows(model: nn.Module) -> TypeGuard[nn.Sequential]:
    """Whether a network is nothing but a sequence of layers whose gradients are written out here, on the CPU."""
    if not isinstance(model, nn.Sequential) or type(model).forward is not nn.Sequential.forward:
        return False
    on_cpu = all(parameter.device.type == "cpu" for parameter in model.parameters())
    return on_cpu and type(next(iter(model), None)) is nn.Flatten and all(map(_is_written_out, model))


def _is_written_out(layer: nn.Module) -> bool:
    match layer:
        case nn.Linear():
            return type(layer) is nn.Linear and layer.bias is not None
        case nn.BatchNorm1d():
            return layer.affine and layer.track_running_stats and layer.momentum is not None
        case nn.GELU():
            return layer.approximate == "none"
        case Dropout():
            return not layer.channels
        case _:
            return type(layer) in (nn.Flatten, nn.ReLU, Maxout)


class MlpGradients:
    """A loss, and its gradients by a network's parameters.

    Args:
        model: the network, in training, on the CPU.
        of_logits: the loss, and its gradient by the logits.
        l2: strength of the L2 penalty added to the loss.
    """

    def __init__(self, model: nn.Sequential, of_logits: OfLogits, l2: float = 0.0) -> None:
        self.model, self.of_logits, self.l2 = model, of_logits, l2
        self.parameters = [parameter.detach() for parameter in model.parameters()]
        self.gradients = tuple(torch.zeros_like(parameter) for parameter in self.parameters)
        self.layers = dict[int, list[Layer]]()

    @torch.no_grad()
    def __call__(self, images: Tensor, labels: Tensor) -> tuple[float, tuple[Tensor, ...] | None]:
        """Return the loss without the penalty, and the gradients, valid until the next call; None if there are none.

        Args:
            images: (n, c, h, w).
            labels: (n,).
        """
        n = len(labels)
        if n not in self.layers:  # an epoch's last batch may be smaller
            self.layers[n] = list(_layers(self.model, n, iter(self.gradients)))
        layers, x = self.layers[n], images.numpy().reshape(n, -1)
        for layer in layers:
            x = layer.forward(x)
        value, by_logits = self.of_logits(tensor(x), labels)
        if by_logits is not None:
            gradient = by_logits.contiguous().numpy()
            for layer in reversed(layers):
                gradient = layer.backward(gradient)
        elif self.l2:
            torch._foreach_zero_(self.gradients)
        else:
            return value, None
        if self.l2:
            torch._foreach_add_(self.gradients, torch._foreach_mul(self.parameters, self.l2))
        return value, self.gradients


def _layers(model: nn.Sequential, n: int, gradients: Iterator[Tensor]) -> Iterator[Layer]:
    """Yield a network's layers for batches of n images, which put the gradients by their parameters into these."""
    width = 0  # of what flows into a layer
    for module in model:
        match module:
            case nn.Linear():
                yield _Linear(module, n, gradients, is_first=not width)
                width = module.out_features
            case nn.ReLU():
                yield _Relu(n, width)
            case nn.GELU():
                yield _Gelu(n, width)
            case Maxout():
                yield _Linear(module.linear, n, gradients)
                yield _Largest(n, width, module.pieces)
            case nn.BatchNorm1d():
                yield _BatchNorm(module, gradients)
            case Dropout(p=p) if p:
                yield _Dropout(module, n, width)


class _Linear:
    """Products are those of `remnist.kernels` if the numerics are portable, else torch's."""

    def __init__(self, module: nn.Linear, n: int, gradients: Iterator[Tensor], *, is_first: bool = False) -> None:
        product = Product if numerics.is_portable() else _TorchProduct
        weight, bias = module.weight.detach().numpy(), module.bias.detach().numpy()
        by_weight, self.by_bias = next(gradients).numpy(), next(gradients)
        self.out, self.by_input = _empty(n, module.out_features), _empty(n, module.in_features)
        self.to_out = product(self.by_input, weight.T, self.out, bias)
        self.to_weight = product(self.out.T, self.by_input, by_weight)
        self.to_input = None if is_first else product(self.out, weight, self.by_input)  # nobody asks for the images'

    def forward(self, x: Array) -> Array:
        self.x = x
        self.to_out(x)
        return self.out

    def backward(self, gradient: Array) -> Array:
        self.to_weight(gradient.T, self.x)
        torch.sum(tensor(gradient), 0, out=self.by_bias)
        if self.to_input:
            self.to_input(gradient)
        return self.by_input


class _TorchProduct:
    def __init__(self, a: Array, b: Array, out: Array, bias: Array | None = None) -> None:
        self.b, self.out, self.bias = tensor(b), tensor(out), None if bias is None else tensor(bias)

    def __call__(self, a: Array, b: Array | None = None) -> None:
        factors = tensor(a), self.b if b is None else tensor(b)
        if self.bias is None:
            torch.mm(*factors, out=self.out)
        else:
            torch.addmm(self.bias, *factors, out=self.out)


class _Relu:
    def __init__(self, n: int, width: int) -> None:
        self.out = _empty(n, width)

    def forward(self, x: Array) -> Array:
        return np.maximum(x, 0, out=self.out)

    def backward(self, gradient: Array) -> Array:
        by_output = tensor(gradient)
        aten.threshold_backward.grad_input(by_output, tensor(self.out), 0, grad_input=by_output)
        return gradient


class _Gelu:
    def __init__(self, n: int, width: int) -> None:
        self.is_portable, self.out = numerics.is_portable(), _empty(n, width)

    def forward(self, x: Array) -> Array:
        self.x = tensor(x)
        if self.is_portable:
            activations.gelu(self.x, tensor(self.out))
        else:
            aten.gelu.out(self.x, out=tensor(self.out))
        return self.out

    def backward(self, gradient: Array) -> Array:
        by_output = tensor(gradient)
        if self.is_portable:
            activations.gelu_backward(by_output, self.x, by_output)
        else:
            aten.gelu_backward.grad_input(by_output, self.x, grad_input=by_output)
        return gradient


class _Largest:
    """The largest of several pieces."""

    def __init__(self, n: int, width: int, pieces: int) -> None:
        self.out, self.shape = _empty(n, width), (n, pieces, width)

    def forward(self, x: Array) -> Array:
        self.x = x.reshape(self.shape)
        return np.max(self.x, 1, out=self.out)

    def backward(self, gradient: Array) -> Array:
        is_largest = self.x == self.out[:, None]  # several are, where pieces are equal
        return (gradient[:, None] * is_largest / is_largest.sum(1, keepdims=True, dtype=np.float32)).reshape(
            len(gradient), -1
        )


class _BatchNorm:
    def __init__(self, module: nn.BatchNorm1d, gradients: Iterator[Tensor]) -> None:
        self.module, self.by_weight, self.by_bias = module, next(gradients), next(gradients)

    def forward(self, x: Array) -> Array:
        module, self.x = self.module, tensor(x)
        aten.add_(module.num_batches_tracked, 1)
        out, *self.kept = aten.native_batch_norm.default(
            self.x, module.weight, module.bias, module.running_mean, module.running_var, True, module.momentum,
            module.eps,
        )  # fmt: skip
        return out.numpy()

    def backward(self, gradient: Array) -> Array:
        by_input, by_weight, by_bias = aten.native_batch_norm_backward.default(
            tensor(gradient), self.x, self.module.weight, self.module.running_mean, self.module.running_var,
            *self.kept, True, self.module.eps, [True, True, True],
        )  # fmt: skip
        self.by_weight.copy_(by_weight)
        self.by_bias.copy_(by_bias)
        return by_input.numpy()


class _Dropout:
    def __init__(self, module: Dropout, n: int, width: int) -> None:
        self.module, self.shape, self.out = module, torch.Size((n, width)), _empty(n, width)

    def forward(self, x: Array) -> Array:
        self.mask = self.module.mask(self.shape).numpy()
        return np.multiply(x, self.mask, out=self.out)

    def backward(self, gradient: Array) -> Array:
        return np.multiply(gradient, self.mask, out=gradient)


def _empty(*shape: int) -> Array:
    return np.empty(shape, np.float32)
