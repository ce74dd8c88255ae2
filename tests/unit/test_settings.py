"""The settings of params.yaml: the registry of choices, and a variant there and back."""

import dataclasses
import json
from typing import get_args

import pytest
from pydantic import ValidationError

from remnist.errors import UserError
from remnist.plan.resolve import resolve
from remnist.settings import ALWAYS, CHOICES, SECTIONS, Variant, tags
from tests.support.variants import SMALL, digits

SELECTORS = [(section, selector) for section in SECTIONS for selector in CHOICES[section]]
CHOSEN = [(section, selector, name) for section, selector in SELECTORS for name in tags(section, selector)]
ALL = [kind for section in SECTIONS for kind in (*ALWAYS[section], *sum(CHOICES[section].values(), ()))]


def lines(params) -> list[str]:
    with pytest.raises(UserError) as error:
        resolve(params)
    return str(error.value).splitlines()


def test_every_variant_goes_to_json_and_comes_back(params):
    for name, variant in resolve(params).items():
        text = json.dumps(variant.to_json(), allow_nan=False)
        assert Variant.from_json(json.loads(text)) == variant, name


@pytest.mark.parametrize(("section", "selector", "name"), [c for c in CHOSEN if c[0] != "data"])
def test_every_choice_goes_to_json_and_comes_back(section, selector, name):
    changes = {selector: name} | (SMALL[name] if section == "model" else {})
    variant = digits(data={"image_size": 20}, **{section: changes})
    assert Variant.from_json(variant.to_json()) == variant
    assert variant.to_json()[section][selector] == name


@pytest.mark.parametrize("name", tags("data", "name"))
def test_every_data_set_goes_to_json_and_comes_back(params, name):
    if name == "xor":
        variant = resolve(params)["xor"]
    else:
        params["data"]["name"] = name
        variant = resolve(params)["mlp-baseline"]
    assert Variant.from_json(variant.to_json()) == variant
    assert variant.to_json()["data"]["name"] == name


def test_an_entry_has_the_sections_of_params_and_begins_with_what_was_chosen(params):
    for variant in resolve(params).values():
        entry = variant.to_json()
        assert list(entry) == [*SECTIONS, "seeds"]
        assert next(iter(entry["model"])) == "name"


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_setting_says_what_it_is(kind):
    assert kind.__doc__
    selectors = {selector for _, selector in SELECTORS}
    for name, field in kind.model_fields.items():
        if name not in selectors:
            assert field.description, name
            assert len(field.description) > 5, name


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_no_setting_has_a_default(kind):
    assert all(field.is_required() for field in kind.model_fields.values())


@pytest.mark.parametrize(("section", "selector", "name"), CHOSEN)
def test_an_unknown_key_is_refused(section, selector, name):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        tags(section, selector)[name].model_validate({selector: name, "unheard_of": 1})


@pytest.mark.parametrize(("section", "selector"), SELECTORS)
def test_an_unknown_choice_is_refused(params, section, selector):
    entry = resolve(params)["mlp-baseline"].to_json()
    entry[section][selector] = "unheard-of"
    with pytest.raises(KeyError, match="unheard-of"):
        Variant.from_json(entry)
    params["variants"] = {"x": {section: {selector: "unheard-of"}}}
    [line] = lines(params)
    assert line == f'variants.x.{section}.{selector}: "unheard-of": allowed: {", ".join(tags(section, selector))}'


def test_settings_cannot_be_changed(variant):
    with pytest.raises(ValidationError, match="frozen"):
        variant.train.lr = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        variant.seeds = [7]


@pytest.mark.parametrize(("section", "selector"), SELECTORS)
def test_a_name_chooses_one_class(section, selector):
    kinds = CHOICES[section][selector]
    names = [name for kind in kinds for name in get_args(kind.model_fields[selector].annotation)]
    assert len(names) == len(set(names)) == len(tags(section, selector))
    assert set(tags(section, selector).values()) == set(kinds)


@pytest.mark.parametrize(
    ("section", "key", "value", "rule"),
    [
        ("model", "dropout", 2, "less than 1"),
        ("train", "lr", 0, "greater than 0"),
        ("train", "momentum", 1, "less than 1"),
        ("train", "label_smoothing", 1, "less than 1"),
        ("data", "image_size", 0, "greater than or equal to 1"),
    ],
)
def test_an_error_names_the_place_that_states_the_value(params, section, key, value, rule):
    """The variant's where it states the value; else the default's, and once for however many variants."""
    stated = {"x": {section: {key: value}}, "y": {}}
    assert lines(params | {"variants": stated}) == [f"variants.x.{section}.{key}: {value}: allowed: {rule}"]
    params[section][key] = value
    assert lines(params) == [f"{section}.{key}: {value}: allowed: {rule}"]


def test_two_wrong_settings_of_one_section_are_two_lines(params):
    wrong = {"model": {"dropout": 2, "activation": "tanh"}, "train": {"lr": 0, "momentum": 1}}
    expected = ["model.dropout", "model.activation", "train.lr", "train.momentum"]
    found = lines(params | {"variants": {"x": wrong}})
    assert {line.split(": ")[0] for line in found} == {f"variants.x.{path}" for path in expected}
    assert len(found) == 4
    for section, settings in wrong.items():
        params[section] |= settings
    found = lines(params)
    assert {line.split(": ")[0] for line in found} == set(expected)
    assert len(found) == 4


@pytest.mark.parametrize("changes", [None, {}, *({section: None} for section in SECTIONS)])
def test_null_stands_for_nothing_changed(params, changes):
    params["variants"] |= {"x": changes}
    plan = resolve(params)
    assert plan["x"] == dataclasses.replace(plan["mlp-baseline"], seeds=params["seeds"][: params["seeds_per_variant"]])
