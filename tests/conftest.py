"""Numerics are pinned before any test imports torch, as in a stage."""

import os
from pathlib import Path

import pytest

from remnist.common import numerics

numerics.pin("portable")
numerics.settle()
os.environ.update(
    {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
     (("NAME", "Tests"), ("EMAIL", "tests@example.org"))}
)  # fmt: skip

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def params() -> dict:
    """The study's parameters, fresh for each test."""
    from remnist.common.files import read_yaml

    return read_yaml(ROOT / "params.yaml")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """scikit-learn's digits as preprocess writes them."""
    from safetensors.numpy import save_file

    from remnist import preprocessing, sources

    folder = tmp_path_factory.mktemp("digits")
    sources.fetch("digits", folder / "raw", None)
    path = folder / "images.safetensors"
    save_file(preprocessing.split(sources.read("digits", folder / "raw"), 143), path)
    return path


@pytest.fixture
def entry(params: dict) -> dict:
    """The baseline's entry of the plan, on digits, one epoch."""
    from remnist.resolve import resolve

    params["data"]["name"] = "digits"
    params["train"]["epochs"] = 1
    return resolve(params)["mlp-baseline"]
