"""What the page shows, read from the files that Git holds: nothing has to be pulled, trained or measured."""

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from remnist.errors import UserError, reason
from remnist.files import read_json, read_yaml
from remnist.plan import claims, entries
from remnist.plan.claims import Claims, Published
from remnist.plan.comparisons import factors, variants_of
from remnist.report import summaries, words
from remnist.report.verdicts import OUTCOMES
from remnist.settings import Variant

Json = dict[str, Any]
CURVES = ["seed", "epoch", "part", "accuracy", "loss"]
FILES = {"plan": Path("plan.json"), "claims": Path("claims.yaml"), "ledger": Path("metrics/ledger.jsonl")}


@dataclass(frozen=True)
class Content:
    """The page's content.

    Attributes:
        claims: the content of claims.yaml.
        plan: every variant's settings.
        rows: the ledger, a row a claim, with `differs` and `control_differs`, `families` (of models), `named` (its
            variants and those of its control and parts) and `charts`.
        outcomes: how many rows have each outcome, in the report's order.
        variants: by name what the page of a variant shows: `model`, `settings`, `summary`, `accuracy`, `published`,
            `runs`, `ensembles`, `hashes`, `claims`, `charts`.
        gallery: the picture of the hardest images as base64; empty where there is none.
    """

    claims: Claims
    plan: dict[str, Variant]
    rows: list[Json]
    outcomes: dict[str, int]
    variants: dict[str, Json]
    gallery: str


def read(root: Path) -> Content:
    """Read the results of a study.

    Args:
        root: the project's folder.

    Raises:
        UserError: a file is missing or damaged.
    """
    claimed, plan = claims.read(root / FILES["claims"]), entries.read(root / FILES["plan"])
    rows = [_row(each, plan, claimed) for each in _lines(root / FILES["ledger"])]
    counts = Counter(row["outcome"] for row in rows)
    gallery = root / "plots/gallery.png"
    return Content(
        claims=claimed,
        plan=plan,
        rows=rows,
        outcomes={outcome: counts[outcome] for outcome in OUTCOMES if outcome in counts},
        variants=dict(_variants(root, plan, claimed)),
        gallery=base64.b64encode(gallery.read_bytes()).decode() if gallery.is_file() else "",
    )


def _lines(path: Path) -> list[Json]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; `dvc repro` makes it") from None
    except ValueError as error:
        raise UserError(f"{path}: not JSON: {reason(error)}; `dvc repro --force report` makes it again") from None


def _row(row: Json, plan: Mapping[str, Variant], claimed: Claims) -> Json:
    claim = claimed.claims.get(row["id"])
    if claim is None:
        raise UserError(f"{FILES['ledger']}: {row['id']}: no claim of claims.yaml; `dvc repro` makes it again")
    pairs = zip(claim.variants, claim.cause.control, strict=True) if claim.cause else ()
    named = sorted(variants_of(claim, claimed.claims) & plan.keys(), key=list(plan).index)
    return row | {
        "differs": _differs(*claim.variants, plan=plan) if row["is_difference"] else [],
        "control_differs": [(a, b, _differs(a, b, plan=plan)) for a, b in pairs if a != b],
        "families": list(dict.fromkeys(plan[variant].model.name for variant in named)),
        "named": named,
        "charts": dict(_charts_of_claim(row)),
    }


def _differs(first: str, second: str, *, plan: Mapping[str, Variant]) -> list[tuple[str, Any, Any]]:
    """Return the settings in which two variants differ, with both values."""
    if first not in plan or second not in plan:
        return []
    one, other = (_flat(plan[variant].to_json()) for variant in (first, second))
    return [(name, one.get(name, ""), other.get(name, "")) for name in factors(plan[first], plan[second])]


def _flat(settings: Mapping[str, Any]) -> Json:
    return {
        f"{section}.{name}": value
        for section, values in settings.items() if isinstance(values, dict)
        for name, value in values.items()
    }  # fmt: skip


def _charts_of_claim(row: Json) -> Iterator[tuple[str, Json]]:
    """Yield the charts of a claim by their names, each as a table of columns and rows."""
    if row["runs"]:
        is_rate, horizon = row["runs"]["unit"] == "% of runs", row["runs"]["horizon"]
        table = [
            (side["variant"], run, horizon if value is None else value, "beyond" if value is None else "run", place)
            for side in row["runs"]["sides"]
            for place, (run, value) in enumerate(zip(side["runs"], side["values"], strict=True))
        ]
        extra = [(side["variant"], "", side["published"], "published", 0) for side in row["runs"]["sides"]]
        first = row["runs"]["sides"][0]["variant"]
        extra.append((first, "", row["runs"]["level"], "level", 0))
        table += [] if is_rate else [each for each in extra if each[2] is not None]
        yield "rates" if is_rate else "runs", _table(["variant", "run", "value", "kind", "place"], table)
    if row["difference"] and row["is_difference"]:
        one = row["difference"] | {"below": -row["difference"]["margin"]}
        yield "difference", _table(list(one), [tuple(one.values())])
    if row["figures"]:
        columns = ["figure", "kind", "value", "published", "mean", "low", "high"]
        found = list[tuple[Any, ...]]()
        for each in row["figures"]:
            figure = " ".join(filter(None, (each["variant"], each["place"])))
            found.append((figure, "figure", None, *(each[column] for column in columns[3:])))
            found += [(figure, "run", value, None, None, None, None) for value in each["values"]]
        yield "figures", _table(columns, found)


