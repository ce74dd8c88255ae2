"""Published figures next to the runs: each as one run has it, and sizes of differences."""

import dataclasses
import math

import pytest
from scipy import stats

from remnist.plan.claims import Epoch, Published
from remnist.report import effects, published
from remnist.report.measures import NotMeasuredError
from remnist.report.published import CONSISTENT, LARGER, SMALLER, Printed
from tests.support.studies import accuracies, claim, study

AS_PUBLISHED = {"expect": "as_published", "margin": None}
# Four runs with mean 0.9 and s = 0.01: one further run's 95 % interval reaches 0.01 t sqrt(5/4) to both sides.
CLOSE = 3e-6  # decimals that the tables keep, and a half
FOUR = [0.9 + 0.01 * math.sqrt(3 / 4) * sign for sign in (1, -1, 1, -1)]
HALF = 0.01 * stats.t.ppf(0.975, 3) * math.sqrt(5 / 4)


def compare(results, printed: Published | None = None, **changes) -> list[Printed]:
    """Hold what was published of a against its runs."""
    stated = claim(**{"variants": ["a"], **AS_PUBLISHED, **changes})
    return published.compare(results, stated, {"a": printed or Published(report=1, words="good")})


@pytest.mark.parametrize("metric", ["accuracy", "loss"])
@pytest.mark.parametrize(("off", "as_one_run"), [(0, True), (0.99 * HALF, True), (1.01 * HALF, False), (-0.1, False)])
def test_one_figure_by_hand(metric, off, as_one_run):
    results = study({"a": FOUR}, losses={"a": FOUR})
    [found] = compare(results, Published(report=1, **{metric: 0.9 + off}), metric=metric)
    assert found.measured == pytest.approx(0.9)
    assert found.interval == pytest.approx((0.9 - HALF, 0.9 + HALF), abs=CLOSE)
    assert (found.p_value > 0.05) is as_one_run
    t = abs(off) / (0.01 * math.sqrt(5 / 4))
    assert found.p_value == pytest.approx(2 * stats.t.sf(t, 3), rel=1e-3)


@pytest.mark.parametrize(("rounded_to", "as_one_run"), [(0.0, False), (0.004, True), (0.001, False)])
def test_a_rounded_figure_may_be_as_far_off_as_it_was_rounded(rounded_to, as_one_run):
    [found] = compare(study({"a": FOUR}), published=0.9 + HALF + 0.0015, rounded_to=rounded_to)
    assert (found.p_value > 0.05) is as_one_run


def by_epoch():
    """Return a study whose four runs have 0.9, then 0.95 on average, each with s = 0.01, and these losses."""
    curves = [[value, value + 0.05] for value in FOUR]
    made = study({"a": FOUR}, test={"a": curves})
    return dataclasses.replace(made, curves=made.curves.assign(test_loss=made.curves["test_accuracy"] / 2))


@pytest.mark.parametrize(
    ("metric", "key", "unit"), [("accuracy_by_epoch", "accuracy", 1), ("loss_by_epoch", "loss", 2)]
)
def test_figures_by_epoch_are_corrected_by_holm(metric, key, unit):
    offs = {1: 1.01 * HALF, 2: 0.0}
    printed = {epoch: Epoch(**{key: (0.85 + 0.05 * epoch + off) / unit}) for epoch, off in offs.items()}
    found = compare(by_epoch(), Published(report=1, epochs=printed), metric=metric)
    assert [each.place for each in found] == [1, 2]
    assert [each.measured * unit for each in found] == pytest.approx([0.9, 0.95])
    assert found[0].interval[1] < found[0].published  # beyond one run's interval, and one of two is
    alone = 2 * stats.t.sf(1.01 * HALF / (0.01 * math.sqrt(5 / 4)), 3)
    assert alone < 0.05 < 2 * alone
    assert [each.p_value for each in found] == pytest.approx([2 * alone, 1], rel=1e-3)


def test_figures_by_digit_are_those_of_the_runs_that_count():
    results = study({"a": [*FOUR, 0.8]}, missing={"a": [False] * 4 + [True]})
    printed = Published(report=1, digits=[0.9, 0.9, 0.99, *[0.9] * 7])
    found = compare(results, printed, metric="accuracy_by_digit", found_digits=True)
    assert [each.place for each in found] == list(range(10))
    assert [each.measured for each in found] == pytest.approx([0.9] * 10)
    assert [each.p_value < 0.05 for each in found] == [place == 2 for place in range(10)]
    assert compare(results, printed, metric="accuracy_by_digit")[3].measured == pytest.approx(0.72)


def test_a_figure_of_an_epoch_and_those_of_several_variants():
    printed = Published(report=1, accuracy=0.9, epochs={2: Epoch(accuracy=0.95)})
    [found] = compare(by_epoch(), printed, epoch=2)
    assert (found.place, found.measured) == (None, pytest.approx(0.95))
    stated = claim(variants=["a", "b"], **AS_PUBLISHED)
    both = published.compare(
        study({"a": FOUR, "b": FOUR}), stated, {name: Published(report=1, accuracy=0.9) for name in "ab"}
    )
    assert [each.variant for each in both] == ["a", "b"]


