"""Intervals and p-values by resampling, over problems. Pure; numpy is imported where it is used.

Problems are the unit of chance: attempts and seeds of one problem are never resampled apart, so several runs
of one setting do not pretend to be more theorems than there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

DRAWS = 4000
"""Bootstrap resamples behind an interval."""
FLIPS = 20_000
"""Sign flips behind a p-value that is too large to enumerate."""
ENUMERATE = 16
"""Non-zero differences up to which every sign pattern is tried."""
EXACT_RANKS = 200
"""Pairs up to which the signed-rank distribution is computed exactly."""
TOLD_FROM = 5
"""Non-zero differences from which the size of an effect can be guessed."""
TAIL = 0.025
"""Each side of a 95 % interval."""

Interval = tuple[float | None, float | None]


def bootstrap(
    rows: Sequence[Sequence[float]], statistic: Callable[[Any], Any], seed: int = 0, draws: int = DRAWS
) -> Interval:
    """95 % percentile interval of `statistic` over resampled rows (Efron 1979).

    `rows` holds one row of m numbers per problem; `statistic` maps an array of resampled column means
    [draws, m] to [draws]. Equal rows are drawn together by a multinomial, which is the same distribution and
    does not depend on the order of the rows. Draws in which the statistic is 0 / 0 are left out. An end that
    is not finite is None; so are both without rows, and where every draw gives the same: rows without
    variation say nothing about how far off they are.
    """
    import numpy as np

    if not rows:
        return None, None
    levels, counts = np.unique(np.asarray(rows, dtype=float), axis=0, return_counts=True)
    picks = np.random.default_rng(seed).multinomial(len(rows), counts / len(rows), size=draws)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = statistic(picks @ levels / len(rows))
    return varied_ends(values)


def bootstrap_mean(values: Sequence[float], seed: int = 0) -> Interval:
    """95 % percentile interval of the mean."""
    return bootstrap([(value,) for value in values], lambda means: means[:, 0], seed)


def bootstrap_share(values: Sequence[float], seed: int = 0) -> Interval:
    """95 % interval of the mean of values in [0, 1].

    Where every value is 0 (or every one 1) resampling sees no variation; the far end is then Clopper and
    Pearson's (1934), 1 - 0.025^(1/n) or its mirror.
    """
    if values and max(values) == 0:
        return 0.0, 1 - TAIL ** (1 / len(values))
    if values and min(values) == 1:
        return TAIL ** (1 / len(values)), 1.0
    return bootstrap_mean(values, seed)


def bootstrap_difference(values: Sequence[float], seed: int = 0) -> Interval:
    """95 % interval of a mean difference of shares; bounded as in `bootstrap_share` where all are 0."""
    if values and not any(values):
        far = 1 - TAIL ** (1 / len(values))
        return -far, far
    return bootstrap_mean(values, seed)


def bootstrap_quantile(values: Sequence[float], q: float, seed: int = 0) -> Interval:
    """95 % percentile interval of `quantile(values, q)`."""
    import numpy as np

    levels, counts = np.unique(np.asarray(values, dtype=float), return_counts=True)
    if len(levels) < 2:
        return None, None
    picks = np.random.default_rng(seed).multinomial(len(values), counts / len(values), size=DRAWS)
    reached = np.cumsum(picks, axis=1) >= max(1, math.ceil(q * len(values)))
    return ends_of(levels[np.argmax(reached, axis=1)])


def quantile(values: Sequence[float], q: float) -> float | None:
    """The value at rank ceil(q * n) of the sorted values; None when there is none."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(q * len(ordered))) - 1] if ordered else None


def varied_ends(values: Any) -> Interval:
    """The 95 % interval of resampled values [draws]; as `bootstrap` says, none where all are the same."""
    import numpy as np

    values = values[~np.isnan(values)]
    if not len(values) or np.allclose(values, values[0], rtol=1e-12, atol=0):
        return None, None
    return ends_of(values)


def ends_of(values: Any) -> Interval:
    """The 95 % interval of resampled values [draws]."""
    import numpy as np

    # Nearest rank, never between two values: half of an infinite ratio is no number.
    ends = np.quantile(np.sort(values), [TAIL, 1 - TAIL], method="inverted_cdf")
    low, high = (float(end) if math.isfinite(end) else None for end in ends)
    return low, high


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


def pairs_needed(differences: Sequence[float]) -> int | None:
    """Problems at which an effect of the size seen would show at p < 0.05 in four of five studies.

    ((1.960 + 0.842) * sd / mean)^2, the usual normal formula; None when the mean difference is zero, or when
    fewer than `TOLD_FROM` differences are not: too few to tell a size.
    """
    n = len(differences)
    mean = math.fsum(differences) / n if n else 0.0
    if not mean or sum(map(bool, differences)) < TOLD_FROM:
        return None
    variance = math.fsum((value - mean) ** 2 for value in differences) / (n - 1)
    return max(2, math.ceil((1.960 + 0.842) ** 2 * variance / mean**2))


def student_mean(values: Sequence[float], limits: tuple[float, float] | None = None) -> Interval:
    """95 % interval of the mean by Student's t (1908); inside `limits` where they are given.

    Values without variation say nothing about how far off they are: then (None, None), or for values at a
    limit Clopper and Pearson's far end, as in `bootstrap_share`.
    """
    n = len(values)
    if limits is not None and n and max(values) == min(values) and values[0] in limits:
        return bootstrap_share(values)
    if n < 2:
        return None, None
    mean = math.fsum(values) / n
    error = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)
    if not error:
        return None, None
    low, high = mean - student_quantile(n - 1) * error, mean + student_quantile(n - 1) * error
    return (max(low, limits[0]), min(high, limits[1])) if limits is not None else (low, high)


def student_ratio(over: Sequence[float], under: Sequence[float]) -> tuple[float | None, Interval]:
    """sum(over) / sum(under) and its 95 % interval over pairs, by the delta method on the logarithm."""
    total, count, n = math.fsum(over), math.fsum(under), len(over)
    if not count:
        return None, (None, None)
    ratio = total / count
    if not total or n < 2:
        return ratio, (None, None)
    parts = math.fsum((x / total - y / count) ** 2 for x, y in zip(over, under, strict=True))
    spread = student_quantile(n - 1) * math.sqrt(parts * n / (n - 1))
    return ratio, (ratio * math.exp(-spread), ratio * math.exp(spread)) if spread else (None, None)


def student_quantile(freedom: int) -> float:
    """The 97.5 % point of Student's t, exact for 1 and 2 degrees of freedom, else within 0.5 %.

    Abramowitz and Stegun (1964), 26.7.5: four terms of the expansion about the normal point.
    """
    if freedom <= 2:
        return (12.7062, 4.3027)[freedom - 1]
    z, v = 1.959964, freedom
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / v**power for power, term in enumerate(terms, 1))
