"""Parameters of an experiment, and processes that end as their function does."""

import os
import subprocess
import sys

import pytest

from remnist.commands import ahead, demo, repro
from remnist.errors import UserError

ENDS = """
import sys
from remnist.commands.processes import run_process
if __name__ == "__main__":
    run_process(sys.exit, {status})
    print("went on")
"""


@pytest.mark.parametrize(("status", "said"), [(0, "went on\n"), (3, "")])
def test_a_process_that_fails_ends_the_command_with_its_status(tmp_path, status, said):
    script = tmp_path / "script.py"
    script.write_text(ENDS.format(status=status))
    variables = os.environ | {"PYTHONPATH": str(demo.ROOT / "src")}
    done = subprocess.run([sys.executable, script], env=variables, stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (status, said)


def test_an_epoch_of_an_unknown_variant_counts_as_the_longest(monkeypatch, variant):
    monkeypatch.chdir(demo.ROOT)
    measured = ahead.seconds_of_an_epoch({"mlp-baseline": variant, "resnet-plain": variant, "new": variant})
    assert 0 < measured["mlp-baseline"] < measured["resnet-plain"] <= measured["new"]


def test_an_epoch_takes_the_median_of_its_rounds(monkeypatch, tmp_path, variant):
    monkeypatch.chdir(tmp_path)
    ahead.SECONDS.parent.mkdir()
    rounds = [("a", 2.0), ("b", 1.5), ("a", 9.0), ("b", 0.5), ("a", 3.0)]
    rows = [f"{place},{name},mlp,{seconds},2 cores" for place, (name, seconds) in enumerate(rounds, 1)]
    ahead.SECONDS.write_text("\n".join(["round,variant,model,seconds,machine", *rows, ""]))
    plan = dict.fromkeys(("b", "a", "new"), variant)
    assert ahead.seconds_of_an_epoch(plan) == {"b": 1.0, "a": 3.0, "new": 3.0}


@pytest.mark.parametrize("assignments", ["", "model.dropout", "model.dropout=0.5 =", "'"])
@pytest.mark.fault("bad SET of an experiment")
def test_what_cannot_be_set_is_an_error_of_one_line(monkeypatch, tmp_path, assignments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("model: {dropout: 0.2}\n")
    with pytest.raises(UserError, match=r"^SET: ") as error:
        repro.set_parameters(assignments)
    assert len(str(error.value).splitlines()) == 1
    assert (tmp_path / "params.yaml").read_text() == "model: {dropout: 0.2}\n"
