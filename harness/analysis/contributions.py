"""What each of a union's two provers adds: from the records alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.types import Record, Status

SIDES = ("first", "second")


@dataclass(frozen=True, slots=True)
class Contribution:
    """One side of a union."""

    side: str
    """`first` or `second`."""
    prover: str
    """Its kind; empty when it proved nothing."""
    problems: int
    """Problems that it proved in some attempt."""
    only: int
    """Of those: problems that the other side proved in none."""
    attempts: int
    """Attempts whose proof is its own."""


def contributions(records: Iterable[Record]) -> list[Contribution]:
    """One entry for each side, from the `origin` of proved attempts of a union.

    The second is asked where the first found nothing within its share, so what it adds is what it proves.
    """
    proved: dict[str, dict[tuple[str, str], int]] = {side: {} for side in SIDES}
    kinds = dict.fromkeys(SIDES, "")
    for record in records:
        side, _, kind = record.attempt.origin.partition(": ")
        if record.verdict.status is Status.PROVED and side in proved:
            key = (record.problem_id, record.revision)
            proved[side][key] = proved[side].get(key, 0) + 1
            kinds[side] = kind
    found = []
    for side, other in (SIDES, SIDES[::-1]):
        mine, theirs = proved[side], proved[other]
        only = sum(key not in theirs for key in mine)
        found.append(Contribution(side, kinds[side], len(mine), only, sum(mine.values())))
    return found
