"""Revisions of the study, as DVC tells them apart: its reports as JSON, its plots, and how accuracies differ."""

import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import vl_convert

from remnist.errors import UserError
from remnist.report import statistics
from remnist.review import plots_page

NOW = "workspace"  # as DVC calls the working tree
SCALE = 1.25  # of the pictures


def dvc(kind: str, *revisions: str) -> Any:
    """Return what `dvc <kind> diff` reports of the revisions, as JSON.

    Raises:
        UserError: DVC refuses, as where there is no such revision.
    """
    return json.loads(run(kind, "diff", *revisions, "--json"))


def run(*arguments: str) -> str:
    """Run DVC and return what it prints.

    Raises:
        UserError: DVC refuses.
    """
    done = subprocess.run(["dvc", *arguments], capture_output=True, text=True)
    if done.returncode:
        [*_, told] = done.stderr.strip().splitlines() or ["no reason given"]
        raise UserError(f"dvc {' '.join(arguments)}: {told.removeprefix('ERROR: ')}")
    return done.stdout


def vega(*revisions: str) -> dict[str, dict[str, Any]]:
    """Return DVC's plots by their names, in Vega-Lite, with their data."""
    return {name: plot["content"] for name, [plot] in dvc("plots", *revisions)["data"].items()}


def table(plot: dict[str, Any]) -> pd.DataFrame:
    """Return a plot's data: `rev` and the columns of its file, as text."""
    return pd.DataFrame(plot["data"]["values"])


def write_page(out: Path, *revisions: str) -> None:
    """Write DVC's page of plots, as `index.html`, which needs no network."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        plots_page.write(page)
        run("plots", "diff", *revisions, "--html-template", str(page), "--out", str(out))


def picture(content: dict[str, Any], variants: set[str]) -> bytes:
    """Draw a plot, as DVC fills its template, of these variants alone."""
    rows = [row for row in content["data"]["values"] if row["variant"] in variants]
    shown = content | {"data": content["data"] | {"values": rows}}
    return vl_convert.vegalite_to_png(json.dumps(shown), vl_version=plots_page.VEGA_LITE, scale=SCALE)


def changed_variants(table: pd.DataFrame) -> set[str]:
    """Return the variants whose rows are not the same in all revisions."""
    rows = table.drop(columns=["filename", "field"], errors="ignore")
    rows = rows.dropna(axis="columns")  # an older revision may have fewer
    key = [column for column in rows if column != "rev"]
    same = rows.groupby(key)["rev"].transform("nunique") == rows["rev"].nunique()
    return set(rows["variant"][~same])


def order(accuracy: pd.DataFrame) -> Callable[[str], tuple[int, str]]:
    """Return a key that sorts variants as the study has them, those that are gone last."""
    places = {variant: place for place, variant in enumerate(accuracy["variant"].unique())}
    return lambda variant: (places.get(variant, len(places)), variant)


@dataclass(frozen=True)
class Difference:
    """What a change did to an experiment's accuracy, in fractions.

    Attributes:
        base: each seed's accuracy before, none if the experiment is new.
        now: each seed's accuracy now, none if the experiment is gone.
        mean: of the differences at the same seed; None where the two have no seed in common.
        low, high: Student's interval of it; None of fewer than two such seeds.
        p_value: of Student's two-sided test that there is no difference, as yet not corrected; None likewise.
        digit: the digit whose accuracy changed most, and by how much; None where there are not both.
    """

    base: pd.Series
    now: pd.Series
    mean: float | None
    low: float | None
    high: float | None
    p_value: float | None
    digit: tuple[Any, float] | None


def difference(accuracy: pd.DataFrame, per_digit: pd.DataFrame, variant: str) -> Difference:
    """Compare a variant's accuracies in the two revisions, seed by seed and digit by digit.

    Args:
        accuracy: `variant`, `seed`, `accuracy`, `rev`, as DVC reports them: as text.
        per_digit: `variant`, `digit`, `accuracy`, `rev`, likewise.
        variant: the variant.
    """

    def both(table: pd.DataFrame, index: str) -> tuple[pd.Series, pd.Series]:
        rows = table[table["variant"] == variant].set_index(index)
        values = rows["accuracy"].astype(float)
        return values[rows["rev"] != NOW], values[rows["rev"] == NOW]

    base, now = both(accuracy, "seed")
    low = high = p_value = None
    paired = (now - base).dropna().to_numpy()
    if len(paired) > 1:
        low, high = statistics.t_interval(paired)
        p_value = min(1.0, 2 * min(statistics.t_test(paired, 0, "less"), statistics.t_test(paired, 0, "greater")))
    before, after = both(per_digit, "digit")
    digits = (after - before).dropna()
    most = max(digits.to_dict().items(), key=lambda digit: abs(digit[1]), default=None)
    return Difference(base, now, float(paired.mean()) if len(paired) else None, low, high, p_value, most)


def beyond_noise(differences: dict[str, Difference]) -> set[str]:
    """Return the experiments that differ by more than chance: 5 % for all of them together, corrected by Holm."""
    tested = {v: d.p_value for v, d in differences.items() if d.p_value is not None}
    corrected = statistics.holm(np.array(list(tested.values())))
    return {variant for variant, p_value in zip(tested, corrected, strict=True) if p_value < statistics.ALPHA}


def marks(differences: dict[str, Difference]) -> dict[str, str]:
    """Return for each experiment an arrow where it differs by more than chance, else nothing."""
    marked = beyond_noise(differences)
    return {v: "" if v not in marked else "▲" if (d.mean or 0) > 0 else "▼" for v, d in differences.items()}
