"""A stage's digest covers exactly the modules that it loads, in itself and in its workers, also those of a cluster."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from remnist.commands import demo
from remnist.files import read_yaml
from remnist.plan import digests
from remnist.plan.digests import FREE, MODULES
from remnist.plan.resolve import resolve
from tests.support.cluster import Cluster

STAGES = ["plan", "download", "preprocess", "train", "evaluate", "report"]
VARIANT = "mlp-baseline"
# Python runs this at the start of every process, and forked processes keep it.
RECORD = """
import os, sys

class Recorder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] == "remnist":
            with open(os.environ["RECORD"], "a") as file:
                file.write(name + "\\n")

sys.meta_path.insert(0, Recorder)
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Run each stage's script and note which of the package's files it loads."""
    folder = tmp_path_factory.mktemp("imports")
    project = folder / "project"
    demo.copy(project, {"data": {"name": "digits"}, "seeds": [0], "train": {"epochs": 1}}, [VARIANT])
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(RECORD)
    files = {}
    cluster = Cluster(folder / "cluster")
    for stage in STAGES:
        record = folder / stage
        recorded = {"PYTHONPATH": str(folder / "site"), "RECORD": str(record)}
        command = [sys.executable, f"stages/{stage}.py", *([VARIANT] if stage in ("train", "evaluate") else [])]
        subprocess.run(command, cwd=project, env=os.environ | recorded, check=True)
        if stage == "train":
            cluster.add_worker(**recorded)
            variables = os.environ | recorded | {"DASK_SCHEDULER_ADDRESS": cluster.address}
            subprocess.run(command, cwd=project, env=variables, check=True)
            cluster.end()
        paths = {path(name, project) for name in set(record.read_text().split())}
        files[stage] = {name for name in paths if holds_code(project / name)}
    return files


def holds_code(path: Path) -> bool:
    """Whether there is more than a docstring, which changes no result."""
    body = ast.parse(path.read_text()).body
    return len(body) > 1


def path(module: str, project: Path) -> str:
    base = Path("src", *module.split("."))
    return str(base / "__init__.py" if (project / base).is_dir() else base.with_suffix(".py"))


def digested(stage: str) -> set[str]:
    """The package's files that the stage's digest covers, of the project that these tests belong to."""
    study = resolve(read_yaml(demo.ROOT / "params.yaml"))
    covered = digests.closure(digests.roots(stage, study[VARIANT] if stage in MODULES else None))
    files = {f"src/{name}" for name in covered if name.startswith("remnist/") and name.endswith(".py")}
    return {name for name in files if holds_code(demo.ROOT / name)}


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "plan"])
def test_digest_covers_the_modules_that_a_stage_loads_and_no_other(stage, imported):
    """Apart from what decides none of its bits: numerics that runtime pins, a run's form, what the canary computes."""
    pins = {"src/remnist/learning/numerics.py", "src/remnist/kernels/__init__.py"}
    computed = digests.closure([demo.ROOT / "src/remnist/learning/canary.py"])
    canary = {f"src/{name}" for name in computed} - digested(stage)
    others = dict.fromkeys(("download", "preprocess", "report"), pins)
    others |= {"train": canary, "evaluate": canary | {"src/remnist/learning/runs.py"}}
    free = tuple(f"src/remnist/{name.replace('.', '/')}" for name in (*FREE, "cli", "commands", "review"))
    assert digested(stage) == {name for name in imported[stage] if not name.startswith(free)} - others[stage]


def test_plan_depends_on_all_that_a_digest_covers():
    planned = YAML(typ="safe").load(demo.ROOT / "dvc.yaml")["stages"]["plan"]["deps"]
    ignored = (demo.ROOT / ".dvcignore").read_text().split()
    for stage in STAGES:
        for name in digested(stage) if stage != "plan" else ():
            assert any(name.startswith(path) for path in planned)
            assert not any(f"/{name}".startswith(path) for path in ignored if path.startswith("/"))


def test_models_import_no_other_model():
    """Each is digested by itself."""
    for file in (demo.ROOT / "src/remnist/models").glob("*.py"):
        assert not re.search(
            r"^\s*(?:import|from) remnist(?!\.models\.layers\b|\.settings\b|\.kernels\b| import kernels$)",
            file.read_text(),
            re.MULTILINE,
        )


def test_every_stage_says_what_it_does():
    stages = YAML(typ="safe").load(demo.ROOT / "dvc.yaml")["stages"]
    assert list(stages) == STAGES
    assert all(definition.get("do", definition)["desc"] for definition in stages.values())
