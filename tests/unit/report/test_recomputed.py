"""A stranger recomputes the claims' figures from plots/runs.csv and plots/curves.csv, with pandas and scipy alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from remnist.plan.claims import Published
from remnist.report import summaries, tables, verdicts
from tests.support.studies import claim, claims_of, study

GENERATOR = np.random.default_rng(11)
NAMES = {"wide": "mlp-deep-500"}  # the others are of one architecture
FIGURES = {
    "accuracy": "accuracy", "loss": "loss", "gap": "generalization_gap", "training": "train_accuracy",
    "scatter": "batch_loss_sd", "norm": "weight_norm", "spread": "digit_spread", "variation": "loss_variation",
}  # fmt: skip
SHARES = ("loss", "batch_loss_sd", "weight_norm", "loss_variation")
SEEDS, EPOCHS = 8, 5


def made():
    """Return a study of three variants whose every figure varies from seed to seed."""
    base = GENERATOR.normal(0, 0.003, SEEDS)
    of = {n: list((0.9 + shift + base + GENERATOR.normal(0, 0.002, SEEDS)).round(3)) for n, shift in
          (("a", 0.01), ("b", 0.0), ("wide", 0.005))}  # fmt: skip
    rises = {name: [list(np.clip(np.linspace(a - 0.1, a + 0.02, EPOCHS) + GENERATOR.normal(0, 0.02, EPOCHS), 0, 1))
                    for a in runs] for name, runs in of.items()}  # fmt: skip
    missing = {name: [seed < few for seed in range(SEEDS)] for name, few in (("a", 1), ("b", 5), ("wide", 0))}
    results = study(of, test=rises, names=NAMES, missing=missing)
    curves = results.curves.assign(**{
        name: results.curves[name] * GENERATOR.uniform(0.8, 0.95, len(results.curves))
        for name in ("train_accuracy", "test_loss", "train_loss", "batch_loss", "batch_loss_sd")
    }).round(6)  # fmt: skip
    curves.loc[curves["epoch"] == 0, "test_accuracy"] = GENERATOR.uniform(0.05, 0.15, 3 * SEEDS).round(4)
    runs = results.runs[["variant", "seed", "parameters", "accuracy", "roc_auc_macro", "roc_auc_micro",
                         "roc_auc_worst_digit"]]  # fmt: skip
    runs = runs.assign(loss=GENERATOR.uniform(0.1, 0.2, len(runs)), weight_norm=GENERATOR.uniform(9, 10, len(runs)))
    return replace(results, runs=tables.run_metrics(runs, curves, results.per_digit), curves=curves)


@pytest.fixture(scope="module")
def results():
    return made()


@pytest.fixture
def csv(results, tmp_path):
    """The two tables, as the report stage writes them."""
    for name, table in summaries.plot_data(results).items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    return pd.read_csv(tmp_path / "runs.csv"), pd.read_csv(tmp_path / "curves.csv")


def judged(results, published=None, **changes):
    each = claims_of({"x": claim(**changes)}, published)
    return verdicts.metrics(verdicts.judge(results, each))["x"]


def compared(first: pd.Series, second: pd.Series, paired: bool, share: bool) -> dict[str, float]:
    """Compare two variants' values, by seed."""
    test = stats.ttest_rel(first, second) if paired else stats.ttest_ind(first, second, equal_var=False)
    unit = second.mean() if share else 1
    low, high = test.confidence_interval(0.95)
    found = {"difference": first.mean() - second.mean(), "low": low, "high": high}
    return {"p_value": test.pvalue} | {name: value / unit for name, value in found.items()}


def of(table: pd.DataFrame, variant: str) -> pd.DataFrame:
    return table[table["variant"] == variant].set_index("seed")


@pytest.mark.parametrize("metric", FIGURES.values(), ids=FIGURES)
@pytest.mark.parametrize("second", ["b", "wide"])
def test_means_over_seeds(results, csv, metric, second):
    row = judged(results, metric=metric, variants=["a", second], margin=0.1)
    runs, _ = csv
    expected = compared(of(runs, "a")[metric], of(runs, second)[metric], second == "b", metric in SHARES)
    assert {name: row[name] for name in expected} == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("metric", ["accuracy", "loss"])
