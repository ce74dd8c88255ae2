"""The gradients of a fully connected network without autograd: the same kernels in the same order, into buffers.

Autograd takes half of a small network's step, and fetches memory for each result. Here each layer's backward pass is
written out. The gradients are autograd's to the bit, which a test holds every variant to.
"""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeGuard

import numpy as np
import torch
from torch import Tensor, nn

from remnist.learning import numerics
from remnist.models.layers import Dropout, Maxout

OfLogits = Callable[[Tensor, Tensor], Tensor | None]  # a loss' gradient by the logits, from logits and labels
KNOWN = (nn.Flatten, nn.Linear, nn.ReLU, nn.GELU, Maxout, nn.BatchNorm1d, Dropout)
aten = torch.ops.aten


class Layer(Protocol):
    """A layer in training, for batches of one size."""

    def forward(self, x: Tensor) -> Tensor:
        """Return its output, and keep what `backward` needs."""

    def backward(self, gradient: Tensor) -> Tensor:
        """Keep the gradients by its parameters, and return the one by its input, given the one by its output."""


def knows(model: nn.Module) -> TypeGuard[nn.Sequential]:
    """Whether a network is a sequence of layers whose gradients are written out here, on the CPU."""
    on_cpu = all(parameter.device.type == "cpu" for parameter in model.parameters())
    return on_cpu and isinstance(model, nn.Sequential) and all(isinstance(layer, KNOWN) for layer in model)


class MlpGradients:
    """The gradients of a loss by a network's parameters.

    Args:
        model: the network, in training, on the CPU.
        of_logits: the loss' gradient by the logits.
        l2: strength of the L2 penalty added to the loss.
    """

    def __init__(self, model: nn.Sequential, of_logits: OfLogits, l2: float = 0.0) -> None:
        self.model, self.of_logits, self.l2 = model, of_logits, l2
        self.parameters = [parameter.detach() for parameter in model.parameters()]
        self.gradients = tuple(torch.zeros_like(parameter) for parameter in self.parameters)
        self.layers = dict[int, list[Layer]]()

    @torch.no_grad()
    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, ...] | None:
        """Return the gradients in the parameters' order, valid until the next call; None if there are none.

        Args:
            images: (n, c, h, w).
            labels: (n,).
        """
        n = len(labels)
        if n not in self.layers:  # an epoch's last batch may be smaller
            self.layers[n] = list(_layers(self.model, n, iter(self.gradients)))
        layers, x = self.layers[n], images.flatten(1)
        for layer in layers:
            x = layer.forward(x)
        gradient = self.of_logits(x, labels)
        if gradient is not None:
            for layer in reversed(layers):
                gradient = layer.backward(gradient)
        elif self.l2:
            torch._foreach_zero_(self.gradients)
        else:
            return None
        if self.l2:
            torch._foreach_add_(self.gradients, torch._foreach_mul(self.parameters, self.l2))
        return self.gradients


def _layers(model: nn.Sequential, n: int, gradients: Iterator[Tensor]) -> Iterator[Layer]:
    """Yield a network's layers for batches of n images, which put the gradients by their parameters into these."""
    width = 0  # of what flows into a layer
    for module in model:
        match module:
            case nn.Flatten():
                pass
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
            case Dropout(p=p):
                if p:
                    yield _Dropout(module, n, width)


class _Linear:
    """Its products are those of the numerics: numpy's, of arrays that share the tensors' memory, or torch's."""

    def __init__(self, module: nn.Linear, n: int, gradients: Iterator[Tensor], *, is_first: bool = False) -> None:
        self.multiply, self.view = (np.matmul, Tensor.numpy) if numerics.is_portable() else (torch.mm, Tensor.detach)
        self.bias, self.by_weight, self.by_bias = module.bias.detach(), self.view(next(gradients)), next(gradients)
        self.weight, self.weight_t = self.view(module.weight.detach()), self.view(module.weight.detach().t())
        self.out, self.by_input = torch.empty(n, module.out_features), torch.empty(n, module.in_features)
        self.out_view, self.by_input_view = self.view(self.out), self.view(self.by_input)
        self.is_first = is_first

    def forward(self, x: Tensor) -> Tensor:
        self.x = self.view(x)
        self.multiply(self.x, self.weight_t, out=self.out_view)
        return self.out.add_(self.bias)

    def backward(self, gradient: Tensor) -> Tensor:
        self.multiply(self.view(gradient.t()), self.x, out=self.by_weight)
        torch.sum(gradient, 0, out=self.by_bias)
        if not self.is_first:  # nobody asks for the gradient by the images
            self.multiply(self.view(gradient), self.weight, out=self.by_input_view)
        return self.by_input


class _Relu:
    def __init__(self, n: int, width: int) -> None:
        self.out = torch.empty(n, width)

    def forward(self, x: Tensor) -> Tensor:
        return torch.clamp_min(x, 0, out=self.out)

    def backward(self, gradient: Tensor) -> Tensor:
        return aten.threshold_backward.grad_input(gradient, self.out, 0, grad_input=gradient)


class _Gelu:
    def __init__(self, n: int, width: int) -> None:
        self.out = torch.empty(n, width)

    def forward(self, x: Tensor) -> Tensor:
        self.x = x
        return aten.gelu.out(x, out=self.out)

    def backward(self, gradient: Tensor) -> Tensor:
        return aten.gelu_backward.grad_input(gradient, self.x, grad_input=gradient)


class _Largest:
    """The largest of several pieces."""

    def __init__(self, n: int, width: int, pieces: int) -> None:
        self.out, self.pieces = torch.empty(n, width), pieces

    def forward(self, x: Tensor) -> Tensor:
        self.x = x.view(len(x), self.pieces, -1)
        return torch.amax(self.x, 1, out=self.out)

    def backward(self, gradient: Tensor) -> Tensor:
        largest = self.x == self.out[:, None]  # several are, where pieces are equal
        return (gradient[:, None] * largest).div_(largest.sum(1, keepdim=True)).flatten(1)


class _BatchNorm:
    def __init__(self, module: nn.BatchNorm1d, gradients: Iterator[Tensor]) -> None:
        self.module, self.by_weight, self.by_bias = module, next(gradients), next(gradients)

    def forward(self, x: Tensor) -> Tensor:
        module, self.x = self.module, x
        assert module.num_batches_tracked is not None and module.momentum is not None
        module.num_batches_tracked.add_(1)
        out, *self.kept = torch.native_batch_norm(
            x, module.weight, module.bias, module.running_mean, module.running_var, True, module.momentum, module.eps
        )
        return out

    def backward(self, gradient: Tensor) -> Tensor:
        by_input, by_weight, by_bias = aten.native_batch_norm_backward.default(
            gradient, self.x, self.module.weight, self.module.running_mean, self.module.running_var, *self.kept, True,
            self.module.eps, [True, True, True],
        )  # fmt: skip
        self.by_weight.copy_(by_weight)
        self.by_bias.copy_(by_bias)
        return by_input


class _Dropout:
    def __init__(self, module: Dropout, n: int, width: int) -> None:
        self.module, self.out = module, torch.empty(n, width)

    def forward(self, x: Tensor) -> Tensor:
        self.mask = self.module.mask(x)
        return torch.mul(x, self.mask, out=self.out)

    def backward(self, gradient: Tensor) -> Tensor:
        return gradient.mul_(self.mask)
