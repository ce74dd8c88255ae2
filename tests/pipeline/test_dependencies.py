"""Every stage declares exactly the modules that it imports, in itself and in its workers, also those of a cluster."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from remnist.commands import demo
from tests.support.cluster import Cluster

STAGES = ["download", "preprocess", "plan", "train", "evaluate", "report"]
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


def declared(stage: str) -> set[str]:
    definition = YAML(typ="safe").load(demo.ROOT / "dvc.yaml")["stages"][stage]
    dependencies = definition.get("do", definition)["deps"]
    return {name for name in dependencies if name.startswith(("src/", "stages/"))}


def files(names: set[str]) -> set[str]:
    """Put the files of a folder in its place."""
    paths = {path for name in names for path in [demo.ROOT / name, *(demo.ROOT / name).glob("*.py")]}
    return {str(path.relative_to(demo.ROOT)) for path in paths if path.is_file() and holds_code(path)}


@pytest.mark.parametrize("stage", STAGES)
def test_declared_dependencies_are_the_modules_imported(stage, imported):
    expected = {*imported[stage], f"stages/{stage}.py"}
    if stage in ("train", "evaluate"):
        # A model's own file comes in by way of its digest in the plan.
        assert "src/remnist/models/mlp.py" in expected
        expected.remove("src/remnist/models/mlp.py")
    if stage == "plan":
        expected |= files({"src/remnist/models"})  # whose sources it digests
    assert files(declared(stage)) == expected


def test_models_import_no_other_model():
    """Each is digested by itself, and what they share is declared."""
    for file in (demo.ROOT / "src/remnist/models").glob("*.py"):
        assert not re.search(r"^\s*(?:import|from) remnist(?!\.common\.layers\b)", file.read_text(), re.MULTILINE)


def test_every_stage_says_what_it_does():
    stages = YAML(typ="safe").load(demo.ROOT / "dvc.yaml")["stages"]
    assert list(stages) == STAGES
    assert all(definition.get("do", definition)["desc"] for definition in stages.values())
