"""The memory that `remnist ahead` takes on MNIST, with one worker and with more; what processes share counts once.

A page counts for each process by its share of it (Linux's PSS), so that the sum is what the machine gives. MNIST_MIRROR
names a folder or URL that has the original files. `make bench-memory` runs it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from remnist.commands import demo
from remnist.errors import UserError
from remnist.runtime import pool
from remnist.runtime.stage import command_main

VARIANTS = {
    "MLPs": ["mlp-baseline", "batch-200", "capacity-2048", "activation-maxout", "mlp-deep-500"],
    "all": ["mlp-baseline", "mixer-standard", "vision-permutator", "resnet-plain", "reference-cnn", "image-56"],
}
SEEDS = list(range(4))
POLL_S = 0.05  # seconds between two looks


def main() -> None:
    """Print the peak of each group of variants with one worker, and what each further worker adds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, help="how many are compared with one; by default one a core")
    asked = parser.parse_args().workers
    workers = pool.count() if asked is None else asked
    if workers < 2:
        raise UserError(f"--workers: {workers}: allowed: 2 or more")
    print("| variants | 1 worker, MB | each further worker, MB |\n| --- | ---: | ---: |")
    for name, variants in VARIANTS.items():
        one, more = (peak(variants, number) for number in (1, workers))
        print(f"| {name} | {one / 1e6:.0f} | {(more - one) / (workers - 1) / 1e6:.0f} |", flush=True)


def peak(variants: list[str], workers: int) -> float:
    """Train and evaluate variants for one epoch; return the most bytes that all processes had at once."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        demo.copy(copy, {"seeds": SEEDS, "train": {"epochs": 1}}, variants, 1)
        demo.leave_git(copy)
        environment = os.environ | {"PYTHONPATH": "src", pool.WORKERS: str(workers)}
        subprocess.run(["dvc", "repro", "--quiet", "plan", "preprocess"], cwd=copy, env=environment, check=True)
        command = [sys.executable, "-m", "remnist.cli", "ahead"]
        with subprocess.Popen(command, cwd=copy, env=environment, stdout=subprocess.DEVNULL) as process:
            found = 0.0
            while process.poll() is None:
                found = max(found, memory(psutil.Process(process.pid)))
                time.sleep(POLL_S)
    if process.returncode:
        raise UserError(f"remnist ahead: status {process.returncode}")
    return found


def memory(process: psutil.Process) -> float:
    """Return the bytes of a process and its descendants."""
    found = 0.0
    try:
        for each in (process, *process.children(recursive=True)):
            found += each.memory_full_info().pss
    except psutil.NoSuchProcess:  # it has just ended
        pass
    return found


if __name__ == "__main__":
    with command_main():
        main()
