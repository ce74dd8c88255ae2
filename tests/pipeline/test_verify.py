"""The differences that `make verify` names, and how it ends."""

import argparse
import signal
import subprocess
import time

import pytest

from remnist import machine
from remnist.commands import demo, verify
from remnist.commands.verify import FEW, REFERENCE, RUNS, Outcome, Run, differ, table
from remnist.errors import UserError
from remnist.plan.resolve import resolve
from remnist.runtime import pool

HASHES = {"models/x/seed-0.safetensors": "a", "models/x/seed-1.safetensors": "b", "evaluations/x.json": "c"}


def outcome(**changes: str | None) -> Outcome:
    named = {
        name: changes.get(name.split("/")[-1].split(".")[0].replace("-", "_"), sha) for name, sha in HASHES.items()
    }
    return Outcome("AVX2", {name: sha for name, sha in named.items() if sha is not None})


EMULATED, ALONE = RUNS[0], next(run for run in RUNS if run.seeds == (1,) and not run.few)
SHORTER = next(run for run in RUNS if not run.report)


def test_a_file_that_differs_or_lacks_is_named():
    def differing(run: Run, reference: Run, **changes: str | None) -> str:
        return differ(run, {reference: outcome(), run: outcome(**changes)})

    for run, reference in ((RUNS[3], REFERENCE), (EMULATED, FEW), (SHORTER, FEW)):
        assert differing(run, reference) == ""
        assert differing(run, reference, seed_1="z") == "models/x/seed-1.safetensors"
        assert differing(run, reference, x="z") == "evaluations/x.json"
        assert differing(run, reference, x=None) == ("evaluations/x.json" if run.report else "")


def test_a_seed_alone_is_compared_by_what_is_its_own():
    outcomes = {REFERENCE: outcome(), ALONE: outcome(seed_0=None, x="z")}
    assert differ(ALONE, outcomes) == ""
    outcomes[ALONE] = outcome(seed_0=None, seed_1="z")
    assert differ(ALONE, outcomes) == "models/x/seed-1.safetensors"


def test_few_variants_have_what_all_have_between_them(params):
    plan = resolve(params)
    few = verify.covering(plan)
    assert len(few) < len(plan) / 2
    for section in ("data", "model", "train"):
        words = {
            (key, value)
            for variant in plan.values()
            for key, value in variant.to_json()[section].items()
            if isinstance(value, str | bool)
        }
        assert words == {
            (key, value)
            for variant in few.values()
            for key, value in variant.to_json()[section].items()
            if isinstance(value, str | bool)
        }


def test_the_table_tells_weights_apart():
    same, other = outcome().weights(), outcome(seed_0="z").weights()
    assert same != other
    assert same == outcome(x="z").weights()
    rows = table({REFERENCE: outcome(), Run("emulated", "Haswell"): outcome(seed_0="z")}).splitlines()
    assert f"`{same}`" in rows[2]
    assert rows[3] == f"| Haswell | AVX2 | emulated | `{other}` |"


@pytest.mark.parametrize(("status", "times"), [(-signal.SIGSEGV, 1 + verify.CRASHES), (-signal.SIGINT, 1), (1, 1)])
def test_a_crash_of_the_emulator_is_tried_again_and_ctrl_c_is_not(monkeypatch, tmp_path, status, times):
    started = []

    def ended(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        started.append(command)
        return subprocess.CompletedProcess(command, status, "", "said")

    monkeypatch.setattr(demo, "copy", lambda *_, **__: None)
    monkeypatch.setattr(subprocess, "run", ended)
    with pytest.raises(UserError, match=f"exit status {status}\nsaid"):
        verify.make(Run("emulated", "Haswell"), tmp_path, {})
    assert len(started) == times


@pytest.mark.parametrize("error", [KeyboardInterrupt, UserError])
def test_runs_that_wait_do_not_start_after_ctrl_c_or_a_failure(monkeypatch, error):
    started = []

    def make(run: Run, *_: object) -> Outcome:
        started.append(run)
        if run is RUNS[0]:
            raise error
        time.sleep(1)
        return outcome()

    monkeypatch.setattr(verify, "make", make)
    monkeypatch.setattr(pool, "count", lambda: 1)
    monkeypatch.setattr(verify.shutil, "which", lambda _: "qemu-x86_64")
    with pytest.raises(error):
        verify.run(argparse.Namespace(quick=False))
    assert len(started) <= 2


def test_this_machines_line_takes_the_place_of_its_earlier_one(monkeypatch, tmp_path):
    (tmp_path / "docs").mkdir()
    table = tmp_path / verify.PROCESSORS
    header = [*machine.facts(), "vectors", "weights"]
    table.write_text(",".join(header) + "\n" + ",".join(["another", *"abcd", "AVX2", "0" * 16]) + "\n")
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    for unit in ("AVX2", "AVX-512"):
        verify.record(Outcome(unit, {"models/a": "1"}))
    lines = table.read_text().splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("another,")
    assert machine.processor() in lines[2]
    assert ",AVX-512," in lines[2]
