"""The stages that `make check-lock` names, in a bare clone and with data there."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.repository import VARIANTS, Repository, ran

STAGES = 4 + 2 * len(VARIANTS)
FRESH = f"dvc.lock is fresh: {STAGES} stages\n"
Change = Callable[[Path], object]
DIGEST = "digests.0.train.batch-100"


def check(study: Repository) -> str:
    """Run it and return what it prints: a line or two; see to it that it changes no file."""
    before = study.git("status", "--porcelain"), study.git("diff")
    command = [sys.executable, "-m", "remnist.cli", "check-lock"]
    done = subprocess.run(command, cwd=study.folder, env=study.environment(), capture_output=True, text=True)
    assert (study.git("status", "--porcelain"), study.git("diff")) == before
    if done.returncode == 0:
        assert re.fullmatch(r"dvc\.lock is fresh: .+\n", done.stdout)
        assert done.stderr == ""
        return done.stdout
    assert re.fullmatch(r"error: .+\n(.+\n)?", done.stderr)
    assert done.stdout == ""
    return done.stderr


def stale(output: str) -> set[str]:
    """The stages that it names."""
    if output == FRESH:
        return set()
    count, names = re.match(r"error: dvc\.lock is stale: (\d+) of \d+ stages: (.+?)(?:;|\n)", output).groups()
    assert int(count) == len(names.split(", "))
    return set(names.split(", "))


def each(stage: str) -> set[str]:
    return {f"{stage}@{name}" for name in VARIANTS}


def append(*names: str, text: str = "# An edit.\n") -> Change:
    return lambda folder: [(folder / name).write_text((folder / name).read_text() + text) for name in names]


def program(*names: str) -> Change:
    """Add a statement to some modules, where `append` adds a comment."""
    return append(*names, text="EDIT = 1\n")


def replace(name: str, pattern: str, replacement: str) -> Change:
    def change(folder: Path) -> None:
        text, count = re.subn(pattern, replacement, (folder / name).read_text(), count=1, flags=re.MULTILINE)
        assert count == 1
        (folder / name).write_text(text)

    return change


def remove(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def lock(edit: Callable[[dict[str, Any]], object]) -> Change:
    """Edit the stages in dvc.lock."""

    def change(folder: Path) -> None:
        yaml = YAML()
        content = yaml.load(folder / "dvc.lock")
        edit(content["stages"])
        yaml.dump(content, folder / "dvc.lock")

    return change


BASELINE, OF_ITS_OWN, BATCH = VARIANTS
RESOLVED = {f"{stage}@{name}" for stage in ("train", "evaluate") for name in (BASELINE, BATCH)}

# Changes, and the stages that they make stale.
CHANGES: dict[str, tuple[Change, set[str]]] = {
    "nothing": (lambda folder: None, set()),
    "a setting": (replace("params.yaml", r"^  dropout: [\d.]+", "  dropout: 0.35"), {"plan", "report"} | RESOLVED),
    "a comment on the settings": (append("params.yaml"), {"plan"}),
    "a new variant": (
        replace("params.yaml", r"^variants:\n", "variants:\n  x: {seeds: [0]}\n"),
        {"plan", "train@x", "evaluate@x", "report"},
    ),
    "a claim": (replace("claims.yaml", r"level: 0\.995", "level: 0.99"), {"plan", "report"}),
    "the requirements": (append("requirements.txt"), {"plan"}),
    "the plan by hand": (replace("plan.json", r'"batch_size": ', '"batch_size": 1'), {"plan", "report"}),
    "a digest by hand": (replace("digests.json", f'"{BASELINE}": "', r"\g<0>x"), {"plan", f"train@{BASELINE}"}),
    "a command": (replace("dvc.yaml", r"python stages/train\.py", "python -B stages/train.py"), each("train")),
    "a model": (program("src/remnist/models/mlp.py"), {"plan"} | each("train") | each("evaluate")),
    "another model": (program("src/remnist/models/mixer.py"), {"plan"}),
    "a comment in a model": (append("src/remnist/models/mlp.py"), {"plan"}),
    "training": (program("src/remnist/learning/loop.py"), {"plan"} | each("train")),
    "evaluation": (program("src/remnist/evaluation/metrics.py"), {"plan"} | each("evaluate")),
    "a progress bar": (program("src/remnist/runtime/progress.py"), set()),
    "first and last stage": (program("stages/download.py", "stages/report.py"), {"plan", "download", "report"}),
    "the report by hand": (append("REPORT.md"), {"report"}),
    "a metric by hand": (replace("metrics/summary.json", r'"accuracy": [\d.]+', '"accuracy": 1.0'), {"report"}),
    "a plot by hand": (append("plots/accuracy.csv"), {"report"}),
    "a stage not in dvc.lock": (lock(lambda stages: stages.pop(f"train@{BASELINE}")), {f"train@{BASELINE}"}),
}

# Changes in dvc.lock alone, and files that are gone as if they were not pulled.
UNSEEN: dict[str, tuple[Change, set[str]]] = {
    "no report": (remove("REPORT.md"), {"report"}),
    "no plan": (remove("plan.json"), {"plan", "report"}),
    "no digests": (
        remove("digests.json"),
        {"plan", "download", "preprocess", "report"} | each("train") | each("evaluate"),
    ),
    "no script": (remove("stages/train.py"), {"plan"}),
    "a digest in dvc.lock": (
        lock(lambda stages: stages["train@batch-100"]["params"]["digests.json"].update({DIGEST: "0" * 16})),
        {"train@batch-100"},
    ),
    "an evaluation after the report": (
        lock(lambda stages: stages["evaluate@batch-100"]["outs"][0].update(md5="0" * 32)),
        {"report"},
    ),
    "all of a variant after the report": (
        lock(lambda stages: [stages.pop("train@batch-100"), stages.pop("evaluate@batch-100")]),
        {"train@batch-100", "evaluate@batch-100"},
    ),
}


@pytest.fixture
def bare(whole, tmp_path):
    """A clone of the study, with nothing pulled."""
    whole.git("clone", "-q", ".", str(tmp_path / "clone"))
    clone = object.__new__(Repository)
    clone.folder = tmp_path / "clone"
    return clone


@pytest.mark.parametrize("change", CHANGES)
def test_in_a_bare_clone_it_names_the_stages_that_dvc_would_run(bare, change):
    edit, expected = CHANGES[change]
    edit(bare.folder)
    assert stale(check(bare)) == expected


@pytest.mark.parametrize(
    "change", ["nothing", "a setting", "a new variant", "a claim", "a model", "training", "a metric by hand"]
)
def test_with_the_data_there_it_names_what_dvc_finds_once_the_plan_is_made_again(study, change):
    edit, expected = CHANGES[change]
    edit(study.folder)
    assert stale(check(study)) == expected
    planned = ran(study.dvc("repro", "plan"))
    assert planned | set(json.loads(study.dvc("status", "--json"))) == expected


def test_an_edit_that_was_committed_to_dvc_without_a_run_is_found(study):
    program("src/remnist/learning/loop.py")(study.folder)
    study.dvc("commit", "--force", "plan")
    assert json.loads(study.dvc("status", "--json")) == {}
    output = check(study)
    assert stale(output) == {"plan"} | each("train")
    assert "run `dvc repro --force --single-item plan`, then `dvc repro`, and commit dvc.lock, " in output
    study.dvc("repro", "--force", "--single-item", "plan")
    assert set(json.loads(study.dvc("status", "--json"))) == each("train")


def test_libraries_of_other_versions_are_named(bare):
    replace("digests.json", r'"torch": "', '"torch": "1.')(bare.folder)
    installed = version("torch").split("+")[0]
    message = f"torch {installed} installed, but digests.json is of torch 1.{installed}; install requirements.txt again"
    assert check(bare) == f"error: {message}\n"


@pytest.mark.parametrize("change", UNSEEN)
def test_in_a_bare_clone_it_names_what_dvc_takes_for_not_pulled(bare, change):
    edit, expected = UNSEEN[change]
    edit(bare.folder)
    assert stale(check(bare)) == expected


def test_with_some_of_the_data_there_it_is_the_same(study):
    (study.folder / f"evaluations/{VARIANTS[0]}.json").unlink()
    assert check(study) == FRESH


def test_data_of_another_run_are_distinguished_from_a_stale_lock(study):
    path = study.folder / f"evaluations/{VARIANTS[0]}.json"
    path.chmod(0o644)
    path.write_text("{}")
    output = check(study)
    assert stale(output) == {f"evaluate@{VARIANTS[0]}", "report"}
    message = f"evaluations/{VARIANTS[0]}.json: not as dvc.lock has them; `dvc checkout` brings those back"
    assert output.splitlines()[1] == message


def test_a_long_list_is_cut_and_says_what_to_do(bare):
    remove("digests.json")(bare.folder)
    text = (bare.folder / "params.yaml").read_text()
    added = "".join(f"  x{number}: {{seeds: [0]}}\n" for number in range(3))
    (bare.folder / "params.yaml").write_text(text.replace("variants:\n", f"variants:\n{added}"))
    output = check(bare)
    assert output.startswith(f"error: dvc.lock is stale: {STAGES + 6} of {STAGES + 6} stages: ")
    assert output.endswith(
        ", and 6 more; run `dvc repro` and commit dvc.lock, plan.json, digests.json, metrics, plots and REPORT.md\n"
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("dvc.lock", None, "dvc.lock: missing or damaged; "),
        ("dvc.lock", b"", "dvc.lock: missing or damaged; "),
        ("dvc.lock", b"<<<<<<< HEAD\nstages:\n", "dvc.lock: missing or damaged; "),
        ("dvc.lock", b"schema: '2.0'\nstages:\n  plan:\n    cmd: x\n    outs: 1\n", "dvc.lock: missing or damaged; "),
        ("dvc.lock", b"a: 2021-99-99\n", "dvc.lock: missing or damaged; "),
        ("dvc.yaml", b"stages: {x: 2021-99-99}\n", ".*dvc.yaml.*: month must be in 1..12"),
        ("dvc.lock", b"\xff\xfe\x00", "dvc.lock: missing or damaged; "),
        ("dvc.yaml", None, "dvc.yaml: missing or without stages; "),
        ("dvc.yaml", b"stages: 1\n", ".*dvc.yaml"),
        ("params.yaml", b"seeds: [", ".*params.yaml"),
        ("params.yaml", b"variants: 3\n", ".*stages.train"),
        ("claims.yaml", b"[", "claims.yaml: not YAML: "),
        ("plan.json", b"{", ".*plan.json"),
        ("digests.json", b"{", ".*digests.json"),
        ("digests.json", b"[]", "dvc.lock is stale: "),
    ],
)
def test_what_cannot_be_read_is_reported_in_a_line_or_two(bare, name, content, message):
    path = bare.folder / name
    path.unlink() if content is None else path.write_bytes(content)
    assert re.match(f"error: {message}", check(bare))
