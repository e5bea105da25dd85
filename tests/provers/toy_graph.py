"""A proof environment given as a graph, with policy and value tables: searches whose best course is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.types import Problem, ProofState, Proposal, Proposed, Sample, Step, StepResult, Usage

PROBLEM = Problem("toy", "toy", "test", "", "theorem toy : True", "toy")


def proposed(tactics: Sequence[Proposal]) -> Proposed:
    """With the tokens of the tactics themselves, and a prompt of one."""
    return Proposed(tuple(tactics), Usage(1, sum(item.tokens for item in tactics)))


@dataclass
class Toy:
    """`moves[state] = {tactic: (log-probability, next state)}`; QED ends, BAD is refused, SLOW times out."""

    moves: Mapping[str, Mapping[str, tuple[float, str]]]
    values: Mapping[str, float] = field(default_factory=dict)
    root: str = "root"
    policy_calls: list[str] = field(default_factory=list)
    value_calls: list[list[str]] = field(default_factory=list)
    applied: list[tuple[str, str]] = field(default_factory=list)
    overlaps: bool = False
    opened: int = 0
    closed: int = 0

    async def open(self, problem: Problem) -> Toy:
        self.opened += 1
        return self

    async def start(self) -> ProofState:
        return ProofState((f"⊢ {self.root}",), self.root)

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        self.applied.append((state.handle, tactic))
        target = self.moves.get(state.handle, {}).get(tactic, (0.0, "BAD"))[1]
        if target == "QED":
            return StepResult(Step.DONE)
        if target == "BAD":
            return StepResult(Step.INVALID, message="no")
        if target == "SLOW":
            return StepResult(Step.TIMEOUT)
        return StepResult(Step.OPEN, ProofState((f"⊢ {target}",), target))

    async def close(self) -> None:
        self.closed += 1

    async def propose(self, states: Sequence[ProofState], seeds: Sequence[int], k: int) -> list[Proposed]:
        self.policy_calls += [state.handle for state in states]
        return [proposed(self._proposals(state.handle)[:k]) for state in states]

    def _proposals(self, name: str) -> list[Proposal]:
        moves = self.moves.get(name, {})
        ranked = sorted(moves.items(), key=lambda item: -item[1][0])
        return [Proposal(tactic, logprob, 1) for tactic, (logprob, _) in ranked]

    async def score(self, states: Sequence[ProofState]) -> list[float]:
        self.value_calls.append([state.handle for state in states])
        return [self.values.get(state.handle, 0.5) for state in states]

    async def sample(self, problems: Sequence[Problem], seeds: Sequence[int]) -> list[Sample]:
        return [Sample(f"proof {seed}", f"raw {seed}", -1.0, Usage(1, 2)) for seed in seeds]