@pytest.mark.parametrize("epoch", [0, 1, EPOCHS])
def test_figures_after_an_epoch(results, csv, metric, epoch):
    row = judged(results, metric=metric, epoch=epoch, margin=0.1)
    _, curves = csv
    values = [of(curves[curves["epoch"] == epoch], name)[f"test_{metric}"] for name in "ab"]
    expected = compared(*values, True, metric == "loss")
    assert {name: row[name] for name in expected} == pytest.approx(expected, abs=2e-6)


def epochs_to(curves: pd.DataFrame, variant: str, part: str, reach: float) -> pd.Series:
    """Return the first epoch of each run whose accuracy is `reach` or more; NaN where there is none."""
    own = curves[curves["variant"] == variant]
    first = own[own[f"{part}_accuracy"] >= reach].groupby("seed")["epoch"].min()
    return first.reindex(range(SEEDS))


def log_rank(first, second):
    """The p-value of Student's test of the log-rank scores."""
    times = pd.concat([first, second], ignore_index=True)
    at_risk = {time: (~(times < time)).sum() for time in times.dropna()}
    happened = times.value_counts()
    hazard = times.map(lambda time: sum(n / at_risk[t] for t, n in happened.items() if not t > time))
    scores = times.notna() - hazard
    return stats.ttest_ind(scores[: len(first)], scores[len(first) :]).pvalue


@pytest.mark.parametrize("reach", [0.82, 0.84, 0.94])
def test_epochs_to_reach(results, csv, reach):
    _, curves = csv
    first, second = (epochs_to(curves, name, "test", reach) for name in ("a", "b"))
    row = judged(results, metric="epochs_to_reach", reach=reach, margin=0.5)
    if first.notna().all() and second.notna().all():
        expected = compared(first, second, True, False)
        assert {name: row[name] for name in expected} == pytest.approx(expected, abs=2e-6)
    else:
        assert row["p_value"] == pytest.approx(log_rank(first, second), abs=2e-6)
        assert row["low"] is None


def test_some_of_these_times_are_censored_and_some_are_not(csv):
    _, curves = csv
    reached = [epochs_to(curves, "a", "test", reach).notna().mean() for reach in (0.82, 0.94)]
    assert reached[0] == 1 > reached[1]


def test_rates_and_runs_that_found_their_digits(results, csv):
    runs, _ = csv
    missing = [of(runs, name)["digit_missing"] for name in "ab"]
    lost = [(of(runs, name)[[f"digit_{digit}" for digit in range(10)]].min(axis=1) < 0.5) for name in "ab"]
    assert [each.to_list() for each in missing] == [each.to_list() for each in lost]
    k, j = (int(each.sum()) for each in missing)
    row = judged(results, metric="digit_missing", expect="less", margin=None)
    assert row["p_value"] == pytest.approx(stats.boschloo_exact([[k, j], [SEEDS - k, SEEDS - j]]).pvalue, abs=1e-6)
    assert (row["difference"], row["seeds"]) == (pytest.approx((k - j) / SEEDS), [SEEDS, SEEDS])
    row = judged(results, found_digits=True)
    found = [of(runs, name)["accuracy"][~of(runs, name)["digit_missing"]] for name in "ab"]
    shared = found[0].index.intersection(found[1].index)
    expected = compared(*(each[shared] for each in found), True, False)
    assert {name: row[name] for name in expected} == pytest.approx(expected, abs=2e-6)


def test_published_figures_as_one_more_run(results, csv):
    runs, _ = csv
    values = of(runs, "a")["accuracy"]
    spread = values.std() * (1 + 1 / SEEDS) ** 0.5
    half = spread * stats.t.ppf(0.975, SEEDS - 1)
    for off, outcome in ((0.98, "replicated"), (1.02, "not replicated")):
        printed = {"a": Published(report=1, accuracy=values.mean() + off * half)}
        assert judged(results, printed, variants=["a"], expect="as_published", margin=None)["outcome"] == outcome
