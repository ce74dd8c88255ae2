"""What follows from the tables: each variant over its seeds, and the data of DVC's plots."""

from typing import Any

import pandas as pd

from remnist.report import statistics
from remnist.report.tables import DECIMALS, HALF, METRICS, PARTS, Results

CURVE_DECIMALS = 4  # decimals that a plot can show
FIGURES = ["accuracy", "loss", "roc_auc_macro", "roc_auc_micro"]  # columns that the summary averages over seeds

Summary = dict[str, dict[str, Any]]  # figures by variant and column


def summary(results: Results) -> Summary:
    """Sum up each variant over its seeds; `accuracy_sd` is null where there is one seed."""
    groups = results.runs.groupby("variant", sort=False)
    table = groups[FIGURES].mean(skipna=False)  # a variant with a run that diverged has no mean loss
    table.insert(1, "accuracy_sd", groups["accuracy"].std(ddof=1))
    table = table.round(DECIMALS).astype(object).where(table.notna(), None)
    table["parameters"] = groups["parameters"].first()
    table["seeds"] = groups.size()
    return _rows(table)


def digit_means(results: Results) -> pd.DataFrame:
    """Return the mean accuracy over seeds, a row a variant, a column a digit."""
    return results.per_digit.pivot_table(index="variant", columns="digit", values="accuracy", sort=False)


def missing_digits(results: Results) -> pd.DataFrame:
    """Return the runs that get fewer than half of some digit's test images right, with `missing`, those digits."""
    rows = results.per_digit[results.per_digit["accuracy"] < HALF]
    digits = rows.groupby(["variant", "seed"], sort=False)["digit"].agg(", ".join).rename("missing")
    return results.runs.set_index(["variant", "seed"]).join(digits, how="inner").reset_index()


def per_digit(results: Results) -> dict[str, dict[str, float]]:
    """Return each variant's mean accuracy on each digit, or each of XOR's two classes."""
    table = digit_means(results).round(DECIMALS)
    return {variant: {d: a for d, a in row.items() if a == a} for variant, row in _rows(table).items()}


def ensembles(results: Results) -> dict[str, dict[str, dict[str, float]]]:
    """Return each variant's ensembles: by number of members, the accuracy of the average and of the vote."""
    groups = dict(list(results.ensembles.groupby("variant")))
    return {
        v: _rows(groups[v].set_index("members")[["average", "average_se", "vote", "vote_se"]])
        for v in results.plan
        if v in groups
    }


def plot_data(results: Results) -> dict[str, pd.DataFrame]:
    """Return the content of plots/, each table by the name of its file.

    They are means over seeds but for three: `runs` has a row a run, `curves` a row a run and epoch; `accuracy` has
    each seed's, and the interval of its variant's mean.
    """
    by_part = ["variant", "part", "epoch"]
    curves = by_parts(results.curves).groupby(by_part, sort=False, as_index=False)[list(METRICS)].mean()
    digits = results.per_digit.groupby(["variant", "digit"], sort=False, as_index=False)[["accuracy"]].mean()
    return {
        "runs": _runs(results),
        "curves": results.curves,
        "accuracy": results.runs[["variant", "seed", "accuracy"]].join(_intervals(results.runs), on="variant"),
        "learning_curves": curves.round(CURVE_DECIMALS),
        "per_digit": digits.round(CURVE_DECIMALS),
        "roc": results.roc.round({"true_positive_rate": CURVE_DECIMALS}),
        "confusion": results.confusion.round(CURVE_DECIMALS),
    }


def by_parts(curves: pd.DataFrame) -> pd.DataFrame:
    """Return the learning curves with a row a part: `variant`, `seed`, `epoch`, `part`, `loss`, `accuracy`."""
    tables = []
    for part in PARTS:
        if f"{part}_loss" in curves:
            figures = {f"{part}_{metric}": metric for metric in METRICS}
            tables.append(curves[["variant", "seed", "epoch", *figures]].rename(columns=figures).assign(part=part))
    return pd.concat(tables).dropna(subset="accuracy")


def _runs(results: Results) -> pd.DataFrame:
    """Return a row a run: its metrics, and its accuracy on each digit, `digit_0` to `digit_9`."""
    digits = results.per_digit.pivot_table(index=["variant", "seed"], columns="digit", values="accuracy")
    return results.runs.join(digits.round(DECIMALS).add_prefix("digit_"), on=["variant", "seed"])


def _intervals(runs: pd.DataFrame) -> pd.DataFrame:
    """Return Student's interval of each variant's mean accuracy, `low` and `high`; of one seed there is none."""
    groups = runs.groupby("variant", sort=False)["accuracy"]
    intervals = {v: statistics.t_interval(a.to_numpy()) for v, a in groups if len(a) > 1}
    return pd.DataFrame.from_dict(intervals, orient="index", columns=["low", "high"]).round(DECIMALS)


def _rows(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    rows = table.to_dict(orient="index").items()
    return {str(name): {str(key): value for key, value in row.items()} for name, row in rows}
