"""Whatever ends a run before its time, `make repro` ends as an undisturbed run does, and nothing is lost."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from tests.support.harm import in_own_mounts
from tests.support.processes import all_gone, members, start, wait_for
from tests.support.repository import Repository, ran

# Each stage, and how many seconds it takes at most on a slow machine: it is killed at a random moment of these.
SECONDS = {"download": 1.0, "preprocess": 1.5, "train@mlp-baseline": 4.0, "evaluate@mlp-baseline": 3.0, "report": 7.0}
VICTIMS = ("everything", "dvc", "the stage", "a worker")
KILLS = [(stage, VICTIMS[(i + j) % len(VICTIMS)], j) for j in range(6) for i, stage in enumerate(SECONDS)]
QUICK = range(1)  # rounds that every test run makes


@pytest.fixture
def started(study: Repository) -> Iterator[list["subprocess.Popen[str]"]]:
    """The processes that a test starts, each in a session of its own; ended with the test."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        kill_session(process.pid)
        process.wait()


def kill_session(session: int) -> None:
    for process in members(session):
        process.kill()


def errors(output: str) -> list[str]:
    """Return the names of the exceptions that tracebacks end in."""
    return re.findall(r"^Traceback \(most recent call last\):\n(?: .*\n|\n)+([\w.]+)", output, re.MULTILINE)


def strike(victim: str, process: "subprocess.Popen[str]", chance: random.Random) -> None:
    """Kill without warning: the whole session, as when the machine is switched off, or one process of it."""
    children = psutil.Process(process.pid).children()
    stages = [child for child in children if any("stages/" in word for word in child.cmdline())]
    workers = [worker for stage in stages for worker in stage.children(recursive=True)]
    match victim:
        case "everything":
            kill_session(process.pid)
        case "dvc":
            process.kill()
        case "the stage":
            for stage in stages:
                stage.kill()
        case "a worker" if workers:
            chance.choice(workers).kill()  # one that trains, or their server, or the queue's


@pytest.mark.parametrize(
    ("stage", "victim", "number"),
    [
        pytest.param(*kill, marks=[pytest.mark.fault(f"kill -9 in {kill[0].split('@')[0]}")]
                     + ([] if kill[2] in QUICK else [pytest.mark.slow]))
        for kill in KILLS
    ],
)  # fmt: skip
def test_killed_in_a_stage(study, started, stage, victim, number):
    committed = study.hashes()
    process = start(study.folder, "dvc", "repro", "--single-item", "--force", stage)
    started.append(process)
    wait_for(process, f"Running stage '{stage}'")
    chance = random.Random(f"{stage} {number}")  # noqa: S311
    time.sleep(chance.uniform(0, SECONDS[stage]))
    with suppress(psutil.NoSuchProcess):  # it has ended in this very moment
        strike(victim, process, chance)
    output = process.communicate(timeout=60)[0]
    assert all_gone(process.pid, 10)
    # A process that is being started when its parent is killed says that it is gone; nothing else ends in a traceback.
    assert set(errors(output)) <= {"BrokenPipeError", "ConnectionResetError", "EOFError"}
    # Results that Git keeps are there, whole, at any moment.
    assert study.results() == {name: content for name, content in committed.items() if name != "dvc.lock"}
    if number % 2:
        # So are earlier ones in the cache.
        assert "Running stage" not in study.make_repro()
    else:
        study.forget_runs()
        study.make_repro()
    assert study.hashes() == committed
    assert study.git("status", "--porcelain") == ""


@pytest.mark.parametrize("number", [pytest.param(number, marks=pytest.mark.slow) for number in range(6)])
@pytest.mark.fault("kill -9 in a first run of the whole graph")
def test_killed_in_a_first_run(study, started, number):
    committed = study.hashes()
    study.forget()
    process = start(study.folder, "dvc", "repro")
    started.append(process)
    chance = random.Random(number)  # noqa: S311
    stages = sorted(ran(study.first_run) - {"plan", "report"})  # whose results Git has
    wait_for(process, f"Running stage '{chance.choice(stages)}'")
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=chance.uniform(0, 1))
    kill_session(process.pid)
    process.communicate()
    study.make_repro()
    assert study.hashes() == committed
    assert study.git("status", "--porcelain") == ""


REPRO = [sys.executable, "-m", "remnist.cli", "repro"]


@pytest.mark.parametrize("command", [["dvc", "repro", "-s", "train@mlp-baseline"], REPRO], ids=["dvc", "ahead"])
@pytest.mark.fault("Ctrl-C in train")
def test_ctrl_c_ends_all_processes_at_once(study, started, command):
    committed = study.hashes()
    params = study.folder / "params.yaml"
    params.write_text(params.read_text().replace("epochs: 1", "epochs: 1000"))
    study.dvc("repro", "plan")
    process = start(study.folder, *command)
    started.append(process)
    wait_for(process, "seed 0 epoch")
    os.killpg(process.pid, signal.SIGINT)
    assert all_gone(process.pid, 8)
    output = process.communicate()[0]
    assert process.returncode != 0
    assert "Traceback" not in output
    study.reset()
    assert "Running stage" not in study.make_repro()
    assert study.hashes() == committed


