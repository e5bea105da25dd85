"""Step sessions whose states say how they were reached, and in what, for policies whose prompts show it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.protocols import Session, Sessions
from harness.types import Problem, ProofState, StepResult


@dataclass(frozen=True, slots=True)
class ToldSessions:
    """`Sessions` whose states carry their problem, the theorem's name and the tactics before."""

    sessions: Sessions

    async def open(self, problem: Problem) -> Session:
        """As the sessions behind it."""
        return _Told(await self.sessions.open(problem), problem)


@dataclass(frozen=True, slots=True)
class _Told:
    session: Session
    problem: Problem

    @property
    def overlaps(self) -> bool:
        return self.session.overlaps

    async def start(self) -> ProofState:
        state = await self.session.start()
        return replace(state, theorem=self.problem.theorem, problem=self.problem)

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        result = await self.session.apply(state, tactic)
        if result.state is None:
            return result
        before = (*state.before, tactic)
        told = replace(result.state, theorem=self.problem.theorem, before=before, problem=self.problem)
        return replace(result, state=told)

    async def close(self) -> None:
        await self.session.close()
