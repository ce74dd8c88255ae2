"""A seed is a run of its own, and the loop does what a textbook's does."""

import copy
import hashlib
import io
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load

from remnist import data, models
from remnist.errors import UserError
from remnist.training import batches, run_seed, train_epoch


def run(entry, seed, prepared, **train):
    settings = copy.deepcopy(entry)
    settings["train"].update(train)
    history = []
    weights = run_seed(settings, seed, prepared, history.append)
    return weights, history


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
from remnist import numerics
numerics.pin("portable")
import torch
torch.set_num_threads(1)
from remnist.training import run_seed
print(hashlib.sha256(run_seed({entry!r}, 7, Path({str(prepared)!r}), lambda _: None)).hexdigest())
"""
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    torch.set_num_threads(1)
    assert out.strip() == hashlib.sha256(run(entry, 7, prepared)[0]).hexdigest()


def test_report_of_each_epoch(entry, prepared):
    _, history = run(entry, 0, prepared, epochs=3)
    assert [seed for seed, _ in history] == [0, 0, 0]
    assert all(
        set(metrics) == {"train/loss", "train/accuracy", "validation/loss", "validation/accuracy"}
        for _, metrics in history
    )
    assert history[2][1]["train/loss"] < history[0][1]["train/loss"]


def test_it_learns_the_digits(entry, prepared):
    _, history = run(entry, 0, prepared, optimizer="adam", betas=[0.9, 0.999], lr=0.003, epochs=15)
    assert history[-1][1]["validation/accuracy"] > 0.9


def test_dropout_changes_neither_start_nor_order(entry, prepared, monkeypatch):
    """Variants of one architecture start from the same weights and see the same images in the same order."""
    starts, orders = [], []
    for dropout in (0.2, 0.5):
        settings = copy.deepcopy(entry)
        settings["model"]["dropout"] = dropout
        with monkeypatch.context() as patch:

            def spy(model, step, loss, batches):
                starts.append([parameter.clone() for parameter in model.parameters()])
                orders.append(torch.cat([labels for _, labels in batches]))

            patch.setattr("remnist.training.train_epoch", spy)
            run_seed(settings, 0, prepared, lambda _: None)
    assert all(torch.equal(a, b) for a, b in zip(*starts, strict=True))
    assert torch.equal(*orders)


def test_batches_go_once_through_the_data_and_draw_a_new_order_each_time():
    images, labels = torch.arange(10.0).reshape(10, 1), torch.arange(10)
    generator = torch.Generator().manual_seed(0)
    first, second = (list(batches(images, labels, 4, generator)) for _ in range(2))
    assert [len(y) for _, y in first] == [4, 4, 2]
    for epoch in (first, second):
        assert sorted(torch.cat([y for _, y in epoch]).tolist()) == list(range(10))
        assert all(torch.equal(x.squeeze(1).long(), y) for x, y in epoch)
    assert torch.cat([y for _, y in first]).tolist() != torch.cat([y for _, y in second]).tolist()


def test_an_epoch_agrees_with_the_textbook_loop():
    from remnist import optimizers
    from remnist.objectives import LOSSES

    settings = {"name": "mlp", "hidden": [8], "dropout": 0.0}
    train = {"optimizer": "sgd", "lr": 0.1, "momentum": 0.5, "weight_decay": 0.0, "device": "cpu"}
    images, labels = torch.rand(20, 1, 4, 4), torch.randint(0, 3, (20,))
    ours = models.build(settings, image_size=4, classes=3)
    theirs = copy.deepcopy(ours)
    step = optimizers.build(train, list(ours.parameters()))
    train_epoch(ours, step, LOSSES["cross_entropy"], iter(zip(images.split(5), labels.split(5), strict=True)))
    optimizer, criterion = torch.optim.SGD(theirs.parameters(), 0.1, momentum=0.5), torch.nn.CrossEntropyLoss()
    for x, y in zip(images.split(5), labels.split(5), strict=True):
        optimizer.zero_grad()
        criterion(theirs(x), y).backward()
        optimizer.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other)


def test_weights_fit_the_model(entry, prepared):
    weights, _ = run(entry, 0, prepared)
    model = models.build(entry["model"], image_size=28, classes=10)
    model.load_state_dict(load(weights))


def test_data_is_scaled_and_standardised(prepared):
    images, labels = data.load(prepared, "train", normalize=False)
    assert images.shape == (1294, 1, 28, 28)
    assert labels.dtype == torch.int64
    assert (images.min().item(), images.max().item()) == (0.0, 1.0)
    standard, _ = data.load(prepared, "train", normalize=True)
    assert standard.mean().item() == pytest.approx(0, abs=1e-5)
    assert standard.std().item() == pytest.approx(1, abs=1e-4)


def test_missing_or_damaged_data_is_an_error_of_one_line(tmp_path):
    damaged = tmp_path / "images.safetensors"
    damaged.write_bytes(io.BytesIO(b"\xff" * 100).getvalue())
    for path in (damaged, tmp_path / "nothing"):
        with pytest.raises(UserError, match="dvc repro preprocess") as error:
            data.load(path, "train", normalize=False)
        assert len(str(error.value).splitlines()) == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_cuda_device(entry, prepared):
    with pytest.raises(UserError, match=r"train\.device: 'cuda'"):
        run(entry, 0, prepared, device="cuda")
