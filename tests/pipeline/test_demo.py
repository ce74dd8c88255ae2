"""The demonstration's copy of the project, and the copy of the whole graph on the digits."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable

import pytest
from dvc.config import Config
from ruamel.yaml import YAML

from remnist.commands import demo
from remnist.errors import UserError
from remnist.files import read_yaml
from remnist.plan import claims, comparisons
from remnist.plan.claims import Claim
from remnist.plan.resolve import resolve
from remnist.report.effects import REVERSED, UNDECIDED
from remnist.report.published import LARGER, SMALLER
from remnist.report.verdicts import BY_CONSTRUCTION, NOT_REPLICATED, NOT_TESTABLE, OUTCOMES, REPLICATED
from tests.support.repository import Repository

SETTINGS = {"data": {"name": "digits"}, "seeds": [0, 1], "train": {"epochs": 1}}
FOUND = {REPLICATED, REVERSED, UNDECIDED, BY_CONSTRUCTION, NOT_TESTABLE}
OF_PUBLISHED = {
    NOT_REPLICATED,
    f"{REPLICATED}, {SMALLER}",
    f"{REPLICATED}, {LARGER}",
}  # outcomes next to printed figures


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


def about(variants: Iterable[str], study: dict[str, Claim]) -> dict[str, Claim]:
    """Return the claims that need no other variants, those that are made of other claims among them."""
    return {name: each for name, each in study.items() if comparisons.variants_of(each, study) <= set(variants)}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The folder of `make demo`, before it runs."""
    folder = tmp_path_factory.mktemp("demo") / "project"
    subprocess.run([sys.executable, "-m", "remnist.cli", "demo", folder], check=True, env=Repository.environment())
    return folder


def test_the_small_study_has_each_family_and_the_claims_about_its_variants(study, params):
    plan, whole = resolve(read_yaml(study / "params.yaml")), resolve(params)
    few, all_claims = (claims.read(folder / "claims.yaml") for folder in (study, demo.ROOT))
    comparisons.check(few, plan)
    assert len(plan) < len(whole) / 3
    assert {variant.data.name for variant in plan.values()} == {"digits", "xor"}
    assert {variant.model.name for variant in plan.values()} == {"mlp", "mixer", "cnn"}
    assert all(variant.model == whole[name].model for name, variant in plan.items())
    assert few.claims == {
        name: each
        for name, each in about(plan, all_claims.claims).items()
        if each.expect != "as_published"  # what was published is left out
    }
    assert {claim.report for claim in few.claims.values()} == set(few.reports) == set(all_claims.reports)
    assert few.published == {}
    assert few.findings == [name for name in all_claims.findings if name in few.claims]
    for claim in few.claims.values():
        for _, variants in comparisons.compared("", claim):
            assert len({plan[variant].train.epochs for variant in variants}) <= 1


@pytest.mark.slow  # minutes
def test_the_small_study_decides_claims_of_every_kind_and_says_what_it_is(study):
    """`make demo` needs no Git and no network."""
    done = subprocess.run(
        [sys.executable, "-m", "remnist.cli", "repro"], cwd=study, env=Repository.environment(), capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    verdicts, report = json.loads((study / "metrics/verdicts.json").read_text()), (study / "REPORT.md").read_text()
    assert FOUND <= set(verdicts.values()) <= set(OUTCOMES) - OF_PUBLISHED
    title, opening = report.split("\n", 1)[0], report.split("\n## ")[0]
    assert title == "# A demonstration: claims of five MNIST lab reports, on scikit-learn's digits"
    assert "1,797 digits" in opening and "nothing on whether a report is right about MNIST" in opening
    assert f"{len(verdicts)} claims of five reports came out so:" in opening
    assert "[The claims](#the-claims)" in report


def test_a_copy_without_git_draws_its_plots_in_the_projects_page(tmp_path, monkeypatch):
    demo.copy(tmp_path / "copy", {}, ["xor"])
    monkeypatch.setattr(demo, "PLOTS_PAGE", tmp_path / "a, b #1.html")
    for there in (False, True):
        demo.leave_git(tmp_path / "copy")
        config = Config(str(tmp_path / "copy/.dvc"))
        assert config["core"]["no_scm"]
        assert config["plots"].get("html_template") == (str(demo.PLOTS_PAGE) if there else None)
        demo.PLOTS_PAGE.touch()


def test_the_demonstration_has_a_history_of_its_own_whatever_the_users_git_is_set_to(tmp_path, monkeypatch):
    settings = "[commit]\n  gpgSign = true\n[core]\n  hooksPath = /nowhere\n  autocrlf = true\n"
    (tmp_path / ".gitconfig").write_text(settings)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    demo.copy(tmp_path / "copy", {}, ["xor"])
    demo.start_history(tmp_path / "copy")
    for command, said in ((["status", "--short"], ""), (["log", "--format=%s by %an"], "Start by demo\n")):
        done = subprocess.run(["git", *command], cwd=tmp_path / "copy", check=True, capture_output=True, text=True)
        assert done.stdout == said
    assert not Config(str(tmp_path / "copy/.dvc"))["core"].get("no_scm")


def test_an_unchanged_copy_has_the_inputs_to_the_byte(tmp_path):
    demo.copy(tmp_path / "copy", {})
    for name in ("params.yaml", "claims.yaml", "dvc.yaml", "requirements.txt"):
        assert (tmp_path / "copy" / name).read_bytes() == (demo.ROOT / name).read_bytes()


@pytest.mark.parametrize(
    "variants",
    [
        ["mlp-baseline", "mlp-dropout-50"],
        ["xor"],
        ["resnet-dropout", "resnet-plain"],
        ["reference-cnn"],
        ["momentum-90", "dropout-0", "dropout-10", "dropout-25", "dropout-30"],
        ["momentum-90", "dropout-0", "dropout-10", "dropout-25", "dropout-30", "dropout-50"],
    ],
)
def test_claims_about_other_variants_are_dropped_and_no_others(tmp_path, variants):
    demo.copy(tmp_path / "copy", demo.SETTINGS, variants)
    plan = resolve(read_yaml(tmp_path / "copy" / "params.yaml"))
    kept, study = (claims.read(folder / "claims.yaml") for folder in (tmp_path / "copy", demo.ROOT))
    assert list(plan) == variants
    comparisons.check(kept, plan)
    assert kept.reference == (study.reference if study.reference in variants else variants[0])
    assert kept.published == {name: each for name, each in study.published.items() if name in variants}
    assert kept.claims == about(variants, study.claims)
    assert kept.findings == [name for name in study.findings if name in kept.claims]
    assert list(kept.questions) == [title for title, asked in study.questions.items() if {*asked} & {*variants}]
    assert {variant for asked in kept.questions.values() for variant in asked} <= set(variants)
    assert ("dropout-20-best" in kept.claims) == ("dropout-50" in variants)  # which is made of five others


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
