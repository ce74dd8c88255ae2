"""Gradients by hand are autograd's to the bit."""

import copy
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from remnist import models
from remnist.data import xor
from remnist.learning import by_hand, losses, optimizers
from remnist.learning.loop import by_autograd, gradients_of
from remnist.plan.resolve import resolve
from remnist.settings import Xor
from tests.support.variants import ROOT, digits, study

PLAN = resolve(study())
MLPS = [name for name, variant in PLAN.items() if variant.model.name == "mlp"]
SIZES = (24, 24, 7)  # images a batch; an epoch's last is smaller


def both(variant, gradients, scale=1.0):
    """Train two copies of a network for some batches, by hand and by autograd; return their states.

    The losses of each batch are close: a sum in another order.
    """
    is_xor = isinstance(variant.data, Xor)
    shape, classes = ((1, 1, 2), xor.CLASSES) if is_xor else ((1, 28, 28), 10)
    torch.manual_seed(0)
    first = models.build(variant.model, image_shape=shape, classes=classes)
    batches = [(torch.rand(n, *shape) * scale, torch.randint(classes, (n,))) for n in SIZES * 2]
    states, values = [], []
    for take, model in zip(gradients, (first, copy.deepcopy(first)), strict=True):
        torch.manual_seed(1)
        take, step = (
            take(model),
            optimizers.build(variant.optimizer, list(model.parameters()), weight_decay=variant.train.weight_decay),
        )
        model.train()
        for images, labels in batches:
            value, found = take(images, labels)
            values.append(value)
            if found is not None:
                step(found, variant.train.lr)
        states.append(model.state_dict())
    assert values[: len(batches)] == pytest.approx(values[len(batches) :], rel=1e-5, nan_ok=True)
    return states


def hand(variant):
    return lambda model: gradients_of(model, variant.loss, variant.train.l2_penalty)


def autograd(variant):
    loss, l2 = losses.build(variant.loss), variant.train.l2_penalty
    return lambda model: by_autograd(model, loss, l2)


def assert_equal(states):
    for name, value in states[0].items():
        assert value.numpy().tobytes() == states[1][name].numpy().tobytes(), name


NATIVE = """
from remnist.learning import numerics
numerics.pin("native")
numerics.settle()
from tests.unit.learning.test_by_hand import PLAN, assert_equal, autograd, both, hand
for name in ("mlp-baseline", "activation-gelu", "activation-maxout-relu", "regularize-batchnorm", "regularize-l2"):
    assert_equal(both(PLAN[name], (hand(PLAN[name]), autograd(PLAN[name]))))
"""


def test_native_numerics_do_too():
    subprocess.run([sys.executable, "-c", NATIVE], check=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": "src:."})


@pytest.mark.parametrize("name", MLPS)
def test_each_mlp_of_the_study_takes_the_steps_of_autograd(name):
    variant = PLAN[name]
    states = both(variant, (hand(variant), autograd(variant)))
    assert_equal(states)


@pytest.mark.parametrize(
    "loss", ["cross_entropy", "cross_entropy_of_softmax", "kl_divergence", "mse_one_hot", "mse_of_logits", "mse_argmax"]
)
@pytest.mark.parametrize("l2", [0.0, 0.01])
@pytest.mark.parametrize("model", [{"hidden": []}, {"hidden": [30, 20], "batch_norm": True, "activation": "gelu"}])
def test_each_loss_and_penalty_does(loss, l2, model):
    variant = digits(model=model, train={"loss": loss, "l2_penalty": l2})
    assert_equal(both(variant, (hand(variant), autograd(variant))))


@pytest.mark.parametrize("activation", ["relu", "gelu", "maxout", "relu_maxout"])
@pytest.mark.parametrize("scale", [1e20, float("inf")])
def test_a_network_that_diverges_does(activation, scale):
    """Numbers that are not finite spread in the same way."""
    variant = digits(model={"activation": activation}, train={"lr": 1.0})
    states = both(variant, (hand(variant), autograd(variant)), scale)
    for name, value in states[0].items():
        assert torch.equal(value.isfinite(), states[1][name].isfinite()), name
        assert torch.equal(value.nan_to_num(), states[1][name].nan_to_num()), name


def test_the_loop_takes_the_gradients_of_every_mlp_by_hand_and_of_no_other():
    for variant in PLAN.values():
        if not isinstance(variant.data, Xor):
            model = models.build(variant.model, image_shape=(1, 28, 28), classes=10)
            assert by_hand.knows(model) == (variant.model.name == "mlp")


class Doubled(nn.Sequential):
    def forward(self, x):
        return 2 * super().forward(x)


@pytest.mark.parametrize(
    "model",
    [
        nn.Linear(4, 3),
        nn.Sequential(nn.Linear(4, 3)),
        nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Tanh()),
        nn.Sequential(nn.Flatten(), nn.Linear(4, 3, bias=False)),
        nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3, affine=False)),
        nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.GELU("tanh")),
        Doubled(nn.Flatten(), nn.Linear(4, 3)),
    ],
)
def test_what_is_not_written_out_is_left_to_autograd(model):
    assert not by_hand.knows(model)
    images, labels = torch.rand(5, *([1, 2, 2] if isinstance(model, nn.Sequential) else [4])), torch.arange(5) % 3
    if isinstance(model, nn.Sequential) and isinstance(model[0], nn.Linear):
        images = images.flatten(1)
    _, taken = gradients_of(model, digits().loss)(images, labels)
    exact = torch.autograd.grad(torch.nn.functional.cross_entropy(model(images), labels), list(model.parameters()))
    assert all(map(torch.equal, taken, exact))
