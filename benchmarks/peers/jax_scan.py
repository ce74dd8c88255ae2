"""JAX: an epoch is one compiled call that scans over the batches, but with convolutions a call a batch.

In a loop that JAX compiles, a convolution's gradients take several times as long on a CPU (jax-ml/jax issue 12868).
Parameters are a dictionary with the names and shapes of torch's, so that both start and end with the same files.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax, nn, random
from jax.example_libraries import optimizers
from safetensors.numpy import load_file, save

from benchmarks.peers import Job
from remnist.settings import Adam, CrossEntropy, CrossEntropyOfSoftmax, Mlp, MlpMixer, ResidualCnn, Sgd, Variant

Params = dict[str, Array]
Network = Callable[[Params, Array, Array], Array]  # parameters, images (n, 28, 28), and a key, to logits (n, 10)


def train(job: Job, on_epoch: Callable[[], None]) -> bytes:
    """Train with the images in memory, compiled."""
    variant, data, key = job.variant, load_file(job.data), random.key(job.seed)
    images = jnp.asarray(data["train_images"], jnp.float32) / 255  # (n, 28, 28)
    labels = jnp.asarray(data["train_labels"], jnp.int32)
    initial, update, parameters = _optimizer(variant)
    network, loss, size = _network(variant), _loss(variant), variant.train.batch_size

    def step(state: Any, index: Array, images: Array, labels: Array) -> Any:
        count, inner = state

        def value(params: Params) -> Array:
            return loss(network(params, images[index], random.fold_in(key, count)), labels[index])

        return count + 1, update(count, jax.grad(value)(parameters(inner)), inner)

    def scan(state: Any, batches: Array, images: Array, labels: Array) -> Any:
        return lax.scan(lambda state, index: (step(state, index, images, labels), None), state, batches)[0]

    def call(state: Any, batches: Array, images: Array, labels: Array) -> Any:
        for index in batches:
            state = one(state, index, images, labels)
        return state

    one = jax.jit(step, donate_argnums=0)
    whole = call if isinstance(variant.model, ResidualCnn) else jax.jit(scan, donate_argnums=0)
    state = jnp.array(0), initial({name: jnp.asarray(value) for name, value in load_file(job.start).items()})
    orders, full = np.random.default_rng(job.seed), len(labels) // size * size
    for _ in range(variant.train.epochs):
        order = orders.permutation(len(labels))
        if full:
            state = whole(state, order[:full].reshape(-1, size), images, labels)
        if full < len(labels):
            state = one(state, order[full:], images, labels)
        jax.block_until_ready(state)
        on_epoch()
    return bytes(save({name: np.asarray(value) for name, value in parameters(state[1]).items()}))


def _optimizer(variant: Variant) -> Any:
    """Return three functions: parameters to state; step's number, gradients and state to state; state to parameters."""
    match variant.optimizer:
        case Sgd(momentum=momentum):
            return optimizers.momentum(variant.train.lr, momentum)
        case Adam(betas=[beta1, beta2]):
            return optimizers.adam(variant.train.lr, beta1, beta2)
        case other:
            raise ValueError(f"no peer has {other}")


def _loss(variant: Variant) -> Callable[[Array, Array], Array]:
    def cross_entropy(logits: Array, labels: Array) -> Array:
        return -jnp.take_along_axis(nn.log_softmax(logits), labels[:, None], 1).mean()

    match variant.loss:
        case CrossEntropy(label_smoothing=0.0):
            return cross_entropy
        case CrossEntropyOfSoftmax():
            return lambda logits, labels: cross_entropy(nn.softmax(logits), labels)
        case other:
            raise ValueError(f"no peer has {other}")


def _network(variant: Variant) -> Network:
    match variant.model:
        case Mlp(activation="relu", batch_norm=False, dropout=dropout):
            return partial(_mlp, dropout=dropout)
        case MlpMixer(patch_size=patch_size, patch_embedding=True, norm_axis="channels", depth=depth):
            return partial(_mixer, patch_size=patch_size, depth=depth)
        case ResidualCnn(dropout=0.0):
            return _residual_cnn
        case other:
            raise ValueError(f"no network in JAX for {other}")


def _linear(params: Params, name: str, x: Array) -> Array:
    return x @ params[f"{name}.weight"].T + params[f"{name}.bias"]


def _mlp(params: Params, x: Array, key: Array, *, dropout: float) -> Array:
    *hidden, last = sorted({int(name.split(".")[0]) for name in params})
    x = x.reshape(len(x), -1)
    for layer in hidden:
        x = nn.relu(_linear(params, str(layer), x))
        if dropout:
            kept = random.bernoulli(random.fold_in(key, layer), 1 - dropout, x.shape)
            x = jnp.where(kept, x / (1 - dropout), 0)
    return _linear(params, str(last), x)


def _mixer(params: Params, x: Array, key: Array, *, patch_size: int, depth: int) -> Array:
    def norm(name: str, x: Array) -> Array:
        return nn.standardize(x, epsilon=1e-5) * params[f"{name}.weight"] + params[f"{name}.bias"]

    def mlp(name: str, x: Array) -> Array:
        return _linear(params, f"{name}.2", nn.gelu(_linear(params, f"{name}.0", x), approximate=False))

    n, grid = len(x), x.shape[1] // patch_size
    x = x.reshape(n, grid, patch_size, grid, patch_size).transpose(0, 1, 3, 2, 4)
    x = _linear(params, "stem", x.reshape(n, grid**2, patch_size**2))  # (n, tokens, dim)
    for i in range(depth):
        y = norm(f"layers.{i}.token_norm", x).transpose(0, 2, 1)
        x = x + mlp(f"layers.{i}.token_mixing", y).transpose(0, 2, 1)
        x = x + mlp(f"layers.{i}.channel_mixing", norm(f"layers.{i}.channel_norm", x))
    return _linear(params, "head", norm("norm", x).mean(1))


def _residual_cnn(params: Params, x: Array, key: Array) -> Array:
    def convolve(name: str, x: Array, padding: str) -> Array:
        layout = ("NHWC", "OIHW", "NHWC")
        y = lax.conv_general_dilated(x, params[f"{name}.weight"], (1, 1), padding, dimension_numbers=layout)
        return y + params[f"{name}.bias"]

    def pool(x: Array) -> Array:
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    def block(name: str, x: Array) -> Array:
        y = nn.relu(convolve(f"{name}.conv1", x, "SAME"))
        return nn.relu(x + convolve(f"{name}.conv2", y, "SAME"))

    x = block("3", nn.relu(pool(convolve("0", x[..., None], "VALID"))))  # (n, 12, 12, 10)
    x = block("8", nn.relu(pool(convolve("4", x, "VALID"))))  # (n, 4, 4, 20)
    x = x.transpose(0, 3, 1, 2).reshape(len(x), -1)  # in torch's order
    return _linear(params, "13", nn.relu(_linear(params, "10", x)))
