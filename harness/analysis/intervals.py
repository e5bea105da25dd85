"""95 % intervals over problems, one method for each kind of figure. Pure; numpy is imported where it is used.

Chosen by measured coverage at 10 to 240 problems, which `python -m tests.bench.coverage` repeats (table in
`leaderboards/README.md`): percentile bootstraps of few problems are too narrow, the more so the more skewed.

Problems are the unit of chance. Where a benchmark names families of problems, the families are: values of one
family are summed before their spread is taken (Liang and Zeger 1986), so a family counts once however large.
The order of values is nothing. Values without variation say nothing about how far off they are: (None, None).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

TAIL = 0.025
"""Each side of a 95 % interval."""
LEAST_SPREAD = 0.25
"""Differences of pass@k are never all taken to be smaller: a rare large one may be unseen."""
LEAST_FREEDOM = 3.0

Interval = tuple[float | None, float | None]
Families = Sequence[Hashable] | None
"""The family of each value; None: each is one of its own."""
NOTHING: Interval = (None, None)


def share(values: Sequence[float], families: Families = None) -> Interval:
    """Of the mean of values in [0, 1], such as pass@k: Student's t, one value 0 and one 1 joined to them.

    The pseudo-observations are Agresti and Coull's (1998), one of each as in Bonett and Price (2012). Where
    every value is 0 (or every one 1) the far end is Clopper and Pearson's (1934), 1 - 0.025^(1/n).
    """
    import numpy as np

    if not len(values):
        return NOTHING
    totals, sizes = _units(values, families)
    if max(values) == min(values):
        far = TAIL ** (1 / len(totals))
        return (0.0, 1 - far) if values[0] == 0 else (far, 1.0) if values[0] == 1 else NOTHING
    size = sizes.mean()
    totals, sizes = np.append(totals, [0.0, size]), np.append(sizes, [size, size])
    low, high = _student(totals, sizes, len(totals) - 1)
    return max(0.0, low), min(1.0, high)


def difference(values: Sequence[float], families: Families = None) -> Interval:
    """Of the mean difference of two shares: Student's t, one difference s and one -s joined to them.

    s is the largest difference there is, at least `LEAST_SPREAD`; for differences of 0, 1 and -1 it is 1 and
    the interval Bonett and Price's (2012) for paired proportions, with t for z. Where every difference is 0
    the ends are -far and far as in `share`.
    """
    import numpy as np

    if not len(values):
        return NOTHING
    totals, sizes = _units(values, families)
    largest = max(map(abs, values))
    if not largest:
        far = 1 - TAIL ** (1 / len(totals))
        return -far, far
    size, far = sizes.mean(), max(LEAST_SPREAD, largest)
    totals, sizes = np.append(totals, [far * size, -far * size]), np.append(sizes, [size, size])
    low, high = _student(totals, sizes, len(totals) - 1)
    return max(-1.0, low), min(1.0, high)


def mean_change(values: Sequence[float], families: Families = None) -> Interval:
    """Of a mean difference without bounds, such as that of expansions: Student's t, heavy tails counted."""
    totals, sizes = _units(values, families)
    if len(totals) < 2:
        return NOTHING
    rest = totals - totals.sum() / sizes.sum() * sizes
    if not _varies(rest, totals):
        return NOTHING
    n = len(totals)
    return _student(totals, sizes, _freedom(rest), n / (n - 1))


def mean(values: Sequence[float], most: float | None = None, families: Families = None) -> Interval:
    """Of the mean of positive values, none of which can be above `most`, such as expansions per proof.

    From below as `ratio`, from above as `share` of `most`: where nearly all proofs are short, a few problems
    may hold none of the long ones, and only the budget says how long these can be. None: as `ratio`.
    """
    low, high = ratio([values], [[1.0] * len(values)], families)
    if most is None or high is None:
        return low, high
    most = max(most, *values)
    _, part = share([value / most for value in values], families)
    return low, None if part is None else most * part


