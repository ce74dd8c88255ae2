"""Seconds an epoch of 60,000 images: this trainer, the usual loop over a DataLoader, and the bare matrix products.

One network of each family. The usual loop is a tutorial's: torchvision's MNIST, ToTensor, DataLoader, a torch.optim
optimiser, eager, one process, torch's own choice of kernels and threads, training alone. The trainer runs a seed a
core, as a train stage does, with its measurements after each epoch; its seconds are those of an epoch and seed, all
cores counted. Last the matrix products and convolutions of the network's layers, forward and backward, and nothing
else, in portable numerics on each core: no loop around these kernels could beat them. Each figure comes from a fresh
process, all kinds in turn, and counts neither the start of processes nor the loading of libraries. `make bench` runs
it; with --study it takes an epoch of every variant.
"""

import argparse
import gzip
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from remnist.errors import UserError
from remnist.plan import entries
from remnist.plan.resolve import trained_images
from remnist.runtime import pool
from remnist.runtime.stage import command_main
from remnist.settings import Sgd, Variant

VARIANTS = {
    "MLP": "mlp-baseline",
    "wide MLP": "capacity-256",
    "residual CNN": "resnet-plain",
    "Mixer": "mixer-standard",
    "ResMLP": "resmlp",
    "Vision Permutator": "vision-permutator",
    "reference CNN": "reference-cnn",
}
IMAGES = 60_000
STEPS = 300  # steps measured of the usual loop and of the products, after a tenth as many that warm up
EPOCHS = 1  # epochs measured of the trainer, after one that warms up
SECONDS, PLAN = Path("docs/seconds.csv"), Path("plan.json")
DATA, RAW = Path("data/images.safetensors"), Path("data/raw")


