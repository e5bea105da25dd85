"""Shared resamples are the bootstrap: the same intervals but for the luck of the draw, whatever the order."""

import random

import pytest

from harness.analysis.resampling import MOST, resampled, resampled_mean, resampled_quantile
from harness.analysis.statistics import bootstrap, bootstrap_mean, bootstrap_quantile


@pytest.mark.parametrize("n", [12, 50, 250])
def test_means_ratios_and_quantiles_agree_with_draws_made_anew(n: int) -> None:
    chance = random.Random(n)
    values = [chance.expovariate(1 / 9) for _ in range(n)]
    rows = [(value, float(chance.random() < 0.6)) for value in values]
    step = 0.12 * (max(values) - min(values)) / n**0.5  # a few percent of a standard error's width

    def ratio(means: object) -> object:
        return means[:, 0] / means[:, 1]  # type: ignore[index]

    assert resampled_mean(values) == pytest.approx(bootstrap_mean(values), abs=step)
    assert resampled(rows, ratio) == pytest.approx(bootstrap(rows, ratio), rel=0.1)
    ordered = sorted(values)
    for q in (0.5, 0.9):
        for ours, anew in zip(resampled_quantile(values, q), bootstrap_quantile(values, q), strict=True):
            assert abs(ordered.index(ours) - ordered.index(anew)) <= max(1, n // 50)
    mixed = random.Random(1).sample(values, n)
    assert resampled_mean(mixed) == resampled_mean(values)
    assert resampled_quantile(mixed, 0.9) == resampled_quantile(values, 0.9)


def test_values_that_do_not_vary_claim_nothing_and_large_sets_are_drawn_anew() -> None:
    assert (
        resampled_mean([3.0] * 9) == resampled_mean([]) == resampled_quantile([3.0] * 5, 0.5) == (None, None)
    )
    assert (
        resampled_quantile([1.0] + [2.0] * 40, 0.5)
        == bootstrap_quantile([1.0] + [2.0] * 40, 0.5)
        == (2.0, 2.0)
    )
    many = [float(n % 7) for n in range(MOST + 1)]
    assert resampled_mean(many) == bootstrap_mean(many)
    assert resampled_quantile(many, 0.9) == bootstrap_quantile(many, 0.9)
