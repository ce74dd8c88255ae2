"""The tasks that a worker computes, here or on a cluster.

It loads torch, and what else a task needs, once its numerics are pinned.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from remnist.learning.runs import Epoch, Run
from remnist.settings import Variant


def train(
    name: str, variant: Variant, seed: int, data_path: Path, on_epoch: Callable[[tuple[str, Epoch]], None]
) -> Run:
    """Train one seed, as `remnist.learning.loop.run_seed` does; epochs are reported with the variant's name."""
    from remnist.learning import loop

    return loop.run_seed(variant, seed, data_path, lambda epoch: on_epoch((name, epoch)))


def evaluate(variant: Variant, weights: list[Path], data_path: Path) -> dict[str, Any]:
    """Evaluate the seeds of a variant, as `remnist.evaluation.seeds.evaluate` does."""
    from remnist.evaluation import seeds

    return seeds.evaluate(variant, weights, data_path)
