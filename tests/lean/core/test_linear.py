"""Linear arithmetic without terms: whatever is called contradictory has no natural solution."""

from __future__ import annotations

import random
from itertools import product

from harness.lean.core.linear import Combine, Constraint, Fact, NonNegative, Tighten, constraint, refute


def holds(c: Constraint, point: tuple[int, ...]) -> bool:
    return sum(k * point[v] for v, k in c.terms) + c.constant <= 0


def checked(c: Constraint, facts: list[Constraint]) -> bool:
    """Whether a derived constraint follows step by step, looked at without the code that derived it."""
    origin = c.origin
    if isinstance(origin, Fact):
        return True
    if isinstance(origin, NonNegative):
        return c.terms == ((origin.variable, -1),) and c.constant == 0
    if isinstance(origin, Tighten):
        d, source = origin.divisor, origin.source
        scaled = tuple((v, k * d) for v, k in c.terms)
        return d > 1 and scaled == source.terms and d * (c.constant - 1) < source.constant <= d * c.constant
    assert isinstance(origin, Combine) and origin.m > 0 and origin.n > 0
    total: dict[int, int] = {}
    for part, m in ((origin.first, origin.m), (origin.second, origin.n)):
        for v, k in part.terms:
            total[v] = total.get(v, 0) + m * k
    same = {v: k for v, k in total.items() if k} == dict(c.terms)
    constant = origin.m * origin.first.constant + origin.n * origin.second.constant
    return same and constant == c.constant and checked(origin.first, facts) and checked(origin.second, facts)


def test_refuted_systems_have_no_solution_and_most_unsolvable_ones_are_refuted() -> None:
    rng = random.Random(7)
    refuted = missed = 0
    for _ in range(600):
        n = rng.randint(1, 3)
        facts = [
            constraint([(v, rng.randint(-3, 3)) for v in range(n)], rng.randint(-4, 4), Fact(k))
            for k in range(rng.randint(1, 5))
        ]
        found = refute(facts)
        solvable = any(all(holds(f, p) for f in facts) for p in product(range(9), repeat=n))
        if found is not None:
            assert not solvable and found.contradictory() and checked(found, facts)
            refuted += 1
        elif not solvable:
            missed += 1
    assert refuted > 100 and missed < refuted / 20


def test_parity_needs_tightening() -> None:
    # 2x ≤ 2y + 1 and 2y + 1 ≤ 2x
    facts = [constraint([(0, 2), (1, -2)], -1, Fact(0)), constraint([(0, -2), (1, 2)], 1, Fact(1))]
    assert refute(facts) is not None


def test_a_large_system_gives_up_rather_than_hang() -> None:
    rng = random.Random(1)
    facts = [constraint([(v, rng.choice((-7, -3, 2, 5))) for v in range(14)], -1, Fact(k)) for k in range(60)]
    steps = 0

    def tick() -> None:
        nonlocal steps
        steps += 1

    assert refute(facts, tick) is None
    assert steps < 200_000
