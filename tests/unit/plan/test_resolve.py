"""params.yaml to plan: each variant's settings in full."""

import json

import pytest

from remnist.errors import UserError
from remnist.plan.resolve import lineage, trained_images
from remnist.plan.resolve import resolve as resolved
from remnist.settings import Images, Xor


def resolve(params: dict) -> dict[str, dict]:
    """Return every variant's entry of the plan."""
    return {name: variant.to_json() for name, variant in resolved(params).items()}


def values(plan: dict, section: str, key: str) -> set:
    return {entry[section].get(key) for entry in plan.values()}


def test_variant_states_only_what_it_changes(params):
    plan = resolve(params)
    assert list(plan) == list(params["variants"])
    baseline = {"name": "mlp", "hidden": [100, 80], "activation": "relu", "batch_norm": False, "dropout": 0.2}
    assert plan["mlp-baseline"]["model"] == baseline
    assert plan["mlp-dropout-50"]["model"] == baseline | {"dropout": 0.5}
    assert plan["lr-1e-4"]["train"]["lr"] == 0.0001
    assert plan["mlp-baseline"]["seeds"] == params["seeds"]
    assert len({json.dumps(entry) for entry in plan.values()}) == len(plan)


def test_default_reaches_exactly_the_variants_that_do_not_set_it(params):
    before = resolve(params)
    params["model"]["dropout"] = 0.35
    after = resolve(params)
    changed = {name for name in before if before[name] != after[name]}
    variants = params["variants"]
    own = {
        name for name in variants
        if any("dropout" in (variants[each].get("model") or {}) for each in lineage(name, variants))
    }  # fmt: skip
    without = {name for name, entry in before.items() if "dropout" not in entry["model"]}
    assert "mixer-standard" in without
    assert changed == set(before) - own - without
    assert 0 < len(own) < len(before)


def test_default_of_another_optimizer_changes_nothing(params):
    before = resolve(params)
    params["train"]["momentum"] = 0.8
    after = resolve(params)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"mlp-baseline", "mlp-dropout-50", "mlp-deep-500", "mlp-wide-588", "mixer-token-norm-sgd"}
    assert "momentum" not in after["mlp-adam"]["train"]
    assert "betas" not in after["mlp-baseline"]["train"]


def test_changed_default_optimizer_keeps_variants_that_name_theirs(params):
    params["train"]["optimizer"] = "adam"
    plan = resolve(params)
    assert plan["mlp-baseline"]["train"]["betas"] == [0.9, 0.999]
    assert plan["momentum-90"]["train"]["optimizer"] == "sgd"


def test_empty_variant_and_null_section_are_the_defaults(params):
    params["variants"] = {"a": {}, "b": None, "c": {"model": None}}
    plan = resolve(params)
    assert plan["a"] == plan["b"] == plan["c"]


def test_whole_number_and_float_resolve_alike(params):
    params["variants"] = {"a": {"model": {"dropout": 0}}, "b": {"model": {"dropout": 0.0}}}
    plan = resolve(params)
    assert json.dumps(plan["a"]) == json.dumps(plan["b"])


@pytest.mark.parametrize(("name", "held_out"), [("mnist", 0), ("mnist", 59_999), ("digits", 0), ("digits", 1_436)])
def test_any_number_of_images_but_all_can_be_held_out(params, name, held_out):
    params["data"] |= {"name": name, "validation": held_out}
    params["variants"] = {"x": {}, "xor": {"data": {"name": "xor"}}}
    assert values(resolve(params), "data", "validation") == {held_out, None}  # XOR holds nothing out


def test_a_number_of_seeds_takes_the_first_of_the_studys(params):
    params["seeds"] = [5, 3, 8, 1]
    params["variants"] = {"a": {"seeds": 2}, "b": {"seeds": 9}, "c": {"seeds": [7]}, "d": {}}
    seeds = {name: entry["seeds"] for name, entry in resolve(params).items()}
    assert seeds == {"a": [5, 3], "b": [5, 3, 8, 1], "c": [7], "d": [5, 3, 8, 1]}


def test_a_variant_that_does_not_say_takes_as_many_seeds_as_the_study_says(params):
    params |= {"seeds": [5, 3, 8, 1], "seeds_per_variant": 2}
    params["variants"] = {"a": {"seeds": 3}, "b": {}, "c": {"like": "a"}, "d": {"seeds": [7]}}
    seeds = {name: entry["seeds"] for name, entry in resolve(params).items()}
    assert seeds == {"a": [5, 3, 8], "b": [5, 3], "c": [5, 3, 8], "d": [7]}
    params["seeds"] = [9]
    assert {tuple(entry["seeds"]) for entry in resolve(params).values()} == {(9,), (7,)}


@pytest.mark.parametrize("value", [0, -1, 1.5, "all", [1], None])
def test_a_wrong_number_of_seeds_is_named(params, value):
    params["seeds_per_variant"] = value
    with pytest.raises(UserError, match=r"^seeds_per_variant: "):
        resolve(params)


def test_only_the_settings_of_what_is_chosen_are_in_the_plan(params):
    plan = resolve(params)
    assert plan["xor"]["data"] == {"name": "xor"}
    assert plan["kldiv-batchmean"]["train"]["reduction"] == "batchmean"
    assert not {"reduction", "betas", "alpha"} & plan["mlp-baseline"]["train"].keys()
    assert not {"hidden", "dropout"} & plan["resmlp"]["model"].keys()


def test_a_default_of_shifts_does_not_reach_xor(params):
    params["train"]["random_shift"] = 1
    plan = resolved(params)
    assert plan["xor"].augmentation is None
    assert plan["mlp-baseline"].augmentation.random_shift == 1
    assert "random_shift" not in plan["xor"].to_json()["train"]


def test_images_trained_on():
    mnist = Images(name="mnist", validation=0, normalize=False, image_size=28)
    assert trained_images(mnist) == 60_000
    assert trained_images(mnist.model_copy(update={"validation": 5_000})) == 55_000
    assert trained_images(Xor(name="xor")) == 1_000
