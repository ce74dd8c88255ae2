"""The hooks before a commit: the project as it is passes, a mistake fails the hook that is for it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from remnist.commands import demo
from tests.support.repository import Repository

MISTAKES = {  # by hook: a file and what stands there
    "ruff-check": ("src/remnist/mistake.py", '"""A mistake."""\n\nimport os\n'),
    "ruff-format": ("src/remnist/mistake.py", '"""A mistake."""\n\nNUMBERS = [1 ]\n'),
    "mypy": ("src/remnist/mistake.py", '"""A mistake."""\n\nNUMBER: int = "one"\n'),
    "schemas": ("params.schema.json", "{}\n"),
    "plot-templates": (".dvc/plots/roc.json", "{}\n"),
}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project under Git, with the environment of these tests for its own."""
    folder = tmp_path_factory.mktemp("hooks") / "project"
    demo.copy(folder, {})
    (folder / ".venv").symlink_to(sys.prefix)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Copy"]):
        Repository.run_in(folder, "git", *command)
    return folder


@pytest.fixture
def clone(fresh: Path) -> Iterator[Path]:
    """The same, as committed, for each test."""
    yield fresh
    Repository.run_in(fresh, "git", "reset", "-q", "--hard")


def pre_commit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = Repository.environment() | {"PRE_COMMIT_HOME": str(folder.parent / "store")}
    return subprocess.run(["pre-commit", *arguments], cwd=folder, env=variables, capture_output=True, text=True)


def test_the_configuration_is_valid(clone):
    done = pre_commit(clone, "validate-config")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_project_passes_every_hook(clone):
    done = pre_commit(clone, "run", "--all-files")
    assert done.returncode == 0, done.stdout
    assert len(re.findall(r"Passed$", done.stdout, re.MULTILINE)) == len(MISTAKES)


@pytest.mark.parametrize("hook", MISTAKES)
def test_a_mistake_fails_its_hook_alone(hook, clone):
    path, content = MISTAKES[hook]
    (clone / path).write_text(content)
    Repository.run_in(clone, "git", "add", "-A")
    done = pre_commit(clone, "run", "--all-files")
    assert done.returncode == 1
    assert re.findall(r"^- hook id: (.+)$", done.stdout, re.MULTILINE) == [hook], done.stdout
    if not path.endswith(".py"):  # it is mended, and a commit takes it
        assert (clone / path).read_bytes() == (demo.ROOT / path).read_bytes()


def test_a_commit_is_refused_in_a_shell_without_the_environment(clone):
    assert pre_commit(clone, "install").returncode == 0
    path, content = MISTAKES["ruff-check"]
    (clone / path).write_text(content)
    Repository.run_in(clone, "git", "add", "-A")
    variables = Repository.environment() | {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(["git", "commit", "-m", "Err"], cwd=clone, env=variables, capture_output=True, text=True)
    assert done.returncode == 1
    assert "F401" in done.stdout + done.stderr
    assert Repository.run_in(clone, "git", "log", "--format=%s") == "Copy\n"
