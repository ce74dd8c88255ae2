"""Outcomes follow from the figures: change the data and they change."""

import json
import math

import pytest

from remnist.plan.claims import Epoch, Published
from remnist.report import verdicts
from remnist.report.effects import CONFIRMED, NO_EFFECT, REVERSED, UNDECIDED
from remnist.report.verdicts import BY_CONSTRUCTION, FALSE_BY_CONSTRUCTION, NOT_REPLICATED, NOT_TESTABLE, REPLICATED
from tests.support.studies import accuracies, claim, claims_of, judge, study

SMALLER, LARGER = f"{REPLICATED}, smaller", f"{REPLICATED}, larger"
PRINTED = {"a": Published(report=1, accuracy=0.95, epochs={1: Epoch(accuracy=0.9), 2: Epoch(accuracy=0.95)})}
PRINTED |= {"b": Published(report=1, accuracy=0.9)}


def judge_all(results, published=None, **changes) -> dict[str, verdicts.Judged]:
    """Judge claims by what each changes."""
    claimed = claims_of({name: claim(**each) for name, each in changes.items()}, published)
    return {each.id: each for each in verdicts.judge(results, claimed)}


def pair(first: float, second: float = 0.9):
    """Return a study of a and b with spreads of their own."""
    return study({"a": accuracies(first)[::-1], "b": accuracies(second)})


@pytest.mark.parametrize(
    ("first", "published", "changes", "outcome"),
    [
        (0.95, {}, {}, REPLICATED),
        (0.95, PRINTED, {}, REPLICATED),
        (0.92, PRINTED, {}, SMALLER),
        (0.99, PRINTED, {}, LARGER),
        (0.85, PRINTED, {}, REVERSED),  # whatever the size
        (0.95, PRINTED, {"margin": 0.06}, f"{REPLICATED}, negligible"),
        (0.92, PRINTED, {"margin": 0.06}, f"{REPLICATED}, negligible"),  # whatever the size
        (0.85, {}, {"margin": 0.06}, f"{REVERSED}, negligible"),
        (0.9, PRINTED, {}, NO_EFFECT),
        (0.9, PRINTED, {"margin": 0.0005}, UNDECIDED),
        (0.9, {}, {"expect": "same"}, REPLICATED),
        (0.95, {}, {"expect": "same"}, REVERSED),
        (0.95, {}, {"not_testable": "it was trained before", "margin": None}, NOT_TESTABLE),
        (0.95, {}, {"by_construction": "a count"}, BY_CONSTRUCTION),
        (0.85, PRINTED, {"by_construction": "a count"}, FALSE_BY_CONSTRUCTION),
        (0.95, PRINTED, {"expect": "as_published", "margin": None}, REPLICATED),
        (0.96, PRINTED, {"expect": "as_published", "margin": None}, NOT_REPLICATED),
        (0.95, {}, {"variants": ["a", "z"]}, NOT_TESTABLE),
    ],
)
def test_one_word_for_the_headline(first, published, changes, outcome):
    found = judge_all(pair(first), published, x=changes)["x"]
    assert found.outcome == outcome
    assert outcome in verdicts.OUTCOMES
    assert bool(found.missing) == (outcome == NOT_TESTABLE)


def test_one_figure_of_several_that_no_run_has_is_one_too_many():
    results = study({"a": accuracies(0.95)}, test={"a": [[a - 0.05, a] for a in accuracies(0.95)]})
    asked = {"variants": ["a"], "expect": "as_published", "metric": "accuracy_by_epoch", "margin": None}
    assert judge_all(results, PRINTED, x=asked)["x"].outcome == REPLICATED
    other = PRINTED | {
        "a": PRINTED["a"].model_copy(update={"epochs": {1: Epoch(accuracy=0.92), 2: Epoch(accuracy=0.95)}})
    }
    found = judge_all(results, other, x=asked)["x"]
    assert found.outcome == NOT_REPLICATED
    assert [each.p_value > 0.05 for each in found.printed] == [False, True]


