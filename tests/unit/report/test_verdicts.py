"""Verdicts follow from the figures: change the data and they change."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel
from statsmodels.stats.weightstats import ttost_paired

from remnist.report import verdicts, words
from remnist.report.measures import Measured
from remnist.report.verdicts import NOT_TESTABLE, OTHER_CAUSE, REFUTED, UNDECIDED, UPHELD, Finding
from tests.support.studies import NOISE, accuracies, claim, claims_of, judge, render, study


def outcome(results, **changes) -> str:
    return judge(results, **changes).outcome


def finding(table: pd.DataFrame, **changes) -> Finding:
    return Finding(claim(**changes), measured=Measured(table))


@pytest.mark.parametrize(
    ("changes", "difference", "expected"),
    [
        ({"expect": "more"}, 0.01, UPHELD),
        ({"expect": "more"}, -0.01, REFUTED),
        ({"expect": "more"}, 0.0, UNDECIDED),
        ({"expect": "less"}, -0.01, UPHELD),
        ({"expect": "less"}, 0.01, REFUTED),
        ({"expect": "more", "at_least": 0.03}, 0.04, UPHELD),
        ({"expect": "more", "at_least": 0.03}, 0.01, REFUTED),  # a gain, but not as large
        ({"expect": "more", "at_least": 0.03}, 0.0, REFUTED),
        ({"expect": "more", "at_least": 0.0101}, 0.01, UPHELD),  # a gain, and its interval reaches the size
        ({"expect": "less", "at_least": 0.03}, -0.04, UPHELD),
        ({"expect": "less", "at_least": 0.03}, -0.01, REFUTED),
        ({"expect": "same", "margin": 0.005}, 0.001, UPHELD),
        ({"expect": "same", "margin": 0.005}, 0.02, REFUTED),
        ({"expect": "same", "margin": 0.005}, -0.02, REFUTED),
        ({"expect": "same", "margin": 0.005}, 0.005, UNDECIDED),
        ({"expect": "not_more", "margin": 0.005}, -0.02, UPHELD),
        ({"expect": "not_more", "margin": 0.005}, 0.02, REFUTED),
        ({"expect": "not_less", "margin": 0.005}, 0.02, UPHELD),
        ({"expect": "not_less", "margin": 0.005}, -0.02, REFUTED),
    ],
)
def test_rules(changes, difference, expected):
    assert outcome(study({"a": accuracies(0.9 + difference), "b": accuracies(0.9)}), **changes) == expected


def test_p_values_are_those_of_scipy_and_statsmodels():
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.4, 1, 12), rng.normal(0, 1, 12)
    table = pd.DataFrame({"first": first, "second": second})
    [(_, more)] = verdicts.decide([finding(table)])
    assert more == pytest.approx(ttest_rel(first, second).pvalue)
    [(_, same)] = verdicts.decide([finding(table, expect="same", margin=3.0)])
    assert same == pytest.approx(2 * ttost_paired(first, second, -3.0, 3.0)[0])


def test_the_same_change_of_data_is_seen_in_the_metrics_and_in_the_words():
    results = {gain: study({"a": accuracies(0.9 + gain), "b": accuracies(0.9)}) for gain in (0.01, -0.01)}
    for gain, expected in ((0.01, UPHELD), (-0.01, REFUTED)):
        claimed = claims_of({"x": claim()})
        judged = verdicts.judge(results[gain], claimed)
        metrics = verdicts.metrics(judged)["x"]
        assert metrics["outcome"] == expected
        assert metrics["difference"] == pytest.approx(gain)
        assert metrics["low"] < gain < metrics["high"]
        assert metrics["p_value"] < 0.001
        assert metrics["seeds"] == 12
        text = render(results[gain], claimed)
        [row] = [line for line in text.splitlines() if line.startswith("| 1 | a beats b |")]
        assert f"{100 * gain:+.2f} points" in row
        assert f"**{expected}**" in row
        assert f"- 1 claim of five reports: 1 {expected}." in text


def test_seeds_are_paired():
    """A spread that both variants share does not hide a difference."""
    wide = np.linspace(0.85, 0.95, 12)
    assert outcome(study({"a": list(wide + 0.002 + NOISE / 10), "b": list(wide)})) == UPHELD
    assert outcome(study({"a": list(wide[::-1] + 0.002 + NOISE / 10), "b": list(wide)})) == UNDECIDED


@pytest.mark.parametrize(
    ("results", "changes", "words"),
    [
        ({"b": accuracies(0.9)}, {}, "no variant `a`"),
        ({"a": [0.9], "b": [0.8]}, {}, "seeds in common: 1"),
        ({"a": [0.9, 0.8]}, {"variants": ["a"], "metric": "digit_deviation", "level": 0.02}, "no accuracies by digit"),
    ],
)
def test_what_was_not_run_cannot_be_tested(results, changes, words):
    results, claimed = study(results), claims_of({"x": claim(**changes)})
    [judged] = verdicts.judge(results, claimed)
    assert judged.outcome == NOT_TESTABLE
    assert words in judged.finding.missing
    assert f"{words}" in render(results, claimed)
    assert verdicts.metrics([judged])["x"]["difference"] is None
    json.dumps(verdicts.metrics([judged]), allow_nan=False)


CONTROL = {"words": "c", "shown_by": [{"variants": ["c", "b"], "expect": "not_more", "margin": 0.005}]}


@pytest.mark.parametrize(
    ("first", "control", "expected"),
    [(0.92, 0.9, OTHER_CAUSE), (0.92, 0.92, UPHELD), (0.88, 0.9, REFUTED), (0.92, None, UPHELD)],
)
def test_another_cause_needs_the_effect_and_its_control(first, control, expected):
    of = {"a": accuracies(first), "b": accuracies(0.9)} | ({} if control is None else {"c": accuracies(control)})
    assert outcome(study(of), cause=CONTROL) == expected


LOST = {"words": "softmax", "lost_digits": {"softmax": ["a"], "logits": ["c"]}}


@pytest.mark.parametrize(
    ("lost", "loss", "lost_without", "expected"),
    [
        (True, 1.4612 + 0.19, False, OTHER_CAUSE),
        (False, 1.4612 + 0.19, False, REFUTED),  # low, but no digit lost
        (True, 0.9, False, REFUTED),  # a digit lost, but its outputs not saturated
        (True, 1.4612 + 0.19, True, REFUTED),  # lost without the softmax too
    ],
)
def test_signs_of_a_lost_digit(lost, loss, lost_without, expected):
    low = [0.9] * 10 + [0.81] * 2
    results = study(
        {"a": low, "b": accuracies(0.95), "c": accuracies(0.95)},
        losses={"a": [0.1] * 10 + [loss] * 2},
        never_right={"a": [False] * 10 + [lost] * 2, "c": [lost_without] * 12},
    )
    assert outcome(results, cause=LOST) == expected


def test_holm_counts_all_claims_of_a_report_and_no_other():
    rng = np.random.default_rng(0)
    of = {name: list(0.9 + rng.normal(0, 0.001, 12)) for name in "abcdefgh"}
    of["a"] = [value + 0.0011 for value in of["a"]]
    results = study(of)
    alone = judge(results).finding.p_value
    others = {name: claim(variants=[name, "b"]) for name in "cdefgh"}
    [first, *_] = verdicts.judge(results, claims_of({"x": claim()} | others))
    assert first.finding.p_value == pytest.approx(7 * alone)
    elsewhere = {name: other.model_copy(update={"report": 2}) for name, other in others.items()}
    assert verdicts.judge(results, claims_of({"x": claim()} | elsewhere))[0].finding.p_value == alone


def test_a_single_run_may_show_what_the_seeds_deny():
    results = study({"a": [0.95, 0.90, 0.90], "b": [0.90, 0.90, 0.90]})
    assert verdicts.single_pairs(results, judge(results).finding) == (1, 3)


@pytest.mark.parametrize(
    ("difference", "at_least", "within"),
    [(0.001, 0.0, True), (0.02, 0.0, False), (0.001, 0.03, False), (0.027, 0.03, True)],
)
def test_what_other_test_images_could_have_decided_otherwise_is_reported(difference, at_least, within):
    """A gain of one image of 1,000, say, and not of twenty; if a size is refuted, the part that is missing counts."""
    results = study({"a": accuracies(0.9 + difference), "b": accuracies(0.9)})
    judged = judge(results, at_least=at_least)
    assert judged.outcome == (REFUTED if at_least else UPHELD)
    assert bool(list(words.within_test_images(results, [judged]))) == within
