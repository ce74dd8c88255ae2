"""Say what a change did to the study: for a pull request, a Markdown comment with pictures, and a page of plots.

Parameters, metrics and plots of the working tree are held against those of another revision, as `dvc params diff`,
`dvc metrics diff` and `dvc plots diff` report them; nothing needs to be pulled. `make review BASE=main` runs it.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd

from remnist.files import read_params, write_bytes, write_text
from remnist.report import markdown
from remnist.review import revisions
from remnist.review.revisions import NOW, Difference
from remnist.runtime.stage import stage_main

PLAN, SUMMARY, CLAIMS = "plan.json", "metrics/summary.json", "metrics/claims.json"
SEVERAL = 6  # experiments that are named; of more their number, and their names to unfold

Changes = dict[str, dict[str, Any]]  # by the path of a value within its file, `old` and `new`


def main() -> None:
    """Write review/review.md with its pictures, and review/index.html; print the former."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", nargs="?", default="main", help="the revision to compare with (default main)")
    parser.add_argument("--out", type=Path, default=Path("review"), help="folder to write to (default review)")
    arguments = parser.parse_args()
    base, out = arguments.base, arguments.out
    params, metrics, plots = revisions.dvc("params", base), revisions.dvc("metrics", base), revisions.vega(base)
    out.mkdir(parents=True, exist_ok=True)
    for earlier in [*out.glob("*.png"), out / "index.html"]:
        earlier.unlink(missing_ok=True)
    revisions.write_page(out, base)
    tables = {name: revisions.table(plot) for name, plot in plots.items()}
    changed = {name: revisions.changed_variants(table) for name, table in tables.items()}
    affected = sorted(
        set().union(*changed.values(), variants_of(params.get(PLAN, {}))), key=revisions.order(tables["accuracy"])
    )
    for name, variants in changed.items():
        if variants:
            write_bytes(out / f"{name}.png", revisions.picture(plots[name], variants))
    differences = {v: revisions.difference(tables["accuracy"], tables["per_digit"], v) for v in affected}
    sections = [
        headline(base, tables["accuracy"], differences, metrics.get(CLAIMS, {})),
        parameters(base, params),
        experiments(base, differences, metrics.get(SUMMARY, {})),
        verdicts(base, metrics.get(CLAIMS, {}), read_params("claims")),
        pictures([name for name, variants in changed.items() if variants]),
    ]
    text = "\n\n".join(filter(None, sections)) + "\n"
    write_text(out / "review.md", text)
    print(text)


def variants_of(plan: Changes) -> set[str]:
    """Return the variants whose entry of the plan changed."""
    return {path.partition(".")[0] for path in plan}


def headline(base: str, accuracy: pd.DataFrame, differences: dict[str, Difference], claims: Changes) -> str:
    """Return the title and the whole change in a line."""
    total, flips, marked = accuracy["variant"].nunique(), len(flipped(claims)), len(revisions.beyond_noise(differences))
    return (
        f"# Review: the working tree against {base}\n\n**{len(differences)} of {total} experiments affected, "
        f"{marked} of them beyond noise; {flips} verdict{'' if flips == 1 else 's'} flipped.**"
    )


def parameters(base: str, params: dict[str, Changes]) -> str:
    """Return the changed parameters: as they resolve for each experiment, and what is no experiment's."""
    alike = defaultdict[tuple[str, str, str], list[str]](list)
    for path, change in sorted(params.get(PLAN, {}).items()):
        variant, _, name = path.partition(".")
        alike[name, value(change.get("old")), value(change.get("new"))].append(variant)
    settings = {key: variants for key, variants in alike.items() if key[0] != "digest"}
    explained = {variant for variants in settings.values() for variant in variants}
    sources = variants_of(params.get(PLAN, {})) - explained
    rows = [
        {"parameter": f"`{name}`", base: old, NOW: new, "experiments": named(variants)}
        for (name, old, new), variants in settings.items()
    ]
    if sources:
        rows.append({"parameter": "code of the model", base: "", NOW: "", "experiments": named(sorted(sources))})
    for path, change in sorted(params.get("params.yaml", {}).items()):
        if path.startswith(("claims.", "published.")):
            old, new = value(change.get("old")), value(change.get("new"))
            rows.append({"parameter": f"`{path}`", base: old, NOW: new, "experiments": ""})
    return "## Parameters\n\n" + (markdown.table(rows) if rows else "None changed.")


