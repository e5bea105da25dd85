"""How often 95 % intervals hold the truth, for few and for many problems: `python -m tests.bench.coverage`.

Studies are drawn from populations whose truth is known, with fixed seeds: problems of graded difficulty and
two provers, sampled once or eight times, and skewed numbers of expansions. For each kind of figure the method
of `harness.analysis.intervals` stands beside a percentile bootstrap of the same studies.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.analysis import intervals
from harness.analysis.intervals import Interval
from harness.commands.common import table

SIZES = (10, 20, 50, 240)
DRAWS = 500
"""Resamples of the percentile bootstrap."""
LARGE = 400_000
"""Problems from which the truth of a population is computed."""
MOST = 64.0
"""Expansions that a search may make."""
Sides = tuple[Any, Any]
"""A figure of each problem for A and for B, arrays of one shape."""


def proved(ease: float, samples: int, k: int) -> Callable[[Any, int], Sides]:
    """pass@k of each problem, from so many samples of two provers of which B is a little better."""

    def draw(rng: Any, n: int) -> Sides:
        a = ease + 2.0 * rng.normal(size=n)
        b = a + 0.4 + 0.6 * rng.normal(size=n)
        counts = (rng.binomial(samples, 1 / (1 + np.exp(-x))) for x in (a, b))
        passed = np.array([1 - math.comb(samples - c, k) / math.comb(samples, k) for c in range(samples + 1)])
        left, right = (passed[c] for c in counts)
        return left, right

    return draw


def searched(middle: float, spread: float, chance: float) -> Callable[[Any, int], Sides]:
    """Expansions of jointly solved problems, 1 to 64: log-normal needs, and geometric luck on top or not."""

    def draw(rng: Any, n: int) -> Sides:
        need = np.exp(rng.normal(middle, spread, n))
        sides = []
        for factor in (1.0, 0.8):
            own = factor * need * np.exp(chance * rng.normal(size=n))
            sides.append(
                np.minimum(rng.geometric(1 / (1 + own)) if chance > 0.3 else np.round(1 + own), MOST)
            )
        return sides[0].astype(float), sides[1].astype(float)

    return draw


POPULATIONS: Mapping[str, Sequence[Callable[[Any, int], Sides]]] = {
    "proved": [
        proved(ease, samples, k) for ease in (-2.5, 0.0, 2.0) for samples, k in ((1, 1), (8, 1), (8, 4))
    ],
    "expansions": [searched(1.3, 0.9, 0.4), searched(-1.2, 1.6, 0.4), searched(1.8, 0.8, 0.25)],
}
"""From hard to easy; from mostly one expansion to long searches."""

Figure = tuple[str, Callable[[Any, Any], float], Callable[[Any, Any], Interval]]
FIGURES: Mapping[str, Figure] = {
    "pass@k of one side": ("proved", lambda a, b: b.mean(-1), lambda a, b: intervals.share(b)),
    "pass@k, B - A": ("proved", lambda a, b: (b - a).mean(-1), lambda a, b: intervals.difference(b - a)),
    "nodes, B / A": (
        "expansions",
        lambda a, b: b.mean(-1) / a.mean(-1),
        lambda a, b: intervals.ratio([b], [a]),
    ),
    "nodes per proof, mean": ("expansions", lambda a, b: a.mean(-1), lambda a, b: intervals.mean(a, MOST)),
    "expansions, B - A": (
        "expansions",
        lambda a, b: (b - a).mean(-1),
        lambda a, b: intervals.mean_change(b - a),
    ),
    "nodes per proof, median": (
        "expansions",
        lambda a, b: np.quantile(a, 0.5, axis=-1, method="inverted_cdf"),
        lambda a, b: intervals.quantile(a, 0.5),
    ),
}


def percentile(rng: Any, sides: Sides, statistic: Callable[[Any, Any], Any]) -> Interval:
    """The interval that most people use: 2.5 and 97.5 % of the resampled figure."""
    a, b = sides
    picks = rng.integers(0, len(a), (DRAWS, len(a)))
    low, high = np.quantile(statistic(a[picks], b[picks]), (0.025, 0.975))
    return float(low), float(high)


def covered(name: str, n: int, studies: int) -> tuple[list[float], list[float]]:
    """The shares of studies whose percentile and whose own interval hold the truth, by population."""
    of, statistic, interval = FIGURES[name]
    found: tuple[list[float], list[float]] = ([], [])
    for place, draw in enumerate(POPULATIONS[of]):
        rng = np.random.default_rng([n, place])
        truth = float(statistic(*draw(np.random.default_rng(place), LARGE)))
        hits = [0, 0]
        for _ in range(studies):
            sides = draw(rng, n)
            for at, ends in enumerate((percentile(rng, sides, statistic), interval(*sides))):
                hits[at] += holds(ends, truth)
        for method, count in zip(found, hits, strict=True):
            method.append(count / studies)
    return found


def holds(ends: Interval, truth: float) -> bool:
    """Whether the interval holds the truth; an unknown end holds everything."""
    low, high = ends
    return (low is None or low <= truth + 1e-12) and (high is None or truth - 1e-12 <= high)


def main() -> None:
    """Print two lines for each kind of figure: mean (and worst) coverage over its populations, in percent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000, help="of a population (default %(default)s)")
    parser.add_argument("--figure", choices=FIGURES, help="this one alone (default: all)")
    asked = parser.parse_args()
    rows = []
    for name in [asked.figure] if asked.figure else FIGURES:
        found = [covered(name, n, asked.studies) for n in SIZES]
        for at, method in enumerate(("percentile bootstrap", "chosen")):
            told = [f"{100 * np.mean(shares[at]):.1f} ({100 * min(shares[at]):.1f})" for shares in found]
            rows.append([name, method, *told])
    print(table(["figure", "interval", *(f"n = {n}" for n in SIZES)], rows))


if __name__ == "__main__":
    main()
