"""The review's Markdown, from what DVC reports."""

from typing import Any

import pandas as pd
import pytest

from remnist.review import differences, pull_request, rendering
from remnist.review.differences import Difference

NONE: dict[str, Any] = {pull_request.PLAN: {}, pull_request.DIGESTS: {}, pull_request.CLAIMS: {}}


def render(params: dict[str, Any] = NONE, **content: Any) -> str:
    defaults: dict[str, Any] = {
        "base": "main", "total": 3, "found": {}, "marks": {}, "summary": {}, "verdicts": {}, "shifts": {}, "claims": {},
        "fragile": set(), "plots": [], "absent": [],
        "settings": pull_request.settings(params), "recoded": pull_request.recoded(params),
    }  # fmt: skip
    return rendering.render("review.md.j2", **defaults | content)


def change(old: Any, new: Any) -> dict[str, Any]:
    return {"old": old, "new": new}


def digests(old: Any, new: Any, **software: tuple[str, str]) -> dict[str, Any]:
    """Return what DVC reports of digests.json, a list as text."""
    listed = change(*(None if side is None else str([side]) for side in (old, new)))
    return {"digests": listed} | {f"software.{name}": change(*versions) for name, versions in software.items()}


def test_nothing_changed():
    text = render()
    assert "**0 of 3 variants affected, 0 of them beyond noise; 0 outcomes flipped.**" in text
    for none in ("None changed.", "None affected.", "None flipped."):
        assert none in text
    assert "|" not in text


def test_many_variants_are_folded():
    plan = {f"v{i}.train.lr": change(0.1, 0.2) for i in range(9)} | {"v0.model.hidden": change("[100, 80]", "[9]")}
    text = render(NONE | {pull_request.PLAN: plan, pull_request.CLAIMS: {"claims.x.margin": change(0.1, 0.3)}})
    assert "| `train.lr` | 0.1 | 0.2 | <details><summary>9 variants</summary>`v0`, `v1`" in text
    assert "| `model.hidden` | [100, 80] | [9] | `v0` |" in text
    assert "| `claims.x.margin` | 0.1 | 0.3 |  |" in text


def test_code_that_changed_is_named_where_no_setting_did():
    old = {"train": {"odd": "1", "set": "1", "gone": "1"}, "evaluate": {"odd": "1", "set": "1"}, "report": "1"}
    new = {"train": {"odd": "2", "set": "2", "came": "1"}, "evaluate": {"odd": "1", "set": "1"}, "report": "2"}
    text = render(NONE | {pull_request.PLAN: {"set.train.lr": change(1, 2)}, pull_request.DIGESTS: digests(old, new)})
    assert "| code of training |  |  | `odd` |" in text
    assert "| code of the report |  |  |  |" in text
    assert "of evaluation" not in text


def test_code_of_evaluation():
    found = digests({"train": {"a": "1"}, "evaluate": {"a": "1"}}, {"train": {"a": "1"}, "evaluate": {"a": "2"}})
    assert "| code of evaluation |  |  | `a` |" in render(NONE | {pull_request.DIGESTS: found})


def test_versions_of_libraries_are_named():
    found = digests({"train": {"a": "1"}}, {"train": {"a": "2"}}, torch=("2.15.0", "2.16.0"))
    text = render(NONE | {pull_request.DIGESTS: found})
    assert "| `software.torch` | 2.15.0 | 2.16.0 |  |" in text
    assert "| code or libraries of training |  |  | `a` |" in text


@pytest.mark.parametrize("sides", [(None, {"train": {"a": "1"}}), ({"train": {"a": "1"}}, None)])
def test_a_revision_without_digests_says_nothing_of_code(sides):
    assert pull_request.recoded(NONE | {pull_request.DIGESTS: digests(*sides)}) == {}