def experiments(base: str, differences: dict[str, Difference], summary: Changes) -> str:
    """Return a row for each affected experiment, those beyond noise marked."""
    marks = revisions.marks(differences)
    rows = [
        {
            "variant": f"`{variant}`",
            base: spread(found.base),
            NOW: spread(found.now),
            "difference": points(found.mean),
            "95 % interval": "" if found.low is None else f"[{points(found.low)}, {points(found.high)}]",
            "": marks[variant],
            "loss": changed_by(summary, f"{variant}.loss"),
            "ROC-AUC": changed_by(summary, f"{variant}.roc_auc_macro"),
            "most changed digit": "" if found.digit is None else f"{found.digit[0]}: {points(found.digit[1])}",
        }
        for variant, found in differences.items()
    ]
    note = (
        "Accuracy on the test set, mean ± standard deviation over seeds; its difference in points, seeds paired. "
        "▲▼: beyond noise, by Student's test at 5 %, corrected by Holm for all rows. Loss, macro ROC-AUC: the change."
    )
    return "## Experiments\n\n" + (f"{markdown.table(rows)}\n\n{note}" if rows else "None affected.")


def flipped(claims: Changes) -> dict[str, dict[str, Any]]:
    """Return the verdicts that changed, by claim; DVC's order is another each time."""
    found = {path.removesuffix(".verdict"): claims[path] for path in claims if path.endswith(".verdict")}
    return dict(sorted(found.items()))


def verdicts(base: str, changes: Changes, claims: dict[str, Any]) -> str:
    """Return the claims whose verdict changed, and by what."""
    rows = [
        {
            "claim": f"`{name}`: {claims[name]['says']}" if name in claims else f"`{name}`",
            base: change.get("old") or "",
            NOW: change.get("new") or "",
            "difference": " → ".join(
                points(number)
                for number in (changes.get(f"{name}.difference", {}).get(key) for key in ("old", "new"))
                if number is not None
            ),
        }
        for name, change in flipped(changes).items()
    ]
    return "## Verdicts\n\n" + (markdown.table(rows) if rows else "None flipped.")


def pictures(changed: list[str]) -> str:
    """Return the pictures of the plots that changed, the first of them unfolded."""
    parts = []
    for place, name in enumerate(changed):
        image = f"![{name}]({name}.png)"
        title = name.replace("_", " ")
        parts.append(image if place == 0 else f"<details><summary>{title}</summary>\n\n{image}\n\n</details>")
    return "## Plots\n\n" + "\n\n".join([*parts, "All experiments beside them: `index.html`, next to this file."])


def named(variants: list[str]) -> str:
    """Return variants by name; many of them by their number, to unfold."""
    names = ", ".join(f"`{variant}`" for variant in variants)
    if len(variants) <= SEVERAL:
        return names
    return f"<details><summary>{len(variants)} experiments</summary>{names}</details>"


def value(setting: Any) -> str:
    """Return a setting as params.yaml could have it; nothing where there is none."""
    return "" if setting is None else json.dumps(setting, ensure_ascii=False)


def spread(accuracies: pd.Series) -> str:
    """Return a mean accuracy with its standard deviation, nothing of no seeds."""
    if accuracies.empty:
        return ""
    deviation = None if len(accuracies) == 1 else accuracies.std()
    return markdown.accuracy({"accuracy": accuracies.mean(), "accuracy_sd": deviation})


def changed_by(metrics: Changes, path: str) -> str:
    """Return by how much a metric changed, nothing where it did not or is not in both."""
    change = metrics.get(path, {}).get("diff")
    return "" if change is None else f"{change:+.4f}"


def points(fraction: float | None) -> str:
    """Return a difference of accuracies in points, with its sign; nothing where there is none."""
    return "" if fraction is None else f"{100 * fraction:+.2f}"


if __name__ == "__main__":
    with stage_main():
        main()
