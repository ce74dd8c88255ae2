"""The same claims by the same rules on earlier runs of other seeds: the test of the method itself."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from remnist.errors import UserError, reason
from remnist.plan.claims import Claim, Claims
from remnist.report import effects, verdicts
from remnist.report.measures import NotMeasuredError, Sample, same_architecture
from remnist.report.stability import Measured
from remnist.report.tables import Results, data_set
from remnist.report.verdicts import Judged

RUNS = Path(__file__).with_name("earlier.csv")  # accuracies of earlier runs


def judge(results: Results, claims: Claims, path: Path) -> dict[str, Judged]:
    """Judge what the earlier runs can: claims that compare the final accuracies of two variants.

    Args:
        results: the study's own; its plan says which variants are pairs.
        claims: the content of claims.yaml.
        path: the table of the earlier runs, a row a variant, a column a seed, accuracies as fractions.

    Returns:
        By claim; corrected for the directions of those alone. Nothing where claims.yaml names no earlier runs, or the
        study is on other data.

    Raises:
        UserError: the table is missing, or is no table.
    """
    if claims.earlier is None or data_set(results).name != claims.data:
        return {}
    try:
        table = pd.read_csv(path, index_col="variant").astype(float)
        runs = {str(name): row.dropna() for name, row in table.iterrows()}
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: {reason(error)}; it has a row a variant, a column a seed") from None
    measured = {name: _measure(results, claim, runs) for name, claim in claims.claims.items()}
    judged = verdicts.conclude_with_stability(claims, {}, measured)
    return {each.id: each for each in judged if each.outcome != verdicts.NOT_TESTABLE and not each.printed}


def _measure(results: Results, claim: Claim, runs: Mapping[str, "pd.Series[float]"]) -> Measured:
    """Measure a claim, or return why that cannot be; a claim made of others has nothing of its own."""
    if claim.all_of:
        return []
    variants = [name for name in claim.variants if name in runs and name in results.plan]
    is_final = claim.metric == "accuracy" and claim.epoch is None and claim.level is None
    if not is_final or claim.found_digits or claim.not_testable or claim.by_construction or len(variants) < 2:
        return "not among the earlier runs"
    samples = [Sample(runs[name]) for name in variants]
    paired = same_architecture(*(results.plan[name] for name in variants))
    try:
        return effects.of_samples(claim, samples, paired=paired, image_se=0.0)
    except NotMeasuredError as missing:
        return str(missing)
