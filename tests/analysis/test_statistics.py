"""p-values against textbook values, enumeration and scipy."""

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.analysis.statistics import (
    ENUMERATE,
    EXACT_RANKS,
    holm,
    mcnemar,
    pairs_needed,
    quantile,
    sign_flip,
    wilcoxon,
)


def test_mcnemar_textbook_and_scipy() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(2, 8) == pytest.approx(0.109375)
    assert mcnemar(0, 5) == pytest.approx(0.0625)
    for b, c in [(1, 9), (12, 30), (3, 3), (500, 620)]:
        assert mcnemar(b, c) == pytest.approx(stats.binomtest(b, b + c).pvalue)
        assert mcnemar(b, c) == mcnemar(c, b)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-4, 4), max_size=9))
def test_sign_flips_against_enumeration(differences: list[int]) -> None:
    patterns = list(itertools.product((1, -1), repeat=len(differences)))
    sums = [abs(sum(sign * d for sign, d in zip(p, differences, strict=True))) for p in patterns]
    expected = sum(total >= abs(sum(differences)) for total in sums) / len(patterns)
    assert sign_flip([d / 3 for d in differences]) == pytest.approx(expected)


def test_many_sign_flips_agree_with_the_normal_limit_and_repeat() -> None:
    rng = random.Random(1)
    differences = [rng.gauss(0.1, 1) for _ in range(ENUMERATE * 20)]
    z = abs(sum(differences)) / math.sqrt(sum(d * d for d in differences))
    p = sign_flip(differences)
    assert p == pytest.approx(2 * stats.norm.sf(z), abs=0.015)
    assert p == sign_flip(list(reversed(differences))), "the order of problems is nothing"


@pytest.mark.parametrize("n", [1, 5, 12, 30, 50])
def test_wilcoxon_exact_without_ties_is_scipys(n: int) -> None:
    rng = random.Random(n)
    given_differences = [rng.gauss(0.3, 1) for _ in range(n)]
    expected = stats.wilcoxon(given_differences, method="exact").pvalue
    assert wilcoxon(given_differences) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-3, 3).filter(bool), min_size=1, max_size=9))
def test_wilcoxon_with_ties_against_enumeration(differences: list[int]) -> None:
    ranks = stats.rankdata([abs(d) for d in differences])
    half = ranks.sum() / 2
    seen = abs(sum(r for r, d in zip(ranks, differences, strict=True) if d > 0) - half)
    hits = [
        abs(sum(r for r, up in zip(ranks, signs, strict=True) if up) - half) >= seen - 1e-9
        for signs in itertools.product((0, 1), repeat=len(ranks))
    ]
    assert wilcoxon(differences) == pytest.approx(sum(hits) / len(hits))


def test_wilcoxon_large_with_ties_is_scipys_and_zeros_are_dropped() -> None:
    rng = random.Random(2)
    differences = [rng.choice([-3, -2, -1, 1, 2, 3, 4]) for _ in range(EXACT_RANKS + 100)]
    expected = stats.wilcoxon(differences, method="asymptotic", correction=False).pvalue
    assert wilcoxon([*differences, 0, 0]) == pytest.approx(expected)
    assert wilcoxon([0.0, 0.0]) is None


def test_exact_and_approximate_wilcoxon_meet() -> None:
    rng = random.Random(4)
    differences = [rng.gauss(0.15, 1) for _ in range(EXACT_RANKS)]
    assert wilcoxon(differences) == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)
    assert wilcoxon(differences) == pytest.approx(
        stats.wilcoxon(differences, method="asymptotic").pvalue, rel=0.1
    )


def test_quantiles_are_values_that_occur() -> None:
    assert quantile([], 0.5) is None
    assert quantile([4, 1, 3, 2], 0.5) == 2 and quantile(range(1, 11), 0.9) == 9


def test_pairs_needed_reaches_the_promised_power() -> None:
    """Draw studies of the size that the formula names: about four in five come out significant."""
    rng = random.Random(6)
    pilot = [rng.gauss(0.3, 1) for _ in range(4000)]
    needed = pairs_needed(pilot)
    assert needed is not None
    hits = 0
    for _ in range(400):
        study = [rng.gauss(0.3, 1) for _ in range(needed)]
        hits += stats.ttest_1samp(study, 0).pvalue < 0.05
    assert 0.73 <= hits / 400 <= 0.87
    assert pairs_needed([1.0, -1.0]) is None and pairs_needed([]) is None
    thirds = [1 / 3, 1 / 3, 1 / 3, -1.0] * 5 + [0.1, 0.2, -0.3]
    assert math.fsum(thirds) != 0.0 and pairs_needed(thirds) is None, "no difference but for rounding"


def test_holm_against_its_definition() -> None:
    """Adjusted p-values at most 5 % are exactly the hypotheses that Holm's step-down rejects at 5 %."""
    rng = random.Random(7)
    for _ in range(300):
        ps = [rng.random() ** 3 for _ in range(rng.randint(1, 6))]
        rejected: set[int] = set()
        for place, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
            if ps[index] > 0.05 / (len(ps) - place):
                break
            rejected.add(index)
        assert {index for index, p in enumerate(holm(ps)) if p <= 0.05} == rejected
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
