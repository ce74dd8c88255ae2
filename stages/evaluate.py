"""Evaluate the stored weights of a variant on the test set: each seed by itself, and all as an ensemble."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, "src")  # this checkout's code, whatever else is installed

from remnist.files import write_json
from remnist.runtime import pool
from remnist.runtime.stage import stage_main
from remnist.settings import Variant

PREDICT = "remnist.evaluation.predictions:predict_test_set"


def main(name: str, variant: Variant) -> None:
    """Read models/<variant>, evaluate, write evaluations/<variant>.json."""
    modules = ["remnist.evaluation.predictions", f"remnist.models.{variant.model.name}"]
    processes = pool.context(variant.train.numerics, preload=modules)
    from remnist.evaluation import metrics  # takes a second, in which the processes' server loads torch

    data, seeds = Path("data/images.safetensors"), variant.seeds
    weights = [Path("models", name, f"seed-{seed}.safetensors") for seed in seeds]
    with pool.workers(processes, len(seeds)) as executor:
        runs = [executor.submit(pool.call, PREDICT, variant, path, data) for path in weights]
        predictions = [run.result() for run in runs]
    write_json(Path("evaluations", f"{name}.json"), metrics.evaluate_all(seeds, predictions))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", help="a name in plan.json")
    name = parser.parse_args().variant
    with stage_main("evaluate", name) as inputs:
        main(name, inputs.settings)
