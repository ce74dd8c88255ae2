"""Convolutions and max pools of images in groups of 16, by the C kernels, for autograd.

A tensor of groups has shape (g, channels * 16, h, w), its channels last in memory: convolutions.c has the picture.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from remnist.kernels.library import Shape, load

IMAGES = 16  # a group; a weight's gradient has a sum of each


def group(images: Tensor) -> Tensor:
    """Put images (n, c, h, w) into groups; the last is filled with zeros."""
    n, c, h, w = images.shape
    filled = F.pad(images, [0] * 6 + [0, -n % IMAGES]) if n % IMAGES else images
    lanes = filled.reshape(-1, IMAGES, c, h, w).permute(0, 3, 4, 2, 1)  # (g, h, w, c, 16)
    return lanes.contiguous().view(len(lanes), h, w, c * IMAGES).permute(0, 3, 1, 2)


def ungroup(groups: Tensor, n: int) -> Tensor:
    """Return the first n images, (n, c, h, w), of groups."""
    g, floats, h, w = groups.shape
    lanes = groups.permute(0, 2, 3, 1).reshape(g, h, w, floats // IMAGES, IMAGES)
    return lanes.permute(0, 4, 3, 1, 2).reshape(-1, floats // IMAGES, h, w)[:n]


def convolve(groups: Tensor, layer: nn.Conv2d) -> Tensor:
    """Apply a convolution of stride 1."""
    return _Convolution.apply(groups, layer.weight, layer.bias, layer.padding[0])


def max_pool_relu(groups: Tensor) -> Tensor:
    """Apply a max pool of 2 x 2 and ReLU."""
    return _MaxPoolRelu.apply(groups)


def residual_block(groups: Tensor, first: nn.Conv2d, second: nn.Conv2d) -> Tensor:
    """Return ReLU(x + second(ReLU(first(x)))), of convolutions that keep the shape."""
    return _ResidualBlock.apply(groups, first.weight, first.bias, second.weight, second.bias)


class _Convolution(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.padding = padding
        return _forward(x, weight, bias, padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        gradient = _channels_last(gradient)
        by_x = _by_input(gradient, weight, ctx.padding) if ctx.needs_input_grad[0] else None
        return by_x, *_by_weight(gradient, x, weight, ctx.padding), None


class _ResidualBlock(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor) -> Tensor:
        padding = weight1.shape[-1] // 2
        hidden = _forward(x, weight1, bias1, padding, relu=True)
        y = _forward(hidden, weight2, bias2, padding, residual=x, relu=True)
        ctx.save_for_backward(x, weight1, weight2, hidden, y)
        ctx.padding = padding
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
        x, weight1, weight2, hidden, y = ctx.saved_tensors
        by_sum = _through_relu(_channels_last(gradient), y)
        by_hidden = _through_relu(_by_input(by_sum, weight2, ctx.padding), hidden)
        by_x = _by_input(by_hidden, weight1, ctx.padding).add_(by_sum)
        first, second = _by_weight(by_hidden, x, weight1, ctx.padding), _by_weight(by_sum, hidden, weight2, ctx.padding)
        return by_x, *first, *second


class _MaxPoolRelu(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        g, floats, h, w = x.shape
        y = _empty(g, floats, h // 2, w // 2)
        load().pool_forward(x.data_ptr(), y.data_ptr(), g, h, w, floats)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        x, y = ctx.saved_tensors
        g, floats, h, w = x.shape
        gradient, by_x = _channels_last(gradient), torch.empty_like(x)
        if h % 2 or w % 2:
            by_x.zero_()  # the kernel leaves the last row and column as they are
        load().pool_backward(x.data_ptr(), y.data_ptr(), gradient.data_ptr(), by_x.data_ptr(), g, h, w, floats)
        return by_x


def _forward(
    x: Tensor, weight: Tensor, bias: Tensor, padding: int, *, residual: Tensor | None = None, relu: bool = False
) -> Tensor:
    outputs, inputs, kernel, _ = weight.shape
    g, _, h, w = x.shape
    packed = _packed(weight, turned=False)
    y = _empty(g, outputs * IMAGES, h + 2 * padding - kernel + 1, w + 2 * padding - kernel + 1)
    shape, more = Shape(g, inputs, h, w, outputs, kernel, padding), None if residual is None else residual.data_ptr()
    load().conv_forward(x.data_ptr(), packed.data_ptr(), bias.data_ptr(), more, y.data_ptr(), shape, relu)
    return y


def _by_input(gradient: Tensor, weight: Tensor, padding: int) -> Tensor:
    """Return the gradient by a convolution's input: the convolution of the one by its output with turned weights."""
    outputs, inputs, kernel, _ = weight.shape
    g, _, h, w = gradient.shape
    packed, margin = _packed(weight, turned=True), kernel - 1 - padding
    by_x = _empty(g, inputs * IMAGES, h + 2 * margin - kernel + 1, w + 2 * margin - kernel + 1)
    shape = Shape(g, outputs, h, w, inputs, kernel, margin)
    load().conv_forward(gradient.data_ptr(), packed.data_ptr(), None, None, by_x.data_ptr(), shape, False)
    return by_x


def _by_weight(gradient: Tensor, x: Tensor, weight: Tensor, padding: int) -> tuple[Tensor, Tensor]:
    """Return the gradients by a convolution's weight and bias."""
    outputs, inputs, kernel, _ = weight.shape
    by_weight, by_bias = torch.empty(weight.shape), torch.empty(outputs)
    sums = torch.empty(weight.numel() * IMAGES)
    shape = Shape(len(x), inputs, *x.shape[2:], outputs, kernel, padding)
    tensors = (x, gradient, by_weight, by_bias, sums)
    load().conv_weight_gradient(*(tensor.data_ptr() for tensor in tensors), shape)
    return by_weight, by_bias


def _packed(weight: Tensor, *, turned: bool) -> Tensor:
    outputs, inputs, kernel, _ = weight.shape
    packed, contiguous = torch.empty(weight.numel()), weight.contiguous()
    load().pack_weights(contiguous.data_ptr(), packed.data_ptr(), outputs, inputs, kernel, turned)
    return packed


def _through_relu(gradient: Tensor, y: Tensor) -> Tensor:
    return torch.ops.aten.threshold_backward(gradient, y, 0)


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def _empty(*shape: int) -> Tensor:
    return torch.empty(shape, memory_format=torch.channels_last)
