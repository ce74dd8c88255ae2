"""Evaluate the stored weights of a variant on the test set: each seed by itself, and all as an ensemble.

On this machine, or on the Dask cluster whose scheduler DASK_SCHEDULER_ADDRESS names. An evaluation that was finished
ahead of the stage is taken up.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, "src")  # this checkout's code, whatever else is installed

from remnist.files import write_json
from remnist.runtime.finished import FinishedEvaluation
from remnist.runtime.stage import Inputs, stage_main
from remnist.runtime.work import Work
from remnist.settings import Variant


def main(name: str, variant: Variant, inputs: Inputs) -> None:
    """Read models/<variant>, evaluate, write evaluations/<variant>.json."""
    Work({}, {name: variant}, check=lambda *_: inputs.check()).do()
    weights = [Path("models", name, f"seed-{seed}.safetensors") for seed in variant.seeds]
    finished = FinishedEvaluation(name, variant, weights)
    write_json(Path("evaluations", f"{name}.json"), finished.read())
    inputs.check()
    finished.remove()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", help="a name in plan.json")
    name = parser.parse_args().variant
    with stage_main("evaluate", name) as inputs:
        main(name, inputs.settings, inputs)
