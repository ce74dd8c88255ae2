"""Runs and evaluations on a Dask cluster have the bits of this machine, whatever fails on the way."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from remnist.commands import demo
from remnist.commands.verify import MOVED, QEMU
from remnist.files import read_yaml, write_json
from tests.support.cluster import Cluster, until
from tests.support.processes import all_gone, start, wait_for
from tests.support.repository import Repository

VARIANT, SHORT = "mixer-standard", "mlp-baseline"
SETTINGS = {"data": {"name": "digits"}, "seeds": [0, 1, 2]}
EPOCHS = 4


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Part of the study but for its report, run on this machine by DVC alone."""
    folder = tmp_path_factory.mktemp("demo") / "project"
    copy(folder)
    subprocess.run(["dvc", "repro"], cwd=folder, env=Repository.environment(), check=True, capture_output=True)
    return folder


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path / "cluster")
    yield cluster
    cluster.end()


def copy(folder: Path) -> None:
    demo.copy(folder, SETTINGS, [VARIANT, SHORT], EPOCHS)
    demo.leave_git(folder)
    graph = read_yaml(folder / "dvc.yaml", aliases=True)
    del graph["stages"]["report"]
    write_json(folder / "dvc.yaml", {"stages": graph["stages"]})


def train(folder: Path, address: str, variant: str = VARIANT) -> "subprocess.Popen[str]":
    return start(folder, sys.executable, "stages/train.py", variant, DASK_SCHEDULER_ADDRESS=address)


def succeed(run: "subprocess.Popen[str]") -> str:
    output, _ = run.communicate()
    assert run.returncode == 0, output
    return output


def refused(run: "subprocess.Popen[str]", named: str) -> None:
    """Check that a run ends in one line about a worker."""
    output, _ = run.communicate()
    assert run.returncode == 1
    assert output.startswith("error: worker tcp://127.0.0.1:"), output
    assert named in output
    assert len(output.splitlines()) == 1


def workers(command: psutil.Process) -> list[psutil.Process]:
    """Return the processes that compute for a `remnist worker`."""
    return [process for process in command.children() if "spawn_main" in " ".join(process.cmdline())]


def hashes(folder: Path, variant: str = VARIANT) -> dict[str, str]:
    files = [file for place in ("models", "dvclive") for file in (folder / place / variant).rglob("*")]
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files if file.is_file()
    }  # fmt: skip


@pytest.fixture
def bare(project: Path, tmp_path: Path) -> Path:
    """A project whose plan and data are made, and that has trained nothing."""
    folder = tmp_path / "bare"
    shutil.copytree(project, folder)
    for name in ("models", "dvclive", "evaluations"):
        shutil.rmtree(folder / name)
    return folder


@pytest.mark.fault("worker killed")
def test_a_killed_worker_costs_no_bit(project, cluster, tmp_path):
    folder = tmp_path / "project"
    copy(folder)
    killed, _ = cluster.add_worker(), cluster.add_worker()
    run = start(folder, sys.executable, "-m", "remnist.cli", "repro", DASK_SCHEDULER_ADDRESS=cluster.address)
    wait_for(run, "epoch 2/")
    cluster.kill(killed)
    assert "epoch" not in succeed(run).partition("Running stage 'train@")[2]
    assert (folder / "dvc.lock").read_bytes() == (project / "dvc.lock").read_bytes()


EMULATED = """\
#!/bin/sh
exec {qemu} -B {moved} -cpu Haswell {python} "$@"
"""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which(QEMU), reason="the other processor is emulated by Debian's qemu-user")
@pytest.mark.fault("worker killed, the other one with another processor")
def test_a_seed_that_starts_again_on_another_processor_has_the_same_bits(project, bare, cluster, tmp_path):
    """The command runs here; the worker that it starts runs on a Haswell, without AVX-512."""
    python, site = tmp_path / "python", tmp_path / "site"
    python.write_text(EMULATED.format(qemu=QEMU, moved=MOVED, python=Path(sys.executable).resolve()))
    python.chmod(0o700)
    site.mkdir()
    (site / "sitecustomize.py").write_text(f"import sys\nsys.executable = {str(python)!r}\n")
    killed = cluster.add_worker()
    run = train(bare, cluster.address, SHORT)
    wait_for(run, "seed 2 epoch 1/")
    cluster.kill(killed)
    packages = os.pathsep.join([str(site), str(demo.ROOT / "src"), sysconfig.get_path("purelib")])
    cluster.add_worker(PYTHONPATH=packages)
    succeed(run)
    assert hashes(bare, SHORT) == hashes(project, SHORT)


