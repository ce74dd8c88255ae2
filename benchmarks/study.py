"""Seconds of the whole study: an epoch of every variant, on every core at a time, as a train stage has it.

With the measurements after each epoch, unlike `benchmarks/training.py`. All variants in turn, round after round, so
that what slows the machine for a while slows none in particular. It writes docs/seconds.csv, core-seconds an epoch,
which the report reads, and prints how long all epochs of all runs take on this machine.
"""

import argparse
import tempfile
from dataclasses import replace
from itertools import product
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from benchmarks import race
from benchmarks.peers import Job
from benchmarks.training import DATA
from remnist.commands.ahead import SECONDS
from remnist.errors import UserError
from remnist.files import write_json, write_text
from remnist.machine import processor
from remnist.plan import entries
from remnist.runtime import pool
from remnist.runtime.stage import PLAN, command_main
from remnist.settings import Variant

ROUNDS = 5  # times that each variant trains


def main() -> None:
    """Measure an epoch of every variant, write its seconds, and print the sums by family."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="times that each variant trains (%(default)s)")
    rounds = parser.parse_args().rounds
    if rounds < 2:
        raise UserError(f"--rounds: {rounds}: allowed: 2 or more, or a time has no spread")
    plan = entries.read(PLAN)
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder), plan, DATA, rounds)
    write_text(SECONDS, measured.to_csv(index=False, lineterminator="\n"))
    cores = pool.count()
    table = measured.groupby(["variant", "model"], sort=False)["seconds"].median().reset_index()
    table["runs"] = [len(variant.seeds) for variant in plan.values()]
    epochs = [variant.train.epochs for variant in plan.values()]
    table["minutes"] = table["seconds"] * epochs * table["runs"] / cores / 60
    families = table.groupby("model", sort=False)[["runs", "minutes"]].sum()
    families.loc["all"] = families.sum()
    print(f"Training alone, on {cores} cores, from an epoch of each variant; {SECONDS} has its seconds on one:")
    print(families.to_string(formatters={"runs": "{:.0f}".format, "minutes": "{:.1f}".format}))


def measure(folder: Path, plan: dict[str, Variant], data: Path, rounds: int) -> pd.DataFrame:
    """Train an epoch of every variant, after one that warms up.

    Args:
        folder: an empty one, for the plan of these runs and their weights.
        plan: the variants.
        data: the file that preprocess wrote.
        rounds: how many times each variant trains.

    Returns:
        A row a round and variant: round (from 1), variant, model, seconds (of a core, for an epoch and seed), machine.

    Raises:
        UserError: a process failed.
    """
    short = {
        name: replace(variant, train=variant.train.model_copy(update={"epochs": 2})) for name, variant in plan.items()
    }
    write_json(folder / "plan.json", {name: variant.to_json() for name, variant in short.items()})
    (folder / "images.safetensors").symlink_to(data.resolve())
    rows, machine = [], f"{pool.count()} cores of {processor()}"
    for round_, (name, variant) in tqdm(list(product(range(1, rounds + 1), plan.items())), disable=None):
        jobs = [Job(folder, name, seed) for seed in range(pool.count())]
        try:
            seconds = race.run("portable", jobs).seconds * len(jobs)
        except race.ContestantError as error:
            raise UserError(f"{name}: {error}") from None
        rows.append({"round": round_, "variant": name, "model": variant.model.name, "seconds": round(seconds, 3),
                     "machine": machine})  # fmt: skip
    return pd.DataFrame(rows)


if __name__ == "__main__":
    with command_main():
        main()
