"""What both sides solve within the same spending: expansions, tokens or seconds of one attempt. Pure.

From stored attempts: a proof counts from the budget on that it took. Failures that had ended before a budget
was up might have been proofs with it, so each row says how many of them there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.analysis import intervals
from harness.analysis.figures import Sides
from harness.analysis.scored import MEASURES
from harness.analysis.sides import Key, Side, seconds_apart
from harness.types import Estimate

ROWS = 4
"""Budgets of each measure: the smallest power of 2 that holds every proof, and its halves."""


@dataclass(frozen=True, slots=True)
class EqualBudget:
    """Both sides within one budget of an attempt."""

    measure: str
    budget: float
    a: float
    """Share of the problems that one attempt solves within it, mean over the attempts."""
    b: float
    difference: Estimate
    """b - a; 95 % interval, not adjusted for how many budgets are looked at."""
    sooner_a: float
    """Share of attempts that failed before the budget was up: `a` could be higher by as much."""
    sooner_b: float


def equal_budgets(sides: Sides) -> tuple[EqualBudget, ...]:
    """The rows of each measure that every attempt of both sides has, of seconds where they may be."""
    found: list[EqualBudget] = []
    for measure, name in enumerate(MEASURES):
        if name == "seconds" and seconds_apart(sides.a, sides.b):
            continue
        columns = [_columns(side, sides.keys, measure) for side in (sides.a, sides.b)]
        left, right = columns
        if left is None or right is None:
            continue
        longest = max(float((spent * proved).max(initial=0)) for spent, proved, _ in (left, right))
        if longest > 0:
            top = 2.0 ** math.ceil(math.log2(longest) - 1e-9)
            found += [_row(sides, name, top / 2**step, left, right) for step in reversed(range(ROWS))]
    return tuple(found)


def _columns(side: Side, keys: Sequence[Key], measure: int) -> tuple[Any, Any, Any] | None:
    """Spending, proved or not, and place of the problem, of every attempt; None where one does not say."""
    import numpy as np

    spent, proved, place = [], [], []
    for number, key in enumerate(keys):
        for one in side.tries[key]:
            if one.spent[measure] is None:
                return None
            spent.append(one.spent[measure])
            proved.append(one.proved)
            place.append(number)
    return np.array(spent, dtype=float), np.array(proved, dtype=bool), np.array(place, dtype=int)


def _row(
    sides: Sides, name: str, budget: float, left: tuple[Any, Any, Any], right: tuple[Any, Any, Any]
) -> EqualBudget:
    import numpy as np

    shares, sooner = [], []
    for spent, proved, place in (left, right):
        within = np.bincount(place, proved & (spent <= budget), len(sides.keys))
        shares.append(within / np.bincount(place, minlength=len(sides.keys)))
        sooner.append(float((~proved & (spent < budget)).mean()))
    differences = (shares[1] - shares[0]).tolist()
    ends = intervals.difference(differences, sides.of(sides.keys))
    value = math.fsum(differences) / len(differences)
    a, b = (float(share.mean()) for share in shares)
    return EqualBudget(name, budget, a, b, Estimate(value, *ends, len(differences)), *sooner)
