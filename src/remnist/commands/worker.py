"""Work for a study on other machines: a Dask worker a core, its numerics pinned before it loads any library.

Options behind `--` go to `dask worker`. The workers of a machine share one copy of the data, in a temporary folder,
which TMPDIR moves and which goes with them.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec

from remnist.errors import UserError
from remnist.learning import numerics
from remnist.runtime import pool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line may say."""
    parser.add_argument("address", help="the scheduler's, for instance tcp://head:8786")
    parser.add_argument("--workers", type=int, help="how many; by default one a core, or REMNIST_WORKERS")
    parser.add_argument(
        "--numerics",
        choices=list(numerics.PINS),
        default="portable",
        help="of the variants that they take (%(default)s)",
    )
    parser.add_argument("options", nargs="*", metavar="-- options", help="of `dask worker`")


def run(arguments: argparse.Namespace) -> None:
    """Run the workers until they end."""
    workers = pool.count() if arguments.workers is None else arguments.workers
    if workers < 1:
        raise UserError(f"--workers: {workers}: allowed: 1 or more")
    if find_spec("distributed") is None:
        raise UserError("Dask is not installed: pip install '.[cluster]'")
    with tempfile.TemporaryDirectory(prefix="remnist-") as folder:
        command = [
            sys.executable, "-m", "dask", "worker", arguments.address, "--nworkers", str(workers), "--nthreads", "1",
            "--resources", f"{arguments.numerics}=1", "--local-directory", folder, "--no-dashboard",
            *arguments.options,
        ]  # fmt: skip
        process = subprocess.Popen(command, env=numerics.environment(arguments.numerics))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: process.send_signal(number))
        sys.exit(process.wait())
