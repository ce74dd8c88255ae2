"""Effects: what was found of a difference, by the rule of what a claim expects."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from remnist.report import effects
from remnist.report.effects import CONFIRMED, NO_EFFECT, REVERSED, UNDECIDED, Effect
from remnist.report.measures import NotMeasuredError
from tests.support.studies import accuracies, claim, study

WIDE = "mlp-deep-500"  # settings of another architecture than the baseline's


def effect(results, **changes) -> Effect:
    """Decide a claim that is the only one of its report."""
    stated = claim(**changes)
    found = effects.measure(results, stated)
    return effects.conclude(stated, found, found.p_value)


def pair(difference: float, **kinds):
    """Return a study in which a exceeds b by this on average, with a standard error of 0.0006 or so."""
    return study({"a": accuracies(0.9 + difference)[::-1], "b": accuracies(0.9)}, **kinds)


SETTLED = {"expect": "same", "margin": 0.005}


@pytest.mark.parametrize(
    ("changes", "difference", "expected"),
    [
        ({}, 0.01, CONFIRMED),
        ({}, -0.01, REVERSED),
        ({}, 0.0, NO_EFFECT),
        ({"margin": 0.0005}, 0.0, UNDECIDED),
        ({"expect": "less"}, -0.01, CONFIRMED),
        ({"expect": "less"}, 0.01, REVERSED),
        ({"expect": "less"}, 0.0, NO_EFFECT),
        ({"expect": "less", "margin": 0.0005}, 0.0, UNDECIDED),
        (SETTLED, 0.001, CONFIRMED),
        (SETTLED, -0.002, CONFIRMED),
        (SETTLED, 0.005, UNDECIDED),
        (SETTLED, 0.02, REVERSED),
        (SETTLED, -0.02, REVERSED),
        (SETTLED | {"expect": "not_more"}, -0.02, CONFIRMED),
        (SETTLED | {"expect": "not_more"}, 0.005, UNDECIDED),
        (SETTLED | {"expect": "not_more"}, 0.02, REVERSED),
        (SETTLED | {"expect": "not_less"}, 0.02, CONFIRMED),
        (SETTLED | {"expect": "not_less"}, -0.005, UNDECIDED),
        (SETTLED | {"expect": "not_less"}, -0.02, REVERSED),
    ],
)
@pytest.mark.parametrize("settings", ["mlp-baseline", WIDE])
def test_rules(changes, difference, expected, settings):
    found = effect(pair(difference, names={"a": settings}), **changes)
    assert (found.outcome, found.paired) == (expected, settings == "mlp-baseline")


def drawn(seed: int, shift: float, settings: str = "mlp-baseline", others: int = 12):
    """Return a study of two variants with a shared spread, and the runs of both."""
    generator = np.random.default_rng(seed)
    shared = generator.normal(0, 0.004, 12)
    first = (0.9 + shift + shared + generator.normal(0, 0.002, 12)).round(3)
    second = (0.9 + shared + generator.normal(0, 0.002, 12)).round(3)[:others]
    return study({"a": list(first), "b": list(second)}, names={"a": settings}), first, second


@pytest.mark.parametrize("others", [12, 7])
@pytest.mark.parametrize("settings", ["mlp-baseline", WIDE])
@pytest.mark.parametrize("shift", [0.0, 0.002, -0.01])
def test_differences_intervals_and_p_values_are_scipys(settings, shift, others):
    """Pairs where the architecture is shared, at the seeds that both have; else Welch, over all runs of both."""
    results, first, second = drawn(3, shift, settings, others)
    found = effect(results)
    if settings == WIDE:
        expected, difference = stats.ttest_ind(first, second, equal_var=False), first.mean() - second.mean()
    else:
        expected, difference = stats.ttest_rel(first[:others], second), (first[:others] - second).mean()
    assert found.difference == pytest.approx(difference)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.interval == pytest.approx(tuple(expected.confidence_interval(0.95)), abs=1e-8)
    assert found.equivalence == pytest.approx(tuple(expected.confidence_interval(0.9)), abs=1e-8)
    assert found.with_images[0] < found.interval[0] < found.interval[1] < found.with_images[1]


@pytest.mark.parametrize("margin", [0.001, 0.002, 0.004])
@pytest.mark.parametrize("seed", range(4))
def test_the_same_is_statsmodels_two_one_sided_tests(seed, margin):
    results, first, second = drawn(seed, 0.001)
    found = effect(results, expect="same", margin=margin)
    assert (found.outcome == CONFIRMED) == (ttost_paired(first, second, -margin, margin)[0] < 0.05)


def test_pairs_find_what_a_shared_spread_would_hide():
    wide = np.linspace(0.85, 0.95, 12).round(3)
    noise = np.array([0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 4, 5]) / 1000
    assert effect(study({"a": list(wide + noise), "b": list(wide)})).outcome == CONFIRMED
    assert effect(study({"a": list(wide + noise), "b": list(wide)}, names={"a": WIDE})).outcome == UNDECIDED
    seconds = effect(study({"a": list(wide), "b": list(wide)}), metric="seconds_per_epoch", margin=0.1)
    assert not seconds.paired  # rounds of a benchmark are no seeds


def test_one_variant_against_a_level():
    values = accuracies(0.95)
    found = effect(study({"a": values}), variants=["a"], level=0.94)
    expected = stats.ttest_1samp(values, 0.94)
    assert found.difference == pytest.approx(np.mean(values) - 0.94)
    assert found.p_value == pytest.approx(expected.pvalue)
    low, high = expected.confidence_interval(0.95)
    assert found.interval == pytest.approx((low - 0.94, high - 0.94))


@pytest.mark.parametrize(
    ("margin", "at_half", "outcome", "at_twice"),
    [(0.0015, UNDECIDED, UNDECIDED, CONFIRMED), (0.003, UNDECIDED, CONFIRMED, CONFIRMED),
     (0.01, CONFIRMED, CONFIRMED, CONFIRMED)],
)  # fmt: skip
def test_outcomes_at_half_and_at_twice_the_margin(margin, at_half, outcome, at_twice):
    stated = claim(expect="same", margin=margin)
    found = effects.measure(pair(0.001), stated)
    assert [effects.decide(stated, found, factor * margin) for factor in (1 / 2, 1, 2)] == [at_half, outcome, at_twice]


@pytest.mark.parametrize(
    ("changes", "difference", "negligible"),
    [
        ({"margin": 0.05}, 0.01, True),
        ({"margin": 0.05, "expect": "less"}, 0.01, True),
        ({"margin": 0.0101}, 0.01, False),  # the interval reaches beyond
        ({}, 0.01, False),
        ({"margin": 0.05, "expect": "same"}, 0.01, False),  # no difference is claimed
        ({"margin": 0.05}, 0.0, False),  # nor found
    ],
)
def test_a_difference_within_the_margin_is_negligible(changes, difference, negligible):
    assert effect(pair(difference), **changes).negligible is negligible


RELATIVE = {"metric": "loss", "margin": 0.05}


def of_losses(first: float, second: float):
    """Return a study of two variants with these losses, and a spread of 1 % on each seed."""
    noise = np.linspace(-0.01, 0.01, 12)
    return study(
        {"a": [0.9] * 12, "b": [0.9] * 12},
        losses={"a": list(first * (1 + noise)), "b": list(second * (1 - noise))},
    )


@pytest.mark.parametrize(("unit", "expect"), [(1, "same"), (1000, "same"), (1, "not_more")])
@pytest.mark.parametrize(("share", "outcome"), [(0.02, CONFIRMED), (0.05, UNDECIDED), (0.1, REVERSED)])
def test_losses_are_compared_as_shares_of_the_second(unit, expect, share, outcome):
    results = of_losses((1 + share) * unit, unit)
    found = effect(results, **RELATIVE, expect=expect)
    assert (found.outcome, found.difference) == (outcome, pytest.approx(share))
    losses = [results.runs["loss"][results.runs["variant"] == name].to_numpy() for name in "ab"]
    low, high = stats.ttest_rel(*losses).confidence_interval(0.95)
    assert found.interval == pytest.approx((low / unit, high / unit))


def test_a_loss_against_a_level_is_a_share_of_it():
    assert effect(of_losses(0.44, 1), **RELATIVE, variants=["a"], level=0.4).difference == pytest.approx(0.1)
    with pytest.raises(NotMeasuredError, match="the second is zero"):
        effect(of_losses(0.4, 1), **RELATIVE, variants=["a"], level=0.0)


@pytest.mark.parametrize(
    ("expect", "difference", "outcome"),
    [("more", 0.001, CONFIRMED), ("more", -0.001, REVERSED), ("more", 0.0, REVERSED), ("less", -0.001, CONFIRMED),
     ("same", 0.002, CONFIRMED), ("same", -0.003, REVERSED), ("not_more", -0.01, CONFIRMED),
     ("not_more", 0.003, REVERSED), ("not_less", 0.01, CONFIRMED), ("not_less", -0.003, REVERSED)],
)  # fmt: skip
def test_what_is_so_by_construction_has_no_p_value(expect, difference, outcome):
    results = study({"a": [0.9 + difference] * 3, "b": [0.9] * 3})
    found = effect(results, expect=expect, by_construction="a count")
    assert found.outcome == outcome
    assert math.isnan(found.p_value)


@pytest.mark.parametrize(("a", "b"), [([0.9], [0.8]), ([0.9, 0.8], [0.9])])
@pytest.mark.parametrize("settings", ["mlp-baseline", WIDE])
def test_one_run_tells_nothing(a, b, settings):
    with pytest.raises(NotMeasuredError, match="1 run to compare, two are needed"):
        effect(study({"a": a, "b": b}, names={"a": settings}))


def test_images_of_runs_that_do_not_count_widen_nothing():
    """A digit that is missing elsewhere says nothing of the runs that found it."""
    results = study({"a": accuracies(0.95), "b": accuracies(0.9)}, missing={"a": [False] * 11 + [True]})
    before = effect(results, found_digits=True).with_images
    results.predictions["a"][11] = (results.labels["a"] + 1) % 10  # of the run that does not count
    assert effect(results, found_digits=True).with_images == pytest.approx(before)


@pytest.mark.parametrize(("margin", "mean"), [(0.0025, 0.0012), (0.0025, 0.0024), (0.0025, 0.0003), (0.0025, 0.0)])
def test_so_many_seeds_decide_in_four_studies_of_five(margin, mean):
    """Were the truth as measured: that there is a difference, or that it is smaller than the margin."""
    spread = np.linspace(-1, 1, 6) * 0.005
    spread *= 0.005 / spread.std(ddof=1)
    results = study({"a": [0.5] * 6, "b": [0.5] * 6})
    results.runs["accuracy"] = np.concatenate([0.9 + mean + spread, [0.9] * 6])
    found = effect(results, margin=margin)
    assert found.outcome == UNDECIDED
    n = effects.seeds_to_decide(claim(margin=margin), found)
    studies = np.random.default_rng(0).normal(mean, 0.005, (4000, n))
    means, ses = studies.mean(1), studies.std(1, ddof=1) / math.sqrt(n)
    differ = np.abs(means) / ses > stats.t.ppf(0.975, n - 1)
    alike = np.abs(means) + stats.t.ppf(0.95, n - 1) * ses < margin
    assert max(differ.mean(), alike.mean()) == pytest.approx(0.8, abs=0.04)


def test_seeds_to_decide_are_statsmodels():
    results, first, second = drawn(1, 0.001)
    found = effect(results, margin=0.0001)
    effect_size = abs((first - second).mean()) / (first - second).std(ddof=1)
    n = effects.seeds_to_decide(claim(margin=0.0001), found)
    assert n == math.ceil(TTestPower().solve_power(effect_size, power=0.8, alpha=0.05))


def test_what_is_decided_or_out_of_reach_names_no_seeds():
    for changes, difference in (({}, 0.01), ({"margin": 1e-6}, 0.0)):
        found = effect(pair(difference), **changes)
        assert found.outcome == (UNDECIDED if changes else CONFIRMED)
        assert effects.seeds_to_decide(claim(**changes), found) is None
