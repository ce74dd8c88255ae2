"""Revisions of the study, as DVC tells them apart: its reports as JSON, and its plots."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import vl_convert

from remnist.errors import UserError
from remnist.review import plots_page
from remnist.review.rendering import Changes, Json

NOW = "workspace"  # as DVC calls the working tree
SCALE = 1.25  # pixels of a picture a pixel of the page


def changes(kind: str, *revisions: str, files: tuple[str, ...]) -> dict[str, Changes]:
    """Return what `dvc <kind> diff` reports of files, by file; a file that neither revision has is in no report.

    Raises:
        UserError: DVC refuses, as where there is no such revision.
    """
    found = json.loads(dvc(kind, "diff", *revisions, "--json", "--targets", *files))
    return {file: dict(sorted(found.get(file, {}).items())) for file in files}


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
    done = subprocess.run(["dvc", *arguments], capture_output=True, text=True)
    if done.returncode:
        [*_, reason] = done.stderr.strip().splitlines() or ["no reason given"]
        raise UserError(f"dvc {' '.join(arguments)}: {reason.removeprefix('ERROR: ')}")
    return done.stdout


def plots(*revisions: str) -> dict[str, Json]:
    """Return DVC's plots by their names, in Vega-Lite, with their data."""
    found = json.loads(dvc("plots", "diff", *revisions, "--json"))["data"]
    return {name: plot["content"] for name, [plot] in found.items()}


def table(plot: Json) -> pd.DataFrame:
    """Return a plot's data: `rev` and the columns of its file, as text."""
    return pd.DataFrame(plot["data"]["values"])


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
