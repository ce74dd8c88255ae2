"""The stage scripts at the command line: help, errors of one or two lines, and inputs that change under them."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from remnist.commands import demo
from tests.support.cluster import until
from tests.support.processes import all_gone, start, wait_for

STAGES = ["download", "preprocess", "plan", "train", "evaluate", "report"]
VARIANTS = ["mlp-baseline", "xor"]
EDITED = "EDITED = True\n"
# The first file that a stage moves to its place is the moment at which somebody edits another one.
EDITOR = """
import os, sys
def edit(event, arguments):
    if event == "os.rename" and "__pycache__" not in str(arguments[1]) and os.environ.get("EDIT"):
        path, text = os.environ.pop("EDIT").split("=", 1)
        with open(path, "a") as file:
            file.write(text)
sys.addaudithook(edit)
"""


def run(project: Path, stage: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, f"stages/{stage}.py", *arguments]
    return subprocess.run(command, cwd=project, env=os.environ | environment, capture_output=True, text=True)


def refused(done: "subprocess.CompletedProcess[str]", word: str, lines: int = 1) -> None:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    reported = done.stderr[done.stderr.index("error: ") :].splitlines()
    assert len(reported) == lines
    assert word in reported[0]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with two variants of two seeds, xor's trained."""
    folder = tmp_path_factory.mktemp("trained") / "project"
    demo.copy(folder, {"data": {"name": "digits"}, "seeds": [0, 1]}, VARIANTS, 2)
    for stage in ("plan", "download", "preprocess", "train"):
        done = run(folder, stage, *(["xor"] if stage == "train" else []))
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def prepared(trained: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(trained, tmp_path / "project"))


@pytest.fixture
def project(prepared: Path) -> Path:
    """A copy that has a plan and nothing else."""
    for name in ("data", "models", "dvclive"):
        shutil.rmtree(prepared / name)
    return prepared


@pytest.mark.parametrize("stage", STAGES)
def test_help_says_what_the_stage_does(project, stage):
    done = run(project, stage, "--help")
    assert done.returncode == 0
    assert len(done.stdout.split()) > 10


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_unknown_variant(project, stage):
    refused(run(project, stage, "mlp-basline"), "no variant 'mlp-basline'; there are: mlp-baseline, xor")


@pytest.mark.parametrize("content", ["", "[1, 2]", '{"mlp-baseline": {"data"', "\x00"])
def test_damaged_plan(project, content):
    (project / "plan.json").write_text(content)
    refused(run(project, "train", "mlp-baseline"), "plan.json")


@pytest.mark.parametrize("content", ["", "{}", "[1, 2]", '{"software": {}, "digests": []}', "\x00"])
def test_damaged_digests(project, content):
    (project / "digests.json").write_text(content)
    refused(run(project, "train", "mlp-baseline"), "digests.json")


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
    params = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(params.replace("name: digits", "name: mnist"))
    refused(run(project, "download", MNIST_MIRROR=str(project / "nowhere")), "nowhere/train-images", lines=2)
    assert not (project / "data" / "raw").exists()


def test_wrong_number_of_processes(project):
    (project / "data").mkdir()
    (project / "data/images.safetensors").touch()
    refused(run(project, "train", "mlp-baseline", REMNIST_WORKERS="many"), "REMNIST_WORKERS: 'many'")


def test_nothing_to_train_on(project):
    refused(run(project, "train", "mlp-baseline"), "dvc repro preprocess")


def test_outside_the_root(project):
    done = subprocess.run(
        [sys.executable, str(project / "stages/plan.py")], cwd=project / "stages", capture_output=True, text=True
    )
    refused(done, "run this from the project's root")


def test_workers_run_the_code_of_the_stage(project):
    """In a copy, as DVC makes one for each queued experiment, and not what is installed."""
    (project / "data").mkdir()
    (project / "data/images.safetensors").touch()
    (project / "src/remnist/learning/loop.py").write_text(
        "from remnist.errors import UserError\n\ndef run_seed(*_):\n    raise UserError('the copy ran')\n"
    )
    refused(run(project, "train", "mlp-baseline"), "its code or its settings are not those of plan.json")
    assert run(project, "plan").returncode == 0
    refused(run(project, "train", "mlp-baseline"), "the copy ran")


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.fault("stage with other libraries than its plan's")
def test_other_libraries_than_the_plans_are_refused(prepared, tmp_path, library):
    metadata = tmp_path / f"site/{library}-1.0.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: {library}\nVersion: 1.0\n")
    done = run(prepared, "train", "xor", PYTHONPATH=str(tmp_path / "site"))
    refused(done, f"train@xor: {library} 1.0 installed, but the plan is of {library} ", lines=2)