@pytest.mark.slow
@pytest.mark.fault("scheduler started again")
def test_a_scheduler_started_again_costs_no_bit(project, bare, cluster):
    cluster.add_worker()
    run = train(bare, cluster.address)
    wait_for(run, "epoch 2/")
    cluster.kill(cluster.scheduler)
    wait_for(run, "lost; unfinished seeds start again")
    cluster.start_scheduler()
    cluster.add_worker()
    succeed(run)
    assert hashes(bare) == hashes(project)


@pytest.mark.slow
@pytest.mark.fault("worker's process killed again and again")
def test_a_worker_starts_again_until_its_task_has_killed_too_many(project, bare, tmp_path):
    cluster = Cluster(tmp_path / "cluster", DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="1")
    try:
        command, killed = psutil.Process(cluster.add_worker().pid), set[psutil.Process]()
        run = train(bare, cluster.address)
        wait_for(run, "epoch 2/")
        for _ in range(2):
            [process] = until(lambda: cluster.busy() and {*workers(command)} - killed)
            process.kill()
            killed.add(process)
            process.wait()
        output, _ = run.communicate()
        assert run.returncode == 1
        assert output.splitlines()[-1].startswith("error: 2 workers were killed over the same task")
        succeed(train(bare, cluster.address))
        assert hashes(bare) == hashes(project)
    finally:
        cluster.end()


@pytest.mark.fault("scheduler that does not answer")
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "mars://127.0.0.1:1", "tcp://no.such.host:1"])
def test_an_address_that_nobody_answers(bare, address):
    output, _ = train(bare, address).communicate(timeout=60)
    assert output.startswith(f"error: DASK_SCHEDULER_ADDRESS: {address}: no Dask scheduler answers")
    assert len(output.splitlines()) == 1


@pytest.mark.fault("worker with other software")
@pytest.mark.parametrize("other", ["torch", "package", "no package"])
def test_a_worker_with_other_software_is_refused(bare, cluster, tmp_path, other):
    place = tmp_path / "site"
    if other == "torch":
        metadata = place / "torch-1.0.dist-info/METADATA"
        metadata.parent.mkdir(parents=True)
        metadata.write_text("Metadata-Version: 2.1\nName: torch\nVersion: 1.0\n")
        cluster.add_worker(PYTHONPATH=os.pathsep.join([str(place), str(demo.ROOT / "src")]))
        named = "torch 1.0 there, 2."
    elif other == "package":
        shutil.copytree(demo.ROOT / "src", place)
        with (place / "remnist/learning/loop.py").open("a") as file:
            file.write("EDITED = True\n")
        cluster.add_worker(PYTHONPATH=str(place))
        named = "remnist has other code: "
    else:
        (place / "remnist").mkdir(parents=True)
        (place / "remnist/__init__.py").touch()
        cluster.add_plain_worker("--resources", "portable=1", PYTHONPATH=str(place))
        named = "No module named 'remnist.runtime'"
    cluster.wait_for_workers()
    refused(train(bare, cluster.address), named)


@pytest.mark.fault("worker whose numerics are not pinned")
def test_a_worker_that_dask_started_is_left_alone_or_refused(bare, cluster):
    cluster.add_plain_worker()
    cluster.wait_for_workers()
    run = train(bare, cluster.address)
    wait_for(run, f"has no portable workers yet; waiting for `remnist worker {cluster.address}`")
    cluster.add_plain_worker("--resources", "portable=1", OPENBLAS_CORETYPE="Zen")
    refused(run, "its numerics are not pinned as portable; start it by `remnist worker`")


