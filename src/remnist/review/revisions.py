"""Revisions of the study, as DVC tells them apart: its reports as JSON, and its plots."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import vl_convert

from remnist.errors import UserError, shown
from remnist.review import plots_page
from remnist.review.rendering import Changes, Json
from remnist.runtime.repository import repository

NOW = "workspace"  # as DVC calls the working tree
SCALE = 1.25  # pixels of a picture a pixel of the page


@dataclass
class Comparison:
    """Compares a revision with the working tree, or with experiments.

    Attributes:
        base: the revision.
        absent: files that it does not have, as far as they were asked for, and that cannot be compared.
    """

    base: str
    absent: set[str] = field(default_factory=set)

    def changes(self, kind: str, *files: str, now: str = NOW) -> dict[str, Changes]:
        """Return what `dvc <kind> diff` reports of files, by file.

        Args:
            kind: params or metrics.
            files: their paths.
            now: the revision to compare with.

        Raises:
            UserError: DVC refuses, as where there is no such revision; or a file is not there now, or either
                revision's cannot be read.
        """
        with repository() as repo:
            found = getattr(repo, kind).diff(self.base, now, targets=list(files))
        for revision, errors in found.get("errors", {}).items():
            for file, reason in (errors if isinstance(errors, dict) else {"dvc.yaml": errors}).items():
                self._note(revision, file, type(reason).__name__)
        differing = found.get("diff", {})
        return {file: dict(sorted(differing.get(file, {}).items())) for file in files}

    def plots(self, *others: str) -> dict[str, Json]:
        """Return DVC's plots by their names, in Vega-Lite, with their data.

        Args:
            others: the revisions to compare with; none stands for the working tree.

        Raises:
            UserError: as of `changes`.
        """
        found = json.loads(dvc("plots", "diff", self.base, *others, "--json"))
        for error in found.get("errors", []):
            self._note(error["rev"], error.get("source", "dvc.yaml"), error["type"])
        return {name: plot["content"] for name, [plot] in found["data"].items()}

    def _note(self, revision: str, file: str, error: str) -> None:
        """Note a file that the base does not have.

        Raises:
            UserError: the file is another revision's, or it is there and cannot be read.
        """
        is_absent = error == FileNotFoundError.__name__
        if not (is_absent and revision == self.base):
            raise UserError(f"{file}: {'missing' if is_absent else 'damaged'} {mend(file, revision)}")
        self.absent.add(file)


def sides(changes: Changes) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield each changed value's path, and it before and now."""
    for path, change in changes.items():
        yield path, (value(change.get("old")), value(change.get("new")))


def value(setting: Json) -> str:
    """Return a setting as params.yaml could have it; nothing where there is none."""
    if isinstance(setting, str):  # DVC has made texts of lists
        return setting
    return "" if setting is None else json.dumps(setting)


def dvc(*arguments: str) -> str:
    """Run DVC and return what it prints.

    Raises:
        UserError: DVC refuses.
    """
    done = subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True)
    if done.returncode:
        [*_, reason] = done.stderr.strip().splitlines() or ["no reason given"]
        raise UserError(f"dvc {' '.join(arguments)}: {reason.removeprefix('ERROR: ')}")
    return done.stdout


def table(plot: Json) -> pd.DataFrame:
    """Return a plot's data: `rev` and the columns of its file, as text.

    Raises:
        UserError: a row lacks a value, or its accuracy is no number, as where a merge left the marks of a conflict.
    """
    rows = pd.DataFrame(plot["data"]["values"])
    for revision, own in rows.groupby("rev"):
        own = own.dropna(axis="columns", how="all")  # an older revision may have fewer columns
        damaged = own.isna().any(axis="columns")
        if "accuracy" in own:
            damaged |= pd.to_numeric(own["accuracy"], errors="coerce").isna()
        if damaged.any():
            row = own[damaged].iloc[0].dropna()
            values = shown(", ".join(row.drop(["rev", "filename", "field"], errors="ignore")))
            raise UserError(f"{row['filename']}: {values}: damaged {mend(row['filename'], str(revision))}")
    return rows


def mend(file: str, revision: str) -> str:
    """Say where a file is missing or damaged, and what helps."""
    helps = f"`dvc repro` or `git checkout {file}` brings it back" if revision == NOW else "compare with another one"
    return f"{'here' if revision == NOW else f'in {revision}'}, so nothing was compared; {helps}"


def write_page(out: Path, *revisions: str) -> None:
    """Write DVC's page of plots, as `index.html`, which needs no network."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        plots_page.write(page)
        dvc("plots", "diff", *revisions, "--html-template", str(page), "--out", str(out))


def picture(plot: Json, variants: set[str]) -> bytes:
    """Draw a plot, as DVC fills its template, of these variants alone."""
    rows = [row for row in plot["data"]["values"] if row["variant"] in variants]
    shown = plot | {"data": plot["data"] | {"values": rows}}
    return vl_convert.vegalite_to_png(json.dumps(shown), vl_version=plots_page.VEGA_LITE, scale=SCALE)
