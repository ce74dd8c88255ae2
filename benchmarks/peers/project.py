"""This project's trainer, as a train stage calls it."""

from collections.abc import Callable

from benchmarks.peers import Job
from remnist.learning.loop import run_seed


def train(job: Job, on_epoch: Callable[[], None]) -> bytes:
    """Train a seed. It measures after each epoch, here on one image, the only one held out."""
    return run_seed(job.variant, job.seed, job.data, lambda _: on_epoch()).weights
