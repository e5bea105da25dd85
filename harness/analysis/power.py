"""What a paired comparison can show before it is made: the smallest difference, at n problems. Pure."""

from __future__ import annotations

import math
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


def detectable_effect(pairs: int, comparisons: int = 1) -> float | None:
    """The smallest mean difference that is found, in standard deviations of the paired differences."""
    return _reach(comparisons) / math.sqrt(pairs) if pairs else None