def test_a_published_epoch_that_some_runs_never_reach_is_not_held_against_the_others():
    results = study({"a": FOUR}, test={"a": [[0.95]] * 3 + [[0.9]]})
    with pytest.raises(NotMeasuredError, match=r"1 of 4 runs of `?a`? never get there"):
        compare(results, metric="epochs_to_reach", reach=0.95, published=1)


def test_one_run_has_no_interval():
    with pytest.raises(NotMeasuredError, match="1 run to compare, two are needed"):
        compare(study({"a": [0.9]}), Published(report=1, accuracy=0.9))


def test_a_loss_that_is_not_finite_is_no_figure():
    results = by_epoch()
    results.curves.loc[results.curves.index[-1], "test_loss"] = math.nan
    with pytest.raises(NotMeasuredError, match="no finite"):
        compare(results, Published(report=1, epochs={2: Epoch(loss=0.47)}), metric="loss_by_epoch")


@pytest.mark.parametrize("stated", [{}, {"published": 0.9}])
def test_figures_of_another_data_set_are_not_compared(stated):
    with pytest.raises(NotMeasuredError, match="the published figures are of another data set"):
        published.compare(study({"a": FOUR}), claim(variants=["a"], **AS_PUBLISHED, **stated), {})


WHAT = {"a": Published(report=1, accuracy=0.95, loss=0.12), "b": Published(report=1, accuracy=0.9, loss=0.1)}


def size(results, what=WHAT, **changes):
    stated = claim(**changes)
    return published.size(stated, effects.measure(results, stated), what)


@pytest.mark.parametrize(
    ("gain", "changes", "expected"),
    [
        (0.05, {}, CONSISTENT),
        (0.03, {}, SMALLER),
        (-0.05, {}, SMALLER),
        (0.08, {}, LARGER),
        (0.05, {"published": 0.1}, SMALLER),
        (-0.05, {"published": -0.05}, CONSISTENT),
        (-0.05, {"published": -0.1}, SMALLER),
        (-0.05, {"published": -0.01}, LARGER),
        (0.05, {"published": 0.055, "rounded_to": 0.01}, CONSISTENT),
        (0.05, {"published": 0.055, "rounded_to": 0.001}, SMALLER),
        (0.05, {"published": 0.045, "rounded_to": 0.01}, CONSISTENT),
        (0.05, {"published": 0.045}, LARGER),
    ],
)
def test_sizes(gain, changes, expected):
    """Accuracies have s = 0.0012, so that a pair of runs lies within 0.004 of the mean."""
    found = size(study({"a": accuracies(0.9 + gain), "b": accuracies(0.9)}), **changes)
    assert found.outcome == expected
    assert found.published == pytest.approx(changes.get("published", 0.05))


@pytest.mark.parametrize("settings", ["mlp-baseline", "mlp-deep-500"])
def test_the_interval_of_one_pair_by_hand(settings):
    """A published pair of runs shares no seed with these, whether or not they are pairs."""
    found = size(study({"a": FOUR, "b": [v - 0.02 for v in FOUR]}, names={"a": settings}))
    half = stats.t.ppf(0.975, 3) * 0.01 * math.sqrt(2 * 5 / 4)
    assert found.interval == pytest.approx((0.02 - half, 0.02 + half), abs=CLOSE)


@pytest.mark.parametrize(("published_size", "tells"), [(0.0276, False), (0.0279, True), (-0.0279, True)])
def test_one_pair_of_runs_could_tell_what_two_spreads_do_not_hide(published_size, tells):
    """1.96 times the root of 0.01**2 + 0.01**2 is 0.0277."""
    found = size(study({"a": FOUR, "b": FOUR}), published=published_size)
    assert found.one_pair_could_tell is tells


def test_a_published_loss_is_a_share_of_the_second():
    results = study({"a": FOUR, "b": FOUR}, losses={"a": [v * 2 for v in FOUR], "b": FOUR})
    found = size(results, metric="loss", margin=0.05)
    assert found.published == pytest.approx(0.2)
    low, high = found.interval
    assert (low + high) / 2 == pytest.approx(1.0)  # as large again


def test_a_published_value_is_held_against_the_level():
    found = size(study({"a": FOUR}), variants=["a"], level=0.85)
    assert (found.published, found.outcome) == (pytest.approx(0.1), SMALLER)
    assert found.interval == pytest.approx((0.05 - HALF, 0.05 + HALF), abs=CLOSE)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({}, {}),
        ({}, {"a": WHAT["a"]}),
        ({"published": 0.05}, {}),  # of another data set
        ({"epoch": 1}, WHAT),
        ({"metric": "generalization_gap"}, WHAT),
        ({"metric": "digit_missing", "margin": None, "published": 0.5}, WHAT),
        ({"by_construction": "a count"}, WHAT),
        ({"metric": "epochs_to_reach", "reach": 0.95, "published": 1}, WHAT),
    ],
)
def test_no_size_is_compared_where_there_is_none(changes, what):
    assert size(study({"a": accuracies(0.95), "b": accuracies(0.9)}), what, **changes) is None
