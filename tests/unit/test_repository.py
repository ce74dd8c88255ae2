"""Files for editors, hosts and readers name what is there, and agree with the files that they repeat."""

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import load_yaml

from remnist import cli
from remnist.commands import demo
from remnist.commands.schemas import SCHEMAS
from remnist.files import read_yaml

ROOT = Path(__file__).parents[2]
README, CONTRIBUTING = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = [line.split(" :: ")[-1] for line in PROJECT["classifiers"] if "Python :: 3." in line]
CITATION = read_yaml(ROOT / "CITATION.cff")
HOOKS = {hook["id"]: hook for hook in read_yaml(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]}
FILES = sorted(demo.project_files())
OWNERS = {  # the extension that reads the settings of a name
    "dvc": "iterative.dvc",
    "mypy-type-checker": "ms-python.mypy-type-checker",
    "python": "ms-python.python",
    "ruff": "charliermarsh.ruff",
}
# Keys of CFF 1.2.0.
REQUIRED = {"authors", "cff-version", "message", "title"}
ALLOWED = REQUIRED | {
    "abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords", "license", "license-url",
    "preferred-citation", "references", "repository", "repository-artifact", "repository-code", "type", "url",
    "version",
}  # fmt: skip
FACTS = {  # what a badge that never changes may say, and the file that says so
    f"https://img.shields.io/badge/Python-{PYTHONS[0]}%20to%20{PYTHONS[-1]}-blue": "pyproject.toml",
    f"https://img.shields.io/badge/licence-{PROJECT['license']}-blue": "LICENSE",
}


def with_comments(name: str) -> Any:
    """Read a JSON file whose comments have lines of their own."""
    return json.loads(re.sub(r"^\s*//.*$", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE))


SETTINGS = with_comments(".vscode/settings.json")
RECOMMENDED = with_comments(".vscode/extensions.json")["recommendations"]
CONTAINER = with_comments(".devcontainer/devcontainer.json")
IMAGE = (ROOT / ".devcontainer" / CONTAINER["build"]["dockerfile"]).read_text(encoding="utf-8")


def test_vscode_recommends_each_extension_that_it_configures():
    kinds = {key.split(".")[0] for key in SETTINGS if not key.startswith(("[", "files."))}
    assert {OWNERS[kind] for kind in kinds} | {SETTINGS["[python]"]["editor.defaultFormatter"]} <= set(RECOMMENDED)


def test_vscode_takes_the_environment_of_the_makefile():
    assert SETTINGS["python.defaultInterpreterPath"] == "${workspaceFolder}/.venv"
    assert "BIN := .venv/bin\n" in MAKEFILE


def test_the_container_installs_the_recommended_extensions():
    assert CONTAINER["customizations"]["vscode"]["extensions"] == RECOMMENDED == sorted(RECOMMENDED)


def test_the_container_has_the_python_of_the_workflows():
    workflows = [path.read_text(encoding="utf-8") for path in (ROOT / ".github/workflows").iterdir()]
    versions = {version for text in workflows for version in re.findall(r'python-version: "(.+)"', text)}
    assert versions == set(re.findall(r"^FROM python:([\d.]+)-", IMAGE, re.MULTILINE)) == {PYTHONS[0]}


def test_the_container_sets_itself_up_by_what_the_readme_names_and_not_as_root():
    assert CONTAINER["remoteUser"] != "root"
    [packages] = re.findall(r"^COPY (\S+) ", IMAGE, re.MULTILINE)
    assert os.access(ROOT / packages, os.X_OK)
    assert re.findall(r"^USER (.*)$", IMAGE, re.MULTILINE) == [CONTAINER["remoteUser"]]
    assert CONTAINER["postCreateCommand"] in README
    assert CONTAINER["postCreateCommand"].removeprefix("make ") in TARGETS


