"""p-values of paired differences, over problems. Pure; numpy is imported where it is used.

Problems are the unit of chance: attempts and seeds of one problem are averaged before, so several runs of one
setting do not pretend to be more theorems than there are.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

FLIPS = 20_000
"""Sign flips behind a p-value that is too large to enumerate."""
ENUMERATE = 16
"""Non-zero differences up to which every sign pattern is tried."""
EXACT_RANKS = 200
"""Pairs up to which the signed-rank distribution is computed exactly."""
TOLD_FROM = 5
"""Non-zero differences from which the size of an effect can be guessed."""


def quantile(values: Sequence[float], q: float) -> float | None:
    """The value at rank ceil(q * n) of the sorted values; None when there is none."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(q * len(ordered))) - 1] if ordered else None


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p of McNemar's test: the discordant pairs are fair coins under the null hypothesis."""
    n, few = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, i) for i in range(few + 1))
    return min(1.0, 2 * tail / (1 << n))


def holm(ps: Sequence[float]) -> list[float]:
    """p-values adjusted for how many are looked at together (Holm 1979), in the order given.

    The smallest is multiplied by their number, the next by one less, and so on; none falls below the last.
    """
    adjusted = [1.0] * len(ps)
    reached = 0.0
    for place, index in enumerate(sorted(range(len(ps)), key=lambda index: ps[index])):
        reached = max(reached, min(1.0, ps[index] * (len(ps) - place)))
        adjusted[index] = reached
    return adjusted


def sign_flip(differences: Sequence[float], seed: int = 0) -> float:
    """Two-sided p of the paired permutation test on the mean difference (Fisher 1935).

    Exact for at most `ENUMERATE` non-zero differences; else `FLIPS` seeded flips, counting the observed one.
    """
    import numpy as np

    given = np.sort(np.asarray([value for value in differences if value], dtype=float))
    if not len(given):
        return 1.0
    # A rounding margin: patterns that tie with the observed one must count as reaching it.
    observed = abs(given.sum()) - 1e-9 * np.abs(given).sum()
    if len(given) <= ENUMERATE:
        patterns = np.arange(1 << len(given))[:, None] >> np.arange(len(given)) & 1
        return float(np.mean(np.abs((1 - 2 * patterns) @ given) >= observed))
    random = np.random.default_rng(seed)
    hits, done = 0, 0
    while done < FLIPS:
        size = min(FLIPS - done, 2_000_000 // len(given) + 1)
        signs = 1 - 2 * random.integers(0, 2, (size, len(given)), dtype=np.int8)
        hits += int(np.sum(np.abs(signs @ given) >= observed))
        done += size
    return (hits + 1) / (FLIPS + 1)


def flip_tail(differences: Sequence[float]) -> float:
    """`sign_flip` by the normal distribution: under flips the sum has mean 0 and variance sum(d^2)."""
    spread = math.sqrt(math.fsum(value * value for value in differences))
    return min(1.0, 2 * _normal_tail(abs(math.fsum(differences)) / spread)) if spread else 1.0


def by_family(values: Sequence[float], families: Sequence[Hashable]) -> list[float]:
    """The sums of values of one family, in the order in which the families come."""
    sums: dict[Hashable, float] = {}
    for value, family in zip(values, families, strict=True):
        sums[family] = sums.get(family, 0.0) + value
    return list(sums.values())


def signed_ranks(differences: Sequence[float]) -> list[float]:
    """The rank of each difference by size, with its sign; 0 for 0, ties have their mean rank."""
    import numpy as np

    given = np.asarray(differences, dtype=float)
    sizes = np.abs(given[given != 0])
    if not len(sizes):
        return [0.0] * len(given)
    levels, counts = np.unique(sizes, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    place = np.searchsorted(levels, np.abs(given)).clip(max=len(levels) - 1)
    found: list[float] = np.where(given == 0, 0.0, np.sign(given) * ranks[place]).tolist()
    return found


def wilcoxon(differences: Sequence[float]) -> float | None:
    """Two-sided p of Wilcoxon's signed-rank test (1945); zeros dropped, ties given their mean rank.

    Exact, also under ties, for at most `EXACT_RANKS` non-zero differences; else the normal approximation with
    the correction of its variance for ties. None when every difference is zero.
    """
    import numpy as np

    given = np.asarray([value for value in differences if value], dtype=float)
    n = len(given)
    if n == 0:
        return None
    _, place, counts = np.unique(np.abs(given), return_inverse=True, return_counts=True)
    # Twice the mean rank, so that it is a whole number.
    doubled = (2 * np.cumsum(counts) - counts + 1)[place]
    positive = int(doubled[given > 0].sum())
    total = n * (n + 1)
    if n <= EXACT_RANKS:
        chance = np.zeros(total + 1)
        chance[0] = 1.0
        for rank in doubled:
            moved = np.zeros_like(chance)
            moved[rank:] = chance[: total + 1 - rank]
            chance = (chance + moved) / 2
        low = float(chance[: min(positive, total - positive) + 1].sum())
        return min(1.0, 2 * low)
    variance = n * (n + 1) * (2 * n + 1) / 24 - float((counts**3 - counts).sum()) / 48
    return min(1.0, 2 * _normal_tail(abs(positive - total / 2) / 2 / variance**0.5))


def _normal_tail(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))


ROUNDING = 1e-12
"""A mean difference below this is what adding up leaves of none."""


def pairs_needed(differences: Sequence[float]) -> int | None:
    """Problems at which an effect of the size seen would show at p < 0.05 in four of five studies.

    ((1.960 + 0.842) * sd / mean)^2, the usual normal formula; None when the mean difference is zero, rounding
    apart (thirds of three seeds seldom add up to 0), or when fewer than `TOLD_FROM` differences are not: too
    few to tell a size.
    """
    n = len(differences)
    mean = math.fsum(differences) / n if n else 0.0
    if abs(mean) < ROUNDING or sum(map(bool, differences)) < TOLD_FROM:
        return None
    variance = math.fsum((value - mean) ** 2 for value in differences) / (n - 1)
    return max(2, math.ceil((1.960 + 0.842) ** 2 * variance / mean**2))
