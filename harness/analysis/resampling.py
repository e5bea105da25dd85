"""Intervals of one run's figures by shared resamples: which problems are drawn does not depend on values.

A run has several figures over the same number of problems, and a board a thousand such runs. The draws of
`harness.analysis.statistics.bootstrap` are made anew for each; these are made once for each number of
problems and turned into any figure by one product. Pure; numpy is imported where it is used.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from harness.analysis.statistics import (
    DRAWS,
    Interval,
    bootstrap,
    bootstrap_mean,
    bootstrap_quantile,
    ends_of,
    varied_ends,
)

MOST = 1000
"""Problems up to which draws are kept: a megabyte for each 250."""


@functools.lru_cache(maxsize=16)
def _drawn(n: int) -> Any:
    """How often each of n problems is in each resample: small whole numbers [DRAWS, n]."""
    import numpy as np

    places = np.random.default_rng(0).integers(0, n, (DRAWS, n), dtype=np.int32)
    places += np.arange(DRAWS, dtype=np.int32)[:, None] * n
    return np.bincount(places.ravel(), minlength=DRAWS * n).astype(np.uint8).reshape(DRAWS, n)


def resampled(rows: Sequence[tuple[float, ...]], statistic: Callable[[Any], Any]) -> Interval:
    """As `bootstrap`: `statistic` maps resampled column means [DRAWS, m] to [DRAWS]."""
    import numpy as np

    if not rows or len(rows) > MOST:
        return bootstrap(rows, statistic)
    drawn, columns = _drawn(len(rows)), np.asarray(sorted(rows), dtype=float).T.copy()
    # Not `@`: for whole numbers it takes twenty times as long, and for others its threads spin.
    sums = np.stack([np.einsum("dn,n->d", drawn, column) for column in columns], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = statistic(sums / len(rows))
    return varied_ends(values)


def resampled_mean(values: Sequence[float]) -> Interval:
    """95 % percentile interval of the mean."""
    if len(values) > MOST:
        return bootstrap_mean(values)
    return resampled([(value,) for value in values], lambda means: means[:, 0])


def resampled_quantile(values: Sequence[float], q: float) -> Interval:
    """95 % percentile interval of `harness.analysis.statistics.quantile(values, q)`."""
    import numpy as np

    if len(values) > MOST or len(set(values)) < 2:
        return bootstrap_quantile(values, q)
    reached = np.cumsum(_drawn(len(values)), axis=1, dtype=np.int32) >= max(1, math.ceil(q * len(values)))
    return ends_of(np.sort(np.asarray(values, dtype=float))[np.argmax(reached, axis=1)])
