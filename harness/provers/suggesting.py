"""Tactics for one state, for a person: proposed by a policy, tried in Lean, those that close the goal first.

A state comes as Lean prints it, or as the Lean text up to the cursor. Either is opened as a step session
where that can be done, so that every tactic is tried; where it cannot, they are told unchecked, and why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness.benchmarks.sources.lean_text import cut
from harness.errors import InfraError, SpecError, UserError
from harness.lean.text.printed import NAME, same_goal, statement_of
from harness.protocols import Policy, Session, Sessions, Value
from harness.provers.priority import Ranking
from harness.types import Problem, ProofState, Proposal, Step, StepResult

LONGEST_PREFIX = 200
_BULLETS = ("· ", "• ", ". ")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about: a state, a text, or both (the text is then only where the state is checked)."""

    state: str = ""
    """The goals as Lean prints them, a blank line between two."""
    prefix: str = ""
    """What the tactics have to begin with."""
    context: str = ""
    """Lean text up to the cursor: header, statement, `:= by`, the tactics so far."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One tactic."""

    tactic: str
    logprob: float
    """Sum over its tokens after the prefix, natural logarithm."""
    check: Step | None
    """What it did in Lean; None when it was not tried."""
    goals: tuple[str, ...] = ()
    """What is left after it."""
    value: float | None = None
    """V of what is left, where a value model is asked."""
    message: str = ""
    """Why Lean refused it."""


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The answer, best first."""

    goals: tuple[str, ...]
    """The state that was asked about."""
    found: tuple[Suggestion, ...]
    unchecked: str = ""
    """Why nothing was tried in Lean; empty when it was."""


@dataclass(frozen=True, slots=True)
class Suggester:
    """A policy, a value model where the ranking asks for one, and Lean."""

    policy: Policy
    sessions: Sessions
    ranking: Ranking
    width: int
    """Tactics asked for at most."""
    shown: int
    """Tactics told at most."""
    header: str = ""
    """Stands before a statement made of a printed state."""
    value: Value | None = None
    seed: int = 0
    """For a policy that samples."""

    async def suggest(self, question: Question) -> Suggestions:
        """At most `shown` tactics: those that close the proof, those that leave goals (by the search's
        priority), those that were not tried, then those that Lean refused.

        Raises `UserError` for a question without a state, `InfraError` when policy or value model fail.
        """
        if len(question.prefix) > LONGEST_PREFIX:
            raise UserError(f"prefix: longer than {LONGEST_PREFIX} characters")
        printed = tuple(goal.strip("\n") for goal in question.state.strip().split("\n\n") if goal.strip())
        unchecked = ""
        for open_it in self._ways(question, printed):
            try:
                session, state = await open_it
            except InfraError as cause:
                unchecked = str(cause)
                continue
            try:
                return await self._suggest(question, state, session)
            finally:
                await session.close()
        if not printed:
            raise UserError(unchecked)
        return await self._unchecked(question, ProofState(printed), unchecked)

    def _ways(
        self, question: Question, printed: tuple[str, ...]
    ) -> Iterator[Awaitable[tuple[Session, ProofState]]]:
        """How the state may be opened, the best way first. Raises `UserError` when nothing is asked about."""
        if printed and not any(line.startswith("⊢") for line in printed[0].split("\n")):
            raise UserError("the state has no line that begins with ⊢")
        if not printed and not question.context.strip():
            raise UserError("a state is needed, or the Lean text up to the cursor")
        if question.context.strip():
            yield self._open_text(question.context, printed)
        if printed:
            problem = Problem("suggest", "", "", self.header, statement_of(printed[0]), NAME)
            yield self._open(problem, [], printed)

    async def _unchecked(self, question: Question, state: ProofState, why: str) -> Suggestions:
        proposals = await self._proposals(question, state)
        told = [Suggestion(item.tactic, item.logprob, None) for item in proposals[: self.shown]]
        return Suggestions(state.goals, tuple(told), why)

    async def _proposals(self, question: Question, state: ProofState) -> list[Proposal]:
        asked = replace(state, prefix=question.prefix)
        [proposed] = await self.policy.propose([asked], [self.seed], self.width)
        return [item for item in proposed.tactics if item.tactic.startswith(question.prefix.strip())]

    async def _suggest(self, question: Question, state: ProofState, session: Session) -> Suggestions:
        proposals = await self._proposals(question, state)
        results = await _tried(session, state, proposals)
        values = await self._values([result.state for result in results])
        ranked = sorted(
            zip(proposals, results, values, strict=True), key=lambda item: self._order(*item), reverse=True
        )
        return Suggestions(state.goals, tuple(_told(*item) for item in ranked[: self.shown]))

    async def _values(self, states: Sequence[ProofState | None]) -> list[float | None]:
        left = [state for state in states if state is not None]
        if self.value is None or not self.ranking.asks_value or not left:
            return [None] * len(states)
        scores = iter(await self.value.score(left))
        return [None if state is None else next(scores) for state in states]

    def _order(self, proposal: Proposal, result: StepResult, value: float | None) -> tuple[int, float, float]:
        group = {Step.DONE: 2, Step.OPEN: 1}.get(result.outcome, 0)
        gain = self.ranking.gain(proposal)
        priority = self.ranking.priority(gain, 1, value) if result.outcome is Step.OPEN else gain
        return group, priority, proposal.logprob

    async def _open_text(self, text: str, printed: tuple[str, ...]) -> tuple[Session, ProofState]:
        try:
            piece = cut(text, "the text", last=True)
        except SpecError as cause:
            raise InfraError(str(cause)) from cause
        problem = Problem("suggest", "", "", piece.header, piece.statement, piece.name, holes=piece.holes)
        return await self._open(problem, script_of(piece.tail), printed)

    async def _open(
        self, problem: Problem, script: Sequence[str], printed: tuple[str, ...]
    ) -> tuple[Session, ProofState]:
        """A session, and the state after `script`. Raises `InfraError` where that is not the one printed."""
        session = await self.sessions.open(problem)
        try:
            state = await session.start()
            for tactic in script:
                result = await session.apply(state, tactic)
                if result.state is None:
                    said = result.message or "nothing is left to prove"
                    raise InfraError(f"{tactic.splitlines()[0]}: {said[:200]}")
                state = result.state
            if printed and not same_goal(printed[0], state.goals[0]):
                read_back = " ".join(state.goals[0].split())
                raise InfraError(f"Lean reads the state back as another one: {read_back}")
        except InfraError:
            await session.close()
            raise
        return session, state


async def _tried(session: Session, state: ProofState, proposals: Sequence[Proposal]) -> list[StepResult]:
    if session.overlaps:
        return list(await asyncio.gather(*(session.apply(state, item.tactic) for item in proposals)))
    return [await session.apply(state, item.tactic) for item in proposals]


def _told(proposal: Proposal, result: StepResult, value: float | None) -> Suggestion:
    goals = () if result.state is None else result.state.goals
    return Suggestion(proposal.tactic, proposal.logprob, result.outcome, goals, value, result.message)


def script_of(tail: str) -> list[str]:
    """The tactics after `:= by`, one by one; the last bullet is open, so what is in it stands for itself.

    Lines that are indented further than the first belong to the tactic above them.
    """
    text = tail.strip().removeprefix(":=").lstrip()
    text = text.removeprefix("by")
    lines = [line for line in text.split("\n") if line.strip() and not line.strip().startswith("--")]
    if not lines:
        return []
    column = min(len(line) - len(line.lstrip()) for line in lines[1:] or lines)
    steps: list[str] = []
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if steps and indent > column:
            steps[-1] += "\n" + line[column:]
        else:
            steps.append(line.strip())
    if steps[-1].startswith(_BULLETS) or steps[-1] in ("·", "•"):
        inside = steps.pop()[1:]
        first, _, rest = inside.strip("\n").partition("\n")
        steps += script_of("by\n  " + first.strip() + ("\n" + rest if rest else ""))
    return steps
