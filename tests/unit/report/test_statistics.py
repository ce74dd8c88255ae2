"""Each statistic against published cases, counting by hand, or simulation."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_paired

from remnist.report import statistics
from remnist.report.statistics import Difference, against

NAN = float("nan")
# Student 1908: hours of sleep gained by ten patients, one drug minus the other.
SLEEP = np.array([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
rng = np.random.default_rng(5)
FIRST, SECOND, FEWER = rng.normal(0.3, 1, 12), rng.normal(0, 2, 12), rng.normal(0, 2, 5)


def test_student_on_his_own_data():
    assert statistics.t_interval(SLEEP) == pytest.approx((0.7001, 2.4599), abs=1e-4)
    assert against(SLEEP, 0.0).p_value() == pytest.approx(0.00283, abs=1e-5)
    assert against(SLEEP + 1, 1.0).p_value() == pytest.approx(0.00283, abs=1e-5)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_pairs_are_scipys(level):
    found, expected = Difference(FIRST, SECOND, paired=True), stats.ttest_rel(FIRST, SECOND)
    assert found.mean == pytest.approx(FIRST.mean() - SECOND.mean())
    assert found.p_value() == pytest.approx(expected.pvalue)
    assert found.interval(level) == pytest.approx(tuple(expected.confidence_interval(level)))


@pytest.mark.parametrize("second", [SECOND, FEWER])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_runs_without_pairs_are_welchs(second, level):
    found = Difference(FIRST, second, paired=False)
    assert found.p_value() == pytest.approx(stats.ttest_ind(FIRST, second, equal_var=False).pvalue)
    compared = CompareMeans(DescrStatsW(FIRST), DescrStatsW(second))
    assert found.interval(level) == pytest.approx(compared.tconfint_diff(1 - level, usevar="unequal"))


@pytest.mark.parametrize("margin", [0.5, 1.0, 2.0, 3.0])
def test_an_interval_within_the_margin_is_two_one_sided_tests(margin):
    within = statistics.is_smaller(Difference(FIRST, SECOND, paired=True).interval(0.9), margin)
    assert within == (ttost_paired(FIRST, SECOND, -margin, margin)[0] < 0.05)


@pytest.mark.parametrize(
    ("interval", "within"), [((-1, 1), False), ((-0.9, 0.9), True), ((-1.1, 0), False), ((0, 1.1), False)]
)
def test_smaller_than_a_margin_is_so_on_both_sides(interval, within):
    assert statistics.is_smaller(interval, 1.0) is within


@pytest.mark.parametrize("value", [0.1, 0.25, 0.3, 0.97])
@pytest.mark.parametrize("n", [3, 6, 12])
def test_no_spread_leaves_the_permutation_test(value, n):
    """All flips of the signs of n equal differences, or all divisions of n and n runs: two are as extreme."""
    same, more = np.full(n, value), np.full(n, value + 0.2)
    assert Difference(more, same, paired=True).p_value() == 2 / 2**n
    assert Difference(more, same, paired=False).p_value() == min(1, 2 / math.comb(2 * n, n))
    assert against(same, value).p_value() == Difference(same, same, paired=False).p_value() == 1
    assert Difference(more, same, paired=True).interval() == pytest.approx((0.2, 0.2))


def test_pairs_of_one_difference_have_no_spread_whatever_their_last_bits():
    wide = np.linspace(0.85, 0.95, 12)
    assert Difference(wide + 0.002, wide, paired=True).p_value() == 2 / 2**12


def test_holm_by_hand():
    assert statistics.holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm(np.array([0.6, 0.7])) == pytest.approx([1, 1])
    assert len(statistics.holm(np.array([]))) == 0


def test_one_pair_of_runs_by_hand():
    """Two normals with s**2 = 1 of 4 and 4 of 9 runs: 1 (1 + 1/4) + 4 (1 + 1/9), three degrees of freedom."""
    first = np.array([-1.0, 1, -1, 1]) * math.sqrt(3 / 4) + 5
    second = np.linspace(-1, 1, 9)
    second *= 2 / second.std(ddof=1)
    half = stats.t.ppf(0.975, 3) * math.sqrt(5 / 4 + 40 / 9)
    found = Difference(first, second, paired=False)
    assert found.of_one_pair() == pytest.approx((5 - half, 5 + half))
    assert not found.one_pair_could_tell(1.95 * math.sqrt(5))
    assert found.one_pair_could_tell(-1.97 * math.sqrt(5))
    alone = stats.t.ppf(0.975, 3) * math.sqrt(5 / 4)
    assert against(first, 2.0).of_one_pair() == pytest.approx((3 - alone, 3 + alone))


@pytest.mark.parametrize("seeds", [4, 12])
def test_a_further_pair_of_runs_lies_in_its_interval(seeds):
    generator, inside, as_one_run, studies = np.random.default_rng(seeds), 0, 0, 600
    for _ in range(studies):
        first, second = generator.normal(1, 1, seeds + 1), generator.normal(0, 1, seeds + 1)
        low, high = Difference(first[1:], second[1:], paired=False).of_one_pair()
        inside += low <= first[0] - second[0] <= high
        as_one_run += statistics.as_of_one_run(first[1:], first[0]) > 0.05
    assert inside / studies >= 0.94
    assert as_one_run / studies == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(
    ("published", "rounded_to", "expected"),
    [(1.0, 0.0, 1.0), (3.0, 0.0, 2 / math.sqrt(1.25)), (3.0, 1.0, 1.5 / math.sqrt(1.25)), (1.2, 0.5, 0)],
)
def test_a_published_figure_as_one_more_run_by_hand(published, rounded_to, expected):
    """Four runs of mean 1 and s = 1; as far as the figure was rounded it may lie nearer."""
    values = np.array([-1.0, 1, -1, 1]) * math.sqrt(3 / 4) + 1
    t = 0 if expected == 1.0 else expected
    assert statistics.as_of_one_run(values, published, rounded_to) == pytest.approx(2 * stats.t.sf(t, 3))


@pytest.mark.parametrize(("published", "rounded_to", "p"), [(0.1, 0, 1), (0.2, 0, 0), (0.2, 0.2, 1), (0.2, 0.1, 0)])
def test_runs_without_spread_are_what_they_are(published, rounded_to, p):
    assert statistics.as_of_one_run(np.full(4, 0.1), published, rounded_to) == pytest.approx(p, abs=1e-9)


def rates(k: int, n: int, j: int, m: int):
    """Compare k of n runs with j of m."""
    return statistics.of_rates(k, n, j, m)


@pytest.mark.parametrize(
    ("counts", "low", "high"),  # Newcombe 1998, table II, method 10, its cases (a), (c), (g)
    [((56, 70, 48, 80), 0.0524, 0.3339), ((9, 10, 3, 10), 0.1705, 0.8090), ((10, 10, 0, 20), 0.6791, 1.0)],
)
def test_newcombes_own_intervals(counts, low, high):
    _, interval = rates(*counts)
    assert interval == pytest.approx((low, high), abs=1e-4)
    k, n, j, m = counts
    assert interval == pytest.approx(confint_proportions_2indep(k, n, j, m, method="newcomb", compare="diff"))


@pytest.mark.parametrize("counts", [(7, 15, 1, 12), (5, 6, 1, 6), (0, 12, 12, 12)])
def test_boschloo_is_the_largest_probability_of_as_small_a_p_of_fisher(counts):
    """Over the common rate, of all tables whose one-sided p by Fisher's test is as small, twice."""
    k, n, j, m = counts
    tables = list(itertools.product(range(n + 1), range(m + 1)))
    common, least = np.linspace(0.001, 0.999, 999), []
    for side in ("less", "greater"):
        fisher = {(a, b): stats.fisher_exact([[a, b], [n - a, m - b]], side).pvalue for a, b in tables}
        extreme = [table for table in tables if fisher[table] <= fisher[k, j] * (1 + 1e-9)]
        chance = sum(stats.binom.pmf(a, n, common) * stats.binom.pmf(b, m, common) for a, b in extreme)
        least.append(chance.max())
    assert rates(*counts)[0] == pytest.approx(min(1, 2 * min(least)), rel=1e-3)


