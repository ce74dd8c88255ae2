"""A seed is a run of its own, and the loop does what a textbook's does."""

import copy
import hashlib
import io
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load
from torch.nn.functional import cross_entropy

from remnist import models
from remnist.data import loading as data
from remnist.errors import UserError
from remnist.learning import optimizers
from remnist.learning.loop import batches, run_seed, train_epoch
from remnist.plan.resolve import resolve

DIGITS = {"name": "digits", "normalize": False, "image_size": 28}
MLP = {"name": "mlp", "hidden": [100, 80], "activation": "relu", "batch_norm": False, "dropout": 0.0}


def run(entry, seed, prepared, **train):
    settings = copy.deepcopy(entry)
    settings["train"].update(train)
    told = []
    ended = run_seed(settings, seed, prepared, told.append)
    assert list(ended.epochs()) == told
    return ended.weights, told


def test_same_seed_same_bits_whatever_ran_before(entry, prepared):
    first, history = run(entry, 5, prepared, epochs=2)
    run(entry, 6, prepared)
    torch.manual_seed(99)
    again, history_again = run(entry, 5, prepared, epochs=2)
    assert hashlib.sha256(first).digest() == hashlib.sha256(again).digest()
    assert history == history_again
    assert run(entry, 6, prepared, epochs=2)[0] != first


def test_same_bits_in_a_process_of_its_own(entry, prepared):
    code = f"""
import hashlib, sys
from pathlib import Path
from remnist.learning import numerics
numerics.pin("portable")
numerics.settle()
from remnist.learning.loop import run_seed
print(hashlib.sha256(run_seed({entry!r}, 7, Path({str(prepared)!r}), lambda _: None).weights).hexdigest())
"""
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert out.strip() == hashlib.sha256(run(entry, 7, prepared)[0]).hexdigest()


def test_report_of_each_epoch(entry, prepared):
    _, history = run(entry, 0, prepared, epochs=3)
    assert [(epoch.seed, epoch.number) for epoch in history] == [(0, 1), (0, 2), (0, 3)]
    names = {"train/loss", "train/accuracy", "validation/loss", "validation/accuracy"}
    assert all(set(epoch.metrics) == names for epoch in history)
    assert history[2].metrics["train/loss"] < history[0].metrics["train/loss"]


def test_it_learns_the_digits(entry, prepared):
    _, history = run(entry, 0, prepared, optimizer="adam", betas=[0.9, 0.999], lr=0.003, epochs=15)
    assert history[-1].metrics["validation/accuracy"] > 0.9


def test_dropout_changes_neither_start_nor_order(entry, prepared, monkeypatch):
    """Variants of one architecture start from the same weights and see the same images in the same order."""
    starts, orders = [], []
    for dropout in (0.2, 0.5):
        settings = copy.deepcopy(entry)
        settings["model"]["dropout"] = dropout
        with monkeypatch.context() as patch:

            def spy(model, step, rates, loss, batches, l2):
                starts.append([parameter.clone() for parameter in model.parameters()])
                orders.append(torch.cat([labels for _, labels in batches]))

            patch.setattr("remnist.learning.loop.train_epoch", spy)
            run_seed(settings, 0, prepared, lambda _: None)
    assert all(torch.equal(a, b) for a, b in zip(*starts, strict=True))
    assert torch.equal(*orders)


def test_a_loss_without_a_gradient_trains_nothing_and_says_so(entry, prepared):
    with pytest.warns(UserWarning, match="no gradient, so no step is taken and nothing is learnt"):
        first, history = run(entry, 0, prepared, loss="mse_argmax", epochs=2)
    assert history[0].metrics == history[1].metrics
    with pytest.warns(UserWarning, match="no gradient"):
        assert run(entry, 0, prepared, loss="mse_argmax", epochs=1)[0] == first


def test_weight_decay_and_l2_penalty_are_the_same_to_sgd(entry, prepared):
    runs = [load(run(entry, 0, prepared, **setting)[0]) for setting in ({"l2_penalty": 0.01}, {"weight_decay": 0.01})]
    plain = load(run(entry, 0, prepared)[0])
    for name, weights in runs[0].items():
        torch.testing.assert_close(weights, runs[1][name])
        assert not torch.allclose(weights, plain[name], atol=1e-4)


def test_a_schedule_and_shifts_change_the_result_and_not_the_start(entry, prepared):
    results = {run(entry, 0, prepared)[0]}
    for settings in ({"schedule": "cosine"}, {"schedule": "one_cycle"}, {"random_shift": 2}):
        once, again = (run(entry, 0, prepared, **settings)[0] for _ in range(2))
        assert once == again
        results.add(once)
    assert len(results) == 4


