"""GitHub's workflows call what the Makefile has, pin what they use, and may do no more than they need."""

import os
import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from remnist import cli
from remnist.commands import demo

FILES = sorted((demo.ROOT / ".github/workflows").iterdir())
WORKFLOWS = {path.name: YAML(typ="safe").load(path) for path in FILES}
JOBS = {f"{file}:{name}": job for file, workflow in WORKFLOWS.items() for name, job in workflow["jobs"].items()}
MAKEFILE = (demo.ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
COMMAND = re.compile(r"make (?P<target>[a-z-]+)( [A-Z]+=[\w\"$/]+)*|(?P<script>\.ci/\w+)|cml comment update [\w=./ -]+")
WRITERS = {  # the jobs that may write, and what
    "pull-request.yml:comment": {"contents": "read", "pull-requests": "write"},
    "page.yml:publish": {"pages": "write", "id-token": "write"},
}


def commands(job: dict[str, Any]) -> list[str]:
    return [line for step in job["steps"] if "run" in step for line in step["run"].splitlines()]


def test_there_is_one_for_pull_requests_and_two_for_main():
    assert {name: workflow["on"] for name, workflow in WORKFLOWS.items()} == {
        "main.yml": {"push": {"branches": ["main"]}},
        "page.yml": {"push": {"branches": ["main"]}},
        "pull-request.yml": "pull_request",
    }


@pytest.mark.parametrize("name", JOBS)
def test_they_run_make_targets_and_little_else(name):
    for command in commands(JOBS[name]):
        found = COMMAND.fullmatch(command)
        assert found, command
        assert found["target"] is None or found["target"] in TARGETS
        assert found["script"] is None or os.access(demo.ROOT / found["script"], os.X_OK)


def test_every_target_is_listed_and_calls_a_command_that_is_there():
    [phony] = re.findall(r"^\.PHONY: (.+)", MAKEFILE, re.MULTILINE)
    assert sorted(phony.split()) == sorted(TARGETS) == sorted(re.findall(r"^([a-z-]+):.* ## ", MAKEFILE, re.MULTILINE))
    commands = re.findall(r"(?:remnist|remnist\.cli) ([a-z-]+)", MAKEFILE)
    assert {"demo", "repro", "check-lock", "check-results", "verify", "review", "experiments"} <= set(commands)
    assert set(commands) <= set(cli.COMMANDS)
    for module in re.findall(r"-m (benchmarks\.\w+)", MAKEFILE):
        assert (demo.ROOT / f"{module.replace('.', '/')}.py").is_file()


@pytest.mark.parametrize("path", sorted((demo.ROOT / ".ci").iterdir()), ids=lambda path: path.name)
def test_targets_that_the_gate_calls_are_there(path):
    assert set(re.findall(r"^make ([a-z-]+)$", path.read_text(), re.MULTILINE)) <= TARGETS


@pytest.mark.parametrize("name", JOBS)
def test_each_action_is_pinned_to_a_version(name):
    for step in JOBS[name]["steps"]:
        assert ("uses" in step) != ("run" in step)
        assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w-]+@v\d+(\.\d+)*", step["uses"])
        assert step.get("uses", "").split("@")[0] != "iterative/setup-cml" or re.match(r"v\d", step["with"]["version"])


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)
def test_a_later_push_ends_the_run_of_an_earlier_one(workflow):
    assert workflow["concurrency"]["cancel-in-progress"] is True


@pytest.mark.parametrize("name", JOBS)
def test_each_job_ends_in_time_and_may_read_alone_if_it_runs_the_projects_code(name):
    job = JOBS[name]
    assert job["timeout-minutes"] <= 90
    assert WORKFLOWS[name.split(":")[0]]["permissions"] == {"contents": "read"}
    assert job.get("permissions", {}) == WRITERS.get(name, {})
    assert name not in WRITERS or all(command.startswith("cml ") for command in commands(job))
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_a_stale_lock_keeps_no_review_back_and_fails_by_itself():
    jobs = WORKFLOWS["pull-request.yml"]["jobs"]
    needs = {name: job.get("needs") for name, job in jobs.items()}
    assert needs == {"fresh": None, "test": None, "review": None, "comment": "review"}
    assert "make check-lock" in commands(jobs["fresh"])
    assert not any("continue-on-error" in part for job in jobs.values() for part in (job, *job["steps"]))


def test_the_page_is_made_of_fresh_results_and_published_where_there_are_pages():
    build, publish = (WORKFLOWS["page.yml"]["jobs"][name] for name in ("build", "publish"))
    assert build["if"] == "github.event.repository.has_pages"
    assert commands(build) == ["make check-lock", "make page"]
    assert publish["needs"] == "build"
