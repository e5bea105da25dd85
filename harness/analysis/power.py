"""What a paired comparison can show before it is made: the smallest difference, at n problems. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

SIGNIFICANCE = 0.05
POWER = 0.8
"""Share of studies in which a difference of the size told is found."""


def _reach(comparisons: int) -> float:
    """How many standard errors a difference must have, two-sided, at the strictest step of Holm's method."""
    normal = NormalDist()
    return normal.inv_cdf(1 - SIGNIFICANCE / (2 * max(1, comparisons))) + normal.inv_cdf(POWER)


def detectable_share(problems: int, discordant: float, comparisons: int = 1) -> float | None:
    """The smallest difference of two shares proved that is found, when `discordant` of the problems differ.

    The variance of a paired difference d of 0, 1 or -1 is `discordant` - d^2 a problem (Miettinen 1968), so
    d = z sqrt((discordant - d^2) / n). None when not even all of them on one side would show.
    """
    z = _reach(comparisons)
    found = z * math.sqrt(discordant / (problems + z * z)) if problems else math.inf
    return found if found <= discordant else None


def samples_needed(differences: Sequence[float], luck: Sequence[float], samples: int) -> int | None:
    """Samples of each problem, beyond these, at which a difference of the size seen would show.

    As `harness.analysis.statistics.pairs_needed`, at the same problems: of the differences' variance the part
    shrinks that is the luck of samples (`luck`: its estimate for each problem), that of the problems stays.
    None when no number of samples would do, or with one sample, which tells no luck.
    """
    n = len(differences)
    mean, chance = math.fsum(differences) / n, math.fsum(luck) / n
    if n < 2 or not mean or math.isnan(chance) or not chance:
        return None
    spread = math.fsum((value - mean) ** 2 for value in differences) / (n - 1)
    room = n * mean**2 / _reach(1) ** 2 - max(0.0, spread - chance)
    return max(1, math.ceil(samples * chance / room) - samples) if room > 0 else None


def detectable_effect(pairs: int, comparisons: int = 1) -> float | None:
    """The smallest mean difference that is found, in standard deviations of the paired differences."""
    return _reach(comparisons) / math.sqrt(pairs) if pairs else None
