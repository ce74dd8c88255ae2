"""A review of a study to which nothing happened seldom marks a variant."""

import numpy as np
import pandas as pd
import pytest

from remnist.review import differences

STUDIES, VARIANTS, SEEDS = 100, 10, 6


@pytest.mark.usefixtures("quick_collections")
def test_noise_is_corrected_for_the_number_of_variants():
    """One in twenty variants that nothing happened to would be marked by a test of each by itself."""
    generator = np.random.default_rng(0)
    marked = 0
    for _ in range(STUDIES):
        table = pd.DataFrame(
            [(f"v{v}", str(seed), str(generator.normal(0.9, 0.01)), revision)
             for revision in ("workspace", "main") for v in range(VARIANTS) for seed in range(SEEDS)],
            columns=["variant", "seed", "accuracy", "rev"],
        )  # fmt: skip
        digits = table.rename(columns={"seed": "digit"})
        found = {v: differences.between(table, digits, v) for v in table["variant"].unique()}
        marked += bool(differences.marks(found))
    assert marked <= 12  # 5 expected; more than 12 once in 700 studies
