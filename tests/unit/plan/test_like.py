"""A variant that starts from another: what it inherits, what it drops, and what is refused."""

import pytest

from remnist.commands import demo
from remnist.errors import UserError
from remnist.files import read_yaml, write_text
from remnist.plan.comparisons import factors
from remnist.plan.resolve import resolve

FIRST = {"model": {"hidden": [32], "dropout": 0.0}, "train": {"optimizer": "adam", "betas": [0.5, 0.9], "lr": 0.1}}


def of(params, **variants):
    params["variants"] = {name.replace("_", "-"): changes for name, changes in variants.items()}
    return resolve(params)


def test_it_has_what_the_other_changes_and_what_it_changes_itself(params):
    plan = of(params, first=FIRST, second={"like": "first", "train": {"lr": 0.2}}, third={"like": "second", "seeds": 1})
    assert factors(plan["first"], plan["second"]) == ["train.lr"]
    assert factors(plan["second"], plan["third"]) == []
    assert plan["third"].seeds == params["seeds"][:1]


def test_seeds_are_inherited_and_can_be_stated_again(params):
    plan = of(params, a={"seeds": 1}, b={"like": "a"}, c={"like": "b", "seeds": [7, 8]}, d={"like": "c"})
    assert [plan[name].seeds for name in "abcd"] == [params["seeds"][:1]] * 2 + [[7, 8]] * 2


def test_what_its_own_choice_has_no_use_for_is_dropped_as_a_default_would_be(params):
    plan = of(params, first=FIRST, second={"like": "first", "train": {"optimizer": "sgd"}})
    assert factors(plan["first"], plan["second"]) == ["train.optimizer"]
    assert "betas" not in plan["second"].to_json()["train"]
    with pytest.raises(UserError, match=r"variants\.second\.train\.betas: .*no setting of sgd"):
        of(params, first=FIRST, second={"like": "first", "train": {"optimizer": "sgd", "betas": [0.5, 0.9]}})


def test_it_follows_the_default_that_neither_states(params):
    before = of(params, first=FIRST, second={"like": "first"})
    params["train"]["epochs"] += 1
    after = resolve(params)
    assert after["second"].train.epochs == before["second"].train.epochs + 1


@pytest.mark.parametrize(
    ("like", "message"),
    [
        ("nobody", r"variants\.b\.like: \"nobody\": no variant of params\.yaml"),
        (["a"], r"variants\.b\.like: \[\"a\"\]: no variant"),
        ("b", r"variants\.b\.like: \"b\": a variant cannot be like itself"),
        ("c", r"like: \"b\": a variant cannot be like itself"),
    ],
)
def test_a_variant_that_it_cannot_be_like_is_refused(params, like, message):
    with pytest.raises(UserError, match=message):
        of(params, a={}, b={"like": like}, c={"like": "b"})


def test_a_wrong_value_is_reported_where_it_stands(params):
    with pytest.raises(UserError) as caught:
        of(params, first={"model": {"dropout": 1.5}}, second={"like": "first"})
    assert str(caught.value) == "variants.first.model.dropout: 1.5: allowed: less than 1"


def test_wrong_seeds_are_reported_once_where_they_stand(params):
    with pytest.raises(UserError) as caught:
        of(params, first={"seeds": [-1]}, second={"like": "first"}, third={"like": "second"})
    assert str(caught.value).startswith("variants.first.seeds")
    assert "second" not in str(caught.value)


def test_several_variants_can_do_without_one_that_all_are_like(tmp_path, params):
    study, path, kept = resolve(params), tmp_path / "params.yaml", ["loss-kldiv", "regularize-l2", "activation-gelu"]
    write_text(path, (demo.ROOT / "params.yaml").read_text("utf-8"))
    demo.change_parameters(path, {}, kept, None)
    assert resolve(read_yaml(path)) == {name: study[name] for name in study if name in kept}


def test_every_variant_can_do_without_those_that_it_is_like(tmp_path, params):
    """As in the demonstration, which drops most."""
    study, path = resolve(params), tmp_path / "params.yaml"
    text = (demo.ROOT / "params.yaml").read_text("utf-8")
    for name in [name for name, changes in params["variants"].items() if "like" in (changes or {})]:
        write_text(path, text)
        demo.change_parameters(path, {}, [name], None)
        content = read_yaml(path)
        assert list(content["variants"]) == [name]
        assert resolve(content) == {name: study[name]}