@pytest.mark.slow
@pytest.mark.fault("package of a worker edited while it runs")
def test_a_worker_whose_package_changes_is_refused_until_it_is_restarted(project, bare, cluster, tmp_path):
    """Then it runs, also if comments differ."""
    place = tmp_path / "site"
    shutil.copytree(demo.ROOT / "src", place)
    loop = place / "remnist/learning/loop.py"
    content = loop.read_text()
    worker = cluster.add_worker(PYTHONPATH=str(place))
    for text, named in [
        (f"{content}EDITED = True\n", "remnist has other code: "),
        (content, "its package or libraries have changed since it started; restart it"),
    ]:
        loop.write_text(text)
        cluster.wait_for_workers()
        refused(train(bare, cluster.address, SHORT), named)
    cluster.kill(worker)
    loop.write_text(f"{content}# edited\n")
    cluster.add_worker(PYTHONPATH=str(place))
    succeed(train(bare, cluster.address, SHORT))
    assert hashes(bare, SHORT) == hashes(project, SHORT)


@pytest.mark.fault("no place for a finished seed, on a cluster")
def test_data_travel_once_to_a_machine_which_keeps_nothing_else(project, bare, cluster):
    """Its workers share them, and the images that networks read; a file's error is no scheduler's."""
    worker = cluster.add_worker(workers=2)
    cluster.wait_for_workers(2)
    (bare / "models").mkdir()
    blocked = bare / f"models/{VARIANT}.tmp"
    blocked.touch()
    output, _ = train(bare, cluster.address).communicate()
    assert "lost" not in output
    assert output.splitlines()[-1].startswith(f"error: models/{VARIANT}.tmp")
    blocked.unlink()
    first = {path: path.stat().st_mtime_ns for path in cluster.files(worker)}
    succeed(train(bare, cluster.address))
    assert {path: path.stat().st_mtime_ns for path in cluster.files(worker)} == first
    assert sorted(path.suffix for path in first) == [".safetensors", ".tmp", ".tmp"]  # training and test images
    assert hashes(bare) == hashes(project)


@pytest.mark.slow
def test_a_cluster_without_workers_is_waited_for(project, bare, cluster):
    run = train(bare, cluster.address)
    wait_for(run, "has no portable workers yet; waiting for")
    cluster.add_worker()
    succeed(run)
    assert hashes(bare) == hashes(project)


@pytest.mark.fault("Ctrl-C in train on a cluster")
def test_ctrl_c_frees_the_workers_and_keeps_what_is_finished(project, bare, cluster):
    cluster.add_worker()
    run = train(bare, cluster.address)
    wait_for(run, "seed 1 epoch 2/")
    os.killpg(run.pid, signal.SIGINT)
    output, _ = run.communicate()
    assert run.returncode == 130, output
    assert "Traceback" not in output
    until(lambda: not any(cluster.call(lambda dask_worker: len(dask_worker.state.tasks)).values()))
    again = succeed(train(bare, cluster.address))
    assert "seed 0 epoch" not in again
    assert hashes(bare) == hashes(project)


@pytest.mark.fault("Ctrl-C, -TERM, -HUP, kill -9 of remnist worker", times=4)
def test_a_worker_leaves_no_process_and_no_file(bare, cluster):
    ends = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
    workers = [cluster.add_worker() for _ in ends]
    cluster.wait_for_workers()
    run = train(bare, cluster.address)
    wait_for(run, "epoch 1/")
    for worker, end in zip(workers, ends, strict=True):
        os.kill(worker.pid, end)
    for worker, end in zip(workers, ends, strict=True):
        assert all_gone(worker.pid, 60)
        left = {path.name for path in (cluster.folder / f"worker-{workers.index(worker)}").iterdir()}
        assert (left == {"log"}) == (end != signal.SIGKILL)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
