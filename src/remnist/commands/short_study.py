"""The whole study in small, in this one process: its real stages, on few images, two steps a run.

`make verify` runs this script in copies of the project, here and on emulated processors, and compares what it leaves.
An emulator does not follow a process into the programs that it starts, hence one process.
"""

import argparse
import ctypes
import mmap
import runpy
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, nullcontext
from pathlib import Path
from queue import Queue
from typing import Any

from tqdm import tqdm

sys.path.insert(0, "src")  # of the copy, which is the working directory

from remnist.files import write_bytes
from remnist.learning import numerics
from remnist.plan import entries
from remnist.runtime import pool

DATA = Path("data/images.safetensors")
HELD_OUT = 20  # images


class Inline(Executor):
    """Runs each task at once, in this process."""

    def submit(self, task: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> "Future[Any]":
        """Run the task and return its future, which has its result."""
        future: Future[Any] = Future()
        future.set_result(task(*arguments, **keywords))
        return future


def main() -> None:
    """Run either half of the study in the working directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("half", choices=["measure", "report"], help="all stages up to evaluate, or the report")
    parser.add_argument(
        "--processes", type=int, help="workers, as in the study; without it all is done in this process"
    )
    parser.add_argument("--emulated", action="store_true", help="this runs under qemu")
    arguments = parser.parse_args()
    tqdm.monitor_interval = 0  # no thread, which qemu 7.2 crashes over now and then
    if arguments.emulated:
        map_page_zero()
    if arguments.half == "report":
        if arguments.emulated:
            import numpy  # noqa: F401 (before the stage pins numpy's kernels: qemu lacks some of AVX2's)
        share(Inline(), Queue())
        run("report")
    else:
        with shared_workers(arguments.processes):
            measure()
    print(vector_unit())


def measure() -> None:
    """Run plan, download, preprocess; then each variant, on images for a whole batch and a smaller one.

    The test set has an image of each digit.
    """
    for stage in ("plan", "download", "preprocess"):
        run(stage)
    import numpy as np
    from safetensors.numpy import load_file, save

    whole = load_file(DATA)
    _, tested = np.unique(whole["test_labels"], return_index=True)
    for name, variant in entries.read(Path("plan.json")).items():
        trained = variant.train.batch_size * 5 // 4
        parts: dict[str, Any] = {"train": slice(trained), "validation": slice(HELD_OUT), "test": tested}
        kept = {name: array[parts.get(name.split("_")[0], slice(None))] for name, array in whole.items()}
        write_bytes(DATA, save(kept))
        for stage in ("train", "evaluate"):
            run(stage, name)


def run(stage: str, *arguments: str) -> None:
    """Run a stage's script, as its command does."""
    script = f"stages/{stage}.py"
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")


@contextmanager
def shared_workers(processes: int | None) -> Iterator[None]:
    """Give all stages the same workers, or none but this process: starting new ones takes longer than their work."""
    if processes is None:
        numerics.pin("portable")
        share(Inline(), Queue())
        yield
    else:
        server = pool.context("portable", ["remnist.learning.loop", "remnist.evaluation.seeds"])
        with pool.events(server) as events, pool.workers(server, processes) as executor:
            share(executor, events)
            yield


def share(executor: Executor, events: "Queue[Any]") -> None:
    """Let each stage find these where it would start its own."""
    pool.context = lambda *_, **__: None  # type: ignore[assignment]
    pool.events = lambda *_: nullcontext(events)  # type: ignore[assignment]
    pool.workers = lambda *_: nullcontext(executor)  # type: ignore[assignment]


def vector_unit() -> str:
    """Return the widest vectors of this processor, as numpy finds it."""
    from numpy._core._multiarray_umath import __cpu_features__ as features  # type: ignore[import-not-found]  # no public way

    return "AVX-512" if features["AVX512F"] else "AVX2" if features["AVX2"] else "SSE"


def map_page_zero() -> None:
    """Let the first addresses be read, as many as lie before any program.

    torch's SGD without momentum reads a vector from there under an empty mask, which a processor does not read at all;
    qemu 7.2 reads it and then leaves it out.
    """
    c = ctypes.CDLL(None)
    c.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    fixed = 0x10
    if c.mmap(0, 2**16, mmap.PROT_READ, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | fixed, -1, 0):
        sys.exit("error: no memory at address 0; qemu's option -B moves it")


if __name__ == "__main__":
    main()
