"""Train every variant for a few steps here, some on emulated processors too, and compare the bits of all results.

Each run is the whole study in small (short_study.py): data, weights, evaluations, metrics, figures, report. An emulator
takes fifty times as long, so it runs the cheapest variants that have every model, loss, optimiser, schedule and switch
between them, one seed, and small batches where a network is large. It needs qemu-x86_64 (Debian's package qemu-user).
`make verify` runs it.
"""

import argparse
import csv
import hashlib
import io
import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from remnist import machine
from remnist.commands import ahead, demo
from remnist.errors import UserError
from remnist.files import read_yaml, write_text
from remnist.plan.resolve import resolve
from remnist.runtime import pool
from remnist.settings import Variant

QEMU = "qemu-x86_64"
SCRIPT = Path("src/remnist/commands/short_study.py")
PROCESSORS, PAGE = Path("docs/processors.csv"), Path("docs/trust.md")  # the second states the weights
MADE = ("data", "plan.json", "digests.json", "models", "dvclive", "evaluations", "metrics", "plots", "REPORT.md")
CRASHES = 2  # crashes of qemu 7.2 itself, which happen once in a dozen runs and say nothing about bits
MOVED = "0x10000000000"  # address of the emulated address 0, so that it can be mapped
# qemu 7.2 computes wrongly what numpy's argsort asks of AVX2: [3, 1, 2] sorts to another order, or the process crashes.
WITHOUT_ARGSORT = {"NPY_DISABLE_CPU_FEATURES": "X86_V3"}
# Whatever a user's shell or a cluster's scheduler may have set.
OUTSIDE = {
    "ATEN_CPU_CAPABILITY": "default", "DNNL_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "AVX2", "MKL_DYNAMIC": "TRUE",
    "MKL_NUM_THREADS": "3", "NUMEXPR_NUM_THREADS": "5", "OMP_DYNAMIC": "TRUE", "OMP_NUM_THREADS": "7",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16", "ONEDNN_MAX_CPU_ISA": "SSE41", "OPENBLAS_CORETYPE": "Nehalem",
    "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Run:
    """One run of the short study.

    Attributes:
        words: what is special about it.
        processor: the emulated one, by qemu's name; none for this machine's own.
        processes: workers; none: all in one process.
        seeds: the study's seeds.
        few: the variants that `covering` names, and small batches.
        report: whether it makes the report too.
        environment: variables set from outside.
    """

    words: str
    processor: str | None = None
    processes: int | None = None
    seeds: tuple[int, ...] = (0, 1)
    few: bool = False
    report: bool = True
    environment: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.processor or machine.processor()}, {self.words}"


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run: the widest vectors of its processor, and the SHA-256 of each file by its path."""

    vector_unit: str
    hashes: dict[str, str]

    def weights(self) -> str:
        """Return the first 16 digits of the SHA-256 of all weights' hashes."""
        lines = [f"{path} {sha}\n" for path, sha in self.hashes.items() if path.startswith("models/")]
        return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


