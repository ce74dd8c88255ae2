"""Copy the project to a folder and set it to scikit-learn's digits: the whole graph, no network, nothing touched.

Two seeds of each variant, and no more epochs than show that it learns.

The copy has its own DVC cache and needs no Git. `make demo` runs it.
"""

import argparse
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = {"data": {"name": "digits"}, "seeds": [0, 1]}
EPOCHS = 5  # at most: what a demonstration needs
RESULTS = ("dvc.lock", "plan.json", "REPORT.md", "metrics/", "plots/")  # the copy makes its own


def copy(
    folder: Path, settings: dict[str, Any], variants: Sequence[str] | None = None, epochs: int | None = None
) -> None:
    """Copy what Git would commit, without the results, and change its parameters.

    Args:
        folder: where to; replaced if it is there.
        settings: laid over params.yaml, a mapping over a mapping.
        variants: keep only these; None keeps all.
        epochs: no variant trains for more; None leaves them as they are.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    shutil.rmtree(folder, ignore_errors=True)
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file() and not name.startswith(RESULTS):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    path = folder / "params.yaml"
    yaml = YAML()
    params = yaml.load(path)
    _update(params, settings)
    for name in list(params["variants"]):
        if variants is not None and name not in variants:
            del params["variants"][name]
    for section in (params, *params["variants"].values()):
        if epochs is not None and section.get("train", {}).get("epochs", 0) > epochs:
            section["train"]["epochs"] = epochs
    yaml.dump(params, path)


def _update(params: dict[str, Any], settings: dict[str, Any]) -> None:
    for key, value in settings.items():
        if isinstance(value, dict):
            _update(params[key], value)
        else:
            params[key] = value


def leave_git(folder: Path) -> None:
    """Take Git out of DVC's sight in a copy."""
    subprocess.run(["dvc", "config", "--quiet", "--local", "core.no_scm", "true"], cwd=folder, check=True)


def main() -> None:
    """Copy to the folder named on the command line and take Git out of DVC's sight there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    copy(folder, SETTINGS, epochs=EPOCHS)
    leave_git(folder)


if __name__ == "__main__":
    main()
