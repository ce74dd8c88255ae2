"""The stage scripts at the command line: help, and errors of one or two lines without a traceback."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from remnist.commands import demo

STAGES = ["download", "preprocess", "plan", "train", "evaluate", "report"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("stages", "src"):
        shutil.copytree(demo.ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("params.yaml", "plan.json"):
        shutil.copy(demo.ROOT / name, tmp_path / name)
    return tmp_path


def run(project: Path, stage: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, f"stages/{stage}.py", *arguments]
    return subprocess.run(command, cwd=project, env=os.environ | environment, capture_output=True, text=True)


def refused(done: "subprocess.CompletedProcess[str]", word: str, lines: int = 1) -> None:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    told = done.stderr[done.stderr.index("error: ") :].splitlines()
    assert len(told) == lines
    assert word in told[0]


@pytest.mark.parametrize("stage", STAGES)
def test_help_says_what_the_stage_does(project, stage):
    done = run(project, stage, "--help")
    assert done.returncode == 0
    assert len(done.stdout.split()) > 10


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_unknown_variant(project, stage):
    refused(run(project, stage, "mlp-basline"), "no variant 'mlp-basline'; there are: mlp-baseline, mlp-adam")


@pytest.mark.parametrize("content", ["", "[1, 2]", '{"mlp-baseline": {"data"', "\x00"])
def test_damaged_plan(project, content):
    (project / "plan.json").write_text(content)
    refused(run(project, "train", "mlp-baseline"), "plan.json")


@pytest.mark.parametrize("content", ["", "- 1", "data: [", "data: {name: mnits}", "{a: 1, a: 2}"])
@pytest.mark.parametrize("stage", ["download", "preprocess", "plan"])
def test_damaged_parameters(project, stage, content):
    plan = (project / "plan.json").read_bytes()
    (project / "params.yaml").write_text(content)
    done = run(project, stage)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert (project / "plan.json").read_bytes() == plan


def test_no_such_mirror(project):
    refused(run(project, "download", MNIST_MIRROR=str(project / "nowhere")), "nowhere/train-images", lines=2)
    assert not (project / "data" / "raw").exists()


def test_wrong_number_of_processes(project):
    (project / "data").mkdir()
    (project / "data/images.safetensors").touch()
    refused(run(project, "train", "mlp-baseline", REMNIST_WORKERS="many"), "REMNIST_WORKERS: 'many'")


def test_nothing_to_train_on(project):
    refused(run(project, "train", "mlp-baseline"), "dvc repro preprocess")


def test_outside_the_root(project, tmp_path):
    done = subprocess.run(
        [sys.executable, str(project / "stages/plan.py")], cwd=project / "stages", capture_output=True, text=True
    )
    refused(done, "run this from the project's root")


def test_workers_run_the_code_beside_the_stage(project):
    """In a copy, as DVC makes one for each queued experiment, and not what is installed."""
    (project / "data").mkdir()
    (project / "data/images.safetensors").touch()
    (project / "src/remnist/learning/loop.py").write_text(
        "from remnist.errors import UserError\n\ndef run_seed(*_):\n    raise UserError('the copy ran')\n"
    )
    refused(run(project, "train", "mlp-baseline"), "the copy ran")
