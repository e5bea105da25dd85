"""One side of a comparison: what its attempts at the common problems came to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.analysis.metrics import pass_at_k
from harness.analysis.runs import Budget, RunView, budget
from harness.types import ProblemRef

Key = tuple[str, str]


class Try(NamedTuple):
    """One scored attempt."""

    at: tuple[int, int]
    """Number of its run on this side, and of the sample."""
    proved: bool
    spent: tuple[float | None, ...]
    """One of each of `harness.analysis.scored.MEASURES`; None where the record does not say."""


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
    """The attempts of `runs` at the problems `common`."""
    ordered = sorted(runs, key=lambda run: (run.get("seed", 0), run.name))
    keys = [one.key for one in common]
    found = Side(
        tuple(ordered),
        budget(ordered[0].spec),
        {key: [] for key in keys},
        {key: {k: [] for k in ks} for key in keys},
    )
    for number, run in enumerate(ordered):
        before = {key: len(tries) for key, tries in found.tries.items()}
        for one in run.scored:
            if (tries := found.tries.get(one.problem)) is not None:
                tries.append(Try((number, one.sample), one.proved, one.spent))
        for key, tries in found.tries.items():
            made = tries[before[key] :]
            proved = sum(one.proved for one in made)
            for k, values in found.passed[key].items():
                if (value := pass_at_k(len(made), proved, k)) is not None:
                    values.append(value)
    return found


def seconds_apart(a: Side, b: Side) -> str:
    """Why the seconds of both cannot be held together; empty where they can.

    Where a run was not made side by side with its partner, the machine was not the same. And a generator
    that both asked remembers what it proposed: it is quicker for whoever asks later.
    """
    pairs = list(zip(a.runs, b.runs, strict=False))
    if len(a.runs) != len(b.runs) or not all(
        any(right.name in session.get("beside", ()) for session in left.sessions) for left, right in pairs
    ):
        return "not made in turn"
    digests = [(left.get("generator.digest"), right.get("generator.digest")) for left, right in pairs]
    return "one generator remembers" if any(x == y and x is not None for x, y in digests) else ""


def families_of(problems: Collection[ProblemRef]) -> dict[Key, Hashable] | None:
    """The family of each problem; None where the benchmark puts no two of them in one."""
    named = [one.family for one in problems if one.family]
    if len(set(named)) == len(named):
        return None
    return {one.key: one.family or one.key for one in problems}
