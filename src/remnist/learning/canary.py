"""A canary: a fixed small computation of every kind that the study needs, whose bits are known.

Pins can be ignored: a library takes another kernel than its name says, a processor or a C library rounds otherwise.
A process that computes portably first holds these results against the digests below, so that no such change goes
unseen into the weights. `remnist canary` prints them.
"""

import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own name for it)

from remnist import machine
from remnist.data import loading
from remnist.errors import UserError
from remnist.kernels import convolutions
from remnist.learning import losses, optimizers
from remnist.models.layers import Dropout, Maxout
from remnist.settings import (
    Adagrad,
    Adam,
    AdamW,
    CrossEntropy,
    CrossEntropyOfSoftmax,
    KlDivergence,
    MseOneHot,
    RmsProp,
    Sgd,
)

TERMS = (2, 49, 100, 256, 784, 2048)  # terms of a sum: fewer than the kernel takes at a time, as many, and more
ROWS, COLUMNS = 37, 107  # rows and columns of a product: whole tiles of every processor, and a rest

DIGESTS = {
    "matrix products": "35a0d0e27f99",
    "sums": "8a6ba1360315",
    "activations": "7082615f60c3",
    "GELU": "04aded3339bc",
    "softmax": "e71191d68da9",
    "normalisations": "ead6bca13d28",
    "losses": "2086b1d6d306",
    "optimisers": "2e3bc6f03a32",
    "draws": "a0b34a51eb1b",
    "convolutions of the residual CNN": "c6b5a51eeb88",
    "convolutions": "03bf566ff907",
    "resizing": "2bb2809ff37a",
    "numbers below 1.2e-38": "0fc599140c22",
    "exponentials and logarithms": "b34ab5281ca7",
    "figures of the evaluation": "3f5b5367e27f",
}


class Kind(NamedTuple):
    """A kind of computation: the library that does it, and what to compute."""

    library: str
    results: Callable[[], Iterator[Tensor]]


def check() -> None:
    """Compute all, and compare.

    Raises:
        UserError: a result has other bits.
    """
    found = digests()
    if wrong := [name for name in found if found[name] != DIGESTS[name]]:
        libraries = {KINDS[name].library for name in wrong}
        raise UserError(
            f"train.numerics: portable: other bits than everywhere else in: {', '.join(wrong)} "
            f"({', '.join(sorted(map(_described, libraries)))}; {machine.processor()})\n"
            "Install requirements.txt, whose versions are known to agree, or set train.numerics=native, whose results "
            "are this machine's own"
        )


def digests() -> dict[str, str]:
    """Return the digest of each kind's results, 12 hexadecimal digits."""
    with torch.random.fork_rng(devices=[]):
        return {name: _digest(kind) for name, kind in KINDS.items()}


