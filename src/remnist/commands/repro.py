"""Run the study, after any interruption: plan, train and evaluate ahead what is stale, and let DVC run the stages.

The results and dvc.lock are those of `dvc repro`, which loads torch for each stage. `make repro`, `make exp
SET="model.dropout=0.5"` and `make demo` run it.
"""

import argparse
import shlex
from pathlib import Path

from remnist.commands import ahead, lock
from remnist.commands.processes import run_dvc, run_process
from remnist.errors import UserError, reason
from remnist.runtime.repository import repository


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line may say."""
    parser.add_argument(
        "--set", metavar="PARAMETERS", help="as `dvc exp run -S` has them, between spaces; makes it an experiment"
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the study in the working directory."""
    if not Path(".git").exists():
        with repository():  # whose error says what helps
            pass
    lock.mend()
    if arguments.set is not None:
        set_parameters(arguments.set)
    run_dvc("repro", "plan", "preprocess")
    run_process(ahead.main)  # by itself: it keeps a server with torch in memory as long as it lives
    run_dvc(*(["repro"] if arguments.set is None else ["exp", "run"]))


def set_parameters(assignments: str) -> None:
    """Change params.yaml as `dvc exp run -S` does, which then makes an experiment of what it finds changed."""
    from dvc.exceptions import DvcException
    from dvc.utils.cli_parse import to_path_overrides
    from dvc.utils.hydra import apply_overrides

    try:
        changes = to_path_overrides(shlex.split(assignments))
        if not changes:
            raise ValueError("names no parameter; for instance model.dropout=0.5")
        for path, overrides in changes.items():
            apply_overrides(path, overrides)
    except (DvcException, ValueError, OSError) as error:
        raise UserError(f"SET: {assignments!r}: {reason(error.__cause__ or error)}") from None