@pytest.mark.parametrize("number", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 10))])
@pytest.mark.fault("Ctrl-C at any moment of make repro")
def test_ctrl_c_at_any_moment(study, started, number):
    """Python and DVC may tell where they were; no process is left, or complains that another is gone."""
    committed = study.hashes()
    study.forget()
    process = start(study.folder, *REPRO)
    started.append(process)
    time.sleep(random.Random(number).uniform(0.5, 12))  # noqa: S311
    os.killpg(process.pid, signal.SIGINT)
    assert all_gone(process.pid, 8)
    output = process.communicate()[0]
    assert not re.search(
        r"^\w+(Error|Exception)\b|, in (_bootstrap|_serve_one|_main|spawn_main)$", output, re.MULTILINE
    )
    study.make_repro()
    assert study.hashes() == committed


ENDS = [(signal.SIGKILL, "everything"), *((end, who) for who in ("repro", "ahead", "a worker")
                                           for end in (signal.SIGKILL, signal.SIGTERM))]  # fmt: skip
ENDED_AHEAD = [(*end, number) for number in range(3) for end in ENDS]


@pytest.mark.parametrize(
    ("end", "victim", "number"),
    [
        pytest.param(*case, marks=[pytest.mark.slow, pytest.mark.fault(f"kill -{case[0]} of {case[1]}, ahead of DVC")])
        for case in ENDED_AHEAD
    ],
)  # fmt: skip
def test_killed_ahead_of_dvc(study, started, end, victim, number):
    """Finished seeds are kept, no process is left, and the next run ends as an undisturbed one does."""
    committed = study.hashes()
    study.forget()
    process = start(study.folder, *REPRO)
    started.append(process)
    wait_for(process, "epoch 1/1")  # the first run is kept next
    chance = random.Random(f"{victim} {end} {number}")  # noqa: S311
    time.sleep(chance.uniform(0.2, 3))
    tree = {child.pid: child for child in psutil.Process(process.pid).children(recursive=True)}
    ahead = [child for child in tree.values() if child.ppid() == process.pid]
    match victim:
        case "everything":
            kill_session(process.pid)
        case "repro":
            process.send_signal(end)
        case "ahead":
            for child in ahead:
                child.send_signal(end)
        case "a worker" if others := [child for child in tree.values() if child not in ahead]:
            chance.choice(others).send_signal(end)
    output = process.communicate(timeout=300)[0]
    assert all_gone(process.pid, 10)
    assert set(errors(output)) <= {"BrokenPipeError", "ConnectionResetError", "EOFError"}
    kept = {path.name for path in study.folder.glob("models/*.tmp/*/*.json")}
    assert kept or (study.folder / "evaluations").exists()
    study.make_repro()
    assert study.hashes() == committed
    assert study.git("status", "--porcelain") == ""


@pytest.mark.parametrize("delay", [0.0, pytest.param(3.0, marks=pytest.mark.slow)])
@pytest.mark.fault("two dvc repro at once")
def test_two_runs_at_once(study, started, delay):
    """One of them may give up, with a word; neither harms the other."""
    committed = study.hashes()
    study.forget_runs()
    started.append(start(study.folder, "dvc", "repro", "--force"))
    time.sleep(delay)
    started.append(start(study.folder, "dvc", "repro", "--force"))
    outputs = [process.communicate(timeout=200)[0] for process in started]
    statuses = [process.returncode for process in started]
    assert 0 in statuses
    for status, output in zip(statuses, outputs, strict=True):
        assert "Traceback" not in output
        if status:
            assert re.search("ERROR: .*(lock|blocked|busy)", output, re.DOTALL)
    study.dvc("repro")
    assert study.hashes() == committed


DISK = """
set -e
mount -t tmpfs -o size=100m tmpfs "$2"
cp -a "$1"/. "$2"
cd "$2"
rm -rf .dvc/cache data models dvclive evaluations
free=$(df --output=avail --block-size=1K . | tail -1)
mount -o remount,size=$((102400 - free + $3))k "$2"
set +e
dvc repro; echo "status $?"
mount -o remount,size=100m "$2"
dvc repro; echo "status $?"
git status --porcelain
"""
READ_ONLY = """
set -e
mount --bind "$1" "$2"
mount -o remount,bind,ro "$2"
cd "$2"
set +e
dvc repro --force; echo "status $?"
python stages/$3.py mlp-baseline; echo "status $?"
"""


@pytest.mark.parametrize(
    "kib", [200, *(pytest.param(n, marks=pytest.mark.slow) for n in (1_000, 2_000, 3_000, 4_000, 5_000, 6_000))]
)
@pytest.mark.fault("full disk")
def test_full_disk(study, tmp_path, kib):
    output = in_own_mounts(DISK, study, tmp_path, str(kib))
    first, second, rest = re.split(r"^status \d+\n", output, flags=re.MULTILINE)
    assert "No space left" in first or "disk is full" in first
    assert "Traceback" not in first
    assert re.findall(r"^status (\d+)$", output, re.MULTILINE)[0] != "0"
    assert re.findall(r"^status (\d+)$", output, re.MULTILINE)[1] == "0", second
    assert rest == ""  # every tracked file as an undisturbed run left it


@pytest.mark.parametrize("stage", ["train", pytest.param("evaluate", marks=pytest.mark.slow)])
@pytest.mark.fault("read-only workspace")
def test_read_only_workspace(study, tmp_path, stage):
    committed = study.hashes()
    output = in_own_mounts(READ_ONLY, study, tmp_path, stage)
    assert len(re.findall(r"^status [^0]", output, re.MULTILINE)) == 2
    assert "Read-only file system" in output
    assert "Traceback" not in output
    assert study.hashes() == committed
