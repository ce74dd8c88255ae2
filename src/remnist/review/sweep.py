"""Compare DVC's experiments, those of a sweep say: one table of what they changed, and one page of plots.

`dvc exp show` has a column for every parameter and figure of every variant.
"""

import argparse
import json
import re
import shlex
from pathlib import Path

import pandas as pd

from remnist.errors import UserError
from remnist.files import write_bytes, write_text
from remnist.review import differences, rendering, revisions
from remnist.review.pull_request import CLAIMS, VERDICTS

BASE, PARAMS = "HEAD", "params.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `remnist experiments`."""
    parser.add_argument("experiments", nargs="*", help="their names (default: all that started from this commit)")
    parser.add_argument("--out", type=Path, default=Path("experiments"), help="folder to write to")


def run(arguments: argparse.Namespace) -> None:
    """Write experiments.md, accuracy.png and index.html; print the first."""
    names = arguments.experiments or revisions.dvc("exp", "list", "--name-only").split()
    if not names:
        raise UserError("no experiments from this commit; `dvc exp run -S model.dropout=0.5` makes one")
    compared, out = revisions.Comparison(BASE), arguments.out
    plots = compared.plots(*names)
    out.mkdir(parents=True, exist_ok=True)
    accuracy = revisions.table(plots["accuracy"])
    affected = differences.changed_variants(accuracy)
    changed = dict(sorted(((name, settings(compared, name)) for name in names), key=lambda item: item[1]))
    flips = {name: len(compared.changes("metrics", VERDICTS, now=name)[VERDICTS]) for name in names}
    text = table(changed, flips, accuracy, revisions.table(plots["per_digit"]), affected)
    write_text(out / "experiments.md", text)
    if affected:
        write_bytes(out / "accuracy.png", revisions.picture(plots["accuracy"], affected))
    revisions.write_page(out, BASE, *names)
    print(f"{text}\nPlots of all of them: {out / 'index.html'}")


def settings(compared: revisions.Comparison, name: str) -> list[str]:
    """Return the parameters that an experiment set, as they can be pasted behind `-S`."""
    changes = compared.changes("params", PARAMS, CLAIMS, now=name)
    return [
        shlex.quote(f"{'' if file == PARAMS else f'{file}:'}{assignment(path, change)}")
        for file in changes
        for path, change in changes[file].items()
    ]


def assignment(path: str, change: rendering.Json) -> str:
    """Return how Hydra, which reads what stands behind `-S`, sets a value, and adds one that was not there."""
    return f"{'++' if change.get('old') is None else ''}{path}={assigned(change.get('new'))}"


def assigned(value: rendering.Json) -> str:
    """Return a value as Hydra reads it."""
    if not isinstance(value, str):
        return json.dumps(value)
    if value.startswith("[") and value.endswith("]"):  # DVC has made texts of lists
        return value
    if re.fullmatch(r"[A-Za-z][\w.-]*", value) and value.lower() not in ("null", "true", "false", "nan", "inf"):
        return value
    escaped = re.sub(r'(\\*)("|$)', lambda found: 2 * found[1] + (found[2] and r"\""), value)
    return f'"{escaped}"'


def table(
    changed: dict[str, list[str]],
    flips: dict[str, int],
    accuracy: pd.DataFrame,
    per_digit: pd.DataFrame,
    affected: set[str],
) -> str:
    """Return a row for each affected variant, a column for each experiment, and above them what each changed."""

    def two(rows: pd.DataFrame, name: str) -> pd.DataFrame:
        return rows[rows["rev"].isin([BASE, name])].replace({"rev": {name: revisions.NOW}})

    variants = sorted(affected, key=differences.order(accuracy))
    found = {
        name: {v: differences.between(two(accuracy, name), two(per_digit, name), v) for v in variants}
        for name in changed
    }
    marks = {name: differences.marks(found[name]) for name in changed}
    return rendering.render(
        "experiments.md.j2", base=BASE, changed=changed, flips=flips, variants=variants, found=found, marks=marks
    )
