"""Seconds of the whole study: an epoch of every variant, on every core at a time, as a train stage has it.

With the measurements after each epoch, unlike `benchmarks/training.py`. It writes docs/seconds.csv, core-seconds an
epoch, and prints how long all epochs of all runs take on this machine.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from benchmarks import race
from benchmarks.peers import Job
from benchmarks.training import DATA
from remnist.errors import UserError
from remnist.files import write_json, write_text
from remnist.plan import entries
from remnist.runtime import pool
from remnist.runtime.stage import PLAN, command_main
from remnist.settings import Variant

SECONDS = Path("docs/seconds.csv")


def main() -> None:
    """Measure an epoch of every variant, write its seconds, and print the sums by family."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    plan = entries.read(PLAN)
    with tempfile.TemporaryDirectory() as folder:
        table = measure(Path(folder), plan, DATA)
    write_text(SECONDS, table.to_csv(index=False, lineterminator="\n"))
    cores = pool.count()
    table["runs"] = [len(variant.seeds) for variant in plan.values()]
    epochs = [variant.train.epochs for variant in plan.values()]
    table["minutes"] = table["seconds"] * epochs * table["runs"] / cores / 60
    families = table.groupby("model", sort=False)[["runs", "minutes"]].sum()
    families.loc["all"] = families.sum()
    print(f"Training alone, on {cores} cores, from an epoch of each variant; {SECONDS} has its seconds on one:")
    print(families.to_string(formatters={"runs": "{:.0f}".format, "minutes": "{:.1f}".format}))


def measure(folder: Path, plan: dict[str, Variant], data: Path) -> pd.DataFrame:
    """Train an epoch of every variant, after one that warms up.

    Args:
        folder: an empty one, for the plan of these runs and their weights.
        plan: the variants.
        data: the file that preprocess wrote.

    Returns:
        A row a variant: variant, model, seconds (of a core, for an epoch and seed).

    Raises:
        UserError: a process failed.
    """
    short = {
        name: replace(variant, train=variant.train.model_copy(update={"epochs": 2})) for name, variant in plan.items()
    }
    write_json(folder / "plan.json", {name: variant.to_json() for name, variant in short.items()})
    (folder / "images.safetensors").symlink_to(data.resolve())
    rows = []
    for name, variant in tqdm(plan.items(), disable=None):
        jobs = [Job(folder, name, seed) for seed in range(pool.count())]
        try:
            seconds = race.run("portable", jobs).seconds * len(jobs)
        except race.ContestantError as error:
            raise UserError(f"{name}: {error}") from None
        rows.append({"variant": name, "model": variant.model.name, "seconds": round(seconds, 3)})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    with command_main():
        main()