def _digest(kind: Kind) -> str:
    torch.manual_seed(0)
    digest = hashlib.sha256()
    for result in kind.results():
        digest.update(result.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


@cache
def _values() -> Tensor:
    """Return numbers between -1 and 1 that every library computes exactly."""
    return torch.from_numpy((np.arange(2**18) * 40503 % 65521 - 32760).astype(np.float32) / np.float32(2**15))


def _tensor(*shape: int, skip: int = 0) -> Tensor:
    return _values()[skip : skip + int(np.prod(shape))].reshape(shape)


def _both_ways(function: Callable[[Tensor], Tensor], *shape: int, layers: nn.Module | None = None) -> Iterator[Tensor]:
    """Yield a function's result and its gradients, by its input and by the parameters of its layers."""
    x = (3 * _tensor(*shape)).requires_grad_()
    y = function(x)
    layers = function if isinstance(function, nn.Module) else layers
    parameters = list(layers.parameters()) if layers else []
    yield y
    weighted = (y * _tensor(*y.shape, skip=7)).sum()  # gradients of y itself would load sympy, which takes 0.3 s
    yield from torch.autograd.grad(weighted, [x, *parameters])


def _products() -> Iterator[Tensor]:
    for terms in TERMS:
        a, b = _tensor(ROWS, terms), _tensor(terms, COLUMNS, skip=5)
        yield a @ b
        yield a @ _tensor(COLUMNS, terms, skip=5).t()
        yield _tensor(terms, ROWS).t() @ b


def _sums() -> Iterator[Tensor]:
    yield _tensor(300, 500).sum(0)
    yield _tensor(300, 500).mean(1)
    yield _values().sum()  # which threads would share
    yield _values().square().mean()


def _activations() -> Iterator[Tensor]:
    for function in (F.relu, Maxout(64)):
        yield from _both_ways(function, 33, 64)


def _gelu() -> Iterator[Tensor]:
    yield from _both_ways(F.gelu, 33, 67)


def _normalisations() -> Iterator[Tensor]:
    yield from _both_ways(nn.BatchNorm1d(70), 33, 70)
    images = nn.BatchNorm2d(16).to(memory_format=torch.channels_last)
    yield from _both_ways(images, 8, 16, 14, 14)
    yield from _both_ways(nn.LayerNorm(64), 33, 64)
    yield from _both_ways(nn.LayerNorm(49), 33, 49)


def _losses() -> Iterator[Tensor]:
    labels = torch.arange(64) * 7 % 10
    for settings in (
        CrossEntropy(loss="cross_entropy", label_smoothing=0.0),
        CrossEntropy(loss="cross_entropy", label_smoothing=0.1),
        CrossEntropyOfSoftmax(loss="cross_entropy_of_softmax"),
        KlDivergence(loss="kl_divergence", label_smoothing=0.1, reduction="batchmean"),
        MseOneHot(loss="mse_one_hot"),
    ):
        loss = losses.build(settings)

        def of_logits(logits: Tensor, loss: losses.Loss = loss) -> Tensor:
            return loss(logits, labels)

        yield from _both_ways(of_logits, 64, 10)
        _, by_logits = losses.value_and_gradient(settings)(_tensor(64, 10), labels)
        yield torch.empty(0) if by_logits is None else by_logits


def _optimizers() -> Iterator[Tensor]:
    for settings in (
        Sgd(optimizer="sgd", momentum=0.9),
        Adam(optimizer="adam", betas=[0.9, 0.999]),
        AdamW(optimizer="adamw", betas=[0.9, 0.999]),
        RmsProp(optimizer="rmsprop", alpha=0.99),
        Adagrad(optimizer="adagrad"),
    ):
        weights = _tensor(500).clone()
        step = optimizers.build(settings, [weights], weight_decay=0.01)
        for number in range(3):
            step((_tensor(500, skip=number) / 8,), 0.01)
        yield weights


def _draws() -> Iterator[Tensor]:
    layer = nn.Linear(49, 30)
    yield layer.weight
    yield layer.bias
    yield nn.Conv2d(2, 8, 5).weight
    yield Dropout(0.2).mask(torch.Size((20, 30)))
    generator = torch.Generator().manual_seed(1)
    yield torch.randperm(1000, generator=generator)
    yield torch.randint(0, 5, (2, 100), generator=generator)


def _own_convolutions() -> Iterator[Tensor]:
    layer, pair = nn.Conv2d(1, 10, 5), [nn.Conv2d(10, 10, 3, padding=1) for _ in range(2)]

    def network(images: Tensor) -> Tensor:
        pooled = convolutions.max_pool_relu(convolutions.convolve(convolutions.group(images), layer))
        return convolutions.ungroup(convolutions.residual_block(pooled, *pair), len(images))

    yield from _both_ways(network, 20, 1, 28, 28, layers=nn.ModuleList([layer, *pair]))


def _convolutions() -> Iterator[Tensor]:
    for layer in (nn.Conv2d(1, 16, 5, padding="same", bias=False), nn.Conv2d(16, 32, 3, padding="same", bias=False)):
        network = nn.Sequential(layer, nn.MaxPool2d(2)).to(memory_format=torch.channels_last)
        yield from _both_ways(network, 8, layer.in_channels, 14, 14)
    yield from _both_ways(lambda x: F.avg_pool2d(x, 7), 8, 32, 7, 7)


def _images() -> Iterator[Tensor]:
    pixels = (torch.arange(3 * 28 * 28) * 97 % 256).to(torch.uint8).reshape(3, 28, 28)
    for size in (28, 32):
        yield from loading.converted(pixels, size, 0.13, 0.31)


def _softmax() -> Iterator[Tensor]:
    yield from _both_ways(nn.Softmax(1), 33, 10)
    yield from _both_ways(nn.LogSoftmax(1), 33, 10)
    yield torch.softmax(_tensor(33, 10).double(), 1)


def _vanishing() -> Iterator[Tensor]:
    tiny = torch.full((50,), 1e-38)
    yield tiny * _tensor(50)
    yield torch.from_numpy(tiny.numpy() * _tensor(50).numpy())


def _by_vector_library() -> Iterator[Tensor]:
    yield _tensor(1000).exp()
    yield _tensor(1000).abs().add(1).log()
    yield torch.mv(_tensor(50, 300), _tensor(300))


def _figures() -> Iterator[Tensor]:
    values = _tensor(3000).double().numpy()
    for result in (np.logspace(-3, 0, 25), np.exp(values), np.log10(values**2 + 0.1), values.mean(), values.std()):
        yield torch.from_numpy(np.atleast_1d(result))


KINDS = {
    "matrix products": Kind("remnist.kernels", _products),
    "sums": Kind("torch", _sums),
    "activations": Kind("torch", _activations),
    "GELU": Kind("remnist.kernels", _gelu),
    "softmax": Kind("torch", _softmax),
    "normalisations": Kind("torch", _normalisations),
    "losses": Kind("torch", _losses),
    "optimisers": Kind("torch", _optimizers),
    "draws": Kind("torch", _draws),
    "convolutions of the residual CNN": Kind("remnist.kernels", _own_convolutions),
    "convolutions": Kind("torch's oneDNN", _convolutions),
    "resizing": Kind("torch", _images),
    "numbers below 1.2e-38": Kind("torch", _vanishing),
    "exponentials and logarithms": Kind("torch's MKL", _by_vector_library),
    "figures of the evaluation": Kind("numpy", _figures),
}


def _described(library: str) -> str:
    """Return a library with its version and the kernels that it took."""
    match library:
        case "numpy":
            return f"numpy {version('numpy')}"
        case "remnist.kernels":
            return library
        case _:
            return f"{library}, {torch.backends.cpu.get_cpu_capability()}, of torch {version('torch')}"
