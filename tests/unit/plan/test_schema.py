"""The faults that an editor underlines in params.yaml and claims.yaml."""

import copy
import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from remnist.commands.schemas import SCHEMAS
from remnist.files import read_json, read_yaml
from remnist.plan import schema

ROOT = Path(__file__).parents[3]


def underlined(document: object, made: dict) -> list[str]:
    errors = Draft7Validator(made).iter_errors(document)
    return [f"{list(error.absolute_path)}: {error.message}" for error in errors]


@pytest.fixture
def claims() -> dict:
    """claims.yaml, with text for keys, as JSON and so the language server have them."""
    return json.loads(json.dumps(read_yaml(ROOT / "claims.yaml")))


@pytest.mark.parametrize("name", SCHEMAS)
def test_committed_schema_is_current(name):
    assert read_json(ROOT / name) == SCHEMAS[name]()
    Draft7Validator.check_schema(SCHEMAS[name]())


@pytest.mark.parametrize("name", ["params", "claims"])
def test_file_names_its_schema_first_and_satisfies_it(name):
    first = (ROOT / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={name}.schema.json"
    document = json.loads(json.dumps(read_yaml(ROOT / f"{name}.yaml")))
    assert underlined(document, SCHEMAS[f"{name}.schema.json"]()) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("model", "dropuot"), 0.2),
        (("variants", "mlp-dropout-50", "model", "dropuot"), 0.5),
        (("variants", "mlp-baseline", "trian"), {}),
        (("variants", "lr-0.0001"), {}),
        (("model", "dropout"), 1.5),
        (("train", "optimizer"), "sdg"),
        (("train", "epochs"), 2.5),
        (("seeds",), [1, -1]),
        (("variants", "xor", "seeds"), 0),
        (("clams",), {}),
    ],
)
def test_schema_underlines_a_mistake_in_params(params, path, value):
    changed = copy.deepcopy(params)
    *parents, key = path
    section = changed
    for parent in parents:
        section = section[parent]
    section[key] = value
    assert underlined(params, schema.params()) == []
    found = underlined(changed, schema.params())
    assert found
    assert any(key in line for line in found)


def test_schema_takes_empty_and_null_variants(params):
    params["variants"] |= {"a": None, "b": {}, "c": {"train": None}}
    assert underlined(params, schema.params()) == []


@pytest.mark.parametrize(
    ("section", "name", "key", "value"),
    [
        ("claims", "adam-below-sgd", "expcet", "more"),
        ("claims", "adam-below-sgd", "metric", "acuracy"),
        ("claims", "adam-below-sgd", "margin", -1),
        ("claims", "adam-below-sgd", "statement", 0),
        ("claims", "adam-below-sgd", "variants", "mlp-adam"),
        ("claims", "adam-below-sgd", "cause", {"words": "x", "control": ["a", "b", "c"]}),
        ("claims", "dropout-20-best", "all_of", [7]),
        ("published", "batch-64", "accuracy", 97.77),
        ("published", "batch-64", "epochs", {"9": {"accuracy": 97.54}}),
        ("published", "batch-64", "digits", [0.9] * 9),
    ],
)
def test_schema_underlines_a_mistake_in_claims(claims, section, name, key, value):
    assert underlined(claims, schema.claims()) == []
    claims[section][name][key] = value
    assert any(key in line for line in underlined(claims, schema.claims()))
