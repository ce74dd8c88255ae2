"""Claims in words: what is compared, what the report says of it, and what was measured, in units of its own."""

import re

import pandas as pd
import pytest

from remnist.plan.claims import Epoch, Published
from remnist.report import markdown, units, verdicts, words
from tests.support.studies import accuracies, claim, claims_of, judge, study

REACH = {"metric": "epochs_to_reach", "reach": 0.95, "margin": 0.5}


def judged(results, figures=None, /, **changes):
    [found] = verdicts.judge(results, claims_of({"x": claim(**changes)}, figures))
    return found


@pytest.fixture(scope="module")
def pair():
    return study({"a": accuracies(0.92)[::-1], "b": accuracies(0.9)}, losses={"a": [0.2] * 12, "b": [0.16] * 12})


@pytest.mark.parametrize(
    ("changes", "compared", "expected"),
    [
        ({}, "`a` - `b`", "more"),
        ({"expect": "not_more"}, "`a` - `b`", "not more"),
        ({"metric": "loss", "epoch": 1}, "`a` - `b`: loss after epoch 1", "more"),
        ({"found_digits": True}, "`a` - `b`: accuracy, runs with all digits", "more"),
        ({**REACH}, "`a` - `b`: epochs to reach 95 %", "more"),
        ({"metric": "roc_auc_worst_digit", "variants": ["a"], "level": 0.995, "expect": "not_less"},
         "`a`: ROC-AUC of the worst digit", "not less than 0.99500"),
        ({"variants": ["a"], "level": 1.0, "expect": "same"}, "`a`", "same as 100.00 %"),
        ({**REACH, "variants": ["a"], "level": 3.0, "expect": "not_more"}, "`a`: epochs to reach 95 %",
         "not more than 3.0 epochs"),
        ({"expect": "as_published", "margin": None}, "`a`, `b`", "as published"),
        ({"metric": "vote_of_five", "variants": [], "level": 0.0}, "every variant: vote of five",
         "more than 0.00 points"),
        ({"variants": None, "expect": None, "margin": None, "all_of": ["x", "y"]}, "all of: `x`, `y`", "all"),
    ],
)  # fmt: skip
def test_comparisons(changes, compared, expected):
    made = claim(**changes)
    assert (words.compared(made), words.expected(made)) == (compared, expected)


@pytest.mark.parametrize(
    ("changes", "measured"),
    [
        ({}, r"\+2\.00 points \[\+1\.\d\d, \+2\.\d\d\], with images \[\+1\.\d\d, \+2\.\d\d\]"),
        ({"metric": "loss", "margin": 0.05}, r"\+25\.0 % \[\+25\.0, \+25\.0\]"),
        ({"variants": ["a"], "level": 0.9}, r"92\.00 % \[91\.\d\d, 92\.\d\d\], with images \[90\.\d\d, 93\.\d\d\]"),
        ({"metric": "loss", "margin": 0.05, "variants": ["a"], "level": 0.1}, r"0\.2000 \[0\.2000, 0\.2000\]"),
        ({"metric": "seconds_per_epoch", "margin": 0.1}, r"\+0\.0 % \[-\d\.\d, \+\d\.\d\]"),
        ({"metric": "digit_missing", "margin": None}, r"0 of 12 against 0 of 12"),
        ({"metric": "parameters", "by_construction": "a count"}, r"\+0 parameters"),
        ({"metric": "parameters", "by_construction": "a count", "variants": ["a"], "level": 9}, r"7 parameters"),
        ({"variants": ["a", "z"]}, ""),
    ],
)
def test_what_was_measured(pair, changes, measured):
    assert re.fullmatch(measured, words.measured(judge(pair, **changes)))


