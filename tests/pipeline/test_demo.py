"""The demonstration's copy of the project."""

import pytest
from ruamel.yaml import YAML

from remnist.commands import demo
from remnist.errors import UserError
from remnist.files import read_yaml
from remnist.plan import claims
from remnist.plan.resolve import resolve

SETTINGS = {"data": {"name": "digits"}, "seeds": [0, 1], "train": {"epochs": 1}}


def test_it_has_every_variant_on_digits_with_few_epochs_and_leaves_the_project_alone(tmp_path, params):
    demo.copy(tmp_path / "demo", demo.SETTINGS, epochs=demo.EPOCHS)
    plan, study = resolve(read_yaml(tmp_path / "demo" / "params.yaml")), resolve(params)
    assert list(plan) == list(study)
    assert {variant.data.name for variant in plan.values()} == {"digits", "xor"}
    for name, variant in plan.items():
        assert variant.train.epochs == min(demo.EPOCHS, study[name].train.epochs)
        assert variant.seeds == [0, 1]
    for result in ("dvc.lock", "plan.json", "digests.json", "REPORT.md", "metrics", "plots"):
        assert not (tmp_path / "demo" / result).exists()
    assert resolve(read_yaml(demo.ROOT / "params.yaml")) == study


def test_an_unchanged_copy_has_the_inputs_to_the_byte(tmp_path):
    demo.copy(tmp_path / "copy", {})
    for name in ("params.yaml", "claims.yaml", "dvc.yaml", "requirements.txt"):
        assert (tmp_path / "copy" / name).read_bytes() == (demo.ROOT / name).read_bytes()


@pytest.mark.parametrize(
    "variants", [["mlp-baseline", "mlp-dropout-50"], ["xor"], ["resnet-dropout", "resnet-plain"], ["reference-cnn"]]
)
def test_claims_about_other_variants_are_dropped_and_no_others(tmp_path, variants):
    demo.copy(tmp_path / "copy", demo.SETTINGS, variants)
    plan = resolve(read_yaml(tmp_path / "copy" / "params.yaml"))
    kept, study = (claims.read(folder / "claims.yaml") for folder in (tmp_path / "copy", demo.ROOT))
    assert list(plan) == variants
    claims.check(kept, plan)
    assert kept.reference == (study.reference if study.reference in variants else variants[0])
    assert kept.published == {name: each for name, each in study.published.items() if name in variants}
    assert kept.claims == {
        name: each for name, each in study.claims.items() if claims.variants_of(each) <= set(variants)
    }


@pytest.fixture
def parameters(tmp_path):
    """Write params.yaml as YAML has it, change it as a copy is changed, and read it again."""

    def changed(text, settings=SETTINGS, variants=None, epochs=2):
        path = tmp_path / "params.yaml"
        path.write_text(text)
        demo.change_parameters(path, settings, variants, epochs)
        return YAML(typ="safe").load(path)

    return changed


WHOLE = "{data: {name: mnist}, train: {epochs: 9}, seeds: [0], variants: {a: {train: {epochs: 7}}}}"


@pytest.mark.parametrize(
    "text",
    [
        WHOLE.replace("{name: mnist}", "null"),
        WHOLE.replace("{epochs: 9}", "null"),
        WHOLE.replace("{epochs: 9}", "{epochs: }"),
        WHOLE.replace("[0]", "null"),
        WHOLE.replace("{a: {train: {epochs: 7}}}", "null"),
        WHOLE.replace("{train: {epochs: 7}}", "null"),
        WHOLE.replace("{epochs: 7}", "null"),
        WHOLE.replace("7", "null"),
        WHOLE.replace("7", "many"),
        WHOLE.replace("{train: {epochs: 7}}", "[1]"),
        WHOLE.replace("train: {epochs: 9}, ", ""),
    ],
)
def test_null_sections_and_what_the_plan_refuses_do_not_break_the_copy(parameters, text):
    before, after = YAML(typ="safe").load(text), parameters(text)
    assert after["data"] == {"name": "digits"}
    assert after["seeds"] == [0, 1]
    assert after["train"] == {"epochs": 1}
    variant, copied = (study["variants"] and study["variants"]["a"] for study in (before, after))
    if variant == {"train": {"epochs": 7}}:
        variant["train"]["epochs"] = 2
    assert copied == variant
    assert parameters(text, settings={}, variants=[])["variants"] in ({}, None)


def test_parameters_that_are_no_yaml_are_named(parameters):
    with pytest.raises(UserError, match=r"params\.yaml: not YAML"):
        parameters("a: [")
