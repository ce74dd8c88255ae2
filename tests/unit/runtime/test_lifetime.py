"""A process ends with its parent, also if the parent ends while the process still imports."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from remnist.runtime import pool
from tests.support.processes import gone

STAGES = ["download", "preprocess", "plan", "train", "evaluate", "report"]
IMPORTING = """
import os, time, remnist
print(os.getpid(), flush=True)
while not os.path.exists("go"):
    time.sleep(0.01)
from remnist.runtime.lifetime import end_with_parent
end_with_parent()
time.sleep(100)
"""
PARENT = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', sys.argv[1]]); time.sleep(100)"


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(pool.SOURCE), "DVC_STAGE": "train@xor"}


@pytest.mark.fault("parent killed during the imports")
def test_a_parent_that_ends_during_the_imports_is_noticed(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, IMPORTING],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    (tmp_path / "go").touch()
    ended = gone(child)
    if not ended:
        os.kill(child, signal.SIGKILL)
    assert ended


def test_a_process_that_nobody_watches_over_stays():
    """A stage started by hand, whose shell has ended."""
    code = (
        "import time; from remnist.runtime.lifetime import end_with_parent as end; end(); time.sleep(1); print('stays')"
    )
    variables = {name: value for name, value in environment().items() if name != "DVC_STAGE"}
    command = [sys.executable, "-c", PARENT.replace("time.sleep(100)", "sys.exit()"), code]
    assert subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True).stdout == "stays\n"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_reads_its_parent_before_its_long_imports(stage):
    """The package's own first lines read it."""
    script = Path(__file__).resolve().parents[3] / f"stages/{stage}.py"
    command = [sys.executable, "-X", "importtime", script, "--help"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    imported = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    before = imported[: imported.index("remnist")]
    assert not {"numpy", "pydantic", "pandas", "matplotlib", "ruamel.yaml"} & set(before)


def test_ctrl_c_while_it_ends_does_not_change_how_it_ends():
    """As with a library that takes long to let go."""
    code = """
import atexit, time
from remnist.runtime.stage import command_main
atexit.register(lambda: (print("ends", flush=True), time.sleep(1)))
with command_main():
    raise KeyboardInterrupt
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ends\n"
    process.send_signal(signal.SIGINT)
    _, error = process.communicate()
    assert (process.returncode, error) == (130, "")
