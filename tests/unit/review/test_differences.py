"""How two revisions differ, and what of it is more than chance."""

import pandas as pd

from remnist.review import differences
from remnist.review.differences import Difference


def rows(revision: str, **accuracy: list[float]) -> list[dict[str, str]]:
    return [
        {"variant": v, "seed": str(seed), "accuracy": str(a), "rev": revision}
        for v, values in accuracy.items() for seed, a in enumerate(values)
    ]  # fmt: skip


def compared(table: pd.DataFrame) -> dict[str, Difference]:
    digits = table.assign(digit=table["seed"]).drop(columns="seed")
    return {v: differences.between(table, digits, v) for v in table["variant"].unique()}


def test_variants_that_came_and_went():
    table = pd.DataFrame(rows("workspace", old=[0.5, 0.6], new=[0.7, 0.8]) + rows("main", old=[0.5, 0.6], gone=[0.1]))
    assert differences.changed_variants(table) == {"new", "gone"}
    for variant, base, now in (("new", 0, 2), ("gone", 1, 0)):
        found = compared(table)[variant]
        assert (len(found.base), len(found.now)) == (base, now)
        assert found.p_value is None
        assert found.digit is None


def test_the_most_changed_digit():
    table = pd.DataFrame(rows("workspace", a=[0.5, 0.75]) + rows("main", a=[0.625, 1.0]))
    assert compared(table)["a"].digit == ("1", -0.25)


def test_a_column_that_an_older_revision_has_not_is_no_change():
    table = pd.DataFrame([*rows("workspace", a=[0.5], b=[0.7]), *rows("main", a=[0.5], b=[0.6])])
    table.loc[table["rev"] == "workspace", "low"] = "0.4"
    assert differences.changed_variants(table) == {"b"}


def test_what_is_beyond_noise_is_marked_up_or_down():
    low, high, noise = [0.81, 0.82, 0.83], [0.91, 0.92, 0.935], ([0.5, 0.9, 0.7], [0.6, 0.7, 0.9])
    table = pd.DataFrame(rows("workspace", a=high, b=noise[0], c=low) + rows("main", a=low, b=noise[1], c=high))
    assert differences.marks(compared(table)) == {"a": "▲", "c": "▼"}


def test_where_every_seed_differs_alike_the_number_of_seeds_decides():
    same, more = [0.5] * 6, [0.625] * 6
    table = pd.DataFrame(
        rows("workspace", a=more, few=more[:2], none=same) + rows("main", a=same, few=same[:2], none=same)
    )
    found = compared(table)
    assert {v: each.p_value for v, each in found.items()} == {"a": 2 / 2**6, "few": 2 / 2**2, "none": 1.0}
    assert (found["a"].mean, found["a"].low, found["a"].high) == (0.125, 0.125, 0.125)
    assert differences.marks({"a": found["a"]}) == {"a": "▲"}
    assert differences.marks({"few": found["few"], "none": found["none"]}) == {}


def test_variants_that_are_gone_come_last():
    table = pd.DataFrame(rows("workspace", b=[0.5], a=[0.5]))
    assert sorted(["gone", "a", "b", "also-gone"], key=differences.order(table)) == ["b", "a", "also-gone", "gone"]
