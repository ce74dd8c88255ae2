"""Finished work, kept until a stage has taken it: a train stage's seeds, an evaluate stage's figures.

So an interrupted run goes on where it stopped, and stages find what was done ahead of them. All is kept under a digest
of what decides it. Work of other settings, data, code or libraries is not taken, nor what is damaged.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from remnist.errors import UserError
from remnist.files import write_bytes, write_text
from remnist.learning.runs import Run
from remnist.plan import digests
from remnist.settings import Variant

DATA, WEIGHTS, EVALUATIONS = Path("data/images.safetensors"), Path("models"), Path("evaluations")


class FinishedSeeds:
    """The finished seeds of a variant.

    Args:
        name: the variant's.
        variant: its settings.

    Raises:
        UserError: the data cannot be read.
    """

    def __init__(self, name: str, variant: Variant) -> None:
        self.folder = WEIGHTS / f"{name}.tmp"
        self.kept = self.folder / _digest(digests.of_run(variant), sha256_of_data())

    def runs(self, seeds: Iterable[int]) -> Iterator[tuple[Run, dict[str, str]]]:
        """Yield the finished runs of these seeds, each with the files of its learning curves."""
        for seed in seeds:
            try:
                weights, noted = self.weights(seed).read_bytes(), json.loads(self._noted(seed).read_text("utf-8"))
                if noted["sha256"] == hashlib.sha256(weights).hexdigest():
                    yield Run(seed, weights, noted["epochs"]), noted["files"]
            except (OSError, ValueError, KeyError, TypeError):
                pass

    def keep(self, run: Run, files: Mapping[str, str]) -> None:
        """Keep a run that has ended.

        Args:
            run: the run.
            files: the text of each file of its learning curves, by its path in the seed's folder.
        """
        write_bytes(self.weights(run.seed), run.weights)
        content = {"sha256": hashlib.sha256(run.weights).hexdigest(), "epochs": run.curve, "files": files}
        write_text(self._noted(run.seed), json.dumps(content))

    def weights(self, seed: int) -> Path:
        """Return where a seed's weights are, once they are kept."""
        return self.kept / f"seed-{seed}.safetensors"

    def remove(self) -> None:
        """Remove them, and all that was kept of the variant under other digests."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _noted(self, seed: int) -> Path:
        return self.kept / f"seed-{seed}.json"


class FinishedEvaluation:
    """The finished evaluation of a variant.

    Args:
        name: the variant's.
        variant: its settings.
        weights: the weights of each seed.

    Raises:
        UserError: the data or the weights cannot be read.
    """

    def __init__(self, name: str, variant: Variant, weights: Iterable[Path]) -> None:
        self.folder = EVALUATIONS / f"{name}.tmp"
        decided_by = [
            digests.of_stage("evaluate", variant),
            sha256_of_data(),
            *(_sha256(path, f"train@{name}") for path in weights),
        ]
        self.kept = self.folder / f"{_digest(*decided_by)}.json"

    def read(self) -> Any:
        """Return the evaluation, None if there is none."""
        try:
            noted = json.loads(self.kept.read_text("utf-8"))
            if noted["sha256"] == hashlib.sha256(noted["content"].encode()).hexdigest():
                return json.loads(noted["content"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        return None

    def keep(self, evaluation: Any) -> None:
        """Keep an evaluation."""
        content = json.dumps(evaluation, allow_nan=False)
        write_text(self.kept, json.dumps({"sha256": hashlib.sha256(content.encode()).hexdigest(), "content": content}))

    def remove(self) -> None:
        """Remove it, and all that was kept of the variant under other digests."""
        shutil.rmtree(self.folder, ignore_errors=True)


def sha256_of_data() -> str:
    """Return the SHA-256 of the prepared data, hexadecimal.

    Raises:
        UserError: the file is missing or cannot be read.
    """
    return _sha256(DATA, "preprocess")


def _sha256(path: Path, stage: str) -> str:
    """Return the SHA-256 of a file that a stage wrote, hexadecimal.

    Raises:
        UserError: the file is missing or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; `dvc repro {stage}` makes it") from None


def _digest(*parts: str) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]
