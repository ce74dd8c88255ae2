"""Inference from a handful of runs: intervals, tests, and what they could have found. scipy and statsmodels count.

A comparison is of two samples, paired seed by seed or not, or of one sample and a level.
"""

import math
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats  # special's functions of Student's t are fast
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

LEVEL = 0.95  # confidence of the intervals
EQUIVALENCE = 0.9  # confidence of the interval whose ends are two one-sided tests at 5 %
ALPHA = 0.05  # false positives allowed
POWER = 0.8  # probability to find a difference, in the number of seeds that would decide
MOST_SEEDS = 1_000  # seeds above which a question counts as out of reach
LARGEST_EFFECT = 10.0  # standard deviations, above which two seeds are enough
DECIMALS = 9  # decimals kept of a difference, so that equal ones are equal to the bit, whatever was subtracted

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """The mean difference of two samples, or of one and a level, by Student's t; by Welch's where they are not paired.

    Attributes:
        first: the values of the first, (n,).
        second: those of the second; with `paired` at the same seeds, (n,).
        paired: whether the seeds are the same.
        image_se: the standard error that the choice of the test images adds, 0 where it adds none or is not known.
    """

    first: Floats
    second: Floats
    paired: bool
    image_se: float = 0.0

    @cached_property
    def mean(self) -> float:
        """The mean of the first minus that of the second."""
        return round(float(self.first.mean() - self.second.mean()), DECIMALS)

    @cached_property
    def se(self) -> float:
        """The standard error of the mean difference, over seeds."""
        if self.paired:
            return sd(self._differences) / math.sqrt(len(self.first))
        return math.hypot(*(sd(each) / math.sqrt(len(each)) for each in (self.first, self.second)))

    @cached_property
    def df(self) -> float:
        """The degrees of freedom of Student's t, or Welch's."""
        if self.paired or not self.se:
            return float(len(self.first) - 1)
        return float(CompareMeans(DescrStatsW(self.first), DescrStatsW(self.second)).dof_satt())

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the interval of the mean difference over seeds."""
        return self._interval(level, self.se)

    def interval_with_images(self, level: float = LEVEL) -> Interval:
        """Return the interval over seeds and test images (Bouthillier et al. 2021, arXiv 2103.03098)."""
        return self._interval(level, math.hypot(self.se, self.image_se))

    def p_value(self) -> float:
        """Return the two-sided p-value that there is no difference.

        Where nothing varies Student's t has no scale, and the exact permutation test stands in: of 2**n flips, or of
        all divisions of the runs, two are as extreme.
        """
        if self.se:
            return float(2 * special.stdtr(self.df, -abs(self.mean) / self.se))
        n, m = len(self.first), len(self.second)
        return of_permutations(2**n if self.paired else math.comb(n + m, n)) if self.mean else 1.0

    def of_one_pair(self, level: float = LEVEL) -> Interval:
        """Return the prediction interval of the difference of one further run each (Patil, Peng, Leek 2016)."""
        spreads = [(sd(each) ** 2 if len(each) > 1 else 0.0, len(each)) for each in (self.first, self.second)]
        spread = math.sqrt(sum(variance * (1 + 1 / n) for variance, n in spreads))
        df = self.df if self.paired or not self.se else min(n - 1 for variance, n in spreads if variance)
        return self._interval(level, spread, df)

    def one_pair_could_tell(self, size: float) -> bool:
        """Return whether a difference of this size between one run each lies beyond what seeds alone give, 1.96 sd."""
        spread = math.hypot(*(sd(each) for each in (self.first, self.second)))
        return abs(size) >= float(stats.norm.ppf((1 + LEVEL) / 2)) * spread

    @property
    def _differences(self) -> Floats:
        return np.asarray((self.first - self.second).round(DECIMALS))

    def _interval(self, level: float, se: float, df: float | None = None) -> Interval:
        if not se:
            return self.mean, self.mean
        half = float(special.stdtrit(df or self.df, (1 + level) / 2)) * se
        return self.mean - half, self.mean + half


def of_permutations(ways: int) -> float:
    """Return the two-sided p-value of what only two of so many flips or divisions of the runs bring about."""
    return min(1.0, 2 / ways)


def sd(values: Floats) -> float:
    """Return the standard deviation of a sample; exactly 0 of equal values, whatever their last bits."""
    return float(values.std(ddof=1)) if np.ptp(values) >= 10**-DECIMALS else 0.0


def against(values: Floats, level: float, image_se: float = 0.0) -> Difference:
    """Return the difference of one sample from a level."""
    return Difference(values, np.full(len(values), level), paired=True, image_se=image_se)


def difference(
    samples: list[Floats], level: float | None, *, paired: bool = False, image_se: float = 0.0
) -> Difference:
    """Return the difference of two samples, or of one and a level."""
    if len(samples) == 1:
        return against(samples[0], level or 0.0, image_se)
    return Difference(samples[0], samples[1], paired, image_se)


def t_interval(values: Floats) -> Interval:
    """Return Student's interval of a mean."""
    return against(values, 0.0).interval()


