"""The prepared data and the weights, damaged, swapped or forged."""

import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save

from remnist import models
from remnist.data import loading
from remnist.evaluation.predictions import predict_test_set
from tests.support.harm import Payload, refused


def header(content: dict[str, Any], length: int | None = None) -> bytes:
    text = json.dumps(content).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text


NOT_SAFETENSORS = {
    "empty": b"",
    "zeros": bytes(1_000),
    "HTML": b"<!DOCTYPE html><html>not here</html>",
    "a pickle": pickle.dumps(Payload()),
    "a header of 2**63 bytes": (2**63).to_bytes(8, "little"),
    "a header of a gigabyte": header({}, 2**30),
    "a header cut short": header({"a": 1}, 100),
    "a tensor outside": header({"a": {"dtype": "U8", "shape": [9], "data_offsets": [0, 9]}}),
    "a tensor of 10**12": header({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}),
    "a negative size": header({"a": {"dtype": "U8", "shape": [-1], "data_offsets": [0, 1]}}) + b"x",
    "offsets that overlap": header({k: {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]} for k in "ab"}) + b"xy",
    "no such type": header({"a": {"dtype": "PYOBJ", "shape": [1], "data_offsets": [0, 1]}}) + b"x",
}


def torch_pickle() -> bytes:
    buffer = io.BytesIO()
    torch.save({"0.weight": Payload()}, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content", [*NOT_SAFETENSORS.values(), torch_pickle()], ids=[*NOT_SAFETENSORS, "torch's pickle"]
)
@pytest.mark.fault("images.safetensors damaged, swapped or forged")
def test_files_that_are_not_prepared_data(variant, content):
    Path("images.safetensors").write_bytes(content)
    refused(loading.load, Path("images.safetensors"), "train", variant.data, naming="`dvc repro preprocess` makes it")


def test_the_payload_would_have_done_harm():
    """Else the tests above could not fail."""
    pickle.loads(pickle.dumps(Payload()))  # noqa: S301
    Path("../outside/executed").rmdir()


FORGED: dict[str, Callable[[dict[str, torch.Tensor]], Any]] = {
    "no labels": lambda t: t.pop("train_labels"),
    "no images": lambda t: t.pop("train_images"),
    "no mean": lambda t: t.pop("mean"),
    "fewer labels": lambda t: t.update(train_labels=t["train_labels"][1:].clone()),
    "images of floats": lambda t: t.update(train_images=t["train_images"].float()),
    "labels of words' size": lambda t: t.update(train_labels=t["train_labels"].long()),
    "flat images": lambda t: t.update(train_images=t["train_images"].flatten(1)),
    "images of another shape": lambda t: t.update(train_images=t["train_images"][:, :20].clone()),
    "images of no pixels": lambda t: t.update(train_images=t["train_images"][:, :0, :0].clone()),
    "colours": lambda t: t.update(train_images=t["train_images"][:, None].repeat(1, 3, 1, 1)),
    "nothing": lambda t: t.update(train_images=t["train_images"][:0], train_labels=t["train_labels"][:0]),
    "an eleventh digit": lambda t: t["train_labels"].__setitem__(5, 10),
    "labels for images": lambda t: t.update(train_images=t["train_labels"].clone()),
    "a mean that is not a number": lambda t: t["mean"].fill_(float("nan")),
    "a deviation of 0": lambda t: t["std"].zero_(),
    "two means": lambda t: t.update(mean=t["mean"].repeat(2)),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
@pytest.mark.fault("images.safetensors damaged, swapped or forged")
def test_prepared_data_of_another_form(prepared, variant, forge):
    tensors = load_file(prepared)
    forge(tensors)
    Path("images.safetensors").write_bytes(save(tensors))
    refused(loading.load, Path("images.safetensors"), "train", variant.data, naming="`dvc repro preprocess` makes it")


@pytest.mark.parametrize("part", [0.001, 0.3, 0.7, 0.9999])
@pytest.mark.fault("images.safetensors damaged, swapped or forged")
def test_prepared_data_cut_short(prepared, variant, part):
    content = prepared.read_bytes()
    Path("images.safetensors").write_bytes(content[: int(len(content) * part)])
    refused(loading.load, Path("images.safetensors"), "test", variant.data, naming="`dvc repro preprocess` makes it")


@pytest.mark.parametrize(
    "content", [*NOT_SAFETENSORS.values(), torch_pickle()], ids=[*NOT_SAFETENSORS, "torch's pickle"]
)
@pytest.mark.fault("weights damaged, swapped or forged")
def test_files_that_are_not_weights(prepared, variant, content):
    Path("seed-0.safetensors").write_bytes(content)
    refused(predict_test_set, variant, Path("seed-0.safetensors"), prepared, naming="`dvc repro` trains it again")


OTHER_WEIGHTS: dict[str, Callable[[dict[str, torch.Tensor]], Any]] = {
    "a layer less": lambda t: t.popitem(),
    "a layer more": lambda t: t.update(extra=torch.zeros(1)),
    "another width": lambda t: t.update({k: v[:1].clone() for k, v in t.items()}),
    "another name": lambda t: t.update({f"_{k}": t.pop(k) for k in list(t)}),
}


@pytest.mark.parametrize("forge", OTHER_WEIGHTS.values(), ids=OTHER_WEIGHTS)
@pytest.mark.fault("weights damaged, swapped or forged")
def test_weights_of_another_model(prepared, variant, forge):
    tensors = dict(models.build(variant.model, image_shape=(1, 28, 28), classes=10).state_dict())
    forge(tensors)
    Path("seed-0.safetensors").write_bytes(save(tensors))
    refused(predict_test_set, variant, Path("seed-0.safetensors"), prepared, naming="`dvc repro` trains it again")
