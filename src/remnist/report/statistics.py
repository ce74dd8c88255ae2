"""Inference from a handful of paired runs: intervals, tests, and the smallest difference that they could find.

Differences are those of two variants at the same seed, (n,). scipy and statsmodels do the counting.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

LEVEL = 0.95  # confidence of the intervals
ALPHA = 0.05  # false positives allowed, among all claims of a report together
POWER = 0.8  # probability to find the smallest difference that counts as detectable
RESAMPLES = 10_000  # bootstrap samples
FEWEST = 8  # differences for a bootstrap interval; it covers 94 % of normal ones with 8, 95 % with 12, 92.6 % with 6
SIGN_FLIPS = 2**16  # flips, all of them up to 16 seeds, a random draw beyond

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Side = Literal["greater", "less"]


def t_interval(differences: Floats) -> tuple[float, float]:
    """Return Student's interval of the mean difference."""
    if np.ptp(differences) == 0:
        return float(differences[0]), float(differences[0])
    interval = stats.ttest_1samp(differences, 0).confidence_interval(LEVEL)
    return float(interval.low), float(interval.high)


def bca_interval(differences: Floats) -> tuple[float, float] | None:
    """Return the bias-corrected and accelerated bootstrap interval of the mean difference (Efron 1987).

    The bootstrap draws from n values as if they were all there is, which makes it too narrow for few; the level is
    raised by as much as Student's t differs from the normal (Hesterberg 2015, doi 10.1080/00031305.2015.1089789,
    there for the percentile interval). It is None for fewer than eight differences.
    """
    n = len(differences)
    if n < FEWEST:
        return None
    if np.ptp(differences) == 0:
        return float(differences[0]), float(differences[0])
    t = stats.t.ppf((1 + LEVEL) / 2, n - 1) * np.sqrt(n / (n - 1))
    interval = stats.bootstrap(
        (differences,), np.mean, vectorized=True, n_resamples=RESAMPLES, method="BCa",
        confidence_level=2 * stats.norm.cdf(t) - 1, rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return float(interval.low), float(interval.high)


def t_test(differences: Floats, bound: float, side: Side) -> float:
    """Return the one-sided p-value of Student's test that the mean difference lies on that side of a bound.

    Where all differences are equal Student's t has no scale; the exact test stands in.
    """
    if np.ptp(differences) == 0:
        return sign_flip_test(differences, bound, side)
    return float(stats.ttest_1samp(differences, bound, alternative=side).pvalue)


def sign_flip_test(differences: Floats, bound: float, side: Side) -> float:
    """Return the one-sided p-value of the exact test that the mean difference lies on that side of a bound.

    If it lay at the bound, each difference could as well lie as far on its other side: the p-value is the share of all
    2**n such flips whose mean is as extreme. It assumes no distribution but a symmetric one, and is 2**-n at least.
    """
    return float(
        stats.permutation_test(
            (differences - bound,), np.mean, permutation_type="samples", vectorized=True,
            n_resamples=SIGN_FLIPS, alternative=side, rng=np.random.default_rng(0),
        ).pvalue
    )  # fmt: skip


def holm(p_values: Floats) -> Floats:
    """Correct p-values for their number, so that 1 - ALPHA of studies reject no true null hypothesis.

    Holm 1979.
    """
    return np.asarray(multipletests(p_values, method="holm")[1]) if len(p_values) else p_values


def superiority(first: Floats, second: Floats) -> float:
    """Return the probability that a run of the first is better than a run of the second, ties counted half.

    Each run against each, whatever its seed, as for someone who trains each once. Mann and Whitney's U by its
    largest value.
    """
    return float(stats.mannwhitneyu(first, second).statistic / (len(first) * len(second)))


def detectable(differences: Floats) -> float:
    """Return the smallest mean difference that Student's test of n, with such a spread, finds in 80 % of studies.

    Two-sided at 5 %, before any correction.
    """
    power = TTestPower().solve_power(nobs=len(differences), alpha=ALPHA, power=POWER)
    return float(power * differences.std(ddof=1))


def image_sd(first: Bools, second: Bools) -> float:
    """Return the standard deviation of the mean difference in accuracy that results from the choice of images.

    Args:
        first: which images the first variant's runs get right, (runs, images).
        second: which the second's do.
    """
    images = first.mean(0) - second.mean(0)
    return float(images.std(ddof=1) / np.sqrt(len(images)))


def mcnemar_test(first: Bools, second: Bools) -> float:
    """Return the p-value of McNemar's exact test that two runs (images,) are equally accurate."""
    discordant = [[0, int((first & ~second).sum())], [int((~first & second).sum()), 0]]
    return float(mcnemar(discordant, exact=True).pvalue)


def resolution(first: Bools, second: Bools) -> float:
    """Return the smallest difference in accuracy that McNemar's exact test would find between two such runs.

    Args:
        first: which images the first run gets right, (images,).
        second: which the second does.

    Returns:
        A fraction of the images, for two runs that disagree about as many. Where they are fewer than six, not even
        all of them would be enough, and the fraction is larger than theirs.
    """
    disagreements = int((first != second).sum())
    fewer = int(stats.binom.ppf(ALPHA / 2, disagreements, 0.5)) - 1  # on the side of whom they favour less
    return (disagreements - 2 * fewer) / len(first)