SMALL_BATCH = 12  # images
REFERENCE = Run("all in one process")
FEW = Run("few variants", seeds=(1,), few=True)
RUNS = (
    Run("few variants, emulated", "Haswell", seeds=(1,), few=True),  # the longest first
    Run("few variants, emulated, without the report", "EPYC-Rome", seeds=(1,), few=True, report=False),
    REFERENCE,
    Run("two processes; threads, kernels, hash seed, time zone set from outside", processes=2, environment=OUTSIDE),
    Run("the second seed alone", seeds=(1,)),
    FEW,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line may say."""
    parser.add_argument(
        "--quick",
        action="store_true",
        help="emulators train MLPs and residual CNNs alone, and make no report: 3 minutes in place of 8",
    )


def run(arguments: argparse.Namespace) -> None:
    """Make all runs, several at a time; print the table; fail if two of them differ, or the page states other bits."""
    if platform.machine() not in ("x86_64", "AMD64") or shutil.which(QEMU) is None:
        raise UserError(f"{QEMU}: not found; on Debian and Ubuntu, on x86-64: apt-get install qemu-user")
    few = covering(resolve(read_yaml(demo.ROOT / "params.yaml")))
    runs: tuple[Run, ...] = RUNS
    if arguments.quick:
        few = {name: variant for name, variant in few.items() if variant.model.name in ("mlp", "residual_cnn")}
        runs = tuple(replace(each, report=False) if each.processor else each for each in RUNS)
    with tempfile.TemporaryDirectory(prefix="verify-") as folder, ThreadPoolExecutor(pool.count()) as lanes:
        pending = {lanes.submit(make, each, Path(folder, str(i)), few): each for i, each in enumerate(runs)}
        outcomes = {}
        try:
            for future in tqdm(as_completed(pending), total=len(runs), desc="runs", disable=not sys.stderr.isatty()):
                outcomes[pending[future]] = future.result()
                print(f"Done: {pending[future]}", flush=True)
        except BaseException:  # Ctrl-C too: runs that wait would start yet
            lanes.shutdown(wait=False, cancel_futures=True)
            raise
    outcomes = {each: outcomes[each] for each in runs}
    print(f"\n{table(outcomes)}\n")
    if differing := {each: difference for each in runs if (difference := differ(each, outcomes))}:
        lines = [f"{each}: {difference}" for each, difference in differing.items()]
        raise UserError("other bits than in one process on this machine:\n" + "\n".join(lines))
    reference = outcomes[REFERENCE]
    print(f"{len(reference.hashes)} files, the same bits in every run that made them.")
    print(f"{PROCESSORS} has a line of this machine: {record(reference)}")
    if reference.weights() not in (demo.ROOT / PAGE).read_text(encoding="utf-8"):
        raise UserError(f"{PAGE} states other weights; if that is meant, the table above belongs there")


def covering(plan: Mapping[str, Variant]) -> dict[str, Variant]:
    """Return the cheapest variants that have, between them, all that a variant of the plan can have.

    All choices, switches, numbers of layers, and whether a number is zero; a model's by that model.
    """
    cost, seen, names = ahead.seconds_of_an_epoch(plan), set[Any](), set[str]()
    for name in sorted(plan, key=lambda name: cost[name]):
        if not seen.issuperset(found := set(_kinds(plan[name]))):
            seen |= found
            names.add(name)
    return {name: variant for name, variant in plan.items() if name in names}


def _kinds(variant: Variant) -> Iterator[tuple[str, str, Any]]:
    settings = variant.to_json()
    for section in ("data", "model", "train"):
        for key, value in settings[section].items():
            whose = variant.model.name if section == "model" else section
            yield (
                whose,
                key,
                value if isinstance(value, str) else len(value) if isinstance(value, list) else bool(value),
            )


def make(run: Run, folder: Path, few: Mapping[str, Variant]) -> Outcome:
    """Make one run, in a folder of its own."""
    settings = demo.SETTINGS | {"seeds": list(run.seeds)}
    if run.few:
        large = [name for name, variant in few.items() if variant.model.name != "mlp"]
        settings |= {"variants": {name: {"train": {"batch_size": SMALL_BATCH}} for name in large}}
    demo.copy(folder, settings, list(few) if run.few else None, epochs=1)
    variables = os.environ | run.environment | {"PYTHONPATH": sysconfig.get_path("purelib")}
    if run.processor:
        variables |= WITHOUT_ARGSORT
    own = ["--emulated"] if run.processor else []
    measure = ["measure", *([f"--processes={run.processes}"] if run.processes else [])]
    for half in (measure, ["report"]) if run.report else (measure,):
        command = [*python(run.processor), "-X", "faulthandler", "-W", "ignore", str(SCRIPT), *half, *own]
        for _ in range(1 + CRASHES):
            done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
            if not run.processor or done.returncode >= 0 or done.returncode == -signal.SIGINT:
                break
            print(f"{run}: the emulator crashed, signal {-done.returncode}; once more", flush=True)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if "TCG doesn't support" not in line]
            raise UserError(f"{run}: {' '.join(command)}: exit status {done.returncode}\n" + "\n".join(said[-20:]))
    files = [path for made in MADE for path in sorted([folder / made, *(folder / made).rglob("*")]) if path.is_file()]
    hashes = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return Outcome(done.stdout.splitlines()[-1], hashes)


def python(processor: str | None) -> list[str]:
    """Return the command of this Python, on an emulated processor if one is named.

    qemu takes no link, as a virtual environment's interpreter is; the real one must learn where the packages are.
    """
    emulator = [QEMU, "-B", MOVED, "-cpu", processor] if processor else []
    return [*emulator, str(Path(sys.executable).resolve())]


def differ(run: Run, outcomes: Mapping[Run, Outcome]) -> str:
    """Name the files that differ from those of this machine in one process, five at most.

    Few variants are compared with the same few, and a seed alone by what is its own.
    """
    own, reference = outcomes[run].hashes, outcomes[FEW if run.few else REFERENCE].hashes
    compared = own.keys() | reference.keys() if run.report else own.keys()
    if run.seeds != REFERENCE.seeds and not run.few:
        compared = {path for path in own if "/seed-" in path}
    files = sorted(path for path in compared if own.get(path) != reference.get(path))
    return ", ".join(files[:5]) + (f" and {len(files) - 5} more" if len(files) > 5 else "")


def table(outcomes: Mapping[Run, Outcome]) -> str:
    """Lay out the runs as the page has them."""
    lines = ["| processor | vectors | | SHA-256 of the weights |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {run.processor or machine.processor()} | {outcome.vector_unit} | {run.words} | `{outcome.weights()}` |"
        for run, outcome in outcomes.items()
    ]
    return "\n".join(lines)


def record(reference: Outcome) -> str:
    """Write this machine's line into the table of processors, in place of an earlier one; return it."""
    path = demo.ROOT / PROCESSORS
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    own = machine.facts() | {"vectors": reference.vector_unit, "weights": reference.weights()}
    rows = [row for row in rows if any(row[name] != own[name] for name in ("processor", "C library", "system"))]
    text = io.StringIO()
    lines = csv.DictWriter(text, [*own], lineterminator="\n")
    lines.writeheader()
    lines.writerows([*rows, own])
    write_text(path, text.getvalue())
    return text.getvalue().splitlines()[-1]
