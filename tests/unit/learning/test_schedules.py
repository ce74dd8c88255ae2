"""The schedules against torch's own."""

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR

from remnist.learning.schedules import factor
from remnist.settings import Schedule, tags
from tests.support.variants import choose

SCHEDULES = tags("train", "schedule")
REFERENCES = {
    "cosine": lambda optimizer, steps: CosineAnnealingLR(optimizer, steps),
    "one_cycle": lambda optimizer, steps: OneCycleLR(optimizer, 0.02, total_steps=steps, cycle_momentum=False),
}


def schedule(name: str) -> Schedule:
    chosen: Schedule = choose("train", "schedule", name)
    return chosen


@pytest.mark.parametrize("steps", [10, 57, 1_000])
@pytest.mark.parametrize("name", REFERENCES)
def test_each_step_agrees_with_torch(name, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.02)
    scheduler = REFERENCES[name](optimizer, steps)
    for step in range(steps):
        assert 0.02 * factor(schedule(name), step, steps) == pytest.approx(
            scheduler.get_last_lr()[0], rel=1e-6, abs=1e-12
        )
        optimizer.step()
        scheduler.step()


def test_constant():
    assert [factor(schedule("constant"), step, 3) for step in range(3)] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5])
def test_shortest_runs(name, steps):
    assert all(0 <= factor(schedule(name), step, steps) <= 1 for step in range(steps))


def test_every_schedule_but_the_constant_one_is_held_against_torchs():
    assert {*REFERENCES, "constant"} == set(SCHEDULES)
