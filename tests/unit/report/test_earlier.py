"""The same claims on earlier runs of other seeds."""

import dataclasses

import pandas as pd
import pytest

from remnist.errors import UserError
from remnist.report import earlier
from remnist.report.verdicts import NO_EFFECT, REPLICATED, REVERSED
from tests.support.studies import accuracies, claim, claims_of, judge, render, study

CLAIMS = {
    "up": claim(),
    "down": claim(variants=["b", "a"]),
    "both": claim(variants=None, expect=None, margin=None, all_of=["up", "down"]),
    "new": claim(variants=["a", "c"]),
    "other": claim(metric="loss"),
    "late": claim(epoch=1),
    "level": claim(variants=["a"], level=0.5),
    "never": claim(margin=None, not_testable="no"),
}


@pytest.fixture
def results():
    return study({"a": accuracies(0.9)[::-1], "b": accuracies(0.9), "c": accuracies(0.9)})


@pytest.fixture
def path(tmp_path):
    rows = {"a": accuracies(0.95), "b": [*accuracies(0.9)[1:], None], "gone": accuracies(0.5)}
    made = tmp_path / "earlier.csv"
    pd.DataFrame(rows).T.rename_axis("variant").to_csv(made)
    return made


@pytest.fixture
def claimed():
    return claims_of(CLAIMS).model_copy(update={"earlier": "seeds of another study"})


def test_claims_of_final_accuracies_are_judged_by_the_same_rules(results, claimed, path):
    found = earlier.judge(results, claimed, path)
    assert {name: each.outcome for name, each in found.items()} == {
        "up": REPLICATED, "down": REVERSED, "both": REVERSED
    }  # fmt: skip
    assert found["up"].effect.family == 2  # corrected for those that can be tried
    assert len(found["up"].effect.samples[1].values) == 11
    assert found["up"].stays == 1


def test_the_report_says_which_outcomes_differ_and_whether_they_were_fragile(results, claimed, path):
    before = earlier.judge(results, claimed, path)
    text = render(results, claimed, before)
    assert "## Other seeds" in text
    assert "on seeds of another study." in text
    assert "0 of 3 outcomes are the same here. Of the 3 that differ, 0 were *fragile* there" in text
    assert f"| {REPLICATED} | 100 % | **{judge(results).outcome}** |" in text
    assert judge(results).outcome == NO_EFFECT
    assert "Other seeds" not in render(results, claimed)


def test_without_earlier_runs_or_on_other_data_there_is_nothing_to_try(results, claimed, path):
    assert earlier.judge(results, claims_of(CLAIMS), path) == {}
    assert earlier.judge(results, claimed.model_copy(update={"data": "kmnist"}), path) == {}


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n", "variant,0\na,high\n"])
def test_a_table_that_is_none_is_named(results, claimed, path, content):
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=r"earlier\.csv: .*; it has a row a variant, a column a seed$"):
        earlier.judge(results, claimed, path)


def test_a_run_whose_settings_are_those_of_no_variant_is_left_out(results, claimed, path):
    plan = {name: variant for name, variant in results.plan.items() if name != "b"}
    assert earlier.judge(dataclasses.replace(results, plan=plan), claimed, path) == {}