def test_times_that_some_runs_never_reach_are_medians():
    curves = {"a": [[0.9, 0.9, 0.9]] * 4 + [[0.9, 0.9, 0.95]] * 2, "b": [[0.9, 0.95, 0.95]] * 6}
    found = judge(study({name: [0.9] * 6 for name in "ab"}, test=curves), **REACH)
    assert words.measured(found) == "median beyond 3 (2 of 6 get there) against median 2 (6 of 6 get there)"


@pytest.mark.parametrize(
    ("metric", "difference", "text"),
    [
        ("accuracy", 0.0123, "+1.23 points"),
        ("generalization_gap", -0.001, "-0.10 points"),
        ("digit_spread", 0.02, "+2.00 points"),
        ("loss", 0.05, "+5.0 %"),
        ("weight_norm", 0.05, "+5.0 %"),
        ("seconds_per_epoch", 1.17, "+117.0 %"),
        ("epochs_to_reach", 1.5, "+1.5 epochs"),
        ("roc_auc_worst_digit", 0.00012, "+0.00012"),
        ("parameters", 131584, "+131,584 parameters"),
        ("digit_missing", 0.5, "+50 points"),
    ],
)
def test_units_of_differences(metric, difference, text):
    unit = units.of_differences(metric)
    assert f"{difference * unit.factor:+,.{unit.decimals}f} {unit.name}".strip() == text


EFFECTS = [
    ({}, "confirmed"),
    ({"margin": 0.05}, "confirmed, negligible"),
    ({"expect": "less"}, "reversed"),
    ({"expect": "same", "margin": 0.0203},
     r"undecided; a difference, which may lie within the margin or beyond; \d+ seeds would decide"),
    ({"expect": "more", "metric": "digit_missing", "margin": None}, "undecided"),
    ({"variants": ["a", "z"]}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "effect"), EFFECTS)
def test_what_became_of_the_effect(pair, changes, effect):
    assert re.fullmatch(effect, words.effect(judge(pair, **changes)))


def test_a_direction_that_is_found_alone_says_why_it_is_open():
    """Its interval excludes zero, and of ten claims by Holm it is not found."""
    few = {"a": [0.921, 0.924, 0.919], "b": [0.900, 0.912, 0.905], "c": [0.9, 0.91, 0.92], "d": [0.91, 0.92, 0.9]}
    others = {f"x{i}": claim(variants=["c", "d"]) for i in range(9)}
    found, *_ = verdicts.judge(study(few), claims_of({"x": claim()} | others))
    assert found.effect.interval[0] > 0
    expected = r"p 0\.0\d+ by itself, 0\.\d+ corrected for 10 claims of more or less; \d+ seeds would decide"
    assert re.fullmatch(expected, words.still_open(found))
    assert words.effect(found) == f"undecided; {words.still_open(found)}"


@pytest.mark.parametrize(
    ("published", "size"),
    [(0.02, "consistent"), (0.05, "smaller than published"), (0.01, "larger than published"),
     (0.001, "larger than published")],
)  # fmt: skip
def test_sizes(pair, published, size):
    found = judged(pair, {"b": Published(report=1)}, published=published)
    untold = ", so wide that zero is consistent as well" if published < 0.003 else ""
    assert re.fullmatch(rf"{size}; one pair of runs: \[\+1\.\d\d, \+2\.\d\d\]{untold}", words.size(found))
    assert words.published(found) == f"{100 * published:+.2f} points"


def test_a_published_figure_has_its_rounding(pair):
    assert words.published(judged(pair, {"b": Published(report=1)}, published=0.03, rounded_to=0.01)) == (
        "+3.00 ± 0.50 points"
    )
    asked = {"variants": ["a"], "expect": "as_published", "margin": None, "metric": "loss", "published": 0.21}
    found = judged(pair, {"a": Published(report=1)}, rounded_to=0.02, **asked)
    assert words.published(found) == "0.2100 ± 0.0100"
    assert words.size(found) == "1 of 1 such as one run gives; one run: [0.2000, 0.2000]"


