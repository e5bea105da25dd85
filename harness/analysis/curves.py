"""What each problem came to, and how much is solved within which spending. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.analysis.summary import Outcomes
from harness.types import ProblemRef, Record, SearchStats, Status

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
    return search.policy_s + search.lean_s + search.value_s + record.verdict.seconds


MEASURES: Mapping[str, Callable[[Record], float | None]] = {
    "tokens": generated_tokens,
    "seconds": search_seconds,
}
"""What curves are drawn over beside expansions: name to spending of one attempt."""


def spending_curves(scored: Sequence[Record], owed: Mapping[tuple[str, str], int]) -> dict[str, Curve]:
    """For each of `MEASURES` a curve as `harness.analysis.metrics.curve` gives for expansions.

    `owed` holds the attempts owed to each problem that counts. A measure that not every proof has is left
    out: its curve would end below what was solved.
    """
    proofs = [record for record in scored if record.verdict.status is Status.PROVED]
    found = {}
    for name, measure in MEASURES.items():
        spent = [(measure(one), 1 / owed[one.problem_id, one.revision]) for one in proofs]
        known = [(value, share) for value, share in spent if value is not None]
        if known and len(known) == len(spent):
            found[name] = thinned(steps(known, len(owed)))
    return found


def steps(spent: Iterable[tuple[float, float]], problems: int) -> Curve:
    """(b, share of problems solved within b) at every b where it rises, from (spending, weight) of proofs."""
    rises: dict[float, list[float]] = defaultdict(list)
    for value, weight in spent:
        rises[value].append(weight)
    found, so_far = [], 0.0
    for value in sorted(rises):
        so_far += math.fsum(rises[value])
        found.append((value, so_far / problems))
    return tuple(found)


def thinned(curve: Curve, points: int = POINTS) -> Curve:
    """At most `points` steps of a curve, the last one always: it never shows more solved than there is."""
    if len(curve) <= points:
        return curve
    last = len(curve) - 1
    kept = sorted({round(place * last / (points - 1)) for place in range(points)})
    return tuple((float(f"{curve[i][0]:.4g}"), curve[i][1]) for i in kept)


def outcomes(problems: Iterable[ProblemRef], scored: Iterable[Record]) -> Outcomes:
    """Counts per problem that counts, in the order of their keys, so that runs of one set are aligned."""
    keys = sorted(problem.key for problem in problems if not problem.canary)
    place = {key: number for number, key in enumerate(keys)}
    judged, proved, spent, spent_on_proofs = ([0] * len(keys) for _ in range(4))
    for record in scored:
        at = place.get((record.problem_id, record.revision))
        if at is None:
            continue
        expanded = record.attempt.search.expanded if record.attempt.search is not None else 0
        judged[at] += 1
        spent[at] += expanded
        if record.verdict.status is Status.PROVED:
            proved[at] += 1
            spent_on_proofs[at] += expanded
    return Outcomes(tuple(judged), tuple(proved), tuple(spent), tuple(spent_on_proofs))
