"""Each statistic against published cases, counting by hand, or simulation."""

import numpy as np
import pytest
from scipy import stats

from remnist.report import statistics

# Student 1908: hours of sleep gained by ten patients, one drug minus the other.
SLEEP = np.array([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
# Darwin's maize, eighths of an inch, crossed minus self-fertilised; Fisher 1935 counted all 2**15 flips of sign.
MAIZE = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48.0])


def test_student_on_his_own_data():
    assert statistics.t_interval(SLEEP) == pytest.approx((0.7001, 2.4599), abs=1e-4)
    assert 2 * statistics.t_test(SLEEP, 0, "greater") == pytest.approx(0.00283, abs=1e-5)
    assert statistics.t_test(SLEEP, 0, "less") == pytest.approx(1 - 0.00283 / 2, abs=1e-5)
    assert statistics.t_test(SLEEP + 1, 1, "greater") == pytest.approx(0.00283 / 2, abs=1e-5)


def test_fishers_count_of_darwins_maize():
    assert 2 * statistics.sign_flip_test(MAIZE, 0, "greater") == pytest.approx(1726 / 2**15)


def test_sign_flips_by_hand():
    # Among the 8 flips of 1, 2, 4 only the data themselves have so high a mean.
    assert statistics.sign_flip_test(np.array([1.0, 2, 4]), 0, "greater") == 1 / 8
    assert statistics.sign_flip_test(np.array([1.0, 2, -4]), 0, "less") == 4 / 8
    assert statistics.sign_flip_test(np.array([1.0, 2, 4]), 3, "greater") == 7 / 8  # all sums of -2, -1, 1 but -4


def test_many_seeds_draw_their_flips_alike_each_time():
    many = np.random.default_rng(0).normal(0.3, 1, 40)
    p_value = statistics.sign_flip_test(many, 0, "greater")
    assert p_value == statistics.sign_flip_test(many, 0, "greater")
    assert p_value == pytest.approx(statistics.t_test(many, 0, "greater"), rel=0.2)


def test_no_spread_leaves_the_exact_test():
    same = np.full(12, 0.25)
    assert statistics.t_interval(same) == statistics.bca_interval(same) == (0.25, 0.25)
    assert statistics.t_test(same, 0, "greater") == 2.0**-12
    assert statistics.t_test(same, 0.25, "greater") == 1
    assert statistics.detectable(same) == 0


def test_bootstrap_needs_eight():
    assert statistics.bca_interval(SLEEP[:7]) is None
    low, high = statistics.bca_interval(SLEEP)
    assert 0.7 < low < 1.0 and 2.4 < high < 3.3  # skewed to the right, as the one large value is
    assert (low, high) == statistics.bca_interval(SLEEP)


def test_holm_by_hand():
    assert statistics.holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert len(statistics.holm(np.array([]))) == 0


def test_superiority_by_hand():
    assert statistics.superiority(np.array([1.0, 3]), np.array([1.0, 2])) == (0.5 + 0 + 1 + 1) / 4


def test_detectable_is_found_in_four_studies_of_five():
    rng, n = np.random.default_rng(2), 12
    noise = rng.normal(0, 1, n)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    effect = statistics.detectable(noise)
    studies = rng.normal(effect, 1, (4000, n))
    found = stats.ttest_1samp(studies, 0, axis=1).pvalue <= 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.02)


def test_mcnemar_is_a_sign_test_of_the_disagreements():
    first, second = np.zeros((2, 100), bool)
    first[:12], second[12:17] = True, True
    assert statistics.mcnemar_test(first, second) == pytest.approx(stats.binomtest(5, 17).pvalue)
    assert statistics.mcnemar_test(first, first) == 1


@pytest.mark.parametrize("disagreements", [6, 20, 199, 200, 201])
def test_resolution_is_the_first_difference_that_mcnemar_finds(disagreements):
    def pair(fewer):
        first, second = np.zeros((2, 1000), bool)
        first[fewer:disagreements], second[:fewer] = True, True
        return first, second

    found = [fewer for fewer in range(disagreements // 2 + 1) if statistics.mcnemar_test(*pair(fewer)) <= 0.05]
    smallest = disagreements - 2 * max(found)
    assert statistics.resolution(*pair(disagreements // 2)) == smallest / 1000


def test_five_disagreements_resolve_nothing():
    first = np.arange(1000) < 5
    assert statistics.resolution(first, np.zeros(1000, bool)) > 5 / 1000


def test_spread_by_the_choice_of_images():
    rng = np.random.default_rng(4)
    chance = rng.random(500)  # each image's probability of a right answer
    runs = rng.random((2, 8, 500)) < np.stack([chance, np.minimum(chance + 0.05, 1)])[:, None]
    difference = runs[0].mean(0) - runs[1].mean(0)
    redrawn = [difference[rng.integers(0, 500, 500)].mean() for _ in range(4000)]
    assert statistics.image_sd(*runs) == pytest.approx(np.std(redrawn), rel=0.05)


@pytest.mark.parametrize("seeds", [3, 6, 8, 12])
def test_intervals_cover_the_true_difference(seeds):
    rng = np.random.default_rng(seeds)
    covered = dict.fromkeys([statistics.t_interval] + [statistics.bca_interval] * (seeds >= statistics.FEWEST), 0)
    studies = 1500
    for _ in range(studies):
        differences = rng.normal(0.3, 1, seeds)
        for interval in covered:
            low, high = interval(differences)
            covered[interval] += low <= 0.3 <= high
    for interval, count in covered.items():
        assert 0.93 <= count / studies <= 0.97, (interval.__name__, count / studies)


def test_exact_test_finds_too_much_in_at_most_one_study_of_twenty():
    rng = np.random.default_rng(7)
    draws = rng.gamma(1, 1, (600, 2, 8))  # skewed, but the two alike
    p_values = [2 * min(statistics.sign_flip_test(a - b, 0, side) for side in ("greater", "less")) for a, b in draws]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05
