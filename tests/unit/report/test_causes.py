"""Causes: the share of a difference that vanishes in a control, which differs in one setting."""

import numpy as np
import pytest
from scipy.stats import boschloo_exact

from remnist.report import causes, effects
from remnist.report.causes import EXPLAINED, NOT_EXPLAINED, PARTLY, UNDECIDED
from tests.support.studies import accuracies, claim, study

CAUSE = {"words": "the learning rate", "control": ["c", "b"]}
NAMES = {"a": "mlp-adam", "b": "mlp-baseline", "c": "mlp-adam-1e-3"}  # a and c differ in the learning rate


def explain(results, **changes):
    stated = claim(**({"cause": CAUSE} | changes))
    found = effects.measure(results, stated)
    return causes.explain(results, stated, effects.conclude(stated, found, found.p_value))


def means(a: float, b: float, c: float, names=NAMES):
    return study({"a": accuracies(a), "b": accuracies(b), "c": accuracies(c)[::-1]}, names=names)


@pytest.mark.parametrize(
    ("control", "outcome", "share"),
    [
        (0.85, NOT_EXPLAINED, 0),
        (0.853, NOT_EXPLAINED, 0.06),
        (0.875, PARTLY, 0.5),
        (0.888, PARTLY, 0.76),  # the interval reaches below three quarters
        (0.8625, PARTLY, 0.25),
        (0.897, EXPLAINED, 0.94),
        (0.9, EXPLAINED, 1),
        (0.92, EXPLAINED, 1.4),
        (0.83, NOT_EXPLAINED, -0.4),
    ],
)
@pytest.mark.parametrize("expect", ["less", "more"])  # confirmed, or reversed
def test_the_share_that_vanishes_is_the_share_explained(control, outcome, share, expect):
    found = explain(means(0.85, 0.9, control), expect=expect)
    assert (found.outcome, found.share) == (outcome, pytest.approx(share, abs=1e-6))
    assert found.interval[0] <= found.share + 1e-9
    assert found.share <= found.interval[1] + 1e-9
    assert found.interval[1] - found.interval[0] < 0.3
    assert not found.missing


@pytest.mark.parametrize("true", [0.2, 0.5, 0.9])
def test_a_known_share_is_recovered_from_runs(true):
    """Each seed's spread is shared by the four; what the control keeps is 1 - share of 0.05."""
    generator, inside = np.random.default_rng(1), 0
    for _ in range(12):
        shared = 0.9 + generator.normal(0, 0.01, 12)
        of = {"b": 0.0, "a": -0.05, "c": -0.05 * (1 - true)}
        results = study({name: list(shared + shift + generator.normal(0, 0.004, 12)) for name, shift in of.items()},
                        names=NAMES)  # fmt: skip
        found = explain(results, expect="less")
        inside += found.interval[0] <= true <= found.interval[1]
        assert found.share == pytest.approx(true, abs=0.15)
    assert inside >= 10


@pytest.mark.parametrize(
    ("variant", "control", "what"),
    [("mlp-adam", "batch-100", "train.batch_size and train.lr"), ("mlp-adam", "mlp-adam", "nothing"),
     ("mlp-adam", "adamw", "train.optimizer and train.weight_decay")],
)  # fmt: skip
def test_a_control_that_differs_in_more_than_one_setting_is_none(variant, control, what):
    found = explain(means(0.85, 0.9, 0.9, NAMES | {"a": variant, "c": control}), expect="less")
    assert found.outcome == UNDECIDED
    assert found.missing == f"the control differs in {what}; one setting is needed"


def test_both_sides_may_be_replaced():
    names = {"a": "resnet-dropout", "b": "resnet-plain", "c": "resnet-dropout-logits", "d": "resnet-plain-logits"}
    results = study({"a": accuracies(0.95), "b": accuracies(0.9), "c": accuracies(0.96), "d": accuracies(0.961)},
                    names=names)  # fmt: skip
    assert explain(results, cause=CAUSE | {"control": ["c", "d"]}).outcome == EXPLAINED


@pytest.mark.parametrize(
    ("with_it", "without", "outcome", "counts"),
    [((4, 5), (0, 0), EXPLAINED, (9, 24, 0, 24)), ((4, 0), (3, 1), UNDECIDED, (4, 24, 4, 24)),
     ((0, 0), (6, 6), UNDECIDED, (0, 24, 12, 24))],
)  # fmt: skip
def test_the_cause_of_a_rate_is_held_against_both_controls_whatever_the_difference(with_it, without, outcome, counts):
    names = {"a": "resnet-dropout", "b": "resnet-plain", "c": "resnet-dropout-logits", "d": "resnet-plain-logits"}
    missing = {name: [True] * k + [False] * (12 - k) for name, k in zip("abcd", with_it + without, strict=True)}
    results = study({name: accuracies(0.9) for name in "abcd"}, names=names, missing=missing)
    found = explain(results, metric="digit_missing", expect="more", margin=None, cause=CAUSE | {"control": ["c", "d"]})
    assert (found.outcome, found.counts, found.missing) == (outcome, counts, "")
    (k, n, j, m) = counts
    assert found.p_value == pytest.approx(min(1, boschloo_exact([[k, j], [n - k, m - j]]).pvalue))


LATE = {name: [[0.95 if name != "a" else 0.9] * 2] * 12 for name in "abc"}  # a never gets to 0.95


@pytest.mark.parametrize(
    ("runs", "changes", "missing"),
    [
        ({"a": accuracies(0.9), "c": accuracies(0.8)}, {}, "not judged, as no difference is established"),
        ({"a": accuracies(0.8)}, {}, "there is no variant c"),
        ({"a": accuracies(0.8), "c": [0.8]}, {}, "seeds in common: 1, two are needed"),
        ({"a": accuracies(0.8), "c": accuracies(0.8)},
         {"metric": "epochs_to_reach", "reach": 0.95, "expect": "more"}, "times that are not known have no share"),
    ],
)  # fmt: skip
def test_what_has_no_share(runs, changes, missing):
    results = study({"b": accuracies(0.9)} | runs, names=NAMES, test=LATE)
    found = explain(results, **({"expect": "less"} | changes))
    assert (found.outcome, found.missing.replace("`", "")) == (UNDECIDED, missing)


def test_times_that_the_control_reaches_as_early_are_wholly_explained():
    """Whole epochs are often equal in all runs; the share then has no spread."""
    late = [[0.9] * (3 + seed % 3) + [0.95] * 5 for seed in range(12)]
    curves = {"a": [run[:8] + [0.95] * (8 - len(run)) for run in late], "b": [[0.95] * 8] * 12, "c": [[0.95] * 8] * 12}
    results = study({name: [0.9] * 12 for name in "abc"}, names=NAMES, test=curves)
    found = explain(results, metric="epochs_to_reach", reach=0.95, margin=0.5)
    assert (found.outcome, found.interval) == (EXPLAINED, (1, 1))


def test_no_cause_is_asked_for_where_none_is_stated():
    assert explain(means(0.85, 0.9, 0.9), cause=None) is None
