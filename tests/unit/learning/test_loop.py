"""A seed is a run of its own, and the loop does what a textbook's does."""

import copy
import hashlib
import json
import math
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load
from torch.nn import functional

from remnist import models
from remnist.data import loading
from remnist.errors import UserError
from remnist.learning import losses, optimizers
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


OF_BATCHES = {"train/batch_loss", "train/batch_loss_sd"}
HELD_OUT = 143  # images of the prepared digits


@pytest.mark.parametrize(("held_out", "parts"), [(0, ["train", "test"]), (HELD_OUT, ["train", "test", "validation"])])
def test_report_of_each_epoch_and_of_the_start(prepared, held_out, parts):
    variant = digits(train={"epochs": 2})
    variant = replace(variant, data=variant.data.model_copy(update={"validation": held_out}))
    _, history = run_variant(variant, 0, prepared)
    assert [(epoch.seed, epoch.number) for epoch in history] == [(0, 0), (0, 1), (0, 2)]
    names = {f"{part}/{name}" for part in parts for name in ("loss", "accuracy")}
    assert [set(epoch.metrics) for epoch in history] == [names, names | OF_BATCHES, names | OF_BATCHES]
    assert history[2].metrics["train/loss"] < history[1].metrics["train/loss"] < history[0].metrics["train/loss"]
    assert history[0].metrics["test/loss"] == pytest.approx(math.log(10), abs=0.05)  # untrained


def test_each_part_is_measured_as_a_textbook_does(prepared):
    """On all test images, and as many of the first training images."""
    variant = digits()
    weights, history = run_variant(variant, 0, prepared)
    model = models.build(variant.model, image_shape=(1, 28, 28), classes=10).eval()
    model.load_state_dict(load(weights))
    for part in ("train", "test"):
        images, labels = (each[:360] for each in loading.load(prepared, part, variant.data))
        assert len(labels) == 360
        with torch.no_grad():
            logits = model(images)
        right = (logits.argmax(1) == labels).sum().item()
        assert history[1].metrics[f"{part}/accuracy"] == pytest.approx(right / 360)
        assert history[1].metrics[f"{part}/loss"] == pytest.approx(functional.cross_entropy(logits, labels).item())


# A network by hand and one by autograd; the CNN drops channels, the MLP units.
@pytest.mark.parametrize(("name", "l2"), [("mlp-baseline", 0.0), ("regularize-l2", 0.1), ("resnet-dropout", 0.0)])
def test_batch_losses_are_those_that_were_trained_on(prepared, monkeypatch, name, l2):
    """With dropout and without the penalty; each batch counts the same, the smaller last one too."""
    variant = digits(name, train={"epochs": 1, "batch_size": 300, "l2_penalty": l2})
    criterion, seen = losses.build(variant.loss), []

    def spy(model, loss, penalty):
        taken, layers = gradients_of(model, loss, penalty), [each for each in model.modules() if hasattr(each, "masks")]

        def gradients(images, labels):
            state, masks = torch.get_rng_state(), [list(layer.masks) for layer in layers]
            with torch.no_grad():
                seen.append(criterion(model(images), labels).item())
            torch.set_rng_state(state)  # the step draws the same masks
            for layer, kept in zip(layers, masks, strict=True):
                layer.masks = kept
            return taken(images, labels)

        return gradients

    monkeypatch.setattr("remnist.learning.loop.gradients_of", spy)
    _, history = run_variant(variant, 0, prepared)
    assert len(seen) == 5  # of 1,294 images
    mean = sum(seen) / 5
    assert history[1].metrics["train/batch_loss"] == pytest.approx(mean, rel=1e-6)
    sd = (sum((value - mean) ** 2 for value in seen) / 5) ** 0.5
    assert history[1].metrics["train/batch_loss_sd"] == pytest.approx(sd, rel=1e-4)


def test_measuring_draws_nothing_and_changes_no_weight(prepared, monkeypatch):
    expected = run(0, prepared, train={"epochs": 2})[0]
    monkeypatch.setattr("remnist.learning.loop.measure", lambda *_: {})
    assert run(0, prepared, train={"epochs": 2})[0] == expected


def test_a_loss_that_is_no_number_is_recorded_as_it_is(prepared, recwarn):
    *_, last = run(0, prepared, train={"lr": 1e30, "epochs": 2})[1]
    assert all(math.isnan(last.metrics[name]) for name in OF_BATCHES)
    assert not list(recwarn)


def test_it_learns_the_digits(prepared):
    _, history = run(0, prepared, train={"optimizer": "adam", "lr": 0.003, "epochs": 15})
    assert history[-1].metrics["test/accuracy"] > 0.85


def test_dropout_changes_neither_start_nor_order(prepared, monkeypatch):
    """Variants of one architecture start from the same weights and see the same images in the same order."""
    starts, orders = [], []

    def spy(model, gradients, step, rates, batches):
        starts.append([parameter.clone() for parameter in model.parameters()])
        orders.append(torch.cat([labels for _, labels in batches]))
        return [1.0]

    monkeypatch.setattr("remnist.learning.loop.train_epoch", spy)
    for dropout in (0.2, 0.5):
        run(0, prepared, model={"dropout": dropout})
    assert all(torch.equal(a, b) for a, b in zip(*starts, strict=True))
    assert torch.equal(*orders)


def test_a_loss_without_a_gradient_trains_nothing_and_says_so(prepared):
    with pytest.warns(UserWarning, match="no gradient, so no step is taken and nothing is learnt"):
        first, history = run(0, prepared, train={"loss": "mse_argmax", "epochs": 2})
    assert all(epoch.metrics.items() >= history[0].metrics.items() for epoch in history)
    assert history[1].metrics["train/batch_loss"] > 0
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
    assert set(history[0].metrics) == {f"{part}/{name}" for part in ("train", "test") for name in ("loss", "accuracy")}
    assert history[-1].metrics["test/accuracy"] == 1


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
    taken = train_epoch(ours, gradients_of(ours, digits().loss, l2=0.01), step, iter(rates), iter(batches))
    optimizer, criterion = torch.optim.SGD(theirs.parameters(), momentum=0.5), torch.nn.CrossEntropyLoss()
    for (x, y), rate, own in zip(batches, rates, taken, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        loss = criterion(theirs(x), y)
        assert own == pytest.approx(loss.item(), rel=1e-5)
        (loss + 0.01 / 2 * sum(p.square().sum() for p in theirs.parameters())).backward()
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
