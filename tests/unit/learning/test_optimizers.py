"""The functional optimisers do what torch.optim's classes do."""

import pytest
import torch

from remnist.learning import optimizers
from remnist.settings import tags
from tests.support.variants import digits

CASES = [
    ({"optimizer": "sgd", "momentum": 0.5}, torch.optim.SGD, {"momentum": 0.5}),
    ({"optimizer": "sgd", "momentum": 0.0}, torch.optim.SGD, {}),
    ({"optimizer": "adam", "betas": [0.9, 0.99]}, torch.optim.Adam, {"betas": (0.9, 0.99)}),
    ({"optimizer": "adamw", "betas": [0.9, 0.999]}, torch.optim.AdamW, {"betas": (0.9, 0.999)}),
    ({"optimizer": "adagrad"}, torch.optim.Adagrad, {}),
    ({"optimizer": "rmsprop", "alpha": 0.9}, torch.optim.RMSprop, {"alpha": 0.9}),
    ({"optimizer": "rmsprop", "alpha": 0.99}, torch.optim.RMSprop, {"alpha": 0.99}),
]


def weights():
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randn(4, 3, generator=generator).requires_grad_(),
        torch.randn(5, generator=generator).requires_grad_(),
    ]


@pytest.mark.parametrize(("settings", "reference", "arguments"), CASES, ids=[f"{s}" for s, _, _ in CASES])
def test_twenty_steps_agree_with_torch(settings, reference, arguments):
    ours, theirs = weights(), weights()
    step = optimizers.build(digits(train=settings).optimizer, ours, weight_decay=0.01)
    optimizer = reference(theirs, lr=0.02, weight_decay=0.01, **arguments)

    def loss(parameters):
        return sum(((parameter - 1) ** 4).sum() for parameter in parameters)

    for _ in range(20):
        step(torch.autograd.grad(loss(ours), ours), 0.02)
        optimizer.zero_grad()
        loss(theirs).backward()
        optimizer.step()
    for mine, reference_weight in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, reference_weight, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(ours[0], weights()[0], atol=0.01)


def test_every_optimizer_is_held_against_torchs():
    assert {settings["optimizer"] for settings, _, _ in CASES} == set(tags("train", "optimizer"))
