"""The contestants of the benchmark do the same work; its figures are for `make bench`."""

import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pkgutil import resolve_name

import pandas as pd
import psutil
import pytest
from safetensors.torch import load, load_file

from benchmarks import memory, race, study, table, training
from benchmarks.peers import CONTESTANTS, Job, project
from remnist.errors import UserError
from remnist.plan.resolve import resolve
from remnist.report import tables
from remnist.runtime import pool
from tests.support import variants

NAMES = list(training.VARIANTS)
ONE_BATCH = {"batch_size": 2000}  # an epoch, so that its order makes no difference
JAX = find_spec("jax") is not None


@pytest.fixture(scope="module")
def folder(tmp_path_factory, prepared):
    path = tmp_path_factory.mktemp("bench")
    plan = {name: variants.digits(name, train=ONE_BATCH) for name in NAMES if name != "mlp-baseline"}
    plan["mlp-baseline"] = variants.digits(model={"dropout": 0.0}, train=ONE_BATCH)
    training.prepare(path, plan, prepared)
    return path


def distance(one, other):
    """The norm of the difference of all weights."""
    return sum((one[name] - other[name]).square().sum().item() for name in one) ** 0.5


@pytest.mark.parametrize(
    "contestant",
    [
        "dataloader",
        "eager",
        pytest.param("compile", marks=pytest.mark.slow),  # a minute of a C++ compiler
        pytest.param("jax", marks=pytest.mark.skipif(not JAX, reason="no JAX")),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_peer_takes_the_steps_of_the_project(folder, name, contestant):
    job = Job(folder, name, seed=3)
    training.draw(job)
    start, own = load_file(job.start), load(project.train(job, lambda: None))
    if contestant in ("compile", "jax"):
        race.run(contestant, [job])
        peers = load_file(job.end)
    else:
        peers = load(resolve_name(f"benchmarks.peers.{CONTESTANTS[contestant].train}")(job, lambda: None))
    assert {key: value.shape for key, value in peers.items()} == {key: value.shape for key, value in own.items()}
    assert distance(peers, own) < 0.02 * distance(own, start)


@pytest.mark.slow
def test_all_are_measured_and_end_alike(monkeypatch, tmp_path, prepared):
    monkeypatch.setenv(pool.WORKERS, "1")
    monkeypatch.delitem(CONTESTANTS, "compile")  # the test above has it
    name = "mlp-baseline"
    training.prepare(tmp_path, {name: variants.digits(model={"dropout": 0.0}, train=ONE_BATCH)}, prepared)
    measured, problems = training.compare(tmp_path, 1)
    assert {*measured["contestant"], *(contestant for contestant, _ in problems)} == {*CONTESTANTS}
    assert problems == ({} if JAX else {("jax", name): table.ABSENT})
    assert (measured["seconds"] > 0).all() and (measured["start"] > 0).all()
    assert measured["accuracy"].max() - measured["accuracy"].min() < 0.01
    assert table.unlike(measured) == []
    page = table.page(measured, problems)
    assert all(page.count(f"\n| {contestant.title} | ") == 2 for contestant in CONTESTANTS.values())


def test_what_is_absent_or_fails_or_trains_something_else_is_named():
    columns = ["round", "variant", "contestant", "seconds", "start", "accuracy"]
    rows = [
        (round_, "mlp-baseline", name, seconds * factor, 2.0, accuracy)
        for round_, factor in enumerate((1.0, 2.0, 4.0))
        for name, seconds, accuracy in (("portable", 0.5, 0.95), ("native", 0.4, 0.955), ("eager", 1.0, 0.93))
    ]
    measured = pd.DataFrame(rows, columns=columns)
    problems = {("jax", "mlp-baseline"): table.ABSENT, ("compile", "mlp-baseline"): "InductorError: no compiler"}
    problems["dataloader", "mlp-baseline"] = "status -9"
    page = table.page(measured, problems)
    assert "| this project, portable | 1.00 (0.50 to 2.00) |" in page
    assert "| eager tensors, `torch.optim` | 2.00 (1.00 to 4.00), 2.0x |" in page
    assert "| this project, native | 2.0 s, 95.50% |" in page
    assert page.count("| JAX, `jit` and `scan` | not installed |") == 2
    assert page.count("| the same, `torch.compile` | failed |") == 2
    assert "- the same, `torch.compile`, `mlp-baseline`: InductorError: no compiler\n" in page
    assert table.unlike(measured) == ["eager tensors, `torch.optim`, mlp-baseline: 93.00% in place of 95.00%"]


def test_a_process_that_fails_ends_the_others_with_its_error(folder):
    jobs = [Job(folder, "mlp-baseline", seed) for seed in (4, 5)]
    training.draw(jobs[0])
    with pytest.raises(race.ContestantError, match=r"^FileNotFoundError: .*mlp-baseline-5\.safetensors"):
        race.run("eager", jobs)


def test_an_epoch_of_each_variant_of_the_study_is_measured_round_after_round(tmp_path, prepared, params):
    params["data"]["name"] = "digits"
    plan = {name: each for name, each in resolve(params).items() if name in ("xor", "capacity-12")}
    measured = study.measure(tmp_path, plan, prepared, rounds=2)
    assert list(zip(measured["round"], measured["variant"], strict=True)) == [
        (i, name) for i in (1, 2) for name in plan
    ]
    assert (measured["seconds"] > 0).all()
    assert measured["machine"].nunique() == 1
    path = tmp_path / "seconds.csv"
    measured.to_csv(path, index=False)
    assert tables.read_seconds(path).equals(measured[["variant", "round", "seconds"]])  # as the report has them


def test_times_without_a_spread_are_not_measured(monkeypatch):
    monkeypatch.setattr("sys.argv", ["study", "--rounds", "1"])
    with pytest.raises(UserError, match="--rounds: 1: allowed: 2 or more"):
        study.main()


def test_memory_counts_processes_and_their_children():
    alone = memory.memory(psutil.Process())
    with subprocess.Popen([sys.executable, "-c", "x = bytearray(50_000_000); input()"], stdin=subprocess.PIPE) as child:
        for _ in range(100):
            if memory.memory(psutil.Process()) > alone + 40e6:
                break
            time.sleep(0.1)
        else:
            pytest.fail("the child's memory does not count")
        child.communicate(b"\n")


@pytest.mark.parametrize("name", ["training", "parallel", "memory", "rehearsal", "study"])
def test_a_benchmark_starts(name):
    """With torch loaded or not, and where Python leaves the working directory out."""
    variables = os.environ | {"PYTHONPATH": ".", "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", f"benchmarks.{name}", "--help"]
    assert subprocess.check_output(command, env=variables, text=True).startswith("usage: ")