def test_rates_that_are_all_or_nothing_do_not_differ():
    assert rates(0, 12, 0, 6)[0] == rates(12, 12, 6, 6)[0] == 1


def test_log_rank_and_medians_by_hand():
    """First 2, 4, never; second 1, 2, 3; five epochs.

    At 1: 6 at risk, 1 event, 1/2 of it expected in the first. At 2: 5 at risk, 3 of the first, 2 events: 6/5. At 3: 3
    at risk, 2 of the first: 2/3. At 4: 2 at risk, both of the first: 1.
    """
    first, second = np.array([2, 4, NAN]), np.array([1, 2, 3.0])
    expected = 1 / 2 + 6 / 5 + 2 / 3 + 1
    hazard = np.cumsum([1 / 6, 2 / 5, 1 / 3, 1 / 2])  # at 1, 2, 3, 4
    scores = [*(1 - hazard[[1, 3, 0, 1, 2]]), -hazard[3]]  # 2, 4; 1, 2, 3; never
    assert sum(scores[:2]) + scores[5] == pytest.approx(2 - expected)
    p_value, longer = statistics.of_times(first, second, 5)
    assert p_value == pytest.approx(stats.ttest_ind([*scores[:2], scores[5]], scores[2:5]).pvalue)
    assert longer
    assert statistics.of_times(second, first, 5) == (pytest.approx(p_value), False)
    # Kaplan and Meier: 2/3 of the first are left at 2, 1/3 at 4; of the second 1/3 at 2.
    assert [statistics.median_time(times, 5) for times in (first, second)] == [4, 2]


