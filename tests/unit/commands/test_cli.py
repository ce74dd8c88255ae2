"""The command line: its list of commands, its help, how it ends."""

import os
import re
import subprocess
import sys

import pytest

from remnist import cli
from remnist.commands import demo

HEAVY = ("dvc", "matplotlib", "numpy", "pandas", "pydantic", "torch", "vl_convert")


def test_help_lists_every_command_and_loads_no_library():
    code = f"""
import sys
from remnist import cli
try:
    cli.main(["--help"])
finally:
    print([name for name in {HEAVY} if name in sys.modules])
"""
    variables = os.environ | {"PYTHONPATH": str(demo.ROOT / "src"), "COLUMNS": "120"}
    said = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True
    ).stdout
    assert said.endswith("[]\n")
    assert re.findall(r"^    ([a-z-]+)(?: |$)", said, re.MULTILINE) == list(cli.COMMANDS)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_says_what_it_does(name, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: remnist {name} ")
    assert len(said.split("\n\n")[1]) > 40


@pytest.mark.parametrize(
    "words", [[], ["unknown"], ["repro", "--unknown"], ["worker", "tcp://x:1", "--workers", "many"], ["demo"]]
)
def test_what_is_not_understood_ends_with_the_usage(words, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: remnist ")


def test_an_error_of_the_user_ends_a_command_with_a_line():
    with pytest.raises(SystemExit) as ended:
        cli.main(["worker", "tcp://x:1", "--workers", "0"])
    assert ended.value.code == "error: --workers: 0: allowed: 1 or more"


def test_it_runs_as_a_module_from_the_copy_on_the_path(tmp_path):
    variables = os.environ | {"PYTHONPATH": str(demo.ROOT / "src")}
    command = [sys.executable, "-m", "remnist.cli", "check-lock"]
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: dvc.lock: missing or damaged; ")