def naive(variant: Variant) -> float:
    """Train as a tutorial does; return its seconds for an epoch."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    from remnist import models

    train = variant.train
    model = models.build(variant.model, image_shape=(1, 28, 28), classes=10)
    model.to(memory_format=torch.contiguous_format)
    if isinstance(variant.optimizer, Sgd):
        momentum = variant.optimizer.momentum
        optimizer: torch.optim.Optimizer = torch.optim.SGD(model.parameters(), train.lr, momentum=momentum)
    else:
        optimizer = torch.optim.Adam(model.parameters(), train.lr)
    criterion = nn.CrossEntropyLoss()
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder, "MNIST", "raw")
        unpacked.mkdir(parents=True)
        for packed in RAW.glob("*.gz"):
            (unpacked / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
        images = datasets.MNIST(folder, train=True, transform=transforms.ToTensor())

    def steps() -> Iterator[None]:
        while True:
            for batch, labels in DataLoader(images, batch_size=train.batch_size, shuffle=True):
                optimizer.zero_grad()
                criterion(model(batch), labels).backward()
                optimizer.step()
                yield

    return seconds_an_epoch(steps(), train.batch_size)


def seconds_an_epoch(steps: Iterator[None], batch_size: int) -> float:
    """Time some steps; return what an epoch of them takes."""
    for _ in range(STEPS // 10):
        next(steps)
    start = time.perf_counter()
    for _ in range(STEPS):
        next(steps)
    return (time.perf_counter() - start) / STEPS * IMAGES / batch_size


def on_all_cores(variant: Variant, numerics: str, task: str) -> float:
    """Run a function of this module on each core at a time; return seconds an epoch and seed, all cores counted."""
    cores = pool.count()
    processes = pool.context(numerics, preload=["remnist.learning.loop"])
    with pool.workers(processes, cores) as executor:
        runs = [executor.submit(pool.call, f"benchmarks.training:{task}", variant, seed) for seed in range(cores)]
        return float(statistics.mean(run.result() for run in runs)) / cores


def trainer(variant: Variant, seed: int) -> float:
    """Train a seed; return its seconds for an epoch of 60,000 images."""
    from remnist.learning.loop import run_seed

    ends: list[float] = []
    short = replace(variant, train=variant.train.model_copy(update={"epochs": EPOCHS + 1}))
    run_seed(short, seed, DATA, lambda _: ends.append(time.perf_counter()))
    return (ends[-1] - ends[0]) / EPOCHS * IMAGES / trained_images(variant.data)


def products(variant: Variant, _: int) -> float:
    """Take a model's matrix products and convolutions, forward and backward; return seconds for an epoch."""
    import torch
    from torch import Tensor, nn

    from remnist import models
    from remnist.learning import numerics

    numerics.settle()

    size = variant.train.batch_size
    model = models.build(variant.model, image_shape=(1, 28, 28), classes=10)
    taken: list[tuple[Any, Tensor]] = []
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            module.register_forward_hook(lambda layer, inputs, _: taken.append((layer, inputs[0].detach().clone())))
    with torch.no_grad():
        model(torch.rand(size, 1, 28, 28))

    def steps() -> Iterator[None]:
        while True:
            for i, (layer, x) in enumerate(taken):
                back = [i > 0, True, False]  # to the input, but not to the images; to the weights
                if isinstance(layer, nn.Conv2d):
                    padding = [k // 2 for k in layer.kernel_size] if layer.padding == "same" else layer.padding
                    how: Any = layer.stride, padding, layer.dilation, False, [0, 0], layer.groups
                    y = torch.convolution(x, layer.weight, None, *how)
                    torch.ops.aten.convolution_backward(y, x, layer.weight, None, *how, back)
                else:
                    rows = x.flatten(0, -2)
                    y = rows @ layer.weight.T
                    y.T @ rows
                    if back[0]:
                        y @ layer.weight
            yield

    with torch.no_grad():
        return seconds_an_epoch(steps(), size)


KINDS: dict[str, tuple[str, Callable[[Variant], float]]] = {
    "naive": ("usual DataLoader loop", naive),
    "portable": ("trainer, portable numerics", lambda variant: on_all_cores(variant, "portable", "trainer")),
    "native": ("trainer, native numerics", lambda variant: on_all_cores(variant, "native", "trainer")),
    "products": ("products and convolutions alone", lambda variant: on_all_cores(variant, "portable", "products")),
}


def main() -> None:
    """Measure in turn, each time in a fresh process; print a table of medians and of the ratios, pair by pair."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each loop is measured (default 3)")
    parser.add_argument("--study", action="store_true", help="measure an epoch of every variant instead")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS, metavar=("KIND", "VARIANT"))
    arguments = parser.parse_args()
    if arguments.measure:
        kind, variant = arguments.measure
        print(KINDS[kind][1](entries.read_variant(PLAN, variant)))
        return
    plan = entries.read(PLAN)
    if plan[VARIANTS["MLP"]].data.name != "mnist":
        raise UserError("data.name: the benchmark is MNIST's")
    if arguments.study:
        measure_study(plan)
        return
    tasks = [(variant, kind) for variant in VARIANTS.values() for kind in KINDS] * arguments.rounds
    seconds: dict[tuple[str, str], list[float]] = {task: [] for task in tasks}
    for variant, kind in tqdm(tasks, disable=None):
        seconds[variant, kind].append(in_fresh_process(kind, variant))
    print(f"Seconds an epoch of {IMAGES:,} images and seed, median (lowest to highest) of {arguments.rounds}; ")
    print("how many times as fast as the usual loop, median (lowest to highest) of the pairs.")
    for family, variant in VARIANTS.items():
        print(f"\n{family}: {variant}")
        for kind, (title, _) in KINDS.items():
            own, usual = seconds[variant, kind], seconds[variant, "naive"]
            ratios = [other / each for other, each in zip(usual, own, strict=True)]
            print(f"{title:34}{_spread(own)}" + (f"  {_spread(ratios)}x" if kind != "naive" else ""))


def measure_study(plan: dict[str, Variant]) -> None:
    """Measure an epoch of every variant, write its seconds, and print the sums by family."""
    cores, rows = pool.count(), []
    for name, variant in tqdm(plan.items(), disable=None):
        seconds = in_fresh_process("portable", name) * cores * trained_images(variant.data) / IMAGES
        rows.append({"variant": name, "model": variant.model.name, "seconds": round(seconds, 3)})
    table = pd.DataFrame(rows)
    table.to_csv(SECONDS, index=False, lineterminator="\n")
    table["runs"] = [len(variant.seeds) for variant in plan.values()]
    epochs = [variant.train.epochs for variant in plan.values()]
    table["minutes"] = table["seconds"] * epochs * table["runs"] / cores / 60
    families = table.groupby("model", sort=False)[["runs", "minutes"]].sum()
    families.loc["all"] = families.sum()
    print(f"Training alone, on {cores} cores, from an epoch of each variant; {SECONDS} has its seconds on one:")
    print(families.to_string(formatters={"runs": "{:.0f}".format, "minutes": "{:.1f}".format}))


def in_fresh_process(kind: str, variant: str) -> float:
    """Measure a kind of loop in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.training", "--measure", kind, variant]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):6.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    with command_main():
        main()
