"""How `make repro JOBS=2` leaves dvc.lock, whatever ends it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from remnist.commands import demo
from remnist.files import write_json
from tests.support.processes import start, wait_for

# A graph of the study's shape whose stages do next to nothing. `long` trains from the start, and ends last.
GRAPH = """
stages:
  plan: {cmd: echo planned > planned, outs: [planned]}
  preprocess: {cmd: mkdir -p data && echo > data/images.safetensors, deps: [planned], outs: [data]}
  train:
    foreach: ${variants}
    do: {cmd: "sh train.sh ${key}", deps: [data, train.sh], outs: ["models/${key}"]}
  evaluate:
    foreach: ${variants}
    do: {cmd: 'mkdir -p evaluations; echo > evaluations/${key}', deps: ["models/${key}"], outs: ["evaluations/${key}"]}
  report: {cmd: echo > report, deps: [evaluations], outs: [report]}
"""
TRAIN = 'mkdir -p models; test "$1" = long && { sleep 1; echo "long trains"; sleep 3; DO; }; echo > "models/$1"\n'
VARIANTS = ["one", "two", "long"]
ORDER = ["plan", "preprocess", *(f"{stage}@{name}" for stage in ("train", "evaluate") for name in VARIANTS), "report"]


@pytest.fixture
def graph(tmp_path: Path, variant: Any) -> Path:
    """A project with that graph, in which DVC has run nothing yet."""
    plan = {name: variant.to_json() for name in VARIANTS}
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    write_json(tmp_path / "params.yaml", {"variants": plan})
    write_json(tmp_path / "plan.json", plan)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/seconds.csv").write_text("variant,model,seconds\none,mlp,2\ntwo,mlp,1\nlong,mlp,1e9\n")
    subprocess.run(["dvc", "init", "--quiet", "--no-scm"], cwd=tmp_path, check=True)
    return tmp_path


def repro_in(graph: Path, long: str) -> "subprocess.Popen[str]":
    """Start `remnist repro`; the longest variant's training ends with a command."""
    (graph / "train.sh").write_text(TRAIN.replace("DO", long))
    command = [sys.executable, "-m", "remnist.cli", "repro", "--jobs", "2"]
    return start(graph, *command, PYTHONPATH=str(demo.ROOT / "src"))


def ended(process: "subprocess.Popen[str]", graph: Path) -> tuple[int, list[str]]:
    """Return a process's exit status, and the stages in dvc.lock."""
    output, _ = process.communicate()
    assert (graph / "dvc.lock").exists(), output
    return process.returncode, list(YAML(typ="safe").load(graph / "dvc.lock")["stages"])


def test_dvc_lock_is_in_order_after_a_stage_has_failed(graph):
    status, stages = ended(repro_in(graph, "exit 1"), graph)
    assert status not in (0, 130)
    assert stages == [name for name in ORDER if name not in ("train@long", "evaluate@long", "report")]


@pytest.mark.parametrize("times", [1, 3])
def test_dvc_lock_is_in_order_after_ctrl_c_and_the_next_run_goes_on(graph, times):
    process = repro_in(graph, "true")
    wait_for(process, "long trains")
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.1)
    status, stages = ended(process, graph)
    assert status == 130
    assert stages == [name for name in ORDER if name in stages]
    assert "train@one" in stages
    assert "report" not in stages
    if times > 1:
        after = [*stages, *(name for name in ORDER if name not in stages)]
        assert ended(repro_in(graph, "true"), graph) == (0, after)
