"""Unions in a comparison: what each of their two provers proves that the other side does not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.contributions import Contributions
from harness.analysis.figures import Sides
from harness.analysis.sides import Side
from harness.analysis.summary import Contribution


@dataclass(frozen=True, slots=True)
class UnionPart:
    """One prover of a union on the problems of a comparison, all its runs together."""

    of: str
    """`A` or `B`."""
    adds: Contribution
    beyond: int
    """Problems that it proved and the other side of the comparison did not, in any attempt."""


def union_parts(sides: Sides) -> tuple[UnionPart, ...]:
    """Both provers of each side that is a union."""
    return (*_parts("A", sides.a, sides.b, sides), *_parts("B", sides.b, sides.a, sides))


def _parts(name: str, side: Side, other: Side, sides: Sides) -> list[UnionPart]:
    if not any(run.get("evaluation.prover") == "union" for run in side.runs):
        return []
    keys = set(sides.keys)
    records = (record for run in side.runs for record in run.records)
    found = Contributions(one for one in records if (one.problem_id, one.revision) in keys)
    return [
        UnionPart(name, one, sum(not other.solved(key) for key in found.proved(one.side)))
        for one in found.each()
    ]