def test_xor_is_learnt(params):
    entry = resolve(params)["xor"]
    _, history = run(entry, 0, None)
    assert history[-1].metrics["validation/accuracy"] == 1


@pytest.mark.parametrize(
    "variant", ["mixer-token-norm", "resmlp", "vision-permutator", "resnet-dropout", "reference-cnn"]
)
def test_every_family_trains_with_the_same_bits_twice(params, prepared, variant):
    params["data"]["name"] = "digits"
    entry = resolve(params)[variant]
    first, again, other = (run(entry, seed, prepared, epochs=1)[0] for seed in (3, 3, 4))
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
@pytest.mark.parametrize("settings", [MLP, {"name": "resnet", "dropout": 0.0}], ids=["mlp", "resnet"])
def test_an_epoch_agrees_with_the_textbook_loop(settings):
    train = {"optimizer": "sgd", "momentum": 0.5, "weight_decay": 0.0, "device": "cpu"}
    images, labels = torch.rand(20, 1, 16, 16), torch.randint(0, 3, (20,))
    ours = models.build(settings, image_shape=(1, 16, 16), classes=3)
    theirs = copy.deepcopy(ours)
    step = optimizers.build(train, list(ours.parameters()))
    batches, rates = list(zip(images.split(5), labels.split(5), strict=True)), [0.1, 0.3, 0.2, 0.1]
    train_epoch(ours, step, iter(rates), cross_entropy, iter(batches), l2=0.01)
    optimizer, criterion = torch.optim.SGD(theirs.parameters(), momentum=0.5), torch.nn.CrossEntropyLoss()
    for (x, y), rate in zip(batches, rates, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        (criterion(theirs(x), y) + 0.01 / 2 * sum(p.square().sum() for p in theirs.parameters())).backward()
        optimizer.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other)


def test_weights_fit_the_model(entry, prepared):
    weights, _ = run(entry, 0, prepared)
    model = models.build(entry["model"], image_shape=(1, 28, 28), classes=10)
    model.load_state_dict(load(weights))


def test_data_is_scaled_and_standardised(prepared):
    images, labels = data.load(prepared, "train", DIGITS)
    assert images.shape == (1294, 1, 28, 28)
    assert labels.dtype == torch.int64
    assert (images.min().item(), images.max().item()) == (0.0, 1.0)
    standard, _ = data.load(prepared, "train", DIGITS | {"normalize": True})
    assert standard.mean().item() == pytest.approx(0, abs=1e-5)
    assert standard.std().item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("size", [14, 56])
def test_images_are_resized_as_torchvision_does_it(prepared, size):
    from torchvision.transforms.functional import pil_to_tensor, resize, to_pil_image

    original, _ = data.load(prepared, "test", DIGITS)
    resized, _ = data.load(prepared, "test", DIGITS | {"image_size": size})
    assert resized.shape == (360, 1, size, size)
    for before, after in zip(original[:20], resized, strict=False):
        theirs = pil_to_tensor(resize(to_pil_image((before * 255).round().to(torch.uint8)), [size, size]))
        assert torch.equal((after * 255).round().to(torch.uint8), theirs)


def test_xor_is_four_points_of_two_classes(tmp_path):
    settings = {"name": "xor"}
    points, labels = data.load(tmp_path / "nothing", "test", settings)
    assert points.shape == (4, 1, 1, 2)
    assert {(*point, label) for point, label in zip(points.flatten(1).tolist(), labels.tolist(), strict=True)} == {
        (0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0),
    }  # fmt: skip
    train, _ = data.load(tmp_path / "nothing", "train", settings)
    assert train.unique(dim=0).shape == points.shape
    assert data.classes(settings) == 2


def test_missing_or_damaged_data_is_an_error_of_one_line(tmp_path):
    damaged = tmp_path / "images.safetensors"
    damaged.write_bytes(io.BytesIO(b"\xff" * 100).getvalue())
    for path in (damaged, tmp_path / "nothing"):
        with pytest.raises(UserError, match="dvc repro preprocess") as error:
            data.load(path, "train", DIGITS)
        assert len(str(error.value).splitlines()) == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_cuda_device(entry, prepared):
    with pytest.raises(UserError, match=r"train\.device: 'cuda'"):
        run(entry, 0, prepared, device="cuda")
