"""Intervals against textbook values, scipy, and the truth of drawn studies."""

import random

import numpy as np
import pytest
from scipy import stats

from harness.analysis import intervals


def test_equal_halves_are_agresti_and_coull_with_one_of_each_and_t() -> None:
    """7 of 10: (7 + 1) / 12 and t(11) * sqrt(p (1 - p) / 12)."""
    low, high = intervals.share([1.0] * 7 + [0.0] * 3)
    p, t = 8 / 12, stats.t.ppf(0.975, 11)
    assert low == pytest.approx(p - t * (p * (1 - p) / 12) ** 0.5, rel=1e-3)
    assert high == pytest.approx(p + t * (p * (1 - p) / 12) ** 0.5, rel=1e-3)


def test_shares_at_the_edge_are_clopper_and_pearson() -> None:
    assert intervals.share([0.0] * 30) == (0.0, pytest.approx(stats.binomtest(0, 30).proportion_ci().high))
    assert intervals.share([1.0] * 30) == (pytest.approx(stats.binomtest(30, 30).proportion_ci().low), 1.0)


def test_paired_proportions_are_bonett_and_price_with_t() -> None:
    """Of 20 pairs 6 only B solves and 2 only A: (6 - 2) / 22, variance ((7 + 3) / 22 - d^2) / 22."""
    low, high = intervals.difference([1.0] * 6 + [-1.0] * 2 + [0.0] * 12)
    d, t = 4 / 22, stats.t.ppf(0.975, 21)
    reach = t * ((10 / 22 - d * d) / 22) ** 0.5
    assert (low, high) == (pytest.approx(d - reach, rel=1e-3), pytest.approx(d + reach, rel=1e-3))


def test_without_variation_nothing_is_claimed() -> None:
    assert intervals.share([0.5] * 20) == intervals.mean([3.0] * 9) == intervals.mean([3.0]) == (None, None)
    assert intervals.mean_change([0.1] * 7) == intervals.quantile([3.0] * 5, 0.5) == (None, None)
    assert intervals.ratio([[2.0 * x for x in range(1, 40)]], [range(1, 40)]) == (None, None)
    assert intervals.share([]) == intervals.difference([]) == intervals.ratio([[]], [[]]) == (None, None)
    low, high = intervals.difference([0.0] * 20)
    assert high == pytest.approx(stats.binomtest(0, 20, alternative="less").proportion_ci(0.975).high)
    assert low is not None and low == -high, "twenty problems without a difference prove little"


def test_a_sum_that_rests_on_one_problem_bounds_nothing() -> None:
    assert intervals.ratio([[5.0, 5.0, 5.0]], [[0.0, 0.0, 1.0]]) == (None, None)
    assert intervals.mean([0.0, 0.0, 9.0]) == (None, None)


def test_a_mean_below_a_budget_is_from_above_a_share_of_it() -> None:
    values = [1.0] * 9 + [3.0]
    low, high = intervals.mean(values, 64)
    assert low == intervals.mean(values)[0]
    assert high == pytest.approx(64 * (intervals.share([value / 64 for value in values])[1] or 0))
    assert high > 3, "ten proofs do not rule out that some take the whole budget"
    assert intervals.mean([2.0, 80.0, 9.0], 64)[1] == pytest.approx(80), "never above the largest"
    assert intervals.mean([5.0] * 4, 64) == (None, None)


def test_many_normal_values_have_the_normal_interval() -> None:
    rng = random.Random(5)
    values = [rng.gauss(30, 2) for _ in range(400)]
    middle, error = sum(values) / 400, stats.sem(values)
    for low, high in (intervals.mean(values), intervals.mean_change(values)):
        assert low == pytest.approx(middle - 1.96 * error, abs=0.03)
        assert high == pytest.approx(middle + 1.96 * error, abs=0.03)
    assert intervals.mean(values[::-1]) == pytest.approx(intervals.mean(values), rel=1e-12)


