"""A copy of the project on scikit-learn's digits, under Git, run once and committed, for tests of the graph."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from remnist.commands import demo

VARIANTS = ["mlp-baseline", "mlp-dropout-50", "batch-100"]
TRACKED = ["plan.json", "digests.json", "REPORT.md", "metrics", "plots"]


class Repository:
    """A copy of the project under Git, with few variants and one epoch, run once and committed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        settings = {"data": {"name": "digits"}, "seeds": [0, 1], "train": {"epochs": 1}}
        demo.copy(folder, settings, VARIANTS)
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Copy"]):
            self.git(*command)
        self.first_run = self.make_repro()
        self.git("add", "-A")
        self.git("commit", "-qm", "Run")

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments)

    def dvc(self, *arguments: str, **environment: str) -> str:
        return self.run("dvc", *arguments, **environment)

    @staticmethod
    def environment() -> dict[str, str]:
        """Return an environment whose commands are this Python's, and run the code of the copy that they start in."""
        return os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": "src"}

    def run(self, *command: str, **environment: str) -> str:
        return self.run_in(self.folder, *command, **environment)

    @classmethod
    def run_in(cls, folder: Path, *command: str, **environment: str) -> str:
        """Run a command in a copy of the project, and return what it says."""
        variables = cls.environment() | environment
        done = subprocess.run(
            command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{command}: exit status {done.returncode}\n{done.stdout}")
        return done.stdout

    def make_repro(self) -> str:
        """Run what `make repro` runs, which can follow any interruption."""
        return self.run(sys.executable, "-m", "remnist.cli", "repro")

    def reset(self) -> None:
        """Go back to the committed results, as someone does who gives an experiment up."""
        (self.folder / ".git/index").unlink(missing_ok=True)  # `dvc exp run` leaves one by which changes do not count
        for experiment in self.git("for-each-ref", "--format=%(refname)", "refs/exps").split():
            self.git("update-ref", "-d", experiment)
        self.git("reset", "-q", "--hard")
        self.git("clean", "-qfd")
        (self.folder / ".dvc/tmp/rwlock").unlink(missing_ok=True)
        for name in ("models", "dvclive", "evaluations"):  # an added variant's, too
            shutil.rmtree(self.folder / name, ignore_errors=True)
        self.dvc("checkout", "-q", "--force")

    def forget(self) -> None:
        """Remove all that DVC keeps, as in a clone without a remote."""
        for name in (".dvc/cache", "data", "models", "dvclive", "evaluations"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def forget_runs(self) -> None:
        """Remove DVC's memory of runs, from which it would restore a stage without running it."""
        shutil.rmtree(self.folder / ".dvc/cache/runs", ignore_errors=True)

    def params(self) -> Any:
        return YAML(typ="safe").load(self.folder / "params.yaml")

    def results(self) -> dict[str, bytes]:
        """Return what Git keeps of a run, by path, but for dvc.lock."""
        files = [file for name in TRACKED for file in [self.folder / name, *(self.folder / name).rglob("*")]]
        return {str(file.relative_to(self.folder)): file.read_bytes() for file in sorted(files) if file.is_file()}

    def hashes(self) -> dict[str, bytes]:
        """Return the same with dvc.lock, which has the hashes of all that DVC keeps."""
        return {"dvc.lock": (self.folder / "dvc.lock").read_bytes()} | self.results()


def ran(output: str) -> set[str]:
    """Stages that DVC ran, or restored from its run cache."""
    return set(re.findall(r"^(?:Running stage|Stage) '([^']+)'(?::| is cached)", output, re.MULTILINE))
