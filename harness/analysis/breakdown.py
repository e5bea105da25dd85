"""Who solves what, by category of problem. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.types import ProblemRef


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One category on both sides. No test: few problems each, and many looks at the same runs."""

    name: str
    """As the benchmark names it; empty for problems that it puts in none."""
    n: int
    """Problems with a scored attempt on both sides."""
    a: int
    """Of these, solved by A in at least one attempt."""
    b: int
    difference: int
    """Problems more that B solves: b - a."""


def by_category(
    problems: Sequence[ProblemRef],
    solved_by_a: Callable[[ProblemRef], bool],
    solved_by_b: Callable[[ProblemRef], bool],
) -> tuple[CategoryRow, ...]:
    """One row per category, by name; none when all `problems` are in one: the totals say it already."""
    sizes = Counter(one.category for one in problems)
    if len(sizes) < 2:
        return ()
    a = Counter(one.category for one in problems if solved_by_a(one))
    b = Counter(one.category for one in problems if solved_by_b(one))
    return tuple(
        CategoryRow(name, sizes[name], a[name], b[name], b[name] - a[name]) for name in sorted(sizes)
    )
