"""Seeds on a Dask cluster have the bits of this machine, whatever fails on the way."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from remnist.commands import demo
from remnist.commands.verify import MOVED, QEMU
from tests.support.cluster import Cluster, until
from tests.support.processes import start, wait_for
from tests.support.repository import Repository

VARIANT = "mixer-standard"
SETTINGS = {"data": {"name": "digits"}, "seeds": [0, 1, 2]}
EPOCHS = 4


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Part of the demo, run on this machine."""
    folder = tmp_path_factory.mktemp("demo") / "project"
    copy(folder)
    dvc(folder, "repro", "train")
    return folder


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path / "cluster")
    yield cluster
    cluster.end()


def copy(folder: Path) -> None:
    demo.copy(folder, SETTINGS, [VARIANT, "mlp-baseline"], EPOCHS)
    demo.leave_git(folder)


def dvc(folder: Path, *arguments: str) -> None:
    subprocess.run(["dvc", *arguments], cwd=folder, env=Repository.environment(), check=True, capture_output=True)


def train(folder: Path, address: str, variant: str = VARIANT) -> "subprocess.Popen[str]":
    return start(folder, sys.executable, "stages/train.py", variant, DASK_SCHEDULER_ADDRESS=address)


def succeed(run: "subprocess.Popen[str]") -> None:
    output, _ = run.communicate()
    assert run.returncode == 0, output


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
    for name in ("models", "dvclive"):
        shutil.rmtree(folder / name)
    return folder


@pytest.mark.fault("worker killed")
def test_a_killed_worker_costs_no_bit(project, cluster, tmp_path):
    folder = tmp_path / "project"
    copy(folder)
    killed, _ = cluster.add_worker(), cluster.add_worker()
    run = start(folder, "dvc", "repro", "train", DASK_SCHEDULER_ADDRESS=cluster.address)
    wait_for(run, f"{VARIANT} seed 1 epoch 2/")
    cluster.kill(killed)
    succeed(run)
    assert (folder / "dvc.lock").read_bytes() == (project / "dvc.lock").read_bytes()
    assert until(lambda: len(cluster.trainers()) == 1)


EMULATED = """\
#!/bin/sh
exec {qemu} -B {moved} -cpu Haswell {python} "$@"
"""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which(QEMU), reason="the other processor is emulated by Debian's qemu-user")
@pytest.mark.fault("worker killed, the other one with another processor")
def test_a_seed_that_starts_again_on_another_processor_has_the_same_bits(project, bare, cluster, tmp_path):
    """The worker's own code runs here; the process that it starts to train runs on a Haswell, without AVX-512."""
    python, site = tmp_path / "python", tmp_path / "site"
    python.write_text(EMULATED.format(qemu=QEMU, moved=MOVED, python=Path(sys.executable).resolve()))
    python.chmod(0o700)
    site.mkdir()
    (site / "sitecustomize.py").write_text(f"import sys\nsys.executable = {str(python)!r}\n")
    killed = cluster.add_worker()
    run = train(bare, cluster.address, "mlp-baseline")
    wait_for(run, "seed 0 epoch 1/")
    cluster.kill(killed)
    packages = os.pathsep.join([str(site), str(demo.ROOT / "src"), sysconfig.get_path("purelib")])
    cluster.add_worker("--no-nanny", PYTHONPATH=packages)
    until(lambda: [trainer for trainer in cluster.trainers() if QEMU in trainer.cmdline()[0]])
    succeed(run)
    assert hashes(bare, "mlp-baseline") == hashes(project, "mlp-baseline")


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
@pytest.mark.fault("training process of a worker killed")
def test_a_killed_training_process_costs_no_bit(project, bare, cluster):
    cluster.add_worker()
    run = train(bare, cluster.address)
    wait_for(run, "epoch 2/")
    cluster.trainers()[0].kill()
    succeed(run)
    assert hashes(bare) == hashes(project)


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
        named = "torch 1.0 there, 2."
    elif other == "package":
        shutil.copytree(demo.ROOT / "src", place)
        with (place / "remnist/learning/loop.py").open("a") as file:
            file.write("EDITED = True\n")
        named = "remnist has other code: "
    else:
        (place / "remnist").mkdir(parents=True)
        (place / "remnist/__init__.py").touch()
        named = "No module named 'remnist.runtime'"
    cluster.add_worker(PYTHONPATH=str(place))
    cluster.wait_for_workers()
    run = train(bare, cluster.address)
    output, _ = run.communicate()
    assert run.returncode == 1
    assert output.startswith("error: worker tcp://127.0.0.1:")
    assert named in output
    assert len(output.splitlines()) == 1


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
        output, _ = train(bare, cluster.address, "mlp-baseline").communicate()
        assert output.startswith("error: worker tcp://127.0.0.1:")
        assert named in output
        assert len(output.splitlines()) == 1
    cluster.kill(worker)
    loop.write_text(f"{content}# edited\n")
    cluster.add_worker(PYTHONPATH=str(place))
    succeed(train(bare, cluster.address, "mlp-baseline"))
    assert hashes(bare, "mlp-baseline") == hashes(project, "mlp-baseline")


def test_data_travel_once_to_a_worker_which_keeps_nothing_else(project, bare, cluster):
    """To one that comes later as well, and also if a stage finds them there that another has brought."""
    cluster.add_worker()
    run = train(bare, cluster.address)
    wait_for(run, "epoch 2/")
    cluster.add_worker()
    assert run.wait() == 0

    def files(dask_worker):
        paths = [path for path in Path(dask_worker.local_directory).rglob("*") if path.is_file()]
        return [(path.name, path.stat().st_mtime_ns) for path in paths]

    first = cluster.call(files)
    assert sum(map(len, first.values())) > 0
    assert train(bare, cluster.address, "mlp-baseline").wait() == 0
    second = cluster.call(files)
    assert all(len(found) == 1 for found in second.values())
    assert all(set(first[worker]) <= set(second[worker]) for worker in first)
    assert hashes(bare, "mlp-baseline") == hashes(project, "mlp-baseline")


@pytest.mark.slow
def test_a_cluster_without_workers_is_waited_for(project, bare, cluster):
    run = train(bare, cluster.address)
    wait_for(run, "has no workers yet; waiting for the first")
    cluster.add_worker()
    assert run.wait() == 0
    assert hashes(bare) == hashes(project)


@pytest.mark.fault("Ctrl-C in train on a cluster")
def test_ctrl_c_frees_the_workers_and_keeps_what_is_finished(project, bare, cluster):
    cluster.add_worker()
    run = train(bare, cluster.address)
    wait_for(run, "seed 1 epoch 2/")
    training = cluster.trainers()
    os.killpg(run.pid, signal.SIGINT)
    output, _ = run.communicate()
    assert run.returncode == 130, output
    assert "Traceback" not in output
    assert until(lambda: not any(process.is_running() for process in training))
    succeed(train(bare, cluster.address))
    assert hashes(bare) == hashes(project)
