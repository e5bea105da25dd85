"""Every figure of one run, from its problems and records alone. Pure; no model, no network, no files.

What is not known stays unknown. An attempt that the machine failed (INFRA) or that is not there yet is
neither a success nor a failure. The denominator is always the problems owed. pass@k of a problem with fewer
than k scored attempts is undefined; as soon as one problem is undefined the figure's `value` is None, and
`floor` and `ceiling` say what it would be if every attempt in doubt failed or succeeded.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from harness.analysis import intervals
from harness.analysis.contributions import Contributions
from harness.analysis.curves import Spending, steps
from harness.analysis.effort import EffortSum
from harness.analysis.statistics import quantile
from harness.analysis.summary import Group, Nodes, Outcomes, PassAtK, Summary
from harness.audits.canaries import contradictions
from harness.errors import UserError
from harness.types import Estimate, ProblemRef, Record, Status


@dataclass(frozen=True, slots=True)
class Tally:
    """The attempts at one problem."""

    problem: ProblemRef
    owed: int
    """Attempts that the run makes at it."""
    scored: int
    """Attempts judged: n of pass@k."""
    proved: int
    """Attempts proved: c of pass@k."""
    unscored: int
    """Attempts that the machine failed."""
    searches: tuple[tuple[bool, int], ...] = ()
    """Of each scored attempt that searched: whether it proved, and its expansions. Sorted."""

    @property
    def missing(self) -> int:
        """Attempts not made yet."""
        return self.owed - self.scored - self.unscored


def summarize(
    problems: Sequence[ProblemRef],
    records: Iterable[Record],
    samples: int,
    ks: Sequence[int],
    budget: int | None = None,
) -> Summary:
    """Every figure of a run of `samples` attempts at each of `problems`; the order of `records` is nothing.

    `budget` is the limit of expansions, for the censored mean; None leaves that out. Raises UserError when a
    record is of none of the problems, repeated, or beyond `samples`.
    """
    attempts, effort, spending = _Attempts(problems, samples), EffortSum(), Spending()
    union = Contributions()
    statuses, reasons, levels, tiers = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for record in records:  # one by one: a run of a million does not fit into memory
        if attempts.add(record).canary:
            continue
        verdict = record.verdict
        statuses[verdict.status.value] += 1
        reasons[verdict.reason] += 1
        if verdict.status is Status.INFRA:
            continue
        levels[verdict.level.value] += 1
        effort.add(record)
        if verdict.status is Status.PROVED:
            tiers[verdict.tier] += 1
            spending.add(record)
            union.add(record)
    every = attempts.tallies()
    tallies = [one for one in every if not one.problem.canary]
    return Summary(
        problems=len(tallies),
        samples=samples,
        owed=sum(one.owed for one in tallies),
        scored=sum(one.scored for one in tallies),
        unscored=sum(one.unscored for one in tallies),
        missing=sum(one.missing for one in tallies),
        proofs=sum(one.proved for one in tallies),
        solved=sum(one.proved > 0 for one in tallies),
        passes=tuple(pass_at(tallies, k) for k in ks),
        nodes=nodes(tallies, budget),
        effort=effort.total(),
        curve=curve(tallies),
        groups=groups(tallies),
        statuses=dict(sorted(statuses.items())),
        reasons=dict(sorted(reasons.items())),
        levels=dict(sorted(levels.items())),
        tiers=dict(sorted(tiers.items())),
        canaries_proved=len(
            contradictions({one.problem.id for one in every if one.problem.canary and one.proved})
        ),
        curves=spending.curves(samples, len(tallies)),
        outcomes=outcomes(tallies),
        union=union.each() if union.any else (),
    )


def tally(problems: Sequence[ProblemRef], records: Iterable[Record], samples: int) -> list[Tally]:
    """Attempts per problem, in the order of `problems`. Raises UserError as `summarize` does."""
    attempts = _Attempts(problems, samples)
    for record in records:
        attempts.add(record)
    return attempts.tallies()


@dataclass(slots=True)
class _AtOne:
    """What is known so far of the attempts at one problem."""

    problem: ProblemRef
    seen: int = 0
    """Bit i is set once sample i is there."""
    statuses: Counter[Status] = field(default_factory=Counter)
    searches: list[tuple[bool, int]] = field(default_factory=list)


class _Attempts:
    """Counts attempts per problem as records come in, in any order."""

    def __init__(self, problems: Sequence[ProblemRef], samples: int) -> None:
        self._samples = samples
        self._at = {problem.key: _AtOne(problem) for problem in problems}
        self._searches: dict[tuple[bool, int], tuple[bool, int]] = {}
        """Of the few different ones there are, one each."""
        if len(self._at) != len(problems):
            raise UserError("a problem stands twice in the set; every id must be unique")

    def add(self, record: Record) -> ProblemRef:
        """Count a record; its problem."""
        one, index = self._at.get((record.problem_id, record.revision)), record.attempt.index
        if one is None:
            raise UserError(
                f"a record of {record.problem_id} at {record.revision}: not a problem of this run"
            )
        if not 0 <= index < self._samples:
            raise UserError(
                f"a record of {record.problem_id}: sample {index} is beyond the {self._samples} samples of "
                "this run"
            )
        if one.seen >> index & 1:
            raise UserError(f"a record of {record.problem_id}: sample {index} is there twice")
        one.seen |= 1 << index
        status, search = record.verdict.status, record.attempt.search
        one.statuses[status] += 1
        if status is not Status.INFRA and search is not None:
            counts = (status is Status.PROVED, search.expanded)
            one.searches.append(self._searches.setdefault(counts, counts))
        return one.problem

    def tallies(self) -> list[Tally]:
        """What was counted, in the order of the problems."""
        return [
            Tally(
                one.problem,
                owed=self._samples,
                scored=one.statuses.total() - one.statuses[Status.INFRA],
                proved=one.statuses[Status.PROVED],
                unscored=one.statuses[Status.INFRA],
                searches=tuple(sorted(one.searches)),
            )
            for one in self._at.values()
        ]


def outcomes(tallies: Sequence[Tally]) -> Outcomes:
    """Counts per problem, in the order of their keys, so that runs of one set are aligned."""
    ordered = sorted(tallies, key=lambda one: one.problem.key)
    return Outcomes(
        scored=tuple(one.scored for one in ordered),
        proved=tuple(one.proved for one in ordered),
        expansions=tuple(sum(expanded for _, expanded in one.searches) for one in ordered),
        proof_expansions=tuple(sum(spent for proved, spent in one.searches if proved) for one in ordered),
    )


def pass_at_k(n: int, c: int, k: int) -> float | None:
    """Unbiased pass@k of one problem, 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, eq. 1); None when n < k."""
    return None if n < k else 1 - math.comb(n - c, k) / math.comb(n, k)


def pass_at(tallies: Sequence[Tally], k: int) -> PassAtK:
    """pass@k over all problems of `tallies`, with an interval over problems that also spans the doubt."""
    known = [pass_at_k(one.scored, one.proved, k) for one in tallies]
    low, high = [_bound(one, k, 0) for one in tallies], [_bound(one, k, 1) for one in tallies]
    undefined, n = known.count(None), len(tallies)
    if not n:
        return PassAtK(k, Estimate(None), 0.0, 1.0)
    floor, ceiling = math.fsum(low) / n, math.fsum(high) / n
    estimate = Estimate(
        value=None if undefined else math.fsum(value or 0.0 for value in known) / n,
        low=intervals.share(low)[0],
        high=intervals.share(high)[1],
        n=n,
        unscored=sum(one.unscored + one.missing for one in tallies),
    )
    return PassAtK(k, estimate, floor, ceiling, undefined)


def _bound(one: Tally, k: int, doubt: int) -> float:
    """pass@k of a problem when all its attempts in doubt count as `doubt` (0 or 1)."""
    in_doubt = one.owed - one.scored
    value = pass_at_k(one.owed, one.proved + doubt * in_doubt, k)
    if value is None:
        raise UserError(f"pass@{k} of {one.owed} samples is undefined; give k at most samples")
    return value


def nodes(tallies: Sequence[Tally], budget: int | None) -> Nodes:
    """Expansions per proof of the attempts that searched."""
    unscored = sum(one.unscored + one.missing for one in tallies)
    per_problem = sorted(
        math.fsum(found) / len(found)
        for found in ([expanded for proved, expanded in one.searches if proved] for one in tallies)
        if found
    )
    rows = [
        (float(sum(expanded for _, expanded in one.searches)), float(sum(p for p, _ in one.searches)))
        for one in tallies
        if one.searches
    ]
    spent, proofs = math.fsum(row[0] for row in rows), math.fsum(row[1] for row in rows)

    def estimate(value: float | None, interval: Callable[[], tuple[float | None, float | None]]) -> Estimate:
        return Estimate(None if value is None else value, *interval(), len(per_problem), unscored)

    mean = math.fsum(per_problem) / len(per_problem) if per_problem else None
    ratio = intervals.ratio([[row[0] for row in rows]], [[row[1] for row in rows]])
    return Nodes(
        mean=estimate(mean, lambda: intervals.mean(per_problem, budget)),
        median=estimate(quantile(per_problem, 0.5), lambda: intervals.quantile(per_problem, 0.5)),
        p90=estimate(quantile(per_problem, 0.9), lambda: intervals.quantile(per_problem, 0.9)),
        total=Estimate(spent / proofs if proofs else None, *ratio, int(proofs), unscored),
        censored=_censored(tallies, budget),
    )


def censored_expansions(one: Tally, budget: int) -> float | None:
    """Mean expansions of one problem's searches, an unproved one counted as `budget`; None without any."""
    if not one.searches:
        return None
    return math.fsum(expanded if proved else budget for proved, expanded in one.searches) / len(one.searches)