def test_published_figures_of_several_epochs():
    results = study({"a": accuracies(0.95)}, test={"a": [[a - 0.05, a, a] for a in accuracies(0.95)]})
    epochs = {1: Epoch(accuracy=0.9), 2: Epoch(accuracy=0.99), 3: Epoch(accuracy=0.95)}
    asked = {"variants": ["a"], "expect": "as_published", "metric": "accuracy_by_epoch", "margin": None}
    found = judged(results, {"a": Published(report=1, epochs=epochs)}, **asked)
    assert words.published(found) == "epoch 1: 90.00 %; epoch 2: 99.00 %; 1 more"
    assert words.measured(found) == "epoch 1: 90.00 %; epoch 2: 95.00 %; 1 more"
    assert words.size(found) == "2 of 3 such as one run gives"


def test_published_figures_of_several_variants_are_named(pair):
    figures = {name: Published(report=1, accuracy=0.92) for name in "ab"}
    found = judged(pair, figures, expect="as_published", margin=None)
    assert words.published(found) == "a: 92.00 %; b: 92.00 %"


@pytest.mark.parametrize(("rounded_to", "inside"), [(0.0, 0), (0.01, 1)])
def test_what_counts_as_one_run_has_it_is_what_the_outcome_counts(rounded_to, inside):
    """A figure that lies within its rounding of what one run has is such a figure."""
    asked = {"variants": ["a"], "expect": "as_published", "margin": None, "published": 0.905, "rounded_to": rounded_to}
    found = judged(study({"a": accuracies(0.9)}), {"a": Published(report=1)}, **asked)
    assert found.outcome == ("replicated" if inside else "not replicated")
    assert words.size(found).startswith(f"{inside} of 1 ")


def test_what_stands_behind_an_effect(pair):
    found = judge(pair, margin=0.05)
    behind = words.details(found, found.effect)
    assert (behind["n"], behind["pairs"], behind["p"], behind["margin"]) == ("12", "yes", "< 0.001", "5.00 points")
    assert (behind["at_half"], behind["at_twice"]) == ("confirmed", "confirmed")
    assert behind["with_images"]
    alone = judge(pair, variants=["a"], level=0.9)
    assert (words.details(alone, alone.effect)["n"], words.details(alone, alone.effect)["pairs"]) == ("12", "")
    rounds = judge(pair, metric="seconds_per_epoch", margin=0.1)
    assert (words.details(rounds, rounds.effect)["n"], words.details(rounds, rounds.effect)["pairs"]) == (
        "3 and 3",
        "no",
    )


def test_pairs_are_counted_at_the_seeds_that_both_have():
    results = study({"a": accuracies(0.95, 6), "b": accuracies(0.9, 6)}, missing={"b": [True, True] + [False] * 4})
    found = judge(results, found_digits=True)
    assert words.details(found, found.effect)["n"] == "4"


@pytest.mark.parametrize(
    ("value", "text"), [(0.0004, "< 0.001"), (0.0123, "0.012"), (0.0496, "0.0496"), (0.0501, "0.0501"), (0.254, "0.25")]
)
def test_a_p_value_says_on_which_side_of_5_percent_it_lies(value, text):
    assert markdown.p_value(value) == text


@pytest.mark.parametrize(
    ("accuracies", "missing", "expected"),
    [
        ([0.98, 0.96], [False, False], "97.00 ± 1.41 %"),
        ([0.98, 0.96, 0.88], [False, False, True], "97.00 ± 1.41 % (the 2 of 3 runs with all digits)"),
        ([0.98, 0.88], [False, True], "98.00 % (the 1 of 2 runs with all digits)"),
        ([0.11, 0.09], [True, True], "10.00 ± 1.41 %"),
    ],
)
def test_a_mean_is_of_one_kind_of_runs(accuracies, missing, expected):
    assert (
        words.accuracies(pd.DataFrame({"variant": "a", "accuracy": accuracies, "digit_missing": missing})) == expected
    )