@pytest.fixture
def editor(tmp_path: Path) -> str:
    """A folder whose Python edits a file when the stage writes its first."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(EDITOR)
    return str(tmp_path / "site")


@pytest.mark.parametrize(
    ("stage", "path", "text"),
    [
        ("plan", "claims.yaml", "# edited\n"),
        ("plan", "src/remnist/learning/loop.py", EDITED),
        ("download", "src/remnist/data/sources.py", EDITED),
        ("preprocess", "src/remnist/data/preparation.py", EDITED),
        ("preprocess", "data/raw/digits.csv.gz", " "),
        ("evaluate", "src/remnist/evaluation/metrics.py", EDITED),
        ("evaluate", "src/remnist/models/mlp.py", EDITED),
        ("evaluate", "models/xor/seed-0.safetensors", " "),
        ("evaluate", "data/images.safetensors", " "),
    ],
)
@pytest.mark.fault("input edited while a stage runs")
def test_an_input_that_changes_under_a_stage_is_refused(prepared, editor, stage, path, text):
    before = (prepared / path).stat().st_size
    arguments = ["xor"] if stage == "evaluate" else []
    done = run(prepared, stage, *arguments, PYTHONPATH=editor, EDIT=f"{path}={text}")
    assert (prepared / path).stat().st_size > before
    refused(done, "changed while it ran")


@pytest.mark.parametrize(
    ("path", "text"), [("claims.yaml", "# edited\n"), ("src/remnist/report/tables.py", EDITED), ("dvclive/log", " ")]
)
@pytest.mark.fault("input edited while a stage runs")
def test_an_input_that_changes_under_the_report_is_refused(study, editor, path, text):
    refused(run(study.folder, "report", PYTHONPATH=editor, EDIT=f"{path}={text}"), "changed while it ran")


@pytest.mark.parametrize("stage", ["download", "preprocess", "evaluate"])
@pytest.mark.parametrize("path", ["src/remnist/learning/inference.py", "src/remnist/runtime/progress.py"])
def test_an_edit_that_decides_no_result_is_not_refused(prepared, editor, stage, path):
    """A comment in code that decides, and code that decides nothing."""
    text = "# edited\n" if "learning" in path else EDITED
    arguments = ["xor"] if stage == "evaluate" else []
    done = run(prepared, stage, *arguments, PYTHONPATH=editor, EDIT=f"{path}={text}")
    assert (prepared / path).read_text().endswith(text)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def long(trained: Path, tmp_path: Path) -> Path:
    """A copy in which a run has many epochs."""
    folder = Path(shutil.copytree(trained, tmp_path / "project"))
    params = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(params.replace("epochs: 2", "epochs: 60"))
    assert run(folder, "plan").returncode == 0
    return folder


def weights(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.safetensors")}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("src/remnist/learning/loop.py", EDITED, id="loop"),
        pytest.param("src/remnist/models/mlp.py", EDITED, id="model", marks=pytest.mark.slow),
        pytest.param("src/remnist/learning/losses.py", "def (\n", id="unfinished", marks=pytest.mark.slow),
        pytest.param("data/images.safetensors", " ", id="data"),
    ],
)
@pytest.mark.fault("input edited while a stage runs")
def test_an_input_that_changes_under_training_is_refused(long, path, text):
    """The seed that had ended before is kept, and no other."""
    process = start(long, sys.executable, "stages/train.py", "xor", REMNIST_WORKERS="1")
    wait_for(process, "xor seed 1 epoch 1/")
    until(lambda: list((long / "models/xor.tmp").rglob("seed-0.json")))
    kept = weights(long / "models/xor.tmp")
    content = (long / path).read_bytes()
    with (long / path).open("a") as file:
        file.write(text)
    output, _ = process.communicate()
    assert process.returncode == 1, output
    assert all_gone(process.pid, 10)
    assert "Traceback" not in output
    assert [line for line in output.splitlines() if "epoch" not in line] == [output.splitlines()[-1]]
    assert output.splitlines()[-1].startswith("error: ")
    assert list(kept) == ["seed-0.safetensors"]
    assert weights(long / "models/xor.tmp") == kept
    (long / path).write_bytes(content)
    assert "seed 0 epoch" not in run(long, "train", "xor").stdout
    assert kept.items() <= weights(long / "models/xor").items()


def test_an_edit_that_decides_no_bit_lets_training_end(long):
    undisturbed = run(long, "train", "xor")
    assert undisturbed.returncode == 0, undisturbed.stderr
    expected = weights(long / "models/xor")
    shutil.rmtree(long / "models/xor")
    process = start(long, sys.executable, "stages/train.py", "xor", REMNIST_WORKERS="1")
    wait_for(process, "xor seed 1 epoch 1/")
    package = long / "src/remnist"
    for name, old, new in [
        ("learning/loop.py", "def run_seed", "# edited\ndef run_seed"),
        ("learning/loop.py", "allowed: cpu", "use cpu"),
        ("runtime/progress.py", "train loss", "loss"),
        ("runtime/cluster.py", "lost; ", "gone; "),
    ]:
        text = (package / name).read_text()
        assert old in text
        (package / name).write_text(text.replace(old, new))
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert weights(long / "models/xor") == expected
