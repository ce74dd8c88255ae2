"""How `make repro` ends: as its DVC does, whatever ends it."""

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
from tests.support.cluster import until
from tests.support.processes import members, start, wait_for

# A graph of the study's shape whose stages do next to nothing. Its variants' stages have other names than the study's,
# so that nothing is done ahead of them.
GRAPH = """
stages:
  plan: {cmd: echo planned > planned, outs: [planned]}
  preprocess: {cmd: echo > data, deps: [planned], outs: [data]}
  train:
    foreach: ${variants}
    do: {cmd: "sh train.sh ${key}", deps: [data, train.sh], outs: ["models/${key}"]}
  evaluate:
    foreach: ${variants}
    do: {cmd: 'mkdir -p evaluations; echo > evaluations/${key}', deps: ["models/${key}"], outs: ["evaluations/${key}"]}
  report: {cmd: echo > report, deps: [evaluations], outs: [report]}
"""
TRAIN = 'mkdir -p models; test "$1" = long && { echo "long trains"; sleep 2; DO; }; echo > "models/$1"\n'
VARIANTS = ["one", "long", "two"]
AHEAD = """
import sys
from remnist.commands import ahead, repro
if __name__ == "__main__":
    ahead.main = int
    sys.argv = ["repro"]
    from remnist.cli import main
    main(["repro"])
"""


@pytest.fixture
def graph(tmp_path: Path, variant: Any) -> Path:
    """A project with that graph, in which DVC has run nothing yet."""
    plan = {name: variant.to_json() for name in VARIANTS}
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    write_json(tmp_path / "params.yaml", {"variants": plan})
    (tmp_path / "repro.py").write_text(AHEAD)
    subprocess.run(["dvc", "init", "--quiet", "--no-scm"], cwd=tmp_path, check=True)
    return tmp_path


def repro_in(graph: Path, long: str) -> "subprocess.Popen[str]":
    """Start `remnist repro`, with nothing done ahead; the variant `long` ends its training with a command."""
    (graph / "train.sh").write_text(TRAIN.replace("DO", long))
    return start(graph, sys.executable, "repro.py", PYTHONPATH=str(demo.ROOT / "src"))


def ended(process: "subprocess.Popen[str]", graph: Path) -> tuple[int, set[str]]:
    """Return a process's exit status, and the stages in dvc.lock."""
    output, _ = process.communicate()
    assert (graph / "dvc.lock").exists(), output
    return process.returncode, set(YAML(typ="safe").load(graph / "dvc.lock")["stages"])


def test_a_stage_that_fails_ends_it_with_the_status_of_dvc(graph):
    status, stages = ended(repro_in(graph, "exit 1"), graph)
    assert status not in (0, 130)
    assert "train@one" in stages
    assert not stages & {"train@long", "report"}


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.fault("Ctrl-C in DVC")
def test_ctrl_c_however_often_waits_for_dvc_and_the_next_run_goes_on(graph, times):
    process = repro_in(graph, "true")
    wait_for(process, "long trains")
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.1)
    status, stages = ended(process, graph)
    assert status == 130
    assert "train@one" in stages
    assert not stages & {"train@long", "report"}
    if times > 1:
        status, stages = ended(repro_in(graph, "true"), graph)
        assert (status, len(stages)) == (0, 9)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.fault("make repro killed while DVC runs")
def test_dvc_ends_with_it(graph, number):
    """The study's stages watch for DVC's end themselves; this shell does not."""
    process = repro_in(graph, "exec sleep 60")
    wait_for(process, "long trains")
    stages = [child for child in members(process.pid) if child.name() in ("sh", "sleep")]
    process.send_signal(number)
    assert until(lambda: {each.pid for each in members(process.pid)} <= {stage.pid for stage in stages})
    for stage in stages:
        stage.kill()
    process.wait()
    assert "train@long" not in (graph / "dvc.lock").read_text()
