"""Seconds an epoch of 60,000 images: this trainer against the usual loop over a DataLoader, in alternation.

The usual loop is a tutorial's: torchvision's MNIST, ToTensor, DataLoader, a torch.optim optimiser, eager, one
process, torch's own choice of threads, training alone. The trainer runs a seed a core, as a train stage does, with its
measurements after each epoch. Starting processes and loading libraries count for neither.
"""

import argparse
import gzip
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from remnist import plan, pool
from remnist.errors import UserError, reported

VARIANT = "mlp-baseline"
IMAGES = 60_000
EPOCHS = 2  # measured each time, after one that warms up
DATA, RAW = Path("data/images.safetensors"), Path("data/raw")


def naive(settings: dict[str, Any]) -> float:
    """Train for an epoch as a tutorial does; return its seconds."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    from remnist import data, models

    train = settings["train"]
    model = models.build(settings["model"], image_shape=(1, 28, 28), classes=data.classes(settings["data"]))
    optimizer = torch.optim.SGD(model.parameters(), train["lr"], momentum=train["momentum"])
    criterion = nn.CrossEntropyLoss()
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder, "MNIST", "raw")
        unpacked.mkdir(parents=True)
        for packed in RAW.glob("*.gz"):
            (unpacked / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
        images = datasets.MNIST(folder, train=True, transform=transforms.ToTensor())
    start = time.perf_counter()
    for batch, labels in DataLoader(images, batch_size=train["batch_size"], shuffle=True):
        optimizer.zero_grad()
        criterion(model(batch), labels).backward()
        optimizer.step()
    return time.perf_counter() - start


def trainer(settings: dict[str, Any], numerics: str) -> float:
    """Train as many seeds as there are cores side by side; return seconds an epoch and seed, all cores counted."""
    seeds = pool.count()
    processes = pool.context(numerics, preload="remnist.training")
    with pool.workers(processes, seeds) as executor:
        runs = [executor.submit(trainer_seed, settings, seed) for seed in range(seeds)]
        return float(statistics.mean(run.result() for run in runs)) / seeds


def trainer_seed(settings: dict[str, Any], seed: int) -> float:
    """Train a seed in a worker; return its seconds for an epoch of 60,000 images."""
    from remnist.training import run_seed

    ends: list[float] = []
    run_seed(settings, seed, DATA, lambda _: ends.append(time.perf_counter()))
    trained = IMAGES - settings["data"]["validation"]
    return (ends[-1] - ends[0]) / EPOCHS * IMAGES / float(trained)


def measure(kind: str) -> float:
    """Measure one kind of loop in this process."""
    settings = plan.read_entry(Path("plan.json"), VARIANT)
    if settings["data"]["name"] != "mnist":
        raise UserError(f"data.name: {settings['data']['name']!r}: the benchmark is MNIST's")
    settings["train"]["epochs"] = EPOCHS + 1
    return naive(settings) if kind == "naive" else trainer(settings, kind)


def main() -> None:
    """Measure in alternation, each time in a fresh process, and print the ratios pair by pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each loop is measured (default 5)")
    parser.add_argument("--measure", choices=KINDS, help="measure one kind of loop here and print its seconds")
    arguments = parser.parse_args()
    if arguments.measure:
        print(measure(arguments.measure))
        return
    seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in tqdm(range(arguments.rounds), unit="round", disable=None):
        for kind, measured in seconds.items():
            command = [sys.executable, __file__, "--measure", kind]
            measured.append(float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    print(
        f"{VARIANT}: seconds an epoch of {IMAGES:,} images and seed, median (lowest to highest) of {arguments.rounds}"
    )
    for kind, title in KINDS.items():
        line = f"{title:28}{_spread(seconds[kind])}"
        if kind != "naive":
            ratios = [naive / own for naive, own in zip(seconds["naive"], seconds[kind], strict=True)]
            line += f"   {_spread(ratios)} times as fast"
        print(line)


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


KINDS = {
    "naive": "usual DataLoader loop",
    "portable": "trainer, portable numerics",
    "native": "trainer, native numerics",
}

if __name__ == "__main__":
    with reported():
        main()
