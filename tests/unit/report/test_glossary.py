"""The report's words: each has a meaning, and a report explains those that it uses."""

from typing import get_args

import pytest

from remnist.plan.claims import Metric
from remnist.report import glossary, verdicts
from tests.support.studies import accuracies, claim, claims_of, render, study


def test_every_outcome_and_every_metric_has_a_meaning():
    assert list(glossary.OUTCOMES) == list(verdicts.OUTCOMES)
    assert set(glossary.METRICS) == set(get_args(Metric))


@pytest.fixture(scope="module")
def pair():
    return study({"a": accuracies(0.92)[::-1], "b": accuracies(0.9)})


@pytest.mark.parametrize(
    ("changes", "explained", "other"),
    [
        ({}, "*Accuracy*", "*Weight norm*"),
        ({"metric": "weight_norm", "margin": 0.05}, "*Weight norm*", "*Loss variation*"),
        ({"metric": "roc_auc_worst_digit"}, "*ROC-AUC of the worst digit*", "*Weight norm*"),
        ({"found_digits": True}, "*Runs with all digits*", "*Weight norm*"),
    ],
)
def test_a_report_explains_the_metrics_of_its_claims(pair, changes, explained, other):
    terms = render(pair, claims_of({"x": claim(**changes)})).split("## Terms")[1].split("\n## ")[0]
    assert f"\n- {explained}: " in terms
    assert other not in terms


def test_a_report_explains_its_outcomes_before_anything_else(pair):
    asked = {"x": claim(says="a beats b"), "y": claim(says="it is so", by_construction="a count")}
    opening = render(pair, claims_of(asked)).partition("\n## ")[0]
    assert f"| 1 | **replicated** | {glossary.OUTCOMES['replicated']} |" in opening
    assert "| 1 | **by construction** |" in opening
    assert "undecided" not in opening


def test_without_claims_there_is_nothing_to_explain(pair):
    text = render(pair, claims_of())
    assert "## Terms" not in text
    assert "(#terms)" not in text
