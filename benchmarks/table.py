"""The page of the benchmark, in Markdown: the table of the README, and what else was measured."""

import platform
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version

import pandas as pd

from benchmarks.peers import CONTESTANTS
from remnist.machine import processor
from remnist.runtime import pool

ABSENT = "not installed"
REFERENCE = "portable"  # contestant that the others are compared with
LIKE = 0.01  # accuracy; the largest difference between two ways to train the same network


def page(measured: pd.DataFrame, problems: Mapping[tuple[str, str], str]) -> str:
    """Return the whole page.

    Args:
        measured: as `benchmarks.training.compare` returns it.
        problems: likewise; why a contestant was not measured on a variant.
    """
    rounds = measured["round"].nunique()
    variants = list(measured["variant"].unique())
    failed = [
        f"- {CONTESTANTS[name].title}, `{variant}`: {problem}"
        for (name, variant), problem in problems.items()
        if problem != ABSENT
    ]
    return "\n".join(
        [
            "# Seconds an epoch",
            "",
            f"By `make bench`: {_machine()}.",
            "",
            "Seconds an epoch of all training images and seed, all cores counted, the median of "
            f"{rounds} (lowest to highest); and how many times as long as with this project's portable numerics, the "
            "median of the rounds.",
            "",
            *_table(variants, problems, lambda name, variant: _seconds(measured, name, variant)),
            "",
            "Medians of what was left out above, the seconds from the start of the processes to the end of the first "
            "epoch, less an epoch's: loading libraries and data, compilation. And the accuracy on the test images at "
            "the end, the mean over the seeds.",
            "",
            *_table(variants, problems, lambda name, variant: _start(measured, name, variant)),
            *(["", "What failed, with its last error:", "", *failed] if failed else []),
            "",
        ]
    )


def unlike(measured: pd.DataFrame) -> list[str]:
    """Name the contestants and variants whose accuracy is not the reference's, so that they train something else."""
    found = []
    for variant in measured["variant"].unique():
        reference = _of(measured, REFERENCE, variant)["accuracy"].mean()
        for name, contestant in CONTESTANTS.items():
            accuracy = _of(measured, name, variant)["accuracy"].mean()  # NaN of none
            if abs(accuracy - reference) > LIKE:
                found.append(f"{contestant.title}, {variant}: {accuracy:.2%} in place of {reference:.2%}")
    return found


def _table(variants: list[str], problems: Mapping[tuple[str, str], str], cell: Callable[[str, str], str]) -> list[str]:
    def shown(name: str, variant: str) -> str:
        problem = problems.get((name, variant))
        return cell(name, variant) if problem is None else ABSENT if problem == ABSENT else "failed"

    rows = [f"| | {' | '.join(f'`{variant}`' for variant in variants)} |", f"| --- |{' ---: |' * len(variants)}"]
    for name, contestant in CONTESTANTS.items():
        rows.append(f"| {contestant.title} | {' | '.join(shown(name, variant) for variant in variants)} |")
    return rows


def _of(measured: pd.DataFrame, name: str, variant: str) -> pd.DataFrame:
    """Return the measurements of a contestant on a variant, by round."""
    return measured[(measured["contestant"] == name) & (measured["variant"] == variant)].set_index("round")


def _seconds(measured: pd.DataFrame, name: str, variant: str) -> str:
    seconds = _of(measured, name, variant)["seconds"]
    ratio = (seconds / _of(measured, REFERENCE, variant)["seconds"]).median()
    spread = f"{seconds.median():.2f} ({seconds.min():.2f} to {seconds.max():.2f})"
    return spread if name == REFERENCE else f"{spread}, {ratio:.1f}x"


def _start(measured: pd.DataFrame, name: str, variant: str) -> str:
    own = _of(measured, name, variant)
    return f"{own['start'].median():.1f} s, {own['accuracy'].mean():.2%}"


def _machine() -> str:
    """Return the number of cores, the processor's name, and the versions of Python and of the libraries."""
    versions = [f"Python {platform.python_version()}"]
    for package in dict.fromkeys(contestant.package for contestant in CONTESTANTS.values()):
        try:
            versions.append(f"{package} {version(package).split('+')[0]}")
        except PackageNotFoundError:
            versions.append(f"no {package}")
    return f"{pool.count()} cores of {processor()}, {', '.join(versions)}"