def test_times_without_a_spread_differ_by_permutations():
    never, early = np.array([NAN] * 3), np.array([1.0, 1.0])
    assert statistics.of_times(never, early, 5) == (pytest.approx(2 / 10), True)
    assert statistics.of_times(early, never, 5) == (pytest.approx(2 / 10), False)


def test_a_median_beyond_the_last_epoch_is_none():
    assert statistics.median_time(np.array([1, NAN, NAN]), 5) is None
    assert statistics.median_time(np.array([NAN] * 3), 5) is None
    assert statistics.median_time(np.array([5, 5, NAN]), 5) == 5
    assert statistics.of_times(np.array([NAN] * 3), np.array([NAN] * 3), 5) == (1, False)


@pytest.mark.parametrize("true", [0.0, 0.3, 0.75, 1.0])
def test_a_known_share_is_recovered(true):
    """The control has 1 - share of the effect; its interval holds the share in 19 of 20 studies."""
    generator, found, inside = np.random.default_rng(1), [], 0
    for _ in range(1000):
        noise = generator.normal(0, 0.15, (4, 12)) + generator.normal(0, 1, 12)
        a, b, c, d = noise + np.array([[1.0], [0], [1 - true], [0]])
        share, (low, high) = statistics.share_explained((a, b), (c, d))
        found.append(share)
        inside += low <= true <= high
    assert np.mean(found) == pytest.approx(true, abs=0.03)
    assert 930 <= inside <= 970


def shares(effect, control):
    """Return share and interval, of differences that lie on the same runs of the second."""
    base = np.linspace(0.85, 0.95, 12)
    return statistics.share_explained((base + effect, base), (base + control, base))


VARIED = np.linspace(0.01, 0.03, 12)


@pytest.mark.parametrize(
    ("effect", "control", "share"),
    [(0.02, 0.005, 0.75), (VARIED, VARIED, 0), (VARIED, 0, 1), (VARIED, VARIED / 2, 0.5), (VARIED, -VARIED, 2)],
)
def test_a_share_that_is_the_same_in_every_run_is_known(effect, control, share):
    found, interval = shares(effect, control)
    assert found == pytest.approx(share)
    assert interval == pytest.approx((share, share))


def test_a_share_of_what_may_be_nothing_has_no_ends():
    effect = np.linspace(-1, 1.1, 12)
    assert shares(effect, effect / 2)[1] == (-np.inf, np.inf)


def test_spread_by_the_choice_of_images():
    generator = np.random.default_rng(4)
    chance = generator.random(500)  # each image's probability of a right answer
    runs = generator.random((2, 8, 500)) < np.stack([chance, np.minimum(chance + 0.05, 1)])[:, None]
    difference = runs[0].mean(0) - runs[1].mean(0)
    redrawn = [difference[generator.integers(0, 500, 500)].mean() for _ in range(2000)]
    assert statistics.image_se(*runs) == pytest.approx(np.std(redrawn), rel=0.05)
    assert statistics.image_se(runs[0]) == pytest.approx(runs[0].mean(0).std(ddof=1) / math.sqrt(500))


def test_images_widen_an_interval_as_a_further_variance_does():
    found = Difference(FIRST, SECOND, paired=True, image_se=0.3)
    low, high = found.interval_with_images()
    half = stats.t.ppf(0.975, 11) * math.hypot((FIRST - SECOND).std(ddof=1) / math.sqrt(12), 0.3)
    assert (low, high) == pytest.approx((found.mean - half, found.mean + half))
    assert found.interval()[1] < high


def test_a_value_of_a_known_standard_error():
    assert statistics.normal_test(1.959964, 1.0) == pytest.approx(0.05, abs=1e-6)
    assert statistics.normal_interval(2.0, 0.5, 0.95) == pytest.approx((2 - 0.979982, 2 + 0.979982))
    assert (statistics.normal_test(0.1, 0), statistics.normal_test(0, 0)) == (0, 1)
