"""How often an outcome stays when the seeds are drawn again."""

import pytest

from remnist.plan.claims import Published
from remnist.report import stability, verdicts
from tests.support.studies import accuracies, claim, claims_of, study

PRINTED = {"a": Published(report=1, accuracy=0.95), "b": Published(report=1, accuracy=0.9)}


@pytest.fixture(autouse=True)
def draws(monkeypatch):
    monkeypatch.setattr(stability, "STUDIES", 20)


def stays(results, *, published=None, **changes):
    claimed = {name: claim(**each) for name, each in changes.items()}
    return {each.id: each.stays for each in verdicts.judge(results, claims_of(claimed, published))}


@pytest.mark.parametrize(
    ("first", "changes", "least", "most"),
    [
        (0.95, {}, 1, 1),
        (0.9, {"margin": 0.02}, 0.7, 1),
        (0.9012, {}, 0.2, 0.9),  # as often found as not
        (0.95, {"expect": "as_published", "margin": None}, 1, 1),
        (0.953, {"expect": "as_published", "margin": None}, 0.1, 0.95),
    ],
)
def test_clear_outcomes_stay_and_close_ones_do_not(first, changes, least, most):
    results = study({"a": accuracies(first)[::-1], "b": accuracies(0.9)})
    found = stays(results, published=PRINTED, x=changes)["x"]
    assert least <= found <= most
    assert found == stays(results, published=PRINTED, x=changes)["x"]  # the same each time


def test_what_cannot_come_out_otherwise_has_no_share():
    results = study({"a": accuracies(0.95), "b": accuracies(0.9)})
    asked = {"made": {"by_construction": "a count"}, "none": {"not_testable": "no", "margin": None},
             "lacking": {"variants": ["a", "z"]}}  # fmt: skip
    assert stays(results, **asked) == dict.fromkeys(asked)


def test_a_claim_made_of_others_stays_as_long_as_they_do():
    results = study({"a": accuracies(0.9012)[::-1], "b": accuracies(0.9)})
    whole = {"variants": None, "expect": None, "margin": None, "all_of": ["x"]}
    found = stays(results, x={}, whole=whole)
    assert found["whole"] == found["x"] < 1
