"""The values that claims compare: each metric by hand, and epochs that are never reached."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from remnist.plan.claims import Published
from remnist.report import verdicts, words
from remnist.report.measures import NotMeasuredError, measure
from remnist.report.verdicts import NOT_TESTABLE, UNDECIDED, UPHELD
from tests.support.studies import accuracies, claim, judge, study, variant


def values(results, **changes) -> pd.DataFrame:
    return measure(results, {}, claim(**changes)).values


def test_only_seeds_in_common_are_compared():
    results = study({"a": accuracies(0.91, 3), "b": accuracies(0.9)})
    table = values(results)
    assert list(table.index) == [0, 1, 2]
    assert list(table["first"]) == results.runs["accuracy"][:3].to_list()


@pytest.mark.parametrize(
    ("changes", "first", "second"),
    [
        ({"metric": "generalization_gap"}, [0.03, 0.02], [0.04, 0.05]),
        ({"metric": "train_accuracy"}, [0.99, 0.99], [0.99, 0.99]),
        ({"metric": "epochs_to_reach", "reach": 0.95}, [2, 4], [1, 3]),
        ({"metric": "roc_auc_worst_digit", "variants": ["a"], "level": 0.5}, [0.98, 0.98], [0.5, 0.5]),
        ({"metric": "digit_deviation", "variants": ["a"], "level": 0.02}, [0.04, 0.05], [0.02, 0.02]),
        ({"metric": "resolution", "level": 0.01}, [0.01, 0.012], [0.01, 0.01]),
    ],
)
def test_metrics_by_hand(changes, first, second):
    results = study(
        {"a": [0.96, 0.97], "b": [0.95, 0.94]},
        validation={"a": [[0.9, 0.95, 0.94], [0.9, 0.91, 0.92]], "b": [[0.96, 0.9, 0.9], [0.9, 0.9, 0.96]]},
        train=0.99,
    )
    published = {"a": Published(report=5, digits=[0.92, *[0.95] * 9])}
    table = measure(results, published, claim(**changes)).values
    # Two runs that disagree on 10 images are distinguished by 10 to 0, 9 to 1 being p = 0.021; on 30, by 21 to 9.
    assert table["first"].to_list() == pytest.approx(
        first if changes["metric"] != "resolution" else [0.008, 0.012], abs=1e-9
    )
    assert table["second"].to_list() == pytest.approx(second)


def test_ensembles_are_compared_over_variants():
    results = study({name: [0.9, 0.91 + place / 1000] for place, name in enumerate("abcdef")})
    for metric, gain in (("average_of_five", 0.01), ("vote_of_five", 0.005)):
        table = values(results, variants=[], metric=metric, level=0.0)
        assert list(table.index) == list("abcdef")
        assert table["first"].to_list() == pytest.approx([gain] * 6)
    of_three = pd.DataFrame([{"variant": "a", "members": 3, "average": 1.0, "vote": 1.0}])
    results = dataclasses.replace(study({"a": [0.9, 0.91]}), ensembles=of_three)
    with pytest.raises(NotMeasuredError, match="with five seeds: 0"):
        values(results, variants=[], metric="average_of_five", level=0.0)


def reached(*epochs: int | None, horizon: int) -> list[list[float]]:
    """Return validation curves of runs that reach 0.95 at these epochs, or never."""
    return [[0.95 if epoch == first else 0.9 for epoch in range(1, horizon + 1)] for first in epochs]


def slowness(first, second, horizons=(8, 8), **changes):
    """Judge a claim that a variant reaches 0.95 later than another, or later than epoch 3 if there is no other."""
    curves = {"a": reached(*first, horizon=horizons[0])}
    curves |= {"b": reached(*second, horizon=horizons[1])} if second else {}
    results = study({name: [0.9] * len(runs) for name, runs in curves.items()}, validation=curves)
    one = {} if second else {"variants": ["a"], "level": 3.0}
    return judge(results, **{"metric": "epochs_to_reach", "reach": 0.95, **one, **changes})


NEVER = [None] * 6


@pytest.mark.parametrize("changes", [{}, {"expect": "less"}, {"expect": "same", "margin": 0.5}])
@pytest.mark.parametrize("horizons", [(8, 8), (5, 8), (8, 5)])
def test_a_level_that_no_run_reaches_tells_nothing(changes, horizons):
    judged = slowness(NEVER, NEVER, horizons, **changes)
    assert judged.outcome == NOT_TESTABLE
    assert judged.finding.missing == f"no run reaches 95 % within {min(horizons)} epochs"


def test_variants_are_compared_up_to_the_epoch_that_both_have():
    judged = slowness([7, 8, 8, 8, 8, 8], [2, 1, 2, 1, 2, 1], (8, 3))
    assert judged.finding.values["first"].to_list() == [4] * 6  # 3 epochs and one more, whatever they reach later
    assert judged.outcome == UPHELD


@pytest.mark.parametrize(
    ("expect", "sides"), [("more", ([5, 6, 7, 6, None, None], [2, 3, 2, 3, 2, 3])),
                          ("less", ([2, 3, 2, 3, 2, 3], [5, 6, 7, 6, None, None]))],
)  # fmt: skip
def test_runs_of_the_slower_variant_that_never_get_there_count_as_little_as_they_can(expect, sides):
    judged = slowness(*sides, expect=expect)
    slower = "first" if expect == "more" else "second"
    assert judged.finding.values[slower].to_list() == [5, 6, 7, 6, 9, 9]
    assert judged.outcome == UPHELD
    name = {"first": "a", "second": "b"}[slower]
    note = f"2 of 6 runs of `{name}` never reach 95 %, counted as epoch 9"
    assert note in words.with_interval(judged.finding)


def test_runs_that_never_get_there_are_judged_without_their_spread():
    """Student's test would take the substitute's small spread for known, and be sure."""
    judged = slowness([3, 3, 3, 3, 3, None], [2, 2, 2, 2, 2, 7])
    assert judged.finding.differences.tolist() == [1, 1, 1, 1, 1, 2]
    assert judged.finding.p_value == judged.finding.exact_p_value == 2 / 2**6
    assert "[" not in words.with_interval(judged.finding)
    [row] = verdicts.metrics([judged]).values()
    assert (row["difference"], row["low"], row["high"]) == (round(7 / 6, 6), None, None)


def test_runs_that_never_get_there_refute_nothing():
    """Two of six never do, so the mean difference may be as large as one likes; the others are faster."""
    judged = slowness([1, 1, 1, 1, 1, None], [8, 8, 8, 8, 8, 8])
    assert judged.finding.difference < 0
    assert judged.outcome == UNDECIDED


@pytest.mark.parametrize(
    ("first", "second", "changes", "count"),
    [
        ([2, 2, 2, 2, 2, None], [5, 6, 7, 6, 5, 6], {"expect": "less"}, "1 of 12"),  # the one claimed to be faster
        ([5, 6, 7, None, None, None], [2, 2, 2, None, 2, 2], {}, "4 of 12"),  # both
        ([5, 6, 7, None, None, None], [2] * 6, {"expect": "same", "margin": 1.0}, "3 of 12"),
        ([5, 6, 7, None, None, None], [2] * 6, {"expect": "not_more", "margin": 1.0}, "3 of 12"),
        ([5, 6, 7, None, None, None], [2] * 6, {"expect": "not_less", "margin": 1.0}, "3 of 12"),
        ([5, 6, 7, None, None, None], [2] * 6, {"at_least": 1.0}, "3 of 12"),  # the size could be reached or not
        ([5, 6, 7, None, 6, 5], None, {"expect": "more"}, "1 of 6"),
        ([5, 6, 7, None, 6, 5], None, {"expect": "same", "margin": 3.0}, "1 of 6"),
    ],
)
def test_runs_that_never_get_there_leave_the_rest_open(first, second, changes, count):
    judged = slowness(first, second, **changes)
    assert judged.outcome == NOT_TESTABLE
    assert judged.finding.missing == f"{count} runs never reach 95 % within 8 epochs"


@pytest.mark.parametrize(
    "changes",
    [{}, {"metric": "resolution", "level": 0.01}, {"metric": "generalization_gap"},
     {"metric": "epochs_to_reach", "reach": 0.5}],
)  # fmt: skip
def test_variants_with_other_test_images_are_not_compared(changes):
    results = study({"a": accuracies(0.9), "b": accuracies(0.8)})
    results.plan["b"] = variant(12, name="xor")
    results.labels["b"] = np.array([0, 1, 1, 0], np.uint8)
    results.predictions["b"] = np.tile(results.labels["b"], (12, 1))
    judged = judge(results, **changes)
    assert judged.outcome == NOT_TESTABLE
    assert judged.finding.missing == "`a` and `b` have other test images"
