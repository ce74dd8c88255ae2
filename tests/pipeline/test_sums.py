"""In which order products add their terms: the same on every processor, and what a new OpenBLAS would change."""

import json
import os
import shutil
import subprocess
import sysconfig

import numpy as np
import pytest

from remnist.commands import verify
from remnist.learning import canary, numerics
from tests.support import sums

SIZE = canary.ROWS, canary.COLUMNS
ORDERS = {int(terms): orders for terms, orders in json.loads(sums.ORDERS.read_text()).items()}


def one_by_one(terms):
    total = np.float32(0)
    for term in terms:
        total += term
    return float(total)


def from_behind(terms):
    return one_by_one(terms[::-1])


def by_halves(terms):
    if len(terms) == 1:
        return float(terms[0])
    return float(np.float32(by_halves(terms[: len(terms) // 2])) + np.float32(by_halves(terms[len(terms) // 2 :])))


def in_lanes(terms):
    return by_halves(np.float32([one_by_one(terms[lane::4]) for lane in range(4)]))


@pytest.mark.parametrize(
    ("add", "order"),
    [
        (one_by_one, "0:8"),
        (from_behind, "(0 + (1 + (2 + (3 + (4 + (5 + 6:8))))))"),
        (by_halves, "((0:2 + 2:4) + (4:6 + 6:8))"),
        (in_lanes, "((0:5:4 + 1:6:4) + (2:7:4 + 3:8:4))"),
    ],
)
def test_the_order_of_a_sum_is_found(add, order):
    assert sums.words(sums.tree(add, 8)) == order


def test_every_product_of_the_canary_has_its_order():
    assert tuple(ORDERS) == canary.TERMS


@pytest.mark.parametrize("terms", [pytest.param(n, marks=pytest.mark.slow) if n > 1024 else n for n in canary.TERMS])
def test_portable_products_add_in_the_known_order(terms):
    """Run `python -m tests.support.sums` under pinned numerics to write the orders of another OpenBLAS, and compare."""
    for left, right in (("C", "C"), ("C", "F"), ("F", "C"))[: 1 if terms > 1024 else 3]:
        found = [sums.order_of_product(*SIZE, terms, place, left, right) for place in (0, -1)]
        assert found == ORDERS[terms], (left, right)


def orders_elsewhere(*terms, processor=None, **environment):
    """Return the orders that a process of its own finds."""
    variables = numerics.environment("portable") | environment
    variables["PYTHONPATH"] = os.pathsep.join([sysconfig.get_path("purelib"), "."])
    command = [*verify.python(processor), "-W", "ignore", "-m", "tests.support.sums", *map(str, [*SIZE, *terms])]
    done = subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE, text=True)
    return {int(name): orders for name, orders in json.loads(done.stdout).items()}


@pytest.mark.parametrize("core", ["Nehalem", "Sandybridge"])
def test_other_kernels_add_in_another_order(core):
    found = orders_elsewhere(100, 784, OPENBLAS_CORETYPE=core)
    assert all(found[terms] != ORDERS[terms] for terms in found)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which(verify.QEMU) is None, reason="needs qemu-user")
@pytest.mark.parametrize("processor", ["Haswell", "EPYC-Rome"])
def test_emulated_processors_add_in_the_same_order(processor):
    found = orders_elsewhere(10, 49, 100, processor=processor, **verify.WITHOUT_ARGSORT)
    assert found == {terms: ORDERS[terms] for terms in found}
