"""What the rooms ask of each other: one or two async methods each.

A machine failure inside any of them raises `harness.errors.InfraError`; it never becomes a value.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from harness.types import Attempt, Level, Problem, ProofState, Proposed, Sample, StepResult, Turn, Verdict


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proof to be checked against one problem."""

    problem: Problem
    proof: str


class Policy(Protocol):
    """What proposes tactics or whole proofs."""

    async def propose(self, states: Sequence[ProofState], seeds: Sequence[int], k: int) -> list[Proposed]:
        """At most `k` distinct tactics for each (state, seed), most likely first, in order.

        The same pair gives the same tactics, at the same cost in tokens whether they were kept or are written
        anew; a policy that does not sample has no use for the seed.
        """
        ...

    async def sample(self, problems: Sequence[Problem], seeds: Sequence[int]) -> list[Sample]:
        """One whole proof per (problem, seed). The same pair gives the same sample."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """A policy that hands out each proof of a call when it ends, not all of them with the longest."""

    def samples(self, problems: Sequence[Problem], seeds: Sequence[int]) -> AsyncIterator[tuple[int, Sample]]:
        """The proofs that `Policy.sample` gives, each with its place, as they end."""
        ...


@runtime_checkable
class Repairing(Protocol):
    """A policy that can be asked again after Lean's messages."""

    @property
    def repairs(self) -> bool:
        """Whether its prompts have such a turn."""
        ...

    def repaired(
        self, problems: Sequence[Problem], turns: Sequence[Sequence[Turn]], seeds: Sequence[int]
    ) -> AsyncIterator[tuple[int, Sample]]:
        """For each problem another proof after those of its turns (at least one, the oldest first), with its
        place as soon as it has ended."""
        ...


class Value(Protocol):
    """What scores states."""

    async def score(self, states: Sequence[ProofState]) -> list[float]:
        """V in [0, 1] for each state, in order; gamma^d for a state d tactics from QED."""
        ...


class Session(Protocol):
    """Step-wise proving of one problem."""

    @property
    def overlaps(self) -> bool:
        """Whether several tactics may be under way at once and gain by it."""
        ...

    async def start(self) -> ProofState:
        """The problem's initial state."""
        ...

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        """Apply one tactic to the first goal of `state`; states stay valid and may be branched from."""
        ...

    async def close(self) -> None:
        """Free what the session holds."""
        ...


class Sessions(Protocol):
    """Where sessions come from (the embedded core, or a pool of REPLs)."""

    async def open(self, problem: Problem) -> Session:
        """A session on `problem`. Raises `InfraError` when the service is at fault."""
        ...


class Verifier(Protocol):
    """What judges finished proofs."""

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        """One verdict per candidate, in order. Never raises for a bad proof."""
        ...

    async def close(self) -> None:
        """Stop what was started."""
        ...


class Prover(Protocol):
    """How a problem is attempted."""

    async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
        """Attempt number `index`. Deterministic given `seed` when policy, value and session are."""
        ...