def test_affected_variants():
    seeds = {("main", "a"): [0.81, 0.82], ("workspace", "a"): [0.91, 0.925], ("workspace", "new"): [0.5]}
    table = pd.DataFrame([
        {"variant": v, "seed": str(seed), "digit": str(seed), "accuracy": str(a), "rev": revision}
        for (revision, v), values in seeds.items() for seed, a in enumerate(values)
    ])  # fmt: skip
    found: dict[str, Difference] = {v: differences.between(table, table, v) for v in ("a", "new")}
    summary = {"a.loss": {"diff": -0.25}, "new.loss": change(None, 0.5)}
    text = render(found=found, marks={"a": "▲"}, summary=summary)
    assert "**2 of 3 variants affected, 1 of them beyond noise; 0 outcomes flipped.**" in text
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    rows = {line.split("`")[1]: [cell.strip() for cell in line.split("|")[2:-1]] for line in lines}
    assert rows["a"] == [
        "81.50 ± 0.71 %", "91.75 ± 1.06 %", "+10.25", "[+7.07, +13.43]", "▲", "-0.2500", "", "1: +10.50"
    ]  # fmt: skip
    assert rows["new"] == ["", "50.00 %", "", "", "", "", "", ""]


def test_a_flipped_verdict_has_its_difference_in_the_claims_unit():
    judged = {name: {"metric": metric} for name, metric in (("faster", "epochs_to_reach"), ("better", "accuracy"))}
    changes = {"faster.difference": change(-1.5, 0.25), "better.difference": change(0.0125, None)}
    shifts = pull_request.shifts(changes, judged)
    assert shifts == {"faster": "-1.5 epochs → +0.2 epochs", "better": "+1.25 points"}
    verdicts = {"better": change("replicated, smaller", None), "faster": change("replicated", "no effect")}
    text = render(verdicts=verdicts, shifts=shifts)
    assert "| `faster` | replicated | no effect | -1.5 epochs → +0.2 epochs |" in text
    assert "| `better` | replicated, smaller |  | +1.25 points |" in text
    assert "2 outcomes flipped" in text


def test_a_claim_that_took_another_metric_or_went_has_the_units_of_both():
    changes = {
        "other.difference": change(2, 0.02), "other.metric": change("epochs_to_reach", "accuracy"),
        "gone.difference": change(3, None), "gone.metric": change("epochs_to_reach", None),
    }  # fmt: skip
    assert pull_request.shifts(changes, {"other": {"metric": "accuracy"}}) == {
        "other": "+2.0 epochs → +2.00 points", "gone": "+3.0 epochs"
    }  # fmt: skip


def test_a_claim_made_of_others_has_no_difference_of_its_own():
    changes = {"x.difference": change(0.0125, None), "x.metric": change("accuracy", None)}
    assert pull_request.shifts(changes, {"x": {"metric": None}}) == {"x": "+1.25 points"}  # which had one before
    text = render(verdicts={"x": change("undecided", "reversed")}, shifts=pull_request.shifts({}, {}))
    assert "| `x` | undecided | reversed |  |" in text


def test_a_flip_that_other_seeds_would_make_as_well_is_called_fragile():
    judged = {
        "steady": {"stays": 0.95}, "now": {"stays": 0.5}, "before": {"stays": 1.0}, "fixed": {"stays": None},
        "new": {"stays": 0.8},
    }  # fmt: skip
    changes = {
        "before.stays": change(0.6, 1.0), "gone.stays": change(0.1, None), "new.stays": change(None, 0.8),
        "gone.difference": change(0.1, None),
    }  # fmt: skip
    fragile = pull_request.fragile(changes, judged)
    assert fragile == {"now", "before", "gone"}
    verdicts = {name: change("undecided", "replicated") for name in ("steady", "now")}
    text = render(verdicts=verdicts, fragile=fragile)
    assert "| `steady` | undecided | replicated |  |" in text
    assert "| `now` | undecided | replicated (fragile) |  |" in text
    assert text.count("*Fragile*") == 1
    assert "*Fragile*" not in render(verdicts={"steady": change("undecided", "replicated")}, fragile=fragile)


def test_what_a_claim_says_breaks_no_table():
    claims = {"x": {"says": "a | b <b>"}}
    text = render(base="ma|in", verdicts={"x": change("replicated", "reversed")}, claims=claims)
    [row] = [line for line in text.splitlines() if line.startswith("| `x`")]
    assert row == r"| `x`: a \| b \<b\> | replicated | reversed |  |"
    assert r"| claim | ma\|in | workspace | difference |" in text


def test_the_first_picture_is_unfolded():
    text = render(plots=["accuracy", "learning_curves"])
    assert "\n![accuracy](accuracy.png)\n" in text
    assert (
        "<details><summary>learning curves</summary>\n\n![learning_curves](learning_curves.png)\n\n</details>" in text
    )
