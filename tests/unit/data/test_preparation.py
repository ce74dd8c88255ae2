"""The images that are held out, and the training set's mean and standard deviation."""

import numpy as np
import pytest
from safetensors.numpy import load, save

from remnist.data.preparation import split
from remnist.data.sources import Arrays


@pytest.fixture
def arrays() -> Arrays:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (30, 28, 28), dtype=np.uint8)
    table = rng.integers(0, 10, (30, 2), dtype=np.uint8)
    return Arrays(pixels[:20], table[:20, 0], pixels[20:], table[20:, 1])  # labels that are strided views


def test_last_images_are_held_out(arrays):
    parts = split(arrays, 6)
    assert np.array_equal(parts["train_images"], arrays.train_images[:14])
    assert np.array_equal(parts["validation_images"], arrays.train_images[14:])
    assert np.array_equal(parts["validation_labels"], arrays.train_labels[14:])
    assert np.array_equal(parts["test_images"], arrays.test_images)


def test_none_need_be_held_out(arrays):
    parts = load(save(split(arrays, 0)))
    assert np.array_equal(parts["train_images"], arrays.train_images)
    assert parts["validation_images"].shape == (0, 28, 28)
    assert parts["validation_labels"].shape == (0,)


def test_statistics_are_those_of_the_images_trained_on(arrays):
    parts = split(arrays, 6)
    scaled = arrays.train_images[:14] / 255
    assert parts["mean"].item() == pytest.approx(scaled.mean())
    assert parts["std"].item() == pytest.approx(scaled.std())


def test_the_file_holds_what_was_given(arrays):
    parts = split(arrays, 6)
    stored = load(save(parts))
    assert stored.keys() == parts.keys()
    assert all(np.array_equal(stored[name], parts[name]) for name in parts)
