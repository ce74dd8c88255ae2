"""Say what a change did to the study: for a pull request, a Markdown comment with pictures, and a page of plots.

DVC compares parameters, metrics and plots of the working tree with those of another revision; nothing needs a pull.
"""

import argparse
import ast
from collections import defaultdict
from pathlib import Path

from remnist.files import read_json, write_bytes, write_text
from remnist.plan import claims
from remnist.report import stability, units
from remnist.review import differences, rendering, revisions
from remnist.review.rendering import Changes, Json

PLAN, DIGESTS, CLAIMS = "plan.json", "digests.json", "claims.yaml"
SUMMARY, JUDGED, VERDICTS = "metrics/summary.json", "metrics/claims.json", "metrics/verdicts.json"
# Whose code a digest covers, by the stage's name.
STAGES = {"download": "the download", "preprocess": "preparation", "train": "training", "evaluate": "evaluation",
          "report": "the report"}  # fmt: skip

# A setting that changed alike for some variants, for none where it is not a variant's: before, now.
Setting = tuple[str, str, str, list[str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `remnist review`."""
    parser.add_argument("base", nargs="?", default="main", help="the revision to compare with (default main)")
    parser.add_argument("--out", type=Path, default=Path("review"), help="folder to write to (default review)")


def run(arguments: argparse.Namespace) -> None:
    """Write review.md with its pictures, and index.html; print the former."""
    base, out = arguments.base, arguments.out
    compared = revisions.Comparison(base)
    params = compared.changes("params", PLAN, DIGESTS, CLAIMS)
    metrics = compared.changes("metrics", SUMMARY, JUDGED, VERDICTS)
    plots, judged, claimed = compared.plots(), read_json(Path(JUDGED)), claims.read(Path(CLAIMS)).claims
    out.mkdir(parents=True, exist_ok=True)
    for earlier in [*out.glob("*.png"), out / "index.html"]:
        earlier.unlink(missing_ok=True)
    revisions.write_page(out, base)
    tables = {name: revisions.table(plot) for name, plot in plots.items()}
    changed = {name: variants for name in tables if (variants := differences.changed_variants(tables[name]))}
    for name, variants in changed.items():
        write_bytes(out / f"{name}.png", revisions.picture(plots[name], variants))
    accuracy, ran = tables["accuracy"], variants_of(params[PLAN]).union(*recoded(params).values())
    affected = sorted(ran.union(*changed.values()), key=differences.order(accuracy))
    found = {variant: differences.between(accuracy, tables["per_digit"], variant) for variant in affected}
    text = rendering.render(
        "review.md.j2", base=base, total=accuracy["variant"].nunique(), settings=settings(params),
        recoded=recoded(params), found=found, marks=differences.marks(found), summary=metrics[SUMMARY],
        verdicts=metrics[VERDICTS], shifts=shifts(metrics[JUDGED], judged),
        fragile=fragile(metrics[JUDGED], judged), claims=claimed, plots=list(changed),
        absent=sorted(compared.absent),
    )  # fmt: skip
    write_text(out / "review.md", text)
    print(text)


def variants_of(plan: Changes) -> set[str]:
    """Return the variants whose settings changed."""
    return {path.partition(".")[0] for path in plan}


def settings(params: dict[str, Changes]) -> list[Setting]:
    """Return the settings that changed: as they resolve for each variant, then those that are no variant's."""
    alike = defaultdict[tuple[str, str, str], list[str]](list)
    for path, (old, new) in revisions.sides(params[PLAN]):
        variant, _, name = path.partition(".")
        alike[name, old, new].append(variant)
    others = [*revisions.sides(params[DIGESTS]), *revisions.sides(params[CLAIMS])]
    return [
        *((*setting, variants) for setting, variants in alike.items()),
        *((path, old, new, []) for path, (old, new) in others if path != "digests"),
    ]


def recoded(params: dict[str, Changes]) -> dict[str, list[str]]:
    """Return the variants with a new digest though their settings are the same, by what its change is due to.

    A stage that is no variant's has none of them. A revision without digests says nothing of code.
    """
    # DVC reports the list in digests.json as Python writes it.
    listed = [params[DIGESTS].get("digests", {}).get(side) or "[{}]" for side in ("old", "new")]
    [before], [now] = map(ast.literal_eval, listed)
    explained = variants_of(params[PLAN])
    cause = "code or libraries" if any(path.startswith("software.") for path in params[DIGESTS]) else "code"
    found = {}
    for stage, name in STAGES.items():
        old, new = before.get(stage), now.get(stage)
        if old is not None and new is not None and old != new:
            digests = new if isinstance(new, dict) else {}
            variants = [v for v in digests if v in old and digests[v] != old[v] and v not in explained]
            if variants or not digests:
                found[f"{cause} of {name}"] = variants
    return found


def fragile(changes: Changes, judged: Json) -> set[str]:
    """Return the claims whose outcome seeds drawn again would often change, before or now; arguments as in `shifts`."""
    before = {path.removesuffix(".stays"): change["old"] for path, change in changes.items() if path.endswith(".stays")}
    now = {name: entry.get("stays") for name, entry in judged.items()}
    stays = [*before.items(), *now.items()]
    return {name for name, share in stays if share is not None and share < stability.FRAGILE}


def shifts(changes: Changes, judged: Json) -> dict[str, str]:
    """Return by claim how its difference changed, each side in the unit of the metric that the claim had there.

    Args:
        changes: what changed in JUDGED.
        judged: its content now.
    """

    def text(name: str, side: str) -> str:
        by = changes[f"{name}.difference"][side]
        if by is None:
            return ""
        metric = changes.get(f"{name}.metric", {}).get(side) or judged[name]["metric"]
        return f"{rendering.difference(by, metric)} {units.of_differences(metric).name}".rstrip()

    names = [path.removesuffix(".difference") for path in changes if path.endswith(".difference")]
    return {name: " → ".join(filter(None, (text(name, "old"), text(name, "new")))) for name in names}
