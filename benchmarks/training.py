"""Seconds an epoch: this project, and what a user would pick instead.

All train the same networks on MNIST's 60,000 training images, from the same weights, a process a core with one thread
each, every process its own seed; nobody measures between epochs. `benchmarks/peers` has them, a file each. Each figure
comes from fresh processes, all contestants in turn, round by round. The first epoch, start and compilation are
reported apart. `make bench` runs it, and writes docs/bench.md.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from safetensors.torch import load_file as load_weights
from tqdm import tqdm

from benchmarks import race, table
from benchmarks.peers import CONTESTANTS, Job, plain
from remnist import models
from remnist.data import loading
from remnist.errors import UserError
from remnist.files import write_json, write_text
from remnist.learning.inference import predict
from remnist.plan import entries
from remnist.runtime import pool
from remnist.runtime.stage import PLAN, command_main
from remnist.settings import Variant

VARIANTS = ("mlp-baseline", "mixer-standard", "resnet-plain")
EPOCHS = {"mlp-baseline": 4}  # epochs measured, where an epoch takes less than a second; of others one
DATA, PAGE = Path("data/images.safetensors"), Path("docs/bench.md")
WHOLE = "whole.safetensors"  # file of the images that the accuracies are measured on


def main() -> None:
    """Measure, print the page, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (%(default)s)")
    rounds = parser.parse_args().rounds
    if rounds < 1:
        raise UserError(f"--rounds: {rounds}: allowed: 1 or more")
    plan = entries.read(PLAN)
    if missing := [name for name in VARIANTS if name not in plan or plan[name].data.name != "mnist"]:
        raise UserError(f"{PLAN}: no {missing[0]} of MNIST's, which the benchmark trains")
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), {name: plan[name] for name in VARIANTS}, DATA)
        measured, problems = compare(Path(folder), rounds)
    page = table.page(measured, problems)
    print(page)
    write_text(PAGE, page)
    if others := table.unlike(measured):
        raise UserError(f"not the same training, by accuracy: {', '.join(others)}")


def prepare(folder: Path, variants: Mapping[str, Variant], data: Path) -> None:
    """Lay out what the contestants read, as `Job` says: all training images, and one more epoch than is measured.

    The project measures after each epoch on as many images as there are for the test: here on one.

    Args:
        folder: where to.
        variants: which to train.
        data: the file that preprocess wrote, whose validation images are training images here.
    """
    plan = {}
    for name, variant in variants.items():
        train = variant.train.model_copy(update={"epochs": 1 + EPOCHS.get(name, 1)})
        plan[name] = replace(variant, train=train).to_json()
    write_json(folder / "plan.json", plan)
    (folder / WHOLE).symlink_to(data.resolve())
    arrays = load_file(data)
    raw = folder / "MNIST/raw"
    raw.mkdir(parents=True)
    for kind, idx in (("images", "images-idx3-ubyte"), ("labels", "labels-idx1-ubyte")):
        held_out = arrays[f"validation_{kind}"]
        arrays[f"train_{kind}"] = np.concatenate([arrays[f"train_{kind}"], held_out])
        arrays[f"validation_{kind}"] = held_out[:1]
        _write_idx(raw / f"train-{idx}", arrays[f"train_{kind}"])
        arrays[f"test_{kind}"] = arrays[f"test_{kind}"][:1]
        _write_idx(raw / f"t10k-{idx}", arrays[f"test_{kind}"])
    save_file(arrays, folder / "images.safetensors")


def _write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    """Write an array as MNIST's files are written: two zero bytes, type 8, the rank, the sizes, the bytes."""
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes())


def compare(folder: Path, rounds: int) -> tuple[pd.DataFrame, dict[tuple[str, str], str]]:
    """Measure all contestants in turn, round by round.

    Args:
        folder: as `prepare` left it.
        rounds: how often each is measured.

    Returns:
        A row a measurement: round, variant, contestant, seconds, start (seconds), accuracy (the mean of the seeds);
        and the problem of each contestant and variant that cannot be measured.
    """
    rows, processes = [], pool.count()
    variants = entries.read(folder / "plan.json")
    tasks = [(number, variant, name) for number in range(rounds) for variant in variants for name in CONTESTANTS]
    absent = [name for name, contestant in CONTESTANTS.items() if find_spec(contestant.package) is None]
    problems = {(name, variant): table.ABSENT for name in absent for variant in variants}
    for number, variant, name in tqdm(tasks, disable=None):
        if (name, variant) in problems:
            continue
        jobs = [Job(folder, variant, number * processes + place) for place in range(processes)]
        for job in jobs:
            draw(job)
        try:
            times = race.run(name, jobs)
        except race.ContestantError as error:
            if name == table.REFERENCE:
                raise UserError(f"{CONTESTANTS[name].title}: {variant}: {error}") from None
            problems[name, variant] = str(error)
            continue
        accuracy = float(np.mean([judge(job) for job in jobs]))
        tqdm.write(f"{number + 1}: {variant}: {CONTESTANTS[name].title}: {times.seconds:.2f} s", sys.stderr)
        rows.append({"round": number, "variant": variant, "contestant": name, **asdict(times), "accuracy": accuracy})
    done = [row for row in rows if (row["contestant"], row["variant"]) not in problems]
    return pd.DataFrame(done), problems


def draw(job: Job) -> None:
    """Write the weights that a peer starts from: those that `run_seed` draws for the seed."""
    torch.manual_seed(int(np.random.SeedSequence(job.seed).generate_state(4, np.uint64)[0]))
    model = models.build(job.variant.model, image_shape=(1, 28, 28), classes=10)
    job.start.write_bytes(plain.saved(model))


def judge(job: Job) -> float:
    """Return the accuracy of the project's network on the test images with the weights that a contestant trained."""
    model = models.build(job.variant.model, image_shape=(1, 28, 28), classes=10)
    model.load_state_dict(load_weights(job.end))
    images, labels = loading.load(job.folder / WHOLE, "test", job.variant.data)
    return (predict(model, images).argmax(1) == labels).double().mean().item()


if __name__ == "__main__":
    with command_main():
        main()