def holm(p_values: Floats) -> Floats:
    """Correct p-values for their number, so that 1 - ALPHA of studies reject no true null hypothesis (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    corrected = np.empty_like(p_values)  # statsmodels' takes a millisecond more, and a study is drawn a hundred times
    corrected[order] = np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1)).clip(max=1)
    return corrected


def is_smaller(interval: Interval, margin: float) -> bool:
    """Return whether an interval lies within a margin on both sides of zero.

    With the interval at 90 % these are two one-sided tests at 5 % (Schuirmann 1987).
    """
    return -margin < interval[0] and interval[1] < margin


def seeds_to_decide(found: float, alike: list[float], spread: float, alpha: float = ALPHA) -> int | None:
    """Return how many seeds would decide in 80 % of studies, were the truth as measured; None above a thousand.

    Either that there is a difference, or that it is smaller than the margin, whichever takes fewer.

    Args:
        found: how far the difference lies from where it would not be found, not above 0 where it cannot be.
        alike: how far it lies from each margin that it has to stay within, likewise.
        spread: its standard deviation over seeds.
        alpha: the level at which a difference is found, two-sided.
    """
    if not spread:
        return None
    seeds = np.arange(2, MOST_SEEDS + 1)
    enough = np.zeros(len(seeds), bool)
    if found > 0:
        enough |= _power(found / spread, seeds, alpha) >= POWER
    if min(alike) > 0:  # each margin by a one-sided test at 5 %
        missed = sum(1 - _power(distance / spread, seeds, 2 * ALPHA) for distance in alike)
        enough |= 1 - missed >= POWER
    return int(seeds[enough][0]) if enough.any() else None


def normal_interval(value: float, se: float, level: float) -> Interval:
    """Return the interval of a value whose standard error is known."""
    half = float(stats.norm.ppf((1 + level) / 2)) * se
    return value - half, value + half


def normal_test(value: float, se: float) -> float:
    """Return the two-sided p-value that such a value is zero."""
    if not se:
        return 0.0 if value else 1.0
    return float(2 * stats.norm.sf(abs(value) / se))


@cache  # the test takes a tenth of a second, and the same counts come again and again
def of_rates(k: int, n: int, j: int, m: int) -> tuple[float, Interval]:
    """Compare two rates: Boschloo's exact test, two-sided, and Newcombe's interval of the difference.

    Args:
        k: how many of the n runs of the first it happened to.
        n: how many there are.
        j: how many of the m runs of the second.
        m: how many there are.
    """
    p_value = float(stats.boschloo_exact([[k, j], [n - k, m - j]]).pvalue) if 0 < k + j < n + m else 1.0
    low, high = confint_proportions_2indep(k, n, j, m, compare="diff", method="newcomb", alpha=1 - LEVEL)
    return min(p_value, 1.0), (float(low), float(high))


def of_times(first: Floats, second: Floats, horizon: int) -> tuple[float, bool]:
    """Compare two samples of times by the log-rank test (Mantel 1966), as Student's test of its scores.

    A run's score is one if it got there, else zero, minus the hazard that all runs together had met by then (Nelson and
    Aalen); the log-rank statistic is a sum of these. By its hypergeometric variance, as in `scipy.stats.logrank`, it
    errs more often than stated with a dozen runs (Heinze, Gnant, Schemper 2003); a statistic of ranks by Student's
    test does not (Conover, Iman 1981). docs/rules.md has how often it does here.

    Args:
        first: the times of the first, NaN where it did not happen up to the horizon.
        second: those of the second.
        horizon: the last time that was looked at.

    Returns:
        The two-sided p-value, and whether the first takes longer.
    """
    times = np.concatenate([first, second])
    happened = ~np.isnan(times)
    if not happened.any():
        return 1.0, False
    times = np.where(happened, times, horizon)
    together = SurvfuncRight(times, happened)
    hazard = np.cumsum(together.n_events / together.n_risk)
    scores = happened - np.append(0.0, hazard)[np.searchsorted(together.surv_times, times, side="right")]
    one, other = scores[: len(first)], scores[len(first) :]
    if np.ptp(scores) == 0:
        return 1.0, False
    if np.ptp(one) == np.ptp(other) == 0:  # without a spread Student's t has no scale
        return of_permutations(math.comb(len(times), len(one))), bool(one[0] < other[0])
    test = CompareMeans(DescrStatsW(one), DescrStatsW(other)).ttest_ind()
    return float(test[1]), bool(test[0] < 0)


def median_time(times: Floats, horizon: int) -> float | None:
    """Return the median of times, some of which lie beyond the horizon (Kaplan and Meier 1958); None if it does too."""
    survival = stats.ecdf(_censored(times, horizon)).sf
    reached = survival.quantiles[survival.probabilities <= 1 / 2]
    return float(reached[0]) if len(reached) else None


def share_explained(effect: tuple[Floats, Floats], control: tuple[Floats, Floats]) -> tuple[float, Interval]:
    """Return which share of a difference vanishes in a control, with its 95 % interval over seeds.

    One minus the ratio of two mean differences. Its interval is Fieller's (1954): the ratios r for which Student's test
    does not refuse that the mean of the control's difference minus r times the claim's is zero.

    Args:
        effect: the two samples of the claim, (n,) each, at the same seeds.
        control: the two samples of its control, at the same seeds.

    Returns:
        The share and its interval, which has no ends where the claim's difference may as well be zero.
    """
    whole, rest = ((a - b).round(DECIMALS) for a, b in (effect, control))
    n, found = len(whole), 1 - float(rest.mean() / whole.mean())
    scaled = np.cov(whole, rest, ddof=1) * float(special.stdtrit(n - 1, (1 + LEVEL) / 2)) ** 2 / n
    square, cross, constant = (
        whole.mean() ** 2 - scaled[0, 0], whole.mean() * rest.mean() - scaled[0, 1], rest.mean() ** 2 - scaled[1, 1],
    )  # fmt: skip
    if square <= 0:
        return found, (-math.inf, math.inf)
    half = math.sqrt(max(cross**2 - square * constant, 0.0))
    return found, (1 - float(cross + half) / float(square), 1 - float(cross - half) / float(square))


def as_of_one_run(values: Floats, published: float, rounded_to: float = 0.0) -> float:
    """Return the two-sided p-value that a published figure is one more run's, by Student's prediction interval."""
    off = max(0.0, abs(published - float(values.mean())) - rounded_to / 2)
    spread = sd(values) * math.sqrt(1 + 1 / len(values))
    if spread == 0:
        return 1.0 if off < 10**-DECIMALS else 0.0
    return float(2 * special.stdtr(len(values) - 1, -off / spread))


def image_se(first: Bools, second: Bools | None = None) -> float:
    """Return the standard error that the choice of the test images gives a mean accuracy, or a difference of two.

    Args:
        first: which images the runs of the first variant get right, (runs, images).
        second: which those of the second do.
    """
    images = first.mean(0) - (0 if second is None else second.mean(0))
    return float(images.std(ddof=1) / math.sqrt(len(images)))


def _power(effect_size: float, seeds: NDArray[np.int64], alpha: float) -> Floats:
    """Return the power to find a difference of so many standard deviations by each number of seeds, two-sided."""
    power = TTestPower().power(min(effect_size, LARGEST_EFFECT), seeds, alpha)
    return np.nan_to_num(power, nan=1.0)  # NaN where it is all but 1


def _censored(times: Floats, horizon: int) -> stats.CensoredData:
    return stats.CensoredData.right_censored(np.where(np.isnan(times), horizon, times), np.isnan(times))
