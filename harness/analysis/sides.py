"""One side of a comparison: what its attempts at the common problems came to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field

from harness.analysis.curves import generated_tokens, search_seconds
from harness.analysis.metrics import pass_at_k, tally
from harness.analysis.runs import Budget, RunView, budget
from harness.types import ProblemRef, Record, Status

Key = tuple[str, str]
MEASURES = ("expansions", "tokens", "seconds")
"""What an attempt spends: nodes expanded, tokens that the generator wrote, seconds of policy, value model and
Lean with the last check. A whole proof's record holds tokens alone."""


@dataclass(frozen=True, slots=True)
class Try:
    """One scored attempt."""

    at: tuple[int, int]
    """Number of its run on this side, and of the sample."""
    proved: bool
    spent: tuple[float | None, ...]
    """One of each of `MEASURES`; None where the record does not say."""

    @classmethod
    def of(cls, run: int, record: Record) -> Try:
        """From its record."""
        search = record.attempt.search
        expanded = None if search is None else float(search.expanded)
        spent = (expanded, generated_tokens(record), search_seconds(record))
        return cls((run, record.attempt.index), record.verdict.status is Status.PROVED, spent)


@dataclass(frozen=True, slots=True)
class Side:
    """The runs of one side, by seed, and their attempts at the common problems."""

    runs: tuple[RunView, ...]
    budget: Budget
    tries: dict[Key, list[Try]]
    passed: dict[Key, dict[int, list[float]]] = field(default_factory=dict)
    """By problem and k: the estimate of each run where it is defined."""

    @property
    def attempts(self) -> int:
        """Attempts owed to each problem, of all runs together."""
        return len(self.runs) * self.budget.samples

    def solved(self, key: Key) -> bool:
        """Whether any attempt proved it."""
        return any(one.proved for one in self.tries[key])

    def proved(self, key: Key) -> int:
        """Attempts that proved it."""
        return sum(one.proved for one in self.tries[key])

    def total(self, key: Key, measure: int) -> float | None:
        """What all attempts at a problem spent; None where one of them does not say."""
        found = 0.0
        for one in self.tries[key]:
            spent = one.spent[measure]
            if spent is None:
                return None
            found += spent
        return found

    def proofs(self, key: Key, measure: int) -> dict[tuple[int, int], float]:
        """What each proof of a problem took."""
        return {
            one.at: spent
            for one in self.tries[key]
            if one.proved and (spent := one.spent[measure]) is not None
        }

    def censored(self, key: Key) -> float | None:
        """Mean expansions of its searches, an unproved one counted as the whole budget; None without any."""
        most = self.budget.expansions
        if most is None:
            return None
        counts = [
            spent if one.proved else float(most)
            for one in self.tries[key]
            if (spent := one.spent[0]) is not None
        ]
        return sum(counts) / len(counts) if counts else None


def side(runs: Sequence[RunView], common: Sequence[ProblemRef], ks: Sequence[int]) -> Side:
    """The attempts of `runs` at the problems `common`. Raises UserError for records that are not theirs."""
    ordered = sorted(runs, key=lambda run: (run.get("seed", 0), run.name))
    keys = [one.key for one in common]
    found = Side(
        tuple(ordered),
        budget(ordered[0].spec),
        {key: [] for key in keys},
        {key: {k: [] for k in ks} for key in keys},
    )
    for number, run in enumerate(ordered):
        for one in tally(run.problems, run.records, budget(run.spec).samples):
            for k, values in found.passed.get(one.problem.key, {}).items():
                value = pass_at_k(one.scored, one.proved, k)
                if value is not None:
                    values.append(value)
        for record in run.records:
            tries = found.tries.get((record.problem_id, record.revision))
            if tries is not None and record.verdict.status is not Status.INFRA:
                tries.append(Try.of(number, record))
    return found


def made_in_turn(a: Side, b: Side) -> bool:
    """Whether each run was made side by side with its partner, so that their seconds can be held together."""
    return len(a.runs) == len(b.runs) and all(
        any(right.name in session.get("beside", ()) for session in left.sessions)
        for left, right in zip(a.runs, b.runs, strict=True)
    )


def families_of(problems: Collection[ProblemRef]) -> dict[Key, Hashable] | None:
    """The family of each problem; None where the benchmark puts no two of them in one."""
    named = [one.family for one in problems if one.family]
    if len(set(named)) == len(named):
        return None
    return {one.key: one.family or one.key for one in problems}
