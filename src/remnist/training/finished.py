"""Seeds that a train stage has finished, kept until all are, so that an interrupted one need not begin anew."""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from remnist.common.errors import UserError
from remnist.common.files import write_bytes, write_text
from remnist.common.inference import Metrics
from remnist.training.loop import run_seed

PACKAGE = Path(__file__).parents[1]
# What a seed's result depends on, beside its settings and its data; the settings' digest stands for the model's source.
SOURCES = ("common", "training", "models/__init__.py")
LIBRARIES = ("numpy", "torch")


def run_seed_once(
    settings: dict[str, Any], seed: int, data_path: Path, on_epoch: Callable[[tuple[int, Metrics]], None], folder: Path
) -> bytes:
    """Train one seed of a variant, as `run_seed` does, or take what it left when it was finished before.

    Args:
        settings: a variant's entry of the plan.
        seed: 0 to 2**32 - 1.
        data_path: the file that preprocess wrote.
        on_epoch: called for each epoch with the seed and its metrics, in either case.
        folder: where finished seeds are kept. What other settings, data, code or libraries left there is not taken,
            nor what is damaged.

    Returns:
        The weights as a safetensors file.

    Raises:
        UserError: the device is not there, or the data cannot be read.
    """
    kept = folder / _identity(json.dumps(settings, sort_keys=True), data_path)
    weights_path, curve_path = kept / f"seed-{seed}.safetensors", kept / f"seed-{seed}.json"
    try:
        weights, finished = weights_path.read_bytes(), json.loads(curve_path.read_text(encoding="utf-8"))
        if finished["sha256"] == hashlib.sha256(weights).hexdigest():
            for metrics in finished["epochs"]:
                on_epoch((seed, metrics))
            return weights
    except (OSError, ValueError, KeyError, TypeError):
        pass
    epochs = []

    def note(epoch: tuple[int, Metrics]) -> None:
        epochs.append(epoch[1])
        on_epoch(epoch)

    weights = run_seed(settings, seed, data_path, note)
    write_bytes(weights_path, weights)
    write_text(curve_path, json.dumps({"sha256": hashlib.sha256(weights).hexdigest(), "epochs": epochs}))
    return weights


@cache
def _identity(settings: str, data_path: Path) -> str:
    """Return a digest of all that a seed's result depends on, 16 hexadecimal digits."""
    digest = hashlib.sha256(settings.encode())
    digest.update(" ".join(map(version, LIBRARIES)).encode())
    for source in SOURCES:
        for path in sorted((PACKAGE / source).glob("*.py")) or [PACKAGE / source]:
            digest.update(path.read_bytes())
    try:
        with data_path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise UserError(f"{data_path}: {error.strerror}; `dvc repro preprocess` makes it") from None
    return digest.hexdigest()[:16]