def _variants(root: Path, plan: Mapping[str, Variant], claimed: Claims) -> Iterator[tuple[str, Json]]:
    """Yield what the page of each variant shows."""
    tables = {name: _by_variant(root / f"plots/{name}.csv", plan) for name in ("runs", "curves", "confusion", "roc")}
    summary, ensembles = (read_json(root / f"metrics/{name}.json") for name in ("summary", "ensembles"))
    lock, reference = read_yaml(root / "dvc.lock", aliases=True), _flat(plan[claimed.reference].to_json())
    for name, variant in plan.items():
        settings = _flat(variant.to_json())
        printed, runs = claimed.published.get(name), tables["runs"][name]
        yield (
            name,
            {
                "model": variant.model.name,
                "settings": [(key, value, reference.get(key) == value) for key, value in settings.items()],
                "summary": summary[name],
                "accuracy": words.accuracies(runs),
                "published": printed,
                "runs": runs[["seed", "accuracy", "loss", "roc_auc_macro", "train_accuracy"]].to_dict(orient="records"),
                "ensembles": ensembles.get(name, {}),
                "hashes": dict(_hashes(lock, name)),
                "claims": [key for key, claim in claimed.claims.items() if name in variants_of(claim, claimed.claims)],
                "charts": dict(_charts_of_variant({key: table[name] for key, table in tables.items()}, printed)),
            },
        )


def _charts_of_variant(tables: Mapping[str, pd.DataFrame], printed: Published | None) -> Iterator[tuple[str, Json]]:
    yield "accuracy", _frame(summaries.by_parts(tables["curves"])[CURVES])
    accuracies = tables["runs"].set_index("seed").filter(regex="^digit_[0-9]$")
    digits = accuracies.melt(var_name="digit", value_name="accuracy", ignore_index=False).dropna().reset_index()
    digits = digits.rename(columns={"seed": "run"}).assign(digit=digits["digit"].str.removeprefix("digit_"), kind="run")
    if printed and printed.digits:
        of_report = {"digit": [str(digit) for digit in range(10)], "accuracy": printed.digits, "kind": "published"}
        digits = pd.concat([digits, pd.DataFrame(of_report)])
    yield "digits", _frame(digits[["run", "digit", "accuracy", "kind"]])
    yield "confusion", _frame(tables["confusion"][["actual", "predicted", "rate"]])
    yield "roc", _frame(tables["roc"][["curve", "false_positive_rate", "true_positive_rate"]])


def _hashes(lock: Json, variant: str) -> Iterator[tuple[str, str]]:
    """Yield the digest of what decides a variant's training, and the hashes of what came of it, as far as recorded."""
    stages = lock.get("stages", {}) if isinstance(lock, dict) else {}
    trained = stages.get(f"train@{variant}", {})
    for digest in trained.get("params", {}).get("digests.json", {}).values():
        yield "settings, code and libraries of its training", digest
    for stage in (trained, stages.get(f"evaluate@{variant}", {})):
        for out in stage.get("outs", []):
            yield out["path"], out["md5"].removesuffix(".dir")


def _by_variant(path: Path, plan: Mapping[str, Variant]) -> dict[str, pd.DataFrame]:
    """Read a table, and return the rows of each variant."""
    try:
        table = pd.read_csv(path, dtype={"curve": str})
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; `dvc repro` makes it") from None
    except ValueError as error:
        raise UserError(f"{path}: {reason(error)}; `dvc repro --force report` makes it again") from None
    groups = dict(list(table.groupby("variant", sort=False)))
    return {variant: groups.get(variant, table.iloc[:0]) for variant in plan}


def _table(columns: list[str], rows: list[tuple[Any, ...]]) -> Json:
    return {"columns": columns, "rows": rows}


def _frame(table: pd.DataFrame) -> Json:
    """Return a table as JSON has it, null where there is no value."""
    split = json.loads(table.to_json(orient="split", index=False, double_precision=6))
    return _table(split["columns"], split["data"])
