"""The archive in Git of what the report is made of: every run's learning curves, and its prediction of each image."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo

ARCHIVE = Path("docs/runs.tar.xz")
FOLDERS = ("dvclive", "evaluations")


def outputs(repo: "Repo") -> list["Output"]:
    """Return the outputs of stages that the archive holds, in the order of their paths."""
    found = [out for out in repo.index.outs if Path(str(out)).parts[0] in FOLDERS]
    return sorted(found, key=str)
