"""Train a few variants of the committed study again and compare the hashes with those in dvc.lock.

It answers whether this machine gets what dvc.lock records, in minutes and without touching the results: it works in
a copy of the project. `make check-results` runs it.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from remnist.commands import demo
from remnist.commands.lock import LOCK
from remnist.commands.processes import leave_sigint
from remnist.errors import UserError
from remnist.files import read_yaml

VARIANTS = ["xor", "mlp-baseline", "adam-1e-3", "mse-onehot", "mixer-raw-patches"]  # several kinds, and short
PREPARATION = ["plan", "download", "preprocess"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line may say."""
    parser.add_argument("variants", nargs="*", default=VARIANTS, help=f"by default {' '.join(VARIANTS)}")


def run(arguments: argparse.Namespace) -> None:
    """Repeat the stages in a copy, print how each one's outputs compare, fail if one could not be confirmed."""
    stages = PREPARATION + [f"{stage}@{variant}" for variant in arguments.variants for stage in ("train", "evaluate")]
    committed = read_stages(demo.ROOT)
    if missing := [stage for stage in stages if stage not in committed]:
        raise UserError(f"{LOCK}: it has no {', '.join(missing)}; name variants of params.yaml, or `make repro`")
    with tempfile.TemporaryDirectory(prefix="check-results-") as folder:
        demo.copy(Path(folder), {})
        demo.leave_git(Path(folder))
        with leave_sigint():  # DVC ends before its folder does
            status = subprocess.run(["dvc", "repro", "--single-item", *stages], cwd=folder).returncode
        if status:
            sys.exit(status)
        repeated = read_stages(Path(folder))
    outcomes = {stage: compare(committed[stage], repeated[stage]) for stage in stages}
    print("\n" + "\n".join(f"{stage:<32} {outcome or 'the same bits'}" for stage, outcome in outcomes.items()))
    if any(outcomes.values()):
        raise UserError(f"not all of this is as {LOCK} has it; `make canary` says whether a library is the cause")


def read_stages(project: Path) -> dict[str, dict[str, Any]]:
    """Return the stages of a project's dvc.lock: each its dependencies, parameters and outputs with their hashes."""
    return dict((read_yaml(project / LOCK) or {}).get("stages", {}))


def compare(committed: dict[str, Any], repeated: dict[str, Any]) -> str:
    """Say what differs: nothing, the outputs, or already what they were made from, and then the outputs too."""

    def differing(kind: str) -> str:
        before, now = ({each["path"]: each["md5"] for each in stage.get(kind, [])} for stage in (committed, repeated))
        return ", ".join(sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path)))

    inputs, outputs = differing("deps"), differing("outs")
    if inputs:
        cause = f"{LOCK} is of other code or data: {inputs}"
    elif committed.get("params") != repeated.get("params"):
        cause = f"{LOCK} is of other code, settings or libraries"
    else:
        return f"OTHER BITS: {outputs}" if outputs else ""
    return f"{cause}; " + (f"other bits: {outputs}" if outputs else "the same bits nonetheless")
