"""How much is solved within which spending. Pure."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from operator import itemgetter

from harness.types import Record, SearchStats

POINTS = 64
"""Steps that a stored curve keeps at most; of more, every so-manieth and the last."""

Curve = tuple[tuple[float, float], ...]


def generated_tokens(record: Record) -> float | None:
    """Tokens that the generator wrote in one attempt; None where the policy counted none."""
    return float(record.attempt.usage.completion_tokens) or None


def search_seconds(record: Record) -> float | None:
    """Seconds of policy, value model, Lean and the last check in one search; None for other attempts.

    A whole proof's record does not hold how long it took to write.
    """
    search: SearchStats | None = record.attempt.search
    if search is None:
        return None
    return all_seconds(search.policy_s, search.lean_s, search.value_s, record.verdict.seconds)


def all_seconds(policy: float, lean: float, value: float, verdict: float) -> float:
    """What a search took, its last check included."""
    return policy + lean + value + verdict


MEASURES: Mapping[str, Callable[[Record], float | None]] = {
    "tokens": generated_tokens,
    "seconds": search_seconds,
}
"""What curves are drawn over beside expansions: name to spending of one attempt."""


class Spending:
    """What proofs cost, collected one by one in any order."""

    def __init__(self) -> None:
        self._spent = {name: array("d") for name in MEASURES}

    def add(self, proof: Record) -> None:
        """Take in the record of a proof."""
        for name, spent in list(self._spent.items()):
            value = MEASURES[name](proof)
            if value is None:
                del self._spent[name]  # a curve without this proof would end below what was solved
            else:
                spent.append(value)

    def curves(self, owed: int, problems: int) -> dict[str, Curve]:
        """For each of `MEASURES` that every proof has a curve as `harness.analysis.metrics.curve` gives.

        `owed`: attempts at each of the `problems` that count.
        """
        share = 1 / owed
        return {
            name: thinned(steps(((value, share) for value in spent), problems))
            for name, spent in self._spent.items()
            if spent
        }


def steps(spent: Iterable[tuple[float, float]], problems: int) -> Curve:
    """(b, share of problems solved within b) at every b where it rises, from (spending, weight) of proofs."""
    found, so_far = [], 0.0
    for value, rises in groupby(sorted(spent), key=itemgetter(0)):
        so_far += math.fsum(weight for _, weight in rises)
        found.append((value, so_far / problems))
    return tuple(found)


def thinned(curve: Curve, points: int = POINTS) -> Curve:
    """At most `points` steps of a curve, the last one always: it never shows more solved than there is."""
    if len(curve) <= points:
        return curve
    last = len(curve) - 1
    kept = sorted({round(place * last / (points - 1)) for place in range(points)})
    return tuple((float(f"{curve[i][0]:.4g}"), curve[i][1]) for i in kept)
