"""Calibration figures against their definitions, spelled out naively."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.provers.priority import LEAST_VALUE
from trainers import calibration

unit = st.floats(0, 1, allow_nan=False)
pairs = st.lists(st.tuples(unit, unit), min_size=1, max_size=40)


@given(pairs)
def test_calibration_error_bin_by_bin(rows: list[tuple[float, float]]) -> None:
    expected = 0.0
    for number in range(10):
        inside = [(v, y) for v, y in rows if min(int(v * 10), 9) == number]
        if inside:
            gap = sum(v for v, _ in inside) / len(inside) - sum(y for _, y in inside) / len(inside)
            expected += len(inside) / len(rows) * abs(gap)
    found = calibration.calibration_error([v for v, _ in rows], [y for _, y in rows])
    assert found == pytest.approx(expected, abs=1e-9)


def test_calibration_error_of_known_cases() -> None:
    assert calibration.calibration_error([], []) is None
    assert calibration.calibration_error([0.25] * 4, [0, 0, 0, 1]) == 0
    assert calibration.calibration_error([1.0, 0.05], [0.0, 0.05]) == pytest.approx(0.5)


@settings(deadline=None)  # the first example imports scipy
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=30))
def test_spearman_against_scipy(rows: list[tuple[int, int]]) -> None:
    from scipy import stats

    left, right = [float(a) for a, _ in rows], [float(b) for _, b in rows]
    found = calibration.spearman(left, right)
    if len(rows) < 2 or len(set(left)) == 1 or len(set(right)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(stats.spearmanr(left, right).statistic, abs=1e-9)


@given(st.lists(st.integers(0, 4), max_size=12))
def test_ranks_count_the_smaller_and_half_the_equal(values: list[int]) -> None:
    expected = [sum(w < v for w in values) + (sum(w == v for w in values) + 1) / 2 for v in values]
    assert calibration.ranks([float(v) for v in values]) == expected


def test_spearman_refuses_unequal_lengths() -> None:
    with pytest.raises(ValueError, match="2 values against 1"):
        calibration.spearman([1, 2], [1])


def test_spearman_within_averages_over_proofs_that_rank_at_all() -> None:
    groups = ["a"] * 3 + ["b"] * 3 + ["constant"] * 3 + ["short"] * 2
    left = [1, 2, 3, 3, 2, 1, 1, 1, 1, 1, 2]
    right = [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2]
    assert calibration.spearman_within(groups, left, right) == (0.0, 2)
    assert calibration.spearman_within(groups[:3], left[:3], right[:3]) == (1.0, 1)
    assert calibration.spearman_within([], [], []) == (None, 0)


@given(st.integers(1, 60), st.floats(0.5, 0.99))
def test_tactics_left_inverts_the_label(d: int, gamma: float) -> None:
    seen = max(gamma**d, LEAST_VALUE)
    assert calibration.tactics_left(gamma**d, gamma) == pytest.approx(math.log(seen) / math.log(gamma))


def test_distance_needs_a_discount() -> None:
    assert calibration.tactics_left(0.5, 1.0) is None
    assert calibration.tactics_left(0.0, 0.9) == calibration.tactics_left(LEAST_VALUE, 0.9)
    assert calibration.steps_error([0.0, 0.9], [3, 1], 0.9) < math.inf, "it is stored as a number"
    assert calibration.steps_error([0.5], [1], 1.0) is None
    assert calibration.steps_error([], [], 0.9) is None
    assert calibration.steps_error([0.9, 0.9**4], [2, 2], 0.9) == pytest.approx(1.5)


def test_cross_entropy_of_known_cases_and_at_the_edges() -> None:
    assert calibration.cross_entropy([], []) is None
    assert calibration.cross_entropy([0.5, 0.5], [0, 1]) == pytest.approx(math.log(2))
    wrong = calibration.cross_entropy([0.0], [1.0])
    assert wrong is not None and math.isfinite(wrong) and wrong > 20


def test_the_label_itself_has_the_least_cross_entropy() -> None:
    for label, other in itertools.product((0.0, 0.3, 0.95), (0.1, 0.5, 0.9)):
        best = calibration.cross_entropy([label], [label])
        worse = calibration.cross_entropy([other], [label])
        assert best is not None and worse is not None and best < worse
