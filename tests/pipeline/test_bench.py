"""The benchmark measures a network of each family; its figures are for `make bench`."""

import pytest

from benchmarks import training as bench
from remnist.plan.resolve import resolve


def test_it_has_a_network_of_each_family_of_images(params):
    plan = resolve(params)
    measured = {plan[variant]["model"]["name"] for variant in bench.VARIANTS.values()}
    assert measured == {entry["model"]["name"] for entry in plan.values()}


@pytest.mark.parametrize("variant", bench.VARIANTS.values())
def test_products_of_each_are_measured(params, monkeypatch, variant):
    monkeypatch.setattr(bench, "STEPS", 1)
    assert bench.products(resolve(params)[variant], 0) > 0