def test_hooks_lint_what_the_tests_lint_with_the_same_tools():
    [recipe] = re.findall(r"^test:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    linted = [command for command in recipe.split("\n\t") if not command.strip().startswith("pytest")]
    entries = [hook["entry"] for hook in HOOKS.values() if "remnist" not in hook["entry"]]
    assert entries == [f".venv/bin/{command.strip()}" for command in linted]


@pytest.mark.parametrize(
    ("name", "paths"),
    {
        "schemas": ["src/remnist/settings/models.py", "src/remnist/plan/schema.py", *SCHEMAS],
        "plot-templates": ["src/remnist/review/vega.py", ".dvc/plots/roc.json"],
    }.items(),
)
def test_hooks_write_a_file_again_where_it_or_its_source_changed(name, paths):
    assert HOOKS[name]["entry"] == f".venv/bin/remnist {name}"
    assert name in cli.COMMANDS
    assert set(paths) <= {path for path in FILES if re.search(HOOKS[name]["files"], path)}


def test_citation_has_what_the_format_requires_and_no_key_that_it_does_not_know():
    assert REQUIRED <= CITATION.keys() <= ALLOWED
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] in ("software", "dataset")
    for work in (CITATION, *CITATION["references"]):
        assert {"title", "authors", "type"} <= work.keys()
        assert all("name" in author or "family-names" in author for author in work["authors"])


def test_citation_says_what_the_project_says():
    assert (CITATION["version"], CITATION["license"]) == (PROJECT["version"], PROJECT["license"])
    assert CITATION["abstract"] == PROJECT["description"]
    assert README.startswith(f"# {CITATION['title']}\n")
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith(f"{PROJECT['license']} License")
    assert CITATION["authors"] == [{"name": name} for name in re.findall(r"\(c\) \d+ (.+)", text)]


@pytest.mark.parametrize(("image", "link"), re.findall(r"\[!\[[^]]*\]\((\S+?)\)\]\((\S+?)\)", README))
def test_each_badge_is_of_a_workflow_or_of_a_fact(image, link):
    if image.startswith("../../actions/workflows/"):  # seen from blob/main/README.md: this repository, or a fork
        assert image == f"{link}/badge.svg"
        assert (ROOT / ".github/workflows" / Path(link).name).is_file()
    else:
        assert FACTS[image] == link


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README.md", "CONTRIBUTING.md"])
def test_pythons_are_those_of_the_project(text):
    phrases = re.findall(r"Python (3\.\d+)(?:(?:,| or| and| to)\s(3\.\d+))+", text)  # the first one and the last
    assert set(phrases) == {(PYTHONS[0], PYTHONS[-1])}


def test_contributing_names_what_is_there():
    assert set(re.findall(r"(?:`|^ {4})make ([a-z-]+)", CONTRIBUTING, re.MULTILINE)) <= TARGETS
    assert set(re.findall(r"`remnist ([a-z-]+)`", CONTRIBUTING)) <= set(cli.COMMANDS)
    for path in re.findall(r"`([\w./-]*[./][\w./-]+)`", CONTRIBUTING):
        assert (ROOT / path).exists(), path
    for path, heading in re.findall(r"\]\(([\w./]+)(?:#([\w-]+))?\)", CONTRIBUTING):
        headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
        assert not heading or heading in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


def test_the_lock_has_the_stages_of_the_graph_and_no_other():
    """DVC leaves those of a variant that is gone."""
    graph, lock, plan = (load_yaml(ROOT / name) for name in ("dvc.yaml", "dvc.lock", "plan.json"))
    each = {name: [f"{name}@{variant}" for variant in plan] for name, stage in graph["stages"].items() if "do" in stage}
    assert sorted(lock["stages"]) == sorted(stage for name in graph["stages"] for stage in each.get(name, [name]))


def test_files_that_github_folds_are_there():
    patterns = re.findall(r"^/(\S+) linguist-generated$", (ROOT / ".gitattributes").read_text(), re.MULTILINE)
    assert patterns
    assert [pattern for pattern in patterns if not list(ROOT.glob(pattern))] == []


def test_files_are_as_editorconfig_says():
    texts = {path: (ROOT / path).read_text("utf-8") for path in FILES if not path.endswith((".png", ".xz"))}
    assert [path for path, text in texts.items() if re.search(r"[ \t]$", text, re.MULTILINE)] == []
    assert [path for path, text in texts.items() if text and not text.endswith("\n")] == []
