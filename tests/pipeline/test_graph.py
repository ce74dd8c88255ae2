"""The graph itself, on scikit-learn's digits: the stages that each change runs, and the bits that they give."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from typing import Any

import pytest
from ruamel.yaml import YAML

from remnist.commands import ahead, demo
from tests.support.repository import VARIANTS, Repository, ran


def merged(params: dict[str, Any]) -> dict[str, str]:
    """Merge the variants in a way of its own: the settings that each would train with, as text."""
    uses = {"momentum": ["sgd"], "betas": ["adam", "adamw"], "alpha": ["rmsprop"]}
    resolved = {}
    for name, changes in params["variants"].items():
        entry = {s: params[s] | ((changes or {}).get(s) or {}) for s in ("data", "model", "train")}
        for key, optimizers in uses.items():
            if entry["train"]["optimizer"] not in optimizers:
                del entry["train"][key]
        entry["seeds"] = (changes or {}).get("seeds", params["seeds"])
        resolved[name] = json.dumps(entry, sort_keys=True)
    return resolved


def expected(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """The stages that a change of parameters has to run."""
    old, new = merged(before), merged(after)
    changed = {name for name in new if old.get(name) != new[name]}
    return {"plan", "report"} | {f"{stage}@{name}" for name in changed for stage in ("train", "evaluate")}


def test_first_run_runs_every_stage_and_leaves_nothing_to_do(study):
    each = {f"{stage}@{name}" for stage in ("train", "evaluate") for name in VARIANTS}
    assert ran(study.first_run) == {"download", "preprocess", "plan", "report"} | each
    assert ran(study.dvc("repro")) == set()
    assert study.git("status", "--porcelain") == ""
    assert "digits" in (study.folder / "REPORT.md").read_text().splitlines()[0]


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ("model.dropout=0.5", 2),
        ("+variants.x={model:{hidden:[64]}}", 1),
        pytest.param("train.optimizer=adagrad", 2, marks=pytest.mark.slow),
        pytest.param("seeds=[2,0]", 3, marks=pytest.mark.slow),
    ],
)
def test_experiment_runs_exactly_what_its_parameters_change(study, change, count):
    before = study.params()
    output = study.dvc("exp", "run", "-S", change)
    wanted = expected(before, study.params())
    assert ran(output) == wanted
    touched = {name.removeprefix("train@") for name in wanted if name.startswith("train@")}
    assert len(touched) == count
    difference = json.loads(study.dvc("metrics", "diff", "--json", "--targets", "metrics/summary.json"))
    assert {name.split(".")[0] for name in difference["metrics/summary.json"]} == touched


@pytest.mark.slow  # two minutes: DVC starts workers of its own
def test_sweep_from_the_queue_runs_each_value(study):
    before = study.params()
    study.dvc("exp", "run", "--queue", "-S", "model.dropout=0.1,0.3")
    study.dvc("exp", "run", "--run-all")
    table = json.loads(study.dvc("exp", "show", "--json"))
    experiments = table[-1]["experiments"]
    assert len(experiments) == 2
    values = set()
    for experiment in experiments:
        revision = experiment["revs"][0]
        values.add(revision["data"]["params"]["params.yaml"]["data"]["model"]["dropout"])
        accuracy = revision["data"]["metrics"]["metrics/accuracy.json"]["data"]
        assert set(accuracy) == set(before["variants"])
    assert values == {0.1, 0.3}


def test_editing_the_reports_code_runs_the_report_alone(study):
    path = study.folder / "src/remnist/report/figures.py"
    path.write_text(path.read_text().replace("DPI = 120", "DPI = 121"))
    assert ran(study.dvc("repro")) == {"plan", "report"}


def test_a_claim_is_judged_by_the_report_alone(study):
    name = "dropout-50-no-difference"
    assert ran(study.dvc("exp", "run", "-S", f"claims.yaml:claims.{name}.margin=1000.0")) == {"plan", "report"}
    [(claim, change)] = json.loads(study.dvc("metrics", "diff", "--json"))["metrics/verdicts.json"].items()
    assert claim == name
    assert change["new"] == "replicated" != change["old"]
    with pytest.raises(RuntimeError, match=rf"error: claims\.{name}: margin: goes without a rate") as error:
        study.dvc("exp", "run", "-S", f"claims.yaml:claims.{name}.expect=as_published")
    assert "Traceback" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("claims.dropout-50-no-difference.variants=[mlp-dropuot-50,mlp-baseline]", "did you mean mlp-dropout-50?"),
        ("claims.dropout-50-no-difference.margin=inf", "allowed: a finite number"),
        ("claims.dropout-50-no-difference.report=6", "the numbers under reports"),
    ],
)
def test_a_wrong_claim_is_refused_before_anything_is_trained(change, message, study):
    committed = study.hashes()
    with pytest.raises(RuntimeError, match=r"error: claims\.dropout-50-no-difference") as error:
        study.dvc("exp", "run", "-S", f"claims.yaml:{change}", "-S", "model.dropout=0.3")
    assert message in str(error.value)
    assert "Traceback" not in str(error.value)
    assert "Running stage 'train" not in str(error.value)
    assert study.hashes() == committed


def test_editing_a_model_runs_its_variants(study):
    with (study.folder / "src/remnist/models/mlp.py").open("a") as file:
        file.write("EDITED = True\n")
    output = ran(study.dvc("repro"))
    assert {name for name in output if name.startswith("train@")} == {f"train@{name}" for name in VARIANTS}
    (study.folder / "src/remnist/models/another.py").write_text('"""Another model."""\n')
    assert ran(study.dvc("repro")) == {"plan"}


def test_the_readmes_model_is_a_file_a_class_and_a_variant(study):
    readme = (demo.ROOT / "README.md").read_text()
    source, settings, variant = re.findall(r"^```(?:python|yaml)\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    file, folder = re.search(r"Its file, `(.*)` in\s`(.*)`:", readme).groups()
    (study.folder / folder / file).write_text(source)
    path = study.folder / "src/remnist/settings/models.py"
    kind = re.search(r"^class (\w+)", settings)[1]
    text, count = re.subn(
        r"^Model = (.*)$", rf"{settings}\n\nModel = \1 | {kind}", path.read_text(), flags=re.MULTILINE
    )
    assert count == 1
    path.write_text(text)
    path = study.folder / "params.yaml"
    path.write_text(path.read_text().replace("\nvariants:\n", f"\nvariants:\n{variant}", 1))
    added = variant.split(":")[0].strip()
    assert ran(study.dvc("repro")) == {"plan", f"train@{added}", f"evaluate@{added}", "report"}
    assert json.loads((study.folder / "metrics/summary.json").read_text())[added]["parameters"] == 7_850


def test_a_removed_variant_runs_nothing_but_the_report(study):
    path = study.folder / "params.yaml"
    yaml = YAML()
    params = yaml.load(path)
    del params["variants"]["batch-100"]
    yaml.dump(params, path)
    with pytest.raises(RuntimeError, match=r'error: published\.batch-100: "batch-100": no variant of params\.yaml'):
        study.dvc("repro")
    demo.keep_claims(study.folder / "claims.yaml", list(params["variants"]))
    assert ran(study.dvc("repro")) == {"plan", "report"}
    assert "| `batch-100` |" not in (study.folder / "REPORT.md").read_text()
    assert set(json.loads((study.folder / "metrics/summary.json").read_text())) == set(VARIANTS) - {"batch-100"}
    assert not (study.folder / "evaluations/batch-100.json").exists()
    study.git("checkout", "-q", "params.yaml", "claims.yaml")
    study.dvc("repro")  # from the run cache
    assert study.git("status", "--porcelain") == ""


@pytest.mark.slow  # every stage loads torch
def test_dvc_by_itself_gives_the_same_bits_with_any_number_of_processes(study):
    committed = study.hashes()
    for workers in ("1", "3"):
        assert len(ran(study.dvc("repro", "--force", REMNIST_WORKERS=workers))) == 4 + 2 * len(VARIANTS)
        assert study.hashes() == committed
    assert study.git("status", "--porcelain") == ""


def test_dvc_by_itself_leaves_the_same_lock_file(study):
    committed = study.hashes()
    assert len(committed) > 10
    study.forget()
    (study.folder / "dvc.lock").unlink()
    assert len(ran(study.dvc("repro", REMNIST_WORKERS="3"))) == 4 + 2 * len(VARIANTS)
    assert study.hashes() == committed
    assert study.git("status", "--porcelain") == ""


def test_stages_find_the_work_done_ahead_of_dvc(study):
    started = re.findall(r"^Running stage '([^']+)'", study.first_run, re.MULTILINE)
    assert len(started) == len(set(started)) == 4 + 2 * len(VARIANTS)
    ahead, stages = study.first_run.split("Running stage 'train@", maxsplit=1)
    assert (ahead.count(" epoch 1/1: "), stages.count(" epoch 1/1: ")) == (2 * len(VARIANTS), 0)


def test_experiment_done_ahead_of_dvc_is_the_one_that_dvc_makes(study):
    change = "model.dropout=0.5 '+variants.x={train: {epochs: 2}, model: {hidden: [64]}}'"
    before = study.params()
    output = study.run(sys.executable, "-m", "remnist.cli", "repro", "--set", change)
    assert ran(output) == expected(before, study.params())
    assert "Ran experiment(s): " in output
    assert " epoch 1/" in output.split("Running stage 'train@", maxsplit=1)[0]
    assert " epoch 1/" not in output.split("Running stage 'train@", maxsplit=1)[1]
    made = study.hashes()
    study.reset()
    study.dvc("exp", "run", *(part for text in shlex.split(change) for part in ("-S", text)))
    assert study.hashes() == made


@pytest.mark.parametrize("change", ["", "model.dropuot=0.5", "model.dropout", "'", "model.dropout=0.1,0.2"])
def test_experiment_with_parameters_that_are_wrong(study, change):
    committed = study.hashes()
    with pytest.raises(RuntimeError, match="error: SET: ") as error:
        study.run(sys.executable, "-m", "remnist.cli", "repro", "--set", change)
    assert "Traceback" not in str(error.value)
    assert study.hashes() == committed
    assert study.git("status", "--porcelain") == ""


def test_only_stale_variants_are_done_ahead(study, monkeypatch):
    monkeypatch.chdir(study.folder)
    assert ahead.stale_variants() == (set(), set())
    study.dvc("exp", "run", "-S", "model.dropout=0.3", "plan")
    changed = {"mlp-baseline", "batch-100"}
    assert ahead.stale_variants() == (changed, changed)
    study.dvc("repro", "--single-item", "train@mlp-baseline")
    assert ahead.stale_variants() == ({"batch-100"}, changed)


def test_a_colleague_gets_results_from_a_remote_instead_of_training(study, tmp_path):
    """The results of stages that no dvc.lock has, as an experiment's, are among them."""
    committed = study.hashes()
    study.dvc("remote", "add", "--local", "--default", "team", str(tmp_path / "remote"))
    study.dvc("push", "--run-cache")
    study.forget()
    (study.folder / "dvc.lock").unlink()
    output = study.dvc("repro", "--pull")
    assert set(re.findall(r"^Running stage '([^']+)'", output, re.MULTILINE)) == {"plan", "report"}
    assert study.hashes() == committed
    study.dvc("remote", "remove", "--local", "team")


