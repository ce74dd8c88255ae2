"""Compare DVC's experiments, those of a sweep say: one table of what they changed, and one page of plots.

`dvc exp show` has a column for every parameter and figure of every variant. `make experiments` runs this.
"""

import argparse
from pathlib import Path

import pandas as pd

from remnist.errors import UserError
from remnist.files import write_bytes, write_text
from remnist.report import markdown
from remnist.review import pull_request as review
from remnist.review import revisions
from remnist.runtime.stage import stage_main

BASE = "HEAD"


def main() -> None:
    """Write experiments/experiments.md, accuracy.png and index.html; print the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiments", nargs="*", help="their names (default: all that started from this commit)")
    parser.add_argument("--out", type=Path, default=Path("experiments"), help="folder to write to")
    arguments = parser.parse_args()
    names = arguments.experiments or revisions.run("exp", "list", "--name-only").split()
    if not names:
        raise UserError("no experiments from this commit; `dvc exp run -S model.dropout=0.5` makes one")
    plots, out = revisions.vega(BASE, *names), arguments.out
    out.mkdir(parents=True, exist_ok=True)
    accuracy, per_digit = revisions.table(plots["accuracy"]), revisions.table(plots["per_digit"])
    affected = revisions.changed_variants(accuracy)
    changed = dict(sorted(((name, settings(name)) for name in names), key=lambda item: item[1]))
    text = f"{table(changed, accuracy, per_digit, affected)}\n"
    write_text(out / "experiments.md", text)
    if affected:
        write_bytes(out / "accuracy.png", revisions.picture(plots["accuracy"], affected))
    revisions.write_page(out, BASE, *names)
    print(f"{text}\nPlots of all of them: {out / 'index.html'}")


def table(changed: dict[str, str], accuracy: pd.DataFrame, per_digit: pd.DataFrame, affected: set[str]) -> str:
    """Return a row for each affected variant, a column for each experiment, and above them what each changed."""
    rows = [
        {"variant": "*changed*", BASE: "", **changed},
        {"variant": "*verdicts flipped*", BASE: "", **{name: str(flips(name)) for name in changed}},
    ]
    differences = {name: compared(name, accuracy, per_digit, affected) for name in changed}
    marks = {name: revisions.marks(found) for name, found in differences.items()}
    for variant in sorted(affected, key=revisions.order(accuracy)):
        base = next(iter(differences.values()))[variant].base
        cells = {
            n: f"{review.spread(found[variant].now)} {marks[n][variant]}".strip() for n, found in differences.items()
        }
        rows.append({"variant": f"`{variant}`", BASE: review.spread(base), **cells})
    note = f"▲▼: differs from {BASE} beyond noise, seeds paired, corrected by Holm for an experiment's variants."
    return f"{markdown.table(rows)}\n\n{note}"


def compared(
    name: str, accuracy: pd.DataFrame, per_digit: pd.DataFrame, variants: set[str]
) -> dict[str, revisions.Difference]:
    """Compare variants of an experiment with the commit that it started from."""

    def two(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[rows["rev"].isin([BASE, name])].replace({"rev": {name: revisions.NOW}})

    accuracy, per_digit = two(accuracy), two(per_digit)
    return {variant: revisions.difference(accuracy, per_digit, variant) for variant in variants}


def settings(name: str) -> str:
    """Return the parameters that an experiment set, as `-S` has them."""
    changes = revisions.dvc("params", BASE, name).get("params.yaml", {})
    return ", ".join(f"`{path}={review.value(change.get('new'))}`" for path, change in sorted(changes.items()))


def flips(name: str) -> int:
    """Return how many verdicts an experiment flipped."""
    return len(review.flipped(revisions.dvc("metrics", BASE, name).get(review.CLAIMS, {})))


if __name__ == "__main__":
    with stage_main():
        main()