PARTS = {
    REPLICATED: {"variants": ["high", "low"]},
    SMALLER: {"variants": ["high", "low"], "published": 0.09},
    REVERSED: {"variants": ["low", "high"]},
    NO_EFFECT: {"variants": ["low", "alike"]},
    UNDECIDED: {"variants": ["low", "alike"], "margin": 0.0001},
    NOT_TESTABLE: {"not_testable": "no", "margin": None},
    BY_CONSTRUCTION: {"variants": ["high", "low"], "by_construction": "a count"},
}


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ([REPLICATED, SMALLER, BY_CONSTRUCTION], REPLICATED),
        ([REPLICATED, UNDECIDED], UNDECIDED),
        ([REPLICATED, NOT_TESTABLE], NOT_TESTABLE),
        ([NOT_TESTABLE, UNDECIDED, NO_EFFECT], NO_EFFECT),
        ([REVERSED, NO_EFFECT, REPLICATED, UNDECIDED], REVERSED),
    ],
)
def test_a_claim_made_of_others_holds_if_all_of_them_do(parts, outcome):
    results = study({"high": accuracies(0.95), "low": accuracies(0.9), "alike": accuracies(0.9)[::-1]})
    published = {"low": Published(report=2)}
    made_of = {name: PARTS[part] for name, part in zip("uvwx", parts, strict=False)}
    whole = {"variants": None, "expect": None, "margin": None, "all_of": list(made_of)}
    found = judge_all(results, published, whole=whole, **made_of)  # before its parts
    assert [found[name].outcome for name in made_of] == parts
    assert [each.outcome for each in found["whole"].parts] == parts
    assert found["whole"].outcome == outcome
    assert verdicts.metrics([found["whole"]])["whole"]["metric"] is None


def test_holm_counts_the_directions_of_a_report_and_nothing_else():
    of = {name: accuracies(0.9)[::-1] for name in "cdefgh"}
    results = study({"a": accuracies(0.9015)[::-1], "b": accuracies(0.9), **of})
    alone = judge(results).effect
    assert alone.corrected == alone.p_value > 0.001

    def corrected(**changes) -> float:
        others = {name: {"variants": [name, "b"], **changes} for name in "cdefgh"}
        found = judge_all(results, x={}, **others)["x"].effect
        assert found.p_value == alone.p_value
        return found.corrected

    assert corrected() == corrected(expect="less") == pytest.approx(7 * alone.p_value)
    assert corrected(report=2) == alone.p_value
    assert corrected(expect="same") == corrected(expect="not_more") == alone.p_value
    assert corrected(by_construction="a count") == corrected(not_testable="no", margin=None) == alone.p_value
    assert math.isnan(judge(results, expect="same").effect.corrected)


def test_a_direction_that_its_report_claims_with_others_needs_more():
    results = study({"a": accuracies(0.9015)[::-1], "b": accuracies(0.9)})
    assert judge(results).outcome == REPLICATED
    others = {f"x{i}": {"variants": ["b", "a"]} for i in range(20)}
    assert {each.outcome for each in judge_all(results, x={}, **others).values()} == {UNDECIDED}


KEYS = [
    "outcome", "effect", "size", "cause", "metric", "difference", "low", "high", "low_with_images", "high_with_images",
    "p_value", "corrected_p_value", "published", "share", "share_low", "share_high", "seeds",
]  # fmt: skip


def test_metrics_are_the_figures():
    results = study(
        {"a": accuracies(0.85), "b": accuracies(0.9), "c": accuracies(0.89)[::-1]},
        names={"a": "mlp-adam", "c": "mlp-adam-1e-3"},
    )
    asked = {"expect": "less", "published": -0.05, "cause": {"words": "the learning rate", "control": ["c", "b"]}}
    judged = judge_all(results, PRINTED, x=asked)["x"]
    row = verdicts.metrics([judged])["x"]
    assert [key for key in row if key != "stays"] == KEYS
    assert (row["outcome"], row["effect"], row["size"], row["cause"]) == (
        REPLICATED,
        CONFIRMED,
        "consistent",
        "explained",
    )
    assert (row["metric"], row["seeds"], row["published"]) == ("accuracy", [12, 12], -0.05)
    assert (row["difference"], row["share"]) == (pytest.approx(-0.05, abs=1e-6), pytest.approx(0.8, abs=1e-6))
    assert row["low_with_images"] < row["low"] < row["difference"] < row["high"] < row["high_with_images"]
    assert row["share_low"] < row["share"] < row["share_high"]
    assert row["p_value"] <= row["corrected_p_value"] < 0.001


@pytest.mark.parametrize(
    ("changes", "nothing"),
    [
        ({"not_testable": "no", "margin": None}, KEYS[5:16]),
        ({"expect": "same"}, ["corrected_p_value", "published", "share", "share_low", "share_high"]),
        ({"by_construction": "a count"}, ["p_value", "corrected_p_value", "published", "share"]),
        ({"variants": ["a", "z"]}, KEYS[5:16]),
        ({"metric": "epochs_to_reach", "reach": 0.99, "margin": 0.5}, ["difference", "low", "high", "low_with_images"]),
    ],
)
def test_metrics_are_null_where_there_is_no_figure(changes, nothing):
    metrics = verdicts.metrics([judge(pair(0.95), **changes)])
    assert all(metrics["x"][key] is None for key in nothing)
    json.dumps(metrics, allow_nan=False)
