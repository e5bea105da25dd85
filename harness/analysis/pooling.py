"""Seeds of one setting as one row: problems stay the unit of chance. Pure.

Three seeds of 240 theorems are 240 problems measured three times, not 720: what a problem came to is averaged
over the seeds first, and every interval is over problems.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from harness.analysis import intervals
from harness.analysis.curves import Curve, steps, thinned
from harness.analysis.metrics import pass_at_k
from harness.analysis.statistics import quantile
from harness.analysis.summary import Effort, Nodes, Outcomes, PassAtK, Summary
from harness.types import Estimate


def pool(summaries: Sequence[Summary], budget: int | None) -> Summary:
    """The summaries of several runs of the same problems as one; `budget` limits the expansions of each.

    Counts are sums; `solved` is the mean over the runs, rounded. A single summary is returned as it is.
    """
    first = summaries[0]
    if len(summaries) == 1:
        return first
    spent = _added([one.outcomes for one in summaries])
    ks = [item.k for item in first.passes if all(item.k in _ks(one) for one in summaries)]
    totals = ("owed", "scored", "unscored", "missing", "proofs", "canaries_proved")
    changes: dict[str, Any] = {name: sum(getattr(one, name) for one in summaries) for name in totals}
    for name in ("statuses", "reasons", "levels", "tiers"):
        changes[name] = _counted(summaries, name)
    return dataclasses.replace(
        first,
        **changes,
        solved=round(sum(one.solved for one in summaries) / len(summaries)),
        passes=tuple(_pass(summaries, k) for k in ks),
        nodes=_nodes(spent, budget, changes["unscored"] + changes["missing"]),
        effort=_effort([one.effort for one in summaries]),
        curve=tuple((int(x), y) for x, y in _mean_curve([one.curve for one in summaries])),
        curves={
            name: thinned(_mean_curve([one.curves[name] for one in summaries]))
            for name in first.curves
            if all(name in one.curves for one in summaries)
        },
        groups=(),
        outcomes=spent,
    )


def _ks(summary: Summary) -> list[int]:
    return [item.k for item in summary.passes]


def _added(parts: Sequence[Outcomes]) -> Outcomes:
    columns = [
        tuple(map(sum, zip(*(getattr(one, item.name) for one in parts), strict=True)))
        for item in dataclasses.fields(Outcomes)
    ]
    return Outcomes(*columns)


def pass_values(summary: Summary, k: int, doubt: int = 0) -> list[float]:
    """pass@k of each problem; an attempt in doubt counts as `doubt` (0 or 1)."""
    n, outcomes = summary.samples, summary.outcomes
    known: dict[int, float] = {}
    values = []
    for scored, proved in zip(outcomes.scored, outcomes.proved, strict=True):
        c = proved + doubt * (n - scored)
        if c not in known:
            known[c] = pass_at_k(n, c, k) or 0.0
        values.append(known[c])
    return values


def _pass(summaries: Sequence[Summary], k: int) -> PassAtK:
    floors, ceilings = (_averaged([pass_values(one, k, doubt) for one in summaries]) for doubt in (0, 1))
    unscored = sum(one.unscored + one.missing for one in summaries)
    floor, ceiling = math.fsum(floors) / len(floors), math.fsum(ceilings) / len(ceilings)
    undefined = sum(item.undefined for one in summaries for item in one.passes if item.k == k)
    low, high = intervals.share(floors)[0], intervals.share(ceilings)[1]
    estimate = Estimate(None if undefined else floor, low, high, len(floors), unscored)
    return PassAtK(k, estimate, floor, ceiling, undefined)


def _averaged(columns: Sequence[Sequence[float]]) -> list[float]:
    return [math.fsum(values) / len(values) for values in zip(*columns, strict=True)]


def _nodes(spent: Outcomes, budget: int | None, unscored: int) -> Nodes:
    proofs = list(zip(spent.proof_expansions, spent.proved, strict=True))
    means = [total / count for total, count in proofs if count and total]
    unknown = Estimate(None, n=len(means), unscored=unscored)

    def told(value: float | None, ends: tuple[float | None, float | None] = (None, None)) -> Estimate:
        return Estimate(value, *ends, len(means), unscored)

    if not means:
        return Nodes(unknown, unknown, unknown, unknown, unknown)
    total = sum(spent.expansions) / sum(spent.proved)
    ends = intervals.ratio([spent.expansions], [spent.proved])
    censored = unknown
    if budget is not None and all(spent.scored):
        values = [
            (done + (n - c) * budget) / n
            for done, n, c in zip(spent.proof_expansions, spent.scored, spent.proved, strict=True)
        ]
        low, high = intervals.mean(values, budget)
        censored = Estimate(math.fsum(values) / len(values), low, high, len(values), unscored)
    return Nodes(
        mean=told(math.fsum(means) / len(means), intervals.mean(means, budget)),
        median=told(quantile(means, 0.5), intervals.quantile(means, 0.5)),
        p90=told(quantile(means, 0.9), intervals.quantile(means, 0.9)),
        total=Estimate(total, *ends, sum(spent.proved), unscored),
        censored=censored,
    )


def _effort(parts: Sequence[Effort]) -> Effort:
    names = [item.name for item in dataclasses.fields(Effort)]
    summed = [n for n in names if n not in ("invalid_share", "tactic_calls_per_proof", "stopped")]
    totals = {name: sum(getattr(one, name) for one in parts) for name in summed}
    stopped: Counter[str] = Counter()
    for one in parts:
        stopped.update(one.stopped)
    calls = totals["tactic_calls"]
    return Effort(**totals, invalid_share=totals["invalid"] / calls if calls else None, stopped=dict(stopped))


def _mean_curve(curves: Sequence[Curve]) -> Curve:
    rises = [
        (step[0], (step[1] - before[1]) / len(curves))
        for curve in curves
        for before, step in pairwise([(0.0, 0.0), *curve])
    ]
    return steps(rises, 1)


def _counted(summaries: Sequence[Summary], name: str) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for one in summaries:
        total.update(getattr(one, name))
    return dict(sorted(total.items()))
