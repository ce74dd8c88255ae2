"""Train all seeds of a variant, and keep their weights and learning curves.

On this machine's cores, or on the Dask cluster whose scheduler DASK_SCHEDULER_ADDRESS names. Seeds that are finished,
ahead of the stage or before an interruption, are taken up.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, "src")  # this checkout's code, whatever else is installed

from remnist.files import write_text
from remnist.learning.runs import Epoch
from remnist.runtime.finished import FinishedSeeds
from remnist.runtime.stage import Inputs, stage_main
from remnist.runtime.work import Work
from remnist.settings import Variant

WEIGHTS, CURVES = Path("models"), Path("dvclive")


def main(name: str, variant: Variant, inputs: Inputs) -> None:
    """Train a variant's seeds, write models/<variant> and dvclive/<variant>, the latter after each epoch."""

    def log(_: str, epoch: Epoch) -> None:
        from remnist.runtime import progress

        progress.log(epoch, CURVES / name / f"seed-{epoch.seed}")

    Work({name: variant}, {}, check=lambda *_: inputs.check(), on_epoch=log).do()
    finished = FinishedSeeds(name, variant)
    for run, curves in finished.runs(variant.seeds):
        run.write(WEIGHTS / name)
        for path, text in curves.items():
            write_text(CURVES / name / f"seed-{run.seed}" / path, text)
    inputs.check()
    finished.remove()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", help="a name in plan.json")
    name = parser.parse_args().variant
    with stage_main("train", name) as inputs:
        main(name, inputs.settings, inputs)
