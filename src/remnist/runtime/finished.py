"""Seeds that a train stage has finished, kept until all are, so that an interrupted one need not begin anew."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from remnist.errors import UserError
from remnist.files import write_bytes, write_text
from remnist.runtime.local import Run

PACKAGE = Path(__file__).parents[1]
SOURCES = ("common", "models", "training")
LIBRARIES = ("numpy", "torch")
RUN = ("data", "model", "train")  # the settings that a seed's result depends on; the other seeds are none of them


def software() -> dict[str, str]:
    """Return what a seed's result depends on beside its settings and its data.

    Returns:
        The versions of the libraries, and under `remnist` a digest of the modules, 16 hexadecimal digits.

    Raises:
        PackageNotFoundError: a library is not installed.
    """
    digest = hashlib.sha256()
    for source in SOURCES:
        for path in sorted((PACKAGE / source).glob("*.py")):
            digest.update(path.read_bytes())
    return {name: version(name) for name in LIBRARIES} | {"remnist": digest.hexdigest()[:16]}


class Finished:
    """The finished seeds of a variant, in a folder.

    What other settings, data, code or libraries left there is not taken, nor what is damaged.

    Args:
        folder: theirs alone.
        settings: the variant's entry of the plan.
        data_path: the file that preprocess wrote.

    Raises:
        UserError: the data cannot be read.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], data_path: Path) -> None:
        identity = [{part: settings[part] for part in RUN}, software(), sha256(data_path)]
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self.folder, self.kept = folder, folder / digest[:16]

    def runs(self, seeds: list[int]) -> Iterator[Run]:
        """Yield those of the seeds that are finished."""
        for seed in seeds:
            weights_path, curve_path = self._paths(seed)
            try:
                weights, beside = weights_path.read_bytes(), json.loads(curve_path.read_text(encoding="utf-8"))
                if beside["sha256"] == hashlib.sha256(weights).hexdigest():
                    yield Run(seed, weights, beside["epochs"])
            except (OSError, ValueError, KeyError, TypeError):
                pass

    def keep(self, run: Run) -> None:
        """Keep a run that has ended."""
        weights_path, curve_path = self._paths(run.seed)
        write_bytes(weights_path, run.weights)
        beside = {"sha256": hashlib.sha256(run.weights).hexdigest(), "epochs": run.curve}
        write_text(curve_path, json.dumps(beside))

    def remove(self) -> None:
        """Remove the folder and all in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _paths(self, seed: int) -> tuple[Path, Path]:
        return self.kept / f"seed-{seed}.safetensors", self.kept / f"seed-{seed}.json"


def sha256(data_path: Path) -> str:
    """Return the SHA-256 of the prepared data, hexadecimal.

    Raises:
        UserError: there are none, or they cannot be read.
    """
    try:
        with data_path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{data_path}: {error.strerror}; `dvc repro preprocess` makes it") from None
