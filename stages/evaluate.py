"""Evaluate the stored weights of a variant on the test set: each seed by itself, and all as an ensemble."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, "src")  # the code beside this script, whatever else is installed

from remnist import plan, pool
from remnist.errors import reported
from remnist.files import write_json


def main() -> None:
    """Read models/<variant>, evaluate, write evaluations/<variant>.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", help="a name in plan.json")
    variant = parser.parse_args().variant
    entry = plan.read_entry(Path("plan.json"), variant)
    seeds = entry["seeds"]
    processes = pool.context(entry["train"]["numerics"], preload="remnist.evaluation")
    with pool.workers(processes, len(seeds)) as executor:
        data = Path("data/images.safetensors")
        weights = [Path("models", variant, f"seed-{seed}.safetensors") for seed in seeds]
        runs = [executor.submit(pool.call, "remnist.evaluation:evaluate_seed", entry, path, data) for path in weights]
        figures, answers = zip(*(run.result() for run in runs), strict=True)
        together = executor.submit(pool.call, "remnist.evaluation:evaluate_together", entry, answers, data)
        results = [{"seed": seed, **each} for seed, each in zip(seeds, figures, strict=True)]
        write_json(Path("evaluations", f"{variant}.json"), {"seeds": results, **together.result()})


if __name__ == "__main__":
    with reported():
        main()
