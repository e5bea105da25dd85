"""Step sessions over services that only check texts give the states that the core's own sessions give."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from harness.errors import BadReply, InfraError, ServiceTimeout
from harness.lean.services.embedded import CoreSessions
from harness.lean.services.server import LeanServer
from harness.lean.services.text_steps import TextSessions
from harness.lean.verdicts.replies import Note, Place, Reply, ReplyKind
from harness.protocols import Policy, Session, Sessions
from harness.provers.portfolio import PortfolioSpec
from harness.provers.prover import Tools
from harness.serving.web import listening
from harness.spec import SamplingSpec
from harness.types import Problem, ProofState, Step
from tests.lean.services.test_conformance import ADD, AND, HEARTBEATS, OR, SPACE, client, core_pool

SCRIPTS: list[tuple[Problem, list[list[str]]]] = [
    (OR, [["cases h"], ["exact Or.inr h"], ["nonsense"], ["constructor"], ["exact h.symm"]]),
    (AND, [["exact h.1"], ["have q := h.2"], ["exact h.2"]]),
    (ADD, [["induction a"], ["rw [Nat.add_comm]"], ["rfl"], ["simp", "done"]]),
    (SPACE, [["rfl"], ["simp"], ["show n = n"], ["sorry"]]),
]


async def walk(sessions: Sessions) -> list[tuple[str, Step, tuple[str, ...]]]:
    """What every script's last tactic does, and the goals that it leaves."""
    found = []
    for problem, scripts in SCRIPTS:
        session: Session = await sessions.open(problem)
        root = await session.start()
        found.append((problem.id, Step.OPEN, root.goals))
        for script in scripts:
            state: ProofState | None = root
            for tactic in script:
                assert state is not None
                result = await session.apply(state, tactic)
                goals = () if result.state is None else result.state.goals
                found.append((f"{problem.id}: {tactic}", result.outcome, goals))
                state = result.state
                if state is None:
                    break
        await session.close()
    return found


def test_a_kimina_server_without_tactic_mode_steps_as_the_core_does() -> None:
    async def run() -> None:
        pool = core_pool()
        try:
            async with listening(LeanServer(pool).application(), "127.0.0.1", 0) as url:
                verifier = client(url)
                there = await walk(TextSessions(verifier.ask, HEARTBEATS, import_first=True))
                assert there == await walk(CoreSessions(HEARTBEATS))
                assert {outcome for _, outcome, _ in there} == {Step.OPEN, Step.DONE, Step.INVALID}
                await verifier.close()
        finally:
            await pool.close()

    asyncio.run(run())


@pytest.mark.kimina
def test_the_real_server_steps_and_searches_as_the_core_does(real_server: str) -> None:
    """Single tactics, and searches that try all tactics of a state in one request."""

    async def searched(sessions: Sessions) -> list[tuple[object, ...]]:
        prover = PortfolioSpec(expansions=2, tactic_calls=24).build(Tools(sessions, no_model, lambda: None))
        found = await asyncio.gather(*(prover.attempt(problem, 0, 0) for problem in (OR, ADD)))
        return [
            (one.proof, one.search and (one.search.expanded, one.search.created, one.search.invalid))
            for one in found
        ]

    async def run() -> None:
        verifier = client(real_server)
        try:
            there = TextSessions(verifier.ask, HEARTBEATS, import_first=True)
            assert await walk(there) == await walk(CoreSessions(HEARTBEATS))
            proofs = await searched(there)
            assert proofs == await searched(CoreSessions(HEARTBEATS))
            assert any(proof for proof, _ in proofs)
        finally:
            await verifier.close()

    asyncio.run(run())


def no_model(sampling: SamplingSpec) -> Policy:
    raise AssertionError("no model is asked")


def told(*data: str, severity: str = "info") -> tuple[Note, ...]:
    return tuple(Note(severity, Place(1, 0), text) for text in data)


def stepped(answer: Callable[[str], Awaitable[Reply]], tactic: str = "simp") -> Step:
    """The outcome of one tactic when the service answers so."""

    async def run() -> Step:
        async def ask(header: str, text: str) -> Reply:
            assert text.startswith(header)
            return await answer(text)

        session = await TextSessions(ask, HEARTBEATS, import_first=False).open(AND)
        return (await session.apply(ProofState(("⊢ P",), ()), tactic)).outcome

    return asyncio.run(run())


def number_of(text: str) -> str:
    return text.rsplit("#check (", 1)[1].split(" ")[0]


def test_goals_are_read_from_an_error_where_sorries_are_not_told() -> None:
    async def answer(text: str) -> Reply:
        mine = told(f"{number_of(text)} : Nat")
        if "all_goals sorry" in text:
            return Reply(ReplyKind.COMMAND, 0, (*told("declaration uses `sorry`", severity="warning"), *mine))
        return Reply(ReplyKind.COMMAND, 0, (*told("unsolved goals\nP : Prop\n⊢ P", severity="error"), *mine))

    assert stepped(answer) is Step.OPEN


def test_an_answer_to_another_text_is_the_machines_failure() -> None:
    async def answer(text: str) -> Reply:
        return Reply(ReplyKind.COMMAND, 0, told("12345 : Nat"))

    with pytest.raises(BadReply, match="not to this step"):
        stepped(answer)


def test_a_time_out_is_the_tactics_and_a_dead_service_is_not() -> None:
    async def late(text: str) -> Reply:
        raise ServiceTimeout("60 s")

    async def dead(text: str) -> Reply:
        raise InfraError("gone")

    assert stepped(late) is Step.TIMEOUT
    with pytest.raises(InfraError, match="gone"):
        stepped(dead)
    assert stepped(dead, "native_decide") is Step.INVALID, "refused before anything is asked"
