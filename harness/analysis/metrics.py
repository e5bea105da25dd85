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
from dataclasses import dataclass

from harness.analysis import intervals
from harness.analysis.curves import outcomes, spending_curves, steps
from harness.analysis.statistics import quantile
from harness.analysis.summary import Effort, Group, Nodes, PassAtK, Summary
from harness.audits.canaries import contradictions
from harness.errors import UserError
from harness.types import Estimate, ProblemRef, Record, SearchStats, Status


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
    searches: tuple[tuple[bool, SearchStats], ...] = ()
    """Of each scored attempt that searched: whether it proved, and its counts. Sorted."""

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
    stored = sorted(records, key=lambda record: record.key)
    every = tally(problems, stored, samples)
    tallies = [one for one in every if not one.problem.canary]
    counted = {one.problem.key for one in tallies}
    judged = [record for record in stored if (record.problem_id, record.revision) in counted]
    scored = [record for record in judged if record.verdict.status is not Status.INFRA]
    return Summary(
        problems=len(tallies),
        samples=samples,
        owed=sum(one.owed for one in tallies),
        scored=len(scored),
        unscored=sum(one.unscored for one in tallies),
        missing=sum(one.missing for one in tallies),
        proofs=sum(one.proved for one in tallies),
        solved=sum(one.proved > 0 for one in tallies),
        passes=tuple(pass_at(tallies, k) for k in ks),
        nodes=nodes(tallies, budget),
        effort=effort(scored),
        curve=curve(tallies),
        groups=groups(tallies),
        statuses=_count(record.verdict.status.value for record in judged),
        reasons=_count(record.verdict.reason for record in judged),
        levels=_count(record.verdict.level.value for record in scored),
        tiers=_count(record.verdict.tier for record in scored if record.verdict.status is Status.PROVED),
        canaries_proved=len(
            contradictions({one.problem.id for one in every if one.problem.canary and one.proved})
        ),
        curves=spending_curves(scored, {one.problem.key: one.owed for one in tallies}),
        outcomes=outcomes(problems, scored),
    )


def tally(problems: Sequence[ProblemRef], records: Iterable[Record], samples: int) -> list[Tally]:
    """Attempts per problem, in the order of `problems`. Raises UserError as `summarize` does."""
    by_problem: dict[tuple[str, str], dict[int, Record]] = {problem.key: {} for problem in problems}
    if len(by_problem) != len(problems):
        raise UserError("a problem stands twice in the set; every id must be unique")
    for record in records:
        attempts = by_problem.get((record.problem_id, record.revision))
        index = record.attempt.index
        if attempts is None:
            raise UserError(
                f"a record of {record.problem_id} at {record.revision}: not a problem of this run"
            )
        if index in attempts or not 0 <= index < samples:
            why = "is there twice" if index in attempts else f"is beyond the {samples} samples of this run"
            raise UserError(f"a record of {record.problem_id}: sample {index} {why}")
        attempts[index] = record
    return [_tally(problem, by_problem[problem.key].values(), samples) for problem in problems]


def _tally(problem: ProblemRef, records: Iterable[Record], samples: int) -> Tally:
    attempts = list(records)
    scored = [record for record in attempts if record.verdict.status is not Status.INFRA]
    searches = [
        (record.verdict.status is Status.PROVED, record.attempt.search)
        for record in scored
        if record.attempt.search is not None
    ]
    return Tally(
        problem,
        owed=samples,
        scored=len(scored),
        proved=sum(record.verdict.status is Status.PROVED for record in scored),
        unscored=len(attempts) - len(scored),
        searches=tuple(sorted(searches, key=lambda item: (item[0], item[1].expanded, item[1].created))),
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
        for found in ([stats.expanded for proved, stats in one.searches if proved] for one in tallies)
        if found
    )
    rows = [
        (float(sum(stats.expanded for _, stats in one.searches)), float(sum(p for p, _ in one.searches)))
        for one in tallies
        if one.searches
    ]
    spent, proofs = math.fsum(row[0] for row in rows), math.fsum(row[1] for row in rows)

    def estimate(value: float | None, interval: Callable[[], tuple[float | None, float | None]]) -> Estimate:
        return Estimate(None if value is None else value, *interval(), len(per_problem), unscored)

    mean = math.fsum(per_problem) / len(per_problem) if per_problem else None
    ratio = intervals.ratio([[row[0] for row in rows]], [[row[1] for row in rows]])
    return Nodes(
        mean=estimate(mean, lambda: intervals.mean(per_problem)),
        median=estimate(quantile(per_problem, 0.5), lambda: intervals.quantile(per_problem, 0.5)),
        p90=estimate(quantile(per_problem, 0.9), lambda: intervals.quantile(per_problem, 0.9)),
        total=Estimate(spent / proofs if proofs else None, *ratio, int(proofs), unscored),
        censored=_censored(tallies, budget),
    )


def censored_expansions(one: Tally, budget: int) -> float | None:
    """Mean expansions of one problem's searches, an unproved one counted as `budget`; None without any."""
    if not one.searches:
        return None
    return math.fsum(stats.expanded if proved else budget for proved, stats in one.searches) / len(
        one.searches
    )


def _censored(tallies: Sequence[Tally], budget: int | None) -> Estimate:
    unscored = sum(one.unscored + one.missing for one in tallies)
    if budget is None:
        return Estimate(None, unscored=unscored)
    values = [censored_expansions(one, budget) for one in tallies]
    known = [value for value in values if value is not None]
    complete = bool(known) and len(known) == len(values)
    return Estimate(
        math.fsum(known) / len(known) if complete else None,
        *(intervals.mean(known) if complete else (None, None)),
        len(known),
        unscored,
    )


def curve(tallies: Sequence[Tally]) -> tuple[tuple[int, float], ...]:
    """Share of problems that one attempt solves within b expansions, at every b where it rises.

    A problem counts with the share of its attempts; one that is not scored counts as failed.
    """
    spent = [(stats.expanded, 1 / one.owed) for one in tallies for proved, stats in one.searches if proved]
    return tuple((int(budget), share) for budget, share in steps(spent, len(tallies)))


def effort(scored: Sequence[Record]) -> Effort:
    """Totals over scored records."""
    searches = [record.attempt.search for record in scored if record.attempt.search is not None]
    calls, invalid = sum(s.tactics_tried for s in searches), sum(s.invalid for s in searches)
    proofs = sum(
        record.verdict.status is Status.PROVED for record in scored if record.attempt.search is not None
    )
    usages = [record.attempt.usage for record in scored]
    return Effort(
        expansions=sum(s.expanded for s in searches),
        created=sum(s.created for s in searches),
        tactic_calls=calls,
        invalid=invalid,
        duplicates=sum(s.duplicates for s in searches),
        invalid_share=invalid / calls if calls else None,
        tactic_calls_per_proof=calls / proofs if proofs else None,
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
        truncated=sum(usage.truncated for usage in usages),
        policy_s=math.fsum(s.policy_s for s in searches),
        lean_s=math.fsum(s.lean_s for s in searches),
        value_s=math.fsum(s.value_s for s in searches),
        verify_s=math.fsum(record.verdict.seconds for record in scored),
        stopped=_count(s.stopped for s in searches),
    )


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


def _count(labels: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(labels).items()))
