"""Evaluate the stored weights of a variant on the test set: each seed by itself, and all as an ensemble."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, "src")  # the code beside this script, whatever else is installed

from remnist.common import plan, pool
from remnist.common.errors import reported
from remnist.common.files import write_json


def main() -> None:
    """Read models/<variant>, evaluate, write evaluations/<variant>.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", help="a name in plan.json")
    variant = parser.parse_args().variant
    entry = plan.read_entry(Path("plan.json"), variant)
    processes = pool.context(entry["train"]["numerics"], preload="remnist.evaluation.answers")
    from remnist.evaluation import scores  # takes a second, in which the processes' server loads torch

    data, folder, seeds = Path("data/images.safetensors"), Path("models", variant), entry["seeds"]
    with pool.workers(processes, len(seeds)) as executor:
        weights = [folder / f"seed-{seed}.safetensors" for seed in seeds]
        runs = [executor.submit(pool.call, "remnist.evaluation.answers:answer", entry, path, data) for path in weights]
        results, together = [], []
        for seed, run in zip(seeds, runs, strict=True):
            answers = run.result()
            results.append({"seed": seed, **scores.score(**answers)})
            together.append(answers["probabilities"])
    written = {
        "seeds": results,
        "labels": scores.digits(answers["labels"]),
        "ensembles": scores.ensembles(together, answers["labels"]),
    }
    write_json(Path("evaluations", f"{variant}.json"), written)


if __name__ == "__main__":
    with reported():
        main()