def ratio(
    over: Sequence[Sequence[float]], under: Sequence[Sequence[float]], families: Families = None
) -> Interval:
    """Of a ratio of sums: each column of `over` is summed, and divided by the sum of each one of `under`.

    Student's t on the logarithm, with the jackknife's standard error (Tukey 1958; Miller 1974). (None, None)
    where a sum rests on a single problem, so that it is 0 without it.
    """
    import numpy as np

    if not len(over[0]):
        return NOTHING
    columns = [_units(values, families)[0] for values in (*over, *under)]
    n, signs = len(columns[0]), [1] * len(over) + [-1] * len(under)
    totals = [math.fsum(column) for column in columns]
    without = [total - column for total, column in zip(totals, columns, strict=True)]
    if n < 2 or any(rest.min() <= 1e-12 * total for rest, total in zip(without, totals, strict=True)):
        return NOTHING
    whole = sum(sign * math.log(total) for sign, total in zip(signs, totals, strict=True))
    logs = sum(sign * np.log(rest) for sign, rest in zip(signs, without, strict=True))
    spread = logs - math.fsum(logs) / n
    if not _varies(spread, np.ones(1)):
        return NOTHING
    error = math.sqrt((n - 1) / n * math.fsum(spread**2))
    reach = student_quantile(_freedom(spread)) * error
    return math.exp(whole - reach), math.exp(whole + reach)


def quantile(values: Sequence[float], q: float) -> Interval:
    """Of the q-quantile: two of the values, by the binomial distribution of how many lie below (exact).

    An end that so few values do not bound is None. Families are not told apart.
    """
    ordered, n = sorted(values), len(values)
    if not n or ordered[0] == ordered[-1]:
        return NOTHING
    below = [math.comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(n + 1)]
    low = high = None
    tail = 0.0
    for k in range(n):
        tail += below[k]
        if tail > TAIL:
            break
        low = ordered[k]
    tail = 0.0
    for k in range(n, 0, -1):
        tail += below[k]
        if tail > TAIL:
            break
        high = ordered[k - 1]
    return low, high


def student_quantile(freedom: float) -> float:
    """The 97.5 % point of Student's t: exact for 1 and 2 degrees of freedom, from 3 on within 0.5 %.

    Abramowitz and Stegun (1964), 26.7.5: four terms of the expansion about the normal point.
    """
    if freedom <= 2:
        return (12.7062, 4.3027)[round(freedom) - 1]
    z, v = 1.959964, freedom
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / v**power for power, term in enumerate(terms, 1))


def _units(values: Sequence[float], families: Families) -> tuple[Any, Any]:
    """Total and size of each unit of chance, in an order that does not depend on that of the values."""
    import numpy as np

    given = np.asarray(values, dtype=float)
    if families is None:
        return given, np.ones(len(given))
    _, place = np.unique([repr(family) for family in families], return_inverse=True)
    return np.bincount(place, given), np.bincount(place).astype(float)


def _student(totals: Any, sizes: Any, freedom: float, widened: float = 1.0) -> tuple[float, float]:
    """The ends for sum(totals) / sum(sizes); `widened` corrects the variance for few units."""
    n = math.fsum(sizes)
    middle = math.fsum(totals) / n
    error = math.sqrt(widened * math.fsum((totals - middle * sizes) ** 2)) / n
    reach = student_quantile(freedom) * error
    return middle - reach, middle + reach


def _freedom(rest: Any) -> float:
    """Degrees of freedom of a variance estimated from these residuals, whose mean is 0.

    2 / (its squared coefficient of variation) = 2 n / (kurtosis - 1 + 2 / (n - 1)), after Satterthwaite
    (1946), minus 1; between `LEAST_FREEDOM` and n - 1. A few large residuals make the variance uncertain.
    """
    n = len(rest)
    second, fourth = math.fsum(rest**2) / n, math.fsum(rest**4) / n
    found = 2 * n / (fourth / second**2 - 1 + 2 / (n - 1)) - 1
    return min(float(n - 1), max(LEAST_FREEDOM, found))


def _varies(rest: Any, against: Any) -> bool:
    """Whether residuals are more than rounding errors of values as large as `against`."""
    return bool(abs(rest).max() > 1e-12 * abs(against).max())
