"""Work for a study on other machines: a Dask worker a core, its numerics pinned before it loads any library.

Options behind `--` go to `dask worker`. The workers of a machine share one copy of the data, in a temporary folder,
which TMPDIR moves and which goes with them.
"""

import argparse
import signal
import tempfile

from remnist.errors import UserError, reason
from remnist.learning import numerics
from remnist.runtime import pool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line may say."""
    parser.add_argument("--workers", type=int, help="how many; by default one a core, or REMNIST_WORKERS")
    parser.add_argument(
        "--numerics",
        choices=list(numerics.PINS),
        default="portable",
        help="of the variants that they take (%(default)s)",
    )
    parser.add_argument("address", help="the scheduler's, for instance tcp://head:8786")
    parser.add_argument("options", nargs="*", metavar="-- options", help="of `dask worker`")


def run(arguments: argparse.Namespace) -> None:
    """Run the workers until Ctrl-C or SIGTERM, or until the scheduler ends them."""
    workers = pool.count() if arguments.workers is None else arguments.workers
    if workers < 1:
        raise UserError(f"--workers: {workers}: allowed: 1 or more")
    try:
        from distributed.cli.dask_worker import main
        from distributed.comm import resolve_address
    except ImportError as error:
        raise UserError(f"workers need Dask ({error}): pip install '.[cluster]'") from None
    except ValueError as error:  # a user's configuration is wrong
        raise UserError(f"Dask: {reason(error)}") from None
    try:
        resolve_address(arguments.address)
    except (OSError, ValueError) as error:
        raise UserError(f"{arguments.address}: no address of a Dask scheduler: {error}") from None
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # no `nohup`: a terminal that is closed ends them in order
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    numerics.pin(arguments.numerics)  # the workers are processes that start in this environment
    with tempfile.TemporaryDirectory(prefix="remnist-") as folder:
        main(
            [
                arguments.address, "--memory-limit", "0", "--no-dashboard", *arguments.options,
                "--nworkers", str(workers), "--nthreads", "1", "--nanny", "--local-directory", folder,
                "--resources", f"{arguments.numerics}=1",
            ],
            prog_name="remnist worker",
        )  # fmt: skip
