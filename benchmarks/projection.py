"""What the study would take elsewhere: DVC's own part of it as variants grow, and the training on many workers.

DVC's part is measured: a copy of the project whose train and evaluate stages do next to nothing, with more and more
variants. The training is simulated: each worker takes the longest run that waits, by the seconds that benchmarks/training.py
measured of each variant. `make projection` runs it and draws docs/schedule.png.
"""

import argparse
import heapq
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from scipy.optimize import nnls
from tqdm import tqdm

from remnist.commands import demo
from remnist.commands.repro import seconds_of_a_run
from remnist.files import read_json, read_yaml, write_json
from remnist.runtime.stage import stage_main

SIZES = ((10, 1), (40, 1), (160, 1), (160, 8))  # variants, and dvc.yaml that they are spread over
FAR = 1000
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 250, 500)
PICTURE = Path("docs/schedule.png")
# A stage that writes what the graph expects, in the time that Python takes to start.
STAGE = """
import pathlib, sys
for name in OUTPUTS:
    path = pathlib.Path(name.format(sys.argv[1]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(sys.argv[1])
"""
OUTPUTS = {"train": ["models/{}", "dvclive/{}"], "evaluate": ["evaluations/{}.json"]}


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    plan = read_json(Path("plan.json"))
    seconds = seconds_of_a_run(plan)
    runs = [seconds[variant] for variant, entry in plan.items() for _ in entry["seeds"]]
    table = schedule(runs)
    print(f"{len(runs)} runs, longest {max(runs) / 60:.1f} minutes, all {sum(runs) / 3600:.1f} hours of one core\n")
    print(table.to_string(index=False, float_format="{:.1f}".format))
    draw(table, max(runs) / 60)
    print(f"\n{PICTURE} shows it.\n")
    print(bookkeeping().to_string(index=False, float_format="{:.1f}".format))


def schedule(runs: Sequence[float]) -> pd.DataFrame:
    """Let each worker that is free take the longest run that waits.

    Args:
        runs: seconds of each.

    Returns:
        By number of `workers`: `minutes` until all runs have ended, `bound` in minutes, below which no order could
        come, and `busy`, the percentage of the workers' time that is spent on runs.
    """
    rows = []
    for workers in WORKERS:
        ends = [0.0] * workers
        for run in sorted(runs, reverse=True):
            heapq.heapreplace(ends, ends[0] + run)
        bound = max(max(runs), sum(runs) / workers)
        busy = 100 * sum(runs) / workers / max(ends)
        rows.append({"workers": workers, "minutes": max(ends) / 60, "bound": bound / 60, "busy": busy})
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame, longest: float) -> None:
    """Draw the minutes of a schedule by its workers, and of its longest run."""
    mpl.use("agg")
    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    axes.loglog(table["workers"], table["minutes"], marker="o", label="all runs, longest first")
    axes.axhline(longest, linestyle="--", color="gray", label="the longest run")
    axes.set(xlabel="workers of one core", ylabel="minutes", title="Training of the whole study, simulated")
    axes.set_xticks(table["workers"], [f"{workers}" for workers in table["workers"]], minor=False)
    axes.set_yticks(ticks := [10, 30, 100, 200], [f"{tick}" for tick in ticks])
    axes.minorticks_off()
    axes.legend(frameon=False)
    figure.savefig(PICTURE, dpi=150, metadata={"Software": None})


def bookkeeping() -> pd.DataFrame:
    """Time DVC on copies of the project with stages that do next to nothing.

    Returns:
        By number of `variants` and of dvc.yaml `files` that they are spread over, the seconds of a first `dvc repro` of
        `all stages`, of one that finds `nothing to do`, and of one after a change of `one variant`. The last row is
        not measured: it follows a parabola through the measurements with one file, with no negative coefficient.
    """
    rows = [measure(*size) for size in tqdm(SIZES, disable=None)]
    table = pd.DataFrame(rows, columns=["variants", "files", "all stages", "nothing to do", "one variant"])
    one = table[table["files"] == 1]
    powers, far = (np.vander(counts, 3).astype(float) for counts in (one["variants"], [FAR]))
    fits = [(far @ nnls(powers, one[name])[0]).item() for name in table.columns[2:]]
    table.loc[len(table)] = [FAR, 1, *fits]
    return table


def measure(variants: int, files: int) -> tuple[float, ...]:
    """Time DVC on a copy of the project with so many variants, spread over so many dvc.yaml."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "copy")
        demo.copy(folder, demo.SETTINGS, ["xor"])
        params = read_yaml(folder / "params.yaml")
        params["claims"], params["published"] = {}, {}
        params["variants"] = {f"variant-{i}": {"train": {"lr": 0.01 + i * 1e-6}} for i in range(variants)}
        write_json(folder / "params.yaml", params)
        for stage, outputs in OUTPUTS.items():
            (folder / "stages" / f"{stage}.py").write_text(STAGE.replace("OUTPUTS", repr(outputs)), encoding="utf-8")
        if files > 1:
            spread(folder, list(params["variants"]), files)

        def seconds(*targets: str) -> float:
            start = time.perf_counter()
            subprocess.run(["dvc", "repro", "--quiet", *targets], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            return time.perf_counter() - start

        demo.leave_git(folder)
        seconds("plan", "preprocess")
        everything = ["evaluate"] if files == 1 else [f"part-{i}/dvc.yaml" for i in range(files)]
        first, nothing = seconds(*everything), seconds(*everything)
        params["variants"]["variant-0"]["train"]["lr"] = 0.02
        write_json(folder / "params.yaml", params)
        return variants, files, first, nothing, seconds(*everything)


def spread(folder: Path, variants: Sequence[str], files: int) -> None:
    """Move the stages of all variants from dvc.yaml to others, one in each of some folders."""
    graph = read_yaml(folder / "dvc.yaml")
    stages = {name: graph["stages"].pop(name)["do"] | {"wdir": ".."} for name in OUTPUTS}
    del graph["stages"]["report"]
    write_json(folder / "dvc.yaml", {"stages": graph["stages"]})
    for i in range(files):
        part = {name: {"foreach": dict.fromkeys(variants[i::files], 0), "do": do} for name, do in stages.items()}
        (folder / f"part-{i}").mkdir()
        write_json(folder / f"part-{i}" / "dvc.yaml", {"stages": part})


if __name__ == "__main__":
    with stage_main():
        main()