def _censored(tallies: Sequence[Tally], budget: int | None) -> Estimate:
    unscored = sum(one.unscored + one.missing for one in tallies)
    if budget is None:
        return Estimate(None, unscored=unscored)
    values = [censored_expansions(one, budget) for one in tallies]
    known = [value for value in values if value is not None]
    complete = bool(known) and len(known) == len(values)
    return Estimate(
        math.fsum(known) / len(known) if complete else None,
        *(intervals.mean(known, budget) if complete else (None, None)),
        len(known),
        unscored,
    )


def curve(tallies: Sequence[Tally]) -> tuple[tuple[int, float], ...]:
    """Share of problems that one attempt solves within b expansions, at every b where it rises.

    A problem counts with the share of its attempts; one that is not scored counts as failed.
    """
    spent = ((expanded, 1 / one.owed) for one in tallies for proved, expanded in one.searches if proved)
    return tuple((int(budget), share) for budget, share in steps(spent, len(tallies)))


def groups(tallies: Sequence[Tally]) -> tuple[Group, ...]:
    """pass@1 by category and by difficulty, where problems state them."""
    found: list[Group] = []
    for by in ("category", "difficulty"):
        parts: dict[str | int, list[Tally]] = defaultdict(list)
        for one in tallies:
            label = getattr(one.problem, by)
            if label not in ("", None):
                parts[label].append(one)
        for label in sorted(parts):
            part = parts[label]
            found.append(Group(by, str(label), sum(one.proved > 0 for one in part), pass_at(part, 1)))
    return tuple(found)
