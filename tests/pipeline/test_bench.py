"""The benchmark measures a network of each family; its figures are for `make bench`."""

import os
import shutil

import pytest

from benchmarks import training
from remnist.commands import demo
from remnist.files import write_json
from remnist.plan.resolve import resolve


def test_it_has_a_network_of_each_family_of_images(params):
    plan = resolve(params)
    measured = {plan[variant].model.name for variant in training.VARIANTS.values()}
    assert measured == {variant.model.name for variant in plan.values()}


@pytest.mark.parametrize("name", training.VARIANTS.values())
def test_products_of_each_are_measured(params, monkeypatch, name):
    monkeypatch.setattr(training, "STEPS", 1)
    assert training.products(resolve(params)[name], 0) > 0


def test_the_trainer_is_measured_on_each_core(monkeypatch, prepared, variant):
    monkeypatch.setattr(training, "DATA", prepared)
    assert training.trainer(variant, 0) > 0
    assert variant.train.epochs == 1


@pytest.mark.slow  # starts Python, and torch once a core
def test_a_kind_is_measured_in_a_process_of_its_own(monkeypatch, tmp_path, prepared, params):
    params["data"]["name"] = "digits"
    write_json(tmp_path / "plan.json", {name: each.to_json() for name, each in resolve(params).items()})
    (tmp_path / "data").mkdir()
    shutil.copy(prepared, tmp_path / "data/images.safetensors")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(demo.ROOT), str(demo.ROOT / "src")]))
    for kind in ("portable", "products"):
        assert training.in_fresh_process(kind, "mlp-baseline") > 0