def test_five_values_have_the_textbook_interval() -> None:
    """1 to 5: mean 3, standard error 0.7071; flat values have a short tail and all 4 degrees of freedom."""
    assert intervals.mean_change([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx((1.0368, 4.9632), abs=1e-3)


def test_a_heavy_tail_costs_degrees_of_freedom() -> None:
    values = [1.0] * 19 + [64.0]
    low, high = intervals.mean_change(values)
    middle, error = sum(values) / 20, stats.sem(values)
    assert low is not None and high is not None
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, 3) * error, rel=5e-3)
    assert (high + low) / 2 == pytest.approx(middle)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 7.5, 10, 30, 200])
def test_student_s_quantile_is_scipy_s(freedom: float) -> None:
    assert intervals.student_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=5e-3)


def test_the_ratio_of_sums_is_the_jackknife_of_its_logarithm() -> None:
    rng = np.random.default_rng(3)
    under = rng.integers(5, 20, 40).astype(float)
    over = np.round(0.8 * under + rng.normal(0, 1, 40), 1)
    low, high = intervals.ratio([over], [under])
    logs = [np.log(np.delete(over, i).sum() / np.delete(under, i).sum()) for i in range(40)]
    error = (39 / 40 * np.sum((logs - np.mean(logs)) ** 2)) ** 0.5
    assert low is not None and high is not None
    assert (low * high) ** 0.5 == pytest.approx(over.sum() / under.sum())
    reach = np.log(high / low) / 2 / error
    assert stats.t.ppf(0.975, 39) * 0.99 <= reach <= stats.t.ppf(0.975, 10)
    swapped = intervals.ratio([under], [over])
    assert swapped == (pytest.approx(1 / high), pytest.approx(1 / low)), "which side is A is nothing"


def test_quantiles_lie_between_order_statistics() -> None:
    """Conover: for n = 10 the 2nd and 9th value hold the median with 97.9 %."""
    assert intervals.quantile(range(1, 11), 0.5) == (2, 9)
    assert intervals.quantile(range(1, 11), 0.9) == (7, None), "ten values do not bound their ninth tenth"
    low, high = intervals.quantile([1] * 50 + [9] * 40 + [64] * 10, 0.5)
    assert (low, high) == (1, 9)


def test_a_family_counts_once_however_large() -> None:
    """Ten problems of one family say what one problem says; one of each its own is as without families."""
    values = [0.0, 1.0, 0.0, 0.5, 1.0, 0.0]
    alone = intervals.share(values)
    assert intervals.share(values, [f"f{i}" for i in range(6)]) == pytest.approx(alone)
    tenfold = [value for value in values for _ in range(10)]
    families = [number for number in range(6) for _ in range(10)]
    for method in (intervals.share, intervals.difference, intervals.mean_change):
        assert method(tenfold, families) == pytest.approx(method(values))
    assert intervals.mean([1 + value for value in tenfold], families=families) == pytest.approx(
        intervals.mean([1 + value for value in values])
    )
    wide, narrow = intervals.difference(tenfold, families), intervals.difference(tenfold)
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])  # type: ignore[operator]


@pytest.mark.parametrize("n", [10, 50])
def test_coverage_of_small_studies(n: int) -> None:
    """In brief what `python -m tests.bench.coverage` measures at length."""
    rng = np.random.default_rng(n)
    hits = np.zeros(3)
    for _ in range(400):
        ease = rng.normal(0, 2, n)
        a, b = (rng.binomial(1, 1 / (1 + np.exp(-x))).astype(float) for x in (ease, ease + 0.5))
        need = np.exp(rng.normal(1.3, 0.8, n))
        x, y = (factor * need * np.exp(0.3 * rng.normal(size=n)) for factor in (1.0, 0.8))
        found = [intervals.share(a), intervals.difference(b - a), intervals.ratio([y], [x])]
        for at, truth in enumerate((0.5, SHIFT, 0.8)):
            low, high = found[at]
            hits[at] += low is None or high is None or low <= truth <= high
    assert all(hits / 400 >= 0.92), hits / 400


SHIFT = float(np.mean(1 / (1 + np.exp(-(np.random.default_rng(0).normal(0, 2, 400_000) + 0.5)))) - 0.5)
