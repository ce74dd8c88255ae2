"""How the accuracies of two revisions differ, seed by seed, and what of it is more than chance."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from remnist.report import statistics
from remnist.review.revisions import NOW


@dataclass(frozen=True)
class Difference:
    """What a change did to a variant's accuracy, in fractions.

    Attributes:
        base: each seed's accuracy before, none if the variant is new.
        now: each seed's accuracy now, none if the variant is gone.
        mean: of the differences at the same seed; None where the two have no seed in common.
        low, high: Student's interval of it; None where there are fewer than two such seeds.
        p_value: of Student's two-sided test that there is no difference, as yet not corrected; None likewise.
        digit: the digit whose accuracy changed most, and by how much; None where there are not both.
    """

    base: pd.Series
    now: pd.Series
    mean: float | None
    low: float | None
    high: float | None
    p_value: float | None
    digit: tuple[str, float] | None


def between(accuracy: pd.DataFrame, per_digit: pd.DataFrame, variant: str) -> Difference:
    """Compare a variant's accuracies in two revisions, seed by seed and digit by digit.

    Args:
        accuracy: `variant`, `seed`, `accuracy`, `rev`, as DVC reports them: as text.
        per_digit: `variant`, `digit`, `accuracy`, `rev`, likewise.
        variant: its name.
    """

    def both(table: pd.DataFrame, index: str) -> tuple[pd.Series, pd.Series]:
        rows = table[table["variant"] == variant].set_index(index)
        values = rows["accuracy"].astype(float)
        return values[rows["rev"] != NOW], values[rows["rev"] == NOW]

    base, now = both(accuracy, "seed")
    low = high = p_value = None
    paired = (now - base).dropna().to_numpy()
    if len(paired) > 1:
        difference = statistics.against(paired, 0.0)
        (low, high), p_value = difference.interval(), difference.p_value()
    before, after = both(per_digit, "digit")
    digits = {str(digit): float(change) for digit, change in (after - before).dropna().items()}
    most = max(digits.items(), key=lambda digit: abs(digit[1]), default=None)
    return Difference(base, now, float(paired.mean()) if len(paired) else None, low, high, p_value, most)


def marks(differences: dict[str, Difference]) -> dict[str, str]:
    """Return an arrow for each variant that differs by more than chance.

    Chance marks any of them at all in 5 % of reviews, corrected by Holm.
    """
    tested = {variant: found.p_value for variant, found in differences.items() if found.p_value is not None}
    corrected = statistics.holm(np.array(list(tested.values())))
    beyond = [variant for variant, p_value in zip(tested, corrected, strict=True) if p_value < statistics.ALPHA]
    return {variant: "▲" if (differences[variant].mean or 0) > 0 else "▼" for variant in beyond}


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
