"""Effects whose figures are no means over seeds: rates, times that are not known, five networks together."""

import dataclasses
import math

import pytest
from scipy import stats

from remnist.report import effects
from remnist.report.effects import CONFIRMED, REVERSED, UNDECIDED, Effect
from remnist.report.measures import NotMeasuredError
from tests.support.studies import claim, study

NAN = float("nan")


def effect(results, **changes) -> Effect:
    """Decide a claim that is the only one of its report."""
    stated = claim(**changes)
    found = effects.measure(results, stated)
    return effects.conclude(stated, found, found.p_value)


def rates(first: int, second: int, n: int = 12):
    missing = {"a": [i < first for i in range(n)], "b": [i < second for i in range(n)]}
    return study({name: [0.9] * n for name in "ab"}, missing=missing)


@pytest.mark.parametrize(
    ("first", "second", "expect", "outcome"),
    [(8, 1, "more", CONFIRMED), (1, 8, "more", REVERSED), (1, 8, "less", CONFIRMED), (3, 1, "more", UNDECIDED),
     (0, 0, "more", UNDECIDED), (12, 12, "less", UNDECIDED)],
)  # fmt: skip
def test_rates(first, second, expect, outcome):
    found = effect(rates(first, second), metric="digit_missing", margin=None, expect=expect)
    assert (found.outcome, found.paired) == (outcome, False)
    assert found.difference == pytest.approx((first - second) / 12)
    if first != second:
        table = [[first, second], [12 - first, 12 - second]]
        assert found.p_value == pytest.approx(min(1, stats.boschloo_exact(table).pvalue))
    assert found.interval[0] < found.difference < found.interval[1] or first in (0, 12)


def times(*epochs: list[int | None], horizon: int = 8):
    """Return a study whose runs reach 0.95 at these epochs, or never, by variant."""
    curves = {
        name: [[0.95 if epoch >= (first or horizon + 1) else 0.9 for epoch in range(1, horizon + 1)] for first in runs]
        for name, runs in zip("ab", epochs, strict=False)
    }
    return study({name: [0.9] * len(runs) for name, runs in curves.items()}, test=curves)


REACH = {"metric": "epochs_to_reach", "reach": 0.95, "margin": 0.5}
LATE, EARLY, NEVER = [5, 6, 7, 6, None, None], [2, 3, 2, 3, 2, 3], [None] * 6


@pytest.mark.parametrize(
    ("first", "second", "expect", "outcome", "difference"),
    [
        (LATE, EARLY, "more", CONFIRMED, 6 - 2),
        (LATE, EARLY, "less", REVERSED, 6 - 2),
        (EARLY, LATE, "less", CONFIRMED, 2 - 6),
        (NEVER, EARLY, "more", CONFIRMED, NAN),
        (LATE, [*LATE[1:], 5], "more", UNDECIDED, 0),
        (NEVER, NEVER, "more", UNDECIDED, NAN),
        (LATE, EARLY, "same", UNDECIDED, 4),  # an order of times has no interval
    ],
)
def test_times_that_some_runs_never_reach(first, second, expect, outcome, difference):
    found = effect(times(first, second), **REACH, expect=expect)
    assert found.outcome == outcome
    assert found.difference == pytest.approx(difference, nan_ok=True)
    assert all(math.isnan(bound) for bound in (*found.interval, *found.with_images))
    assert not found.negligible


def test_the_p_value_of_censored_times_is_the_log_rank_tests():
    def censored(epochs):
        return stats.CensoredData.right_censored([e or 8 for e in epochs], [e is None for e in epochs])

    found = effect(times(LATE, EARLY), **REACH)
    # By Student's test in place of the normal distribution, which finds too much in small samples.
    normal = stats.logrank(censored(LATE), censored(EARLY)).pvalue
    assert normal < found.p_value < normal + 0.005


def test_times_that_all_runs_reach_are_numbers():
    found = effect(times([5, 6, 7, 6, 5, 5], EARLY), **REACH)
    assert (found.outcome, found.difference) == (CONFIRMED, pytest.approx(34 / 6 - 15 / 6))
    assert effect(times(EARLY), **REACH, variants=["a"], level=3.0, expect="not_more").outcome == CONFIRMED
    with pytest.raises(NotMeasuredError, match=r"2 of 6 runs of `?a`? never get there"):
        effect(times(LATE), **REACH, variants=["a"], level=3.0)


def test_five_networks_vary_with_the_images_alone_or_over_variants():
    results = study({name: [0.9, 0.91 + place / 1000] for place, name in enumerate("abcdef")})
    results = dataclasses.replace(results, ensembles=results.ensembles.assign(average=0.92))
    five = {"metric": "average_of_five", "level": 0.0}
    one = effect(results, variants=["a"], **five)
    assert (one.difference, one.p_value) == (pytest.approx(0.015), pytest.approx(2 * stats.norm.sf(0.015 / 0.002)))
    assert one.interval == pytest.approx((0.015 - 1.96 * 0.002, 0.015 + 1.96 * 0.002), abs=1e-5)
    every = effect(results, variants=[], **five)
    gains = [0.92 - (0.9 + 0.91 + place / 1000) / 2 for place in range(6)]
    assert every.p_value == pytest.approx(stats.ttest_1samp(gains, 0).pvalue)
