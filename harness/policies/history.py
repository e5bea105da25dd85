"""Step sessions whose states say how they were reached, for policies whose prompts show it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.protocols import Session, Sessions
from harness.types import Problem, ProofState, StepResult


@dataclass(frozen=True, slots=True)
class ToldSessions:
    """`Sessions` whose states carry the theorem's name and the tactics before."""

    sessions: Sessions

    async def open(self, problem: Problem) -> Session:
        """As the sessions behind it."""
        return _Told(await self.sessions.open(problem), problem.theorem)


@dataclass(frozen=True, slots=True)
class _Told:
    session: Session
    theorem: str

    @property
    def overlaps(self) -> bool:
        return self.session.overlaps

    async def start(self) -> ProofState:
        return replace(await self.session.start(), theorem=self.theorem)

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        result = await self.session.apply(state, tactic)
        if result.state is None:
            return result
        told = replace(result.state, theorem=self.theorem, before=(*state.before, tactic))
        return replace(result, state=told)

    async def close(self) -> None:
        await self.session.close()
