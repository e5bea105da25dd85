"""The smallest difference that a sweep can detect is one that simulated sweeps detect four times in five."""

from __future__ import annotations

import numpy as np
import pytest

from harness.analysis.power import detectable_effect, detectable_share
from harness.analysis.statistics import mcnemar


@pytest.mark.parametrize(("problems", "discordant"), [(200, 0.2), (400, 0.1), (1000, 0.3)])
def test_simulated_comparisons_find_it_about_four_times_in_five(problems: int, discordant: float) -> None:
    smallest = detectable_share(problems, discordant)
    assert smallest is not None
    dice = np.random.default_rng(1)
    wins = (discordant + smallest) / 2
    found = 0
    for _ in range(400):
        drawn = dice.random(problems)
        only_b = int((drawn < wins).sum())
        only_a = int(((drawn >= wins) & (drawn < discordant)).sum())
        found += mcnemar(only_a, only_b) < 0.05
    # The exact test is a little stricter than the normal approximation behind the formula.
    assert 0.68 < found / 400 < 0.86


def test_more_problems_show_less_and_more_comparisons_show_more() -> None:
    one, many = detectable_share(200, 0.2), detectable_share(800, 0.2)
    corrected = detectable_share(200, 0.2, comparisons=10)
    assert one is not None and many is not None and corrected is not None
    assert many < one < corrected
    assert detectable_effect(100) == pytest.approx(0.2802, abs=1e-4)  # (1.960 + 0.842) / 10


def test_where_too_little_differs_nothing_is_promised() -> None:
    assert detectable_share(12, 0.1) is None and detectable_share(0, 0.5) is None
    assert detectable_effect(0) is None
