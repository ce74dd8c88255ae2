"""Run the study with several stages side by side: `dvc repro`, but in less time where stages leave cores idle.

Each stage starts Python and loads torch on one core; of short runs that is most of the time. The results and dvc.lock
do not depend on it. `make repro JOBS=2` and `make demo` run it.
"""

import argparse
import os
import subprocess
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from remnist.common import pool
from remnist.common.errors import UserError, reported
from remnist.common.files import read_json


def main() -> None:
    """Run what the variants need, then the variants in lanes, then what is left, in the working directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1, help="stages at a time; they share the cores (default 1)")
    jobs = parser.parse_args().jobs
    if jobs < 1:
        raise UserError(f"--jobs: {jobs}: allowed: 1 or more")
    if jobs > 1:
        dvc("plan", "preprocess")
        variants = deque(read_json(Path("plan.json")))
        share = {pool.WORKERS: str(max(1, pool.count() // jobs))}
        with ThreadPoolExecutor(jobs) as lanes:
            for lane in [lanes.submit(run_lane, variants, jobs, share) for _ in range(jobs)]:
                lane.result()
    dvc()


def run_lane(variants: deque[str], jobs: int, environment: dict[str, str]) -> None:
    """Run variants, one after the other, until none is left.

    dvc takes a second to start, so that a lane takes several variants at once; fewer and fewer, so that all lanes end
    together.
    """
    while variants:
        taken = [variants.popleft() for _ in range(max(1, len(variants) // (2 * jobs)))]
        stages = [f"{stage}@{variant}" for variant in taken for stage in ("train", "evaluate")]
        try:
            dvc("--single-item", *stages, environment=environment)
        except SystemExit:
            variants.clear()  # so that the other lanes end as well, once their stages are done
            raise


def dvc(*arguments: str, environment: dict[str, str] | None = None) -> None:
    """Run `dvc repro`; end with its status if it fails."""
    command = ["dvc", "--wait-for-lock", "repro", *arguments]
    status = subprocess.run(command, env=os.environ | (environment or {})).returncode
    if status:
        sys.exit(status)


if __name__ == "__main__":
    with reported():
        main()
