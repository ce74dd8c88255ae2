"""A seed is a run of its own, and the loop does what a textbook's does."""

import copy
import hashlib
import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load

from remnist import models
from remnist.errors import UserError
from remnist.learning import optimizers
from remnist.learning.loop import batches, gradients_of, run_seed, train_epoch
from remnist.plan.resolve import resolve
from tests.support.variants import digits, small_model


def run(seed, prepared, **changes):
    """Train one seed of the baseline on digits, with changes; return its weights and what it reported."""
    return run_variant(digits(**changes), seed, prepared)


def run_variant(variant, seed, prepared):
    reported = []
    ended = run_seed(variant, seed, prepared, reported.append)
    assert list(ended.epochs()) == reported
    return ended.weights, reported


def test_same_seed_same_bits_whatever_ran_before(prepared):
    first, history = run(5, prepared, train={"epochs": 2})
    run(6, prepared)
    torch.manual_seed(99)
    again, history_again = run(5, prepared, train={"epochs": 2})
    assert hashlib.sha256(first).digest() == hashlib.sha256(again).digest()
    assert history == history_again
    assert run(6, prepared, train={"epochs": 2})[0] != first


def test_same_bits_in_a_process_of_its_own(variant, prepared):
    code = """
import hashlib, json, sys
from pathlib import Path
from remnist.learning import numerics
numerics.pin("portable")
numerics.settle()
from remnist.learning.loop import run_seed
from remnist.settings import Variant
variant, data = Variant.from_json(json.loads(sys.argv[1])), Path(sys.argv[2])
print(hashlib.sha256(run_seed(variant, 7, data, lambda _: None).weights).hexdigest())
"""
    command = [sys.executable, "-c", code, json.dumps(variant.to_json()), str(prepared)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert out.strip() == hashlib.sha256(run(7, prepared)[0]).hexdigest()


def test_report_of_each_epoch(prepared):
    _, history = run(0, prepared, train={"epochs": 3})
    assert [(epoch.seed, epoch.number) for epoch in history] == [(0, 1), (0, 2), (0, 3)]
    names = {"train/loss", "train/accuracy", "validation/loss", "validation/accuracy"}
    assert all(set(epoch.metrics) == names for epoch in history)
    assert history[2].metrics["train/loss"] < history[0].metrics["train/loss"]


def test_it_learns_the_digits(prepared):
    _, history = run(0, prepared, train={"optimizer": "adam", "lr": 0.003, "epochs": 15})
    assert history[-1].metrics["validation/accuracy"] > 0.9


def test_dropout_changes_neither_start_nor_order(prepared, monkeypatch):
    """Variants of one architecture start from the same weights and see the same images in the same order."""
    starts, orders = [], []

    def spy(model, gradients, step, rates, batches):
        starts.append([parameter.clone() for parameter in model.parameters()])
        orders.append(torch.cat([labels for _, labels in batches]))

    monkeypatch.setattr("remnist.learning.loop.train_epoch", spy)
    for dropout in (0.2, 0.5):
        run(0, prepared, model={"dropout": dropout})
    assert all(torch.equal(a, b) for a, b in zip(*starts, strict=True))
    assert torch.equal(*orders)


def test_a_loss_without_a_gradient_trains_nothing_and_says_so(prepared):
    with pytest.warns(UserWarning, match="no gradient, so no step is taken and nothing is learnt"):
        first, history = run(0, prepared, train={"loss": "mse_argmax", "epochs": 2})
    assert history[0].metrics == history[1].metrics
    with pytest.warns(UserWarning, match="no gradient"):
        assert run(0, prepared, train={"loss": "mse_argmax"})[0] == first


def test_weight_decay_and_l2_penalty_are_the_same_to_sgd(prepared):
    runs = [load(run(0, prepared, train=setting)[0]) for setting in ({"l2_penalty": 0.01}, {"weight_decay": 0.01})]
    plain = load(run(0, prepared)[0])
    for name, weights in runs[0].items():
        torch.testing.assert_close(weights, runs[1][name])
        assert not torch.allclose(weights, plain[name], atol=1e-4)


def test_a_schedule_and_shifts_change_the_result_and_not_the_start(prepared):
    results = {run(0, prepared)[0]}
    for settings in ({"schedule": "cosine"}, {"schedule": "one_cycle"}, {"random_shift": 2}):
        once, again = (run(0, prepared, train=settings)[0] for _ in range(2))
        assert once == again
        results.add(once)
    assert len(results) == 4


def test_xor_is_learnt(params):
    _, history = run_variant(resolve(params)["xor"], 0, None)
    assert history[-1].metrics["validation/accuracy"] == 1


@pytest.mark.parametrize("name", ["mixer-token-norm", "resmlp", "vision-permutator", "resnet-dropout", "reference-cnn"])
def test_every_family_trains_with_the_same_bits_twice(prepared, name):
    variant = digits(name, train={"epochs": 1})
    first, again, other = (run_variant(variant, seed, prepared)[0] for seed in (3, 3, 4))
    assert first == again != other


def test_batches_go_once_through_the_data_and_draw_a_new_order_each_time():
    images, labels = torch.arange(10.0).reshape(10, 1), torch.arange(10)
    generator = torch.Generator().manual_seed(0)
    first, second = (list(batches(images, labels, 4, generator)) for _ in range(2))
    assert [len(y) for _, y in first] == [4, 4, 2]
    for epoch in (first, second):
        assert sorted(torch.cat([y for _, y in epoch]).tolist()) == list(range(10))
        assert all(torch.equal(x.squeeze(1).long(), y) for x, y in epoch)
    assert torch.cat([y for _, y in first]).tolist() != torch.cat([y for _, y in second]).tolist()


# The CNN's weights lie in memory with their channels last, which the optimiser must follow.
@pytest.mark.parametrize("name", ["mlp", "residual_cnn"])
def test_an_epoch_agrees_with_the_textbook_loop(name):
    images, labels = torch.rand(20, 1, 16, 16), torch.randint(0, 3, (20,))
    ours = small_model(name, image_size=16)
    theirs = copy.deepcopy(ours)
    step = optimizers.build(digits().optimizer, list(ours.parameters()))
    batches, rates = list(zip(images.split(5), labels.split(5), strict=True)), [0.1, 0.3, 0.2, 0.1]
    train_epoch(ours, gradients_of(ours, digits().loss, l2=0.01), step, iter(rates), iter(batches))
    optimizer, criterion = torch.optim.SGD(theirs.parameters(), momentum=0.5), torch.nn.CrossEntropyLoss()
    for (x, y), rate in zip(batches, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        (criterion(theirs(x), y) + 0.01 / 2 * sum(p.square().sum() for p in theirs.parameters())).backward()
        optimizer.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other)


def test_weights_fit_the_model(variant, prepared):
    weights, _ = run(0, prepared)
    model = models.build(variant.model, image_shape=(1, 28, 28), classes=10)
    model.load_state_dict(load(weights))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_cuda_device(prepared):
    with pytest.raises(UserError, match=r"train\.device: 'cuda'"):
        run(0, prepared, train={"device": "cuda"})
