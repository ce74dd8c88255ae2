"""Seeds that a train stage has finished, kept until all are, so that an interrupted stage goes on where it stopped."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from remnist.errors import UserError
from remnist.files import write_bytes, write_text
from remnist.learning.runs import Run
from remnist.plan import digests
from remnist.settings import Variant


class Finished:
    """The finished seeds of a variant, in a folder.

    Runs of other settings, data, code or libraries in the folder are not taken, nor are damaged ones.

    Args:
        folder: for them alone.
        variant: its settings.
        data_path: the file that preprocess wrote.

    Raises:
        UserError: the data cannot be read.
    """

    def __init__(self, folder: Path, variant: Variant, data_path: Path) -> None:
        digest = hashlib.sha256(f"{digests.of_run(variant)} {sha256(data_path)}".encode()).hexdigest()
        self.folder, self.kept = folder, folder / digest[:16]

    def runs(self, seeds: list[int]) -> Iterator[Run]:
        """Yield the finished runs of these seeds."""
        for seed in seeds:
            weights_path, curve_path = self._paths(seed)
            try:
                weights, noted = weights_path.read_bytes(), json.loads(curve_path.read_text(encoding="utf-8"))
                if noted["sha256"] == hashlib.sha256(weights).hexdigest():
                    yield Run(seed, weights, noted["epochs"])
            except (OSError, ValueError, KeyError, TypeError):
                pass

    def keep(self, run: Run) -> None:
        """Keep a run that has ended."""
        weights_path, curve_path = self._paths(run.seed)
        write_bytes(weights_path, run.weights)
        write_text(curve_path, json.dumps({"sha256": hashlib.sha256(run.weights).hexdigest(), "epochs": run.curve}))

    def remove(self) -> None:
        """Remove the folder and all in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _paths(self, seed: int) -> tuple[Path, Path]:
        return self.kept / f"seed-{seed}.safetensors", self.kept / f"seed-{seed}.json"


def sha256(data_path: Path) -> str:
    """Return the SHA-256 of the prepared data, hexadecimal.

    Raises:
        UserError: the file is missing or cannot be read.
    """
    try:
        with data_path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{data_path}: {error.strerror}; `dvc repro preprocess` makes it") from None