def test_a_seed_has_the_same_weights_alone_and_among_others(study):
    weights = study.folder / "models/mlp-baseline/seed-1.safetensors"
    among_others = weights.read_bytes()
    study.dvc("exp", "run", "-S", "+variants.mlp-baseline.seeds=[1]")
    assert [path.name for path in weights.parent.iterdir()] == [weights.name]
    assert weights.read_bytes() == among_others


def test_a_wrong_parameter_costs_nothing(study):
    committed = study.hashes()
    with pytest.raises(RuntimeError, match=r"error: model\.dropout: 7: allowed: less than 1\n") as error:
        study.dvc("exp", "run", "-S", "model.dropout=7")
    assert "Traceback" not in str(error.value)
    assert study.hashes() == committed
    study.reset()
    assert ran(study.dvc("repro")) == set()


def test_bare_clone_diffs_metrics_params_and_plots(study, tmp_path):
    """Git alone carries what a reviewer compares: no remote, no cache, nothing pulled."""
    study.dvc("exp", "run", "-S", "+variants.mlp-baseline.model.dropout=0.4")
    study.git("checkout", "-q", "-b", "change")
    study.git("add", "-A")
    study.git("commit", "-qm", "Change")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", study.folder, clone], check=True)
    there = object.__new__(Repository)
    there.folder = clone
    metrics = json.loads(there.dvc("metrics", "diff", "--json", "HEAD~1"))
    assert set(metrics["metrics/accuracy.json"]) == {"mlp-baseline"}
    resolved = json.loads(there.dvc("params", "diff", "--json", "HEAD~1", "--targets", "plan.json"))["plan.json"]
    change = resolved["mlp-baseline.model.dropout"]
    assert (change["old"], change["new"]) == (0.2, 0.4)
    there.dvc("plots", "diff", "HEAD~1", "--out", str(tmp_path / "page"))
    page = (tmp_path / "page" / "index.html").read_text()
    assert page.count("vegaEmbed(") == 5
    shutil.rmtree(clone)
    study.git("checkout", "-q", "-")
