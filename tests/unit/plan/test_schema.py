"""The faults that an editor underlines in params.yaml and claims.yaml."""

import copy
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
    return read_yaml(ROOT / "claims.yaml")


@pytest.mark.parametrize("name", SCHEMAS)
def test_committed_schema_is_current(name):
    assert read_json(ROOT / name) == SCHEMAS[name]()
    Draft7Validator.check_schema(SCHEMAS[name]())


@pytest.mark.parametrize("name", ["params", "claims"])
def test_file_names_its_schema_first_and_satisfies_it(name):
    first = (ROOT / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={name}.schema.json"
    # JSON has text for keys, as the language server takes them.
    document = dict(read_yaml(ROOT / f"{name}.yaml"))
    if name == "claims":
        document["reports"] = {str(number): report for number, report in document["reports"].items()}
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
    ("key", "value"), [("expcet", "more"), ("metric", "acuracy"), ("margin", -1), ("variants", ["a", "b", "c"])]
)
def test_schema_underlines_a_mistake_in_claims(claims, key, value):
    claims["claims"]["adam-below-sgd"][key] = value
    assert any(key in line for line in underlined(claims, schema.claims()))
