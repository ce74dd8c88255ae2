"""This project's trainer, as a train stage calls it."""

from collections.abc import Callable

from benchmarks.peers import Job
from remnist.learning.loop import run_seed


def train(job: Job, on_epoch: Callable[[], None]) -> bytes:
    """Train a seed. It measures at each epoch, on as many images as the job's file has for the test."""
    return run_seed(job.variant, job.seed, job.data, lambda epoch: on_epoch() if epoch.number else None).weights
