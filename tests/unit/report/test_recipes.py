"""A variant in words: its settings, as params.yaml names them."""

import pytest

from remnist.report.recipes import recipe
from tests.support.variants import digits


@pytest.mark.parametrize(
    ("name", "differs"),
    [
        ("mlp-baseline", ""),
        ("mlp-dropout-50", "dropout 0.5"),
        ("mlp-adam", "optimizer adam, betas [0.9, 0.999]"),
        ("momentum-90", "momentum 0.9"),
        ("regularize-batchnorm", "hidden [256], batch_norm, dropout 0, lr 0.1, batch_size 64, momentum 0"),
        ("lr-schedule-cosine", "lr 0.001, batch_size 64, optimizer adam, betas [0.9, 0.999], schedule cosine"),
    ],
)
def test_what_differs_from_the_reference(name, differs):
    same = {"train": {"epochs": 1}}
    assert recipe(digits(name, **same), digits("mlp-baseline", **same)) == differs


def test_another_model_is_said_whole():
    words = recipe(digits("resnet-dropout"), digits("mlp-baseline"))
    assert words.startswith("residual_cnn, dropout 0.5, ")
    assert "optimizer" not in words
    assert recipe(digits("mixer-standard"), digits("mlp-baseline")).startswith("mixer, patch_size 7, ")


def test_the_reference_is_said_whole_without_what_decides_nothing():
    words = recipe(digits("mlp-baseline"))
    assert words.startswith("digits, no normalize, image_size 28, mlp, hidden [100, 80], ")
    assert "numerics" not in words and "validation" not in words


def test_xor_has_no_augmentation():
    assert recipe(digits("xor"), digits("mlp-baseline")).startswith("xor, hidden [16], ")
