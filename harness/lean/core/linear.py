"""Linear arithmetic over the natural numbers: contradictions, each with a certificate.

A constraint is `Σ cᵢ·xᵢ + k ≤ 0` over variables xᵢ ≥ 0. Variables are eliminated one by one
(Fourier-Motzkin); every derived constraint remembers how it came about, so that a proof can be rebuilt from
the last one, and is tightened by the greatest common divisor of its coefficients. That makes the search
complete for rational solutions and sound, but not complete, for natural ones (no dark shadows).

Pure: no terms, no proofs here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import gcd

MAX_CONSTRAINTS = 400
"""Constraints alive at once; beyond that the search gives up."""

MAX_RETRIED = 12
"""Constraints given at most for other orders of elimination to be tried, and twice the variables."""


@dataclass(frozen=True, slots=True)
class Fact:
    """The constraint was given as number `index`."""

    index: int


@dataclass(frozen=True, slots=True)
class NonNegative:
    """`variable ≥ 0`."""

    variable: int


@dataclass(frozen=True, slots=True)
class Combine:
    """`m · first + n · second`, with m, n > 0."""

    first: Constraint
    m: int
    second: Constraint
    n: int


@dataclass(frozen=True, slots=True)
class Tighten:
    """`source` divided by `divisor`, which divides its coefficients; the constant is rounded up."""

    source: Constraint
    divisor: int


@dataclass(frozen=True, slots=True, eq=False)
class Constraint:
    """`Σ coefficient·variable + constant ≤ 0`, coefficients not 0, variables in increasing order."""

    terms: tuple[tuple[int, int], ...]
    constant: int
    origin: Fact | NonNegative | Combine | Tighten

    def coefficient(self, variable: int) -> int:
        """The coefficient of a variable, 0 where it does not occur."""
        for v, c in self.terms:
            if v == variable:
                return c
        return 0

    def contradictory(self) -> bool:
        """Whether no natural numbers satisfy it, seen from the signs alone."""
        return self.constant > 0 and all(c > 0 for _, c in self.terms)

    def trivial(self) -> bool:
        """Whether all natural numbers satisfy it, seen from the signs alone."""
        return self.constant <= 0 and all(c < 0 for _, c in self.terms)


def constraint(
    terms: Iterable[tuple[int, int]], constant: int, origin: Fact | NonNegative | Combine
) -> Constraint:
    """A constraint with its terms collected, tightened where it can be."""
    total: dict[int, int] = {}
    for variable, coefficient in terms:
        total[variable] = total.get(variable, 0) + coefficient
    kept = tuple(sorted((v, c) for v, c in total.items() if c))
    found = Constraint(kept, constant, origin)
    divisor = gcd(*(c for _, c in kept)) if kept else 1
    if divisor <= 1:
        return found
    rounded = -((-constant) // divisor)
    return Constraint(tuple((v, c // divisor) for v, c in kept), rounded, Tighten(found, divisor))


def combine(first: Constraint, m: int, second: Constraint, n: int) -> Constraint:
    """`m · first + n · second`."""
    terms = [(v, m * c) for v, c in first.terms] + [(v, n * c) for v, c in second.terms]
    return constraint(terms, m * first.constant + n * second.constant, Combine(first, m, second, n))


def refute(facts: Sequence[Constraint], tick: Callable[[], None] = lambda: None) -> Constraint | None:
    """A contradictory constraint derived from `facts` and from variables being natural, or None.

    `tick` is called once per derived constraint; it may raise to stop the search.
    """
    start = _simplest(facts)
    found = _search(start, None, tick)
    variables = sorted({v for c in start for v, _ in c.terms})
    if found is None and len(start) <= MAX_RETRIED and len(variables) <= MAX_RETRIED // 2:
        # Rounding depends on what is eliminated first: with few constraints each variable gets its turn.
        for first in variables:
            found = found or _search(start, first, tick)
    return found


def _search(live: list[Constraint], first: int | None, tick: Callable[[], None]) -> Constraint | None:
    while True:
        for c in live:
            if c.contradictory():
                return c
        variable = _next_variable(live) if first is None else first
        first = None
        if variable is None or len(live) > MAX_CONSTRAINTS:
            return None
        live = _eliminate(live, variable, tick)


def _next_variable(live: Sequence[Constraint]) -> int | None:
    """The variable whose elimination makes fewest constraints."""
    counts: dict[int, list[int]] = {}
    for c in live:
        for v, k in c.terms:
            counts.setdefault(v, [0, 1])[k < 0] += 1  # a lower bound is always there: v ≥ 0
    if not counts:
        return None
    return min(counts, key=lambda v: (counts[v][0] * counts[v][1] - sum(counts[v]), v))


def _eliminate(live: Sequence[Constraint], variable: int, tick: Callable[[], None]) -> list[Constraint]:
    above = [c for c in live if c.coefficient(variable) > 0]
    below = [c for c in live if c.coefficient(variable) < 0]
    rest = [c for c in live if c.coefficient(variable) == 0]
    below.append(Constraint(((variable, -1),), 0, NonNegative(variable)))
    for high in above:
        for low in below:
            tick()
            a, b = high.coefficient(variable), -low.coefficient(variable)
            g = gcd(a, b)
            rest.append(combine(high, b // g, low, a // g))
    return _simplest(rest)


def _simplest(constraints: Iterable[Constraint]) -> list[Constraint]:
    """Without trivial ones, and of those with the same left side only the strongest."""
    best: dict[tuple[tuple[int, int], ...], Constraint] = {}
    for c in constraints:
        if c.trivial():
            continue
        known = best.get(c.terms)
        if known is None or c.constant > known.constant:
            best[c.terms] = c
    return list(best.values())
