"""Step sessions over Kimina servers, whose protocol has no tactic mode: every step is a text of its own.

The tactics that led to a state and the one to be tried stand under the statement, followed by
`all_goals sorry`: Lean then tells the goals that are left, one for each sorry. Slower than a REPL, since
every step runs the whole script again, but nothing needs to be installed here; tactics that are tried at once
travel in one request. What is found this way is checked as a whole file like every other proof.
"""

from __future__ import annotations

import secrets
import textwrap
from collections.abc import Sequence

from harness.errors import BadReply, InfraError
from harness.lean.services.kimina import Dispatcher, Patience
from harness.lean.services.kimina_client import KiminaServer, Reach
from harness.lean.text.assemble import Assembly
from harness.lean.verdicts.audit import service_header
from harness.lean.verdicts.checking import refused_step, screened_tactic, stated
from harness.lean.verdicts.evidence import service_error
from harness.lean.verdicts.replies import Kind, Reply, Result
from harness.types import Level, Problem, ProofState, Status, Step, StepResult

_UNSOLVED = "unsolved goals\n"
_HELD = "all_goals sorry"


class KiminaSessions:
    """Where sessions on Kimina servers come from. Needs one event loop for its life."""

    def __init__(
        self, urls: Sequence[str], reach: Reach, connections: int, patience: Patience, heartbeats: int
    ) -> None:
        servers = [KiminaServer(url, reach, connections) for url in urls]
        self._dispatcher = Dispatcher(servers, patience)
        self._heartbeats = heartbeats

    async def open(self, problem: Problem) -> KiminaSession:
        """A session on `problem`. Raises `InfraError` when it cannot be assembled."""
        return KiminaSession(self._dispatcher, stated(problem, self._heartbeats))

    async def close(self) -> None:
        """Stop what is under way and close the connections."""
        await self._dispatcher.close()


class KiminaSession:
    """Step-wise proving of one problem. A state's handle is the script that leads to it."""

    def __init__(self, dispatcher: Dispatcher, assembly: Assembly) -> None:
        self._dispatcher = dispatcher
        self._assembly = assembly
        self._front = service_header(assembly.header) + assembly.holes
        self._front += assembly.target.removesuffix("sorry")

    async def start(self) -> ProofState:
        """The problem's initial state. Raises `InfraError` when the statement is not accepted."""
        result = await self._step(())
        if result.state is None:
            raise BadReply(
                f"{self._assembly.problem.id}: the statement was not accepted: {result.message[:300]}"
            )
        return result.state

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        """Apply one tactic to the first goal of `state`."""
        return screened_tactic(tactic) or await self._step((*state.handle, tactic))

    async def close(self) -> None:
        """Nothing is held."""

    async def _step(self, script: tuple[str, ...]) -> StepResult:
        reply = await self._ask((*script, _HELD))
        if isinstance(reply, StepResult):
            return reply
        if reply.errors:
            return refused_step("\n".join(note.data for note in reply.errors))
        goals = tuple(entry.goal for entry in reply.sorries if not entry.root)
        if not goals and any(note.says_sorry for note in reply.notes):
            # The sorries were met but not told: without them Lean names the goals in an error.
            held = await self._ask(script or ("skip",))
            if isinstance(held, StepResult):
                return held
            goals = unsolved(held)
        return StepResult(Step.OPEN, ProofState(goals, script)) if goals else StepResult(Step.DONE)

    async def _ask(self, script: Sequence[str]) -> Reply | StepResult:
        """The answer to the text; a `StepResult` when the time was up. Raises `InfraError` kinds."""
        number = str(secrets.randbits(48))
        lines = textwrap.indent("\n".join(script), "  ")
        text = f"{self._front}\n{lines}\n\n#check ({number} : Nat)\n"
        return _own(await self._dispatcher.ask(text), number)


def _own(result: Result, number: str) -> Reply | StepResult:
    """The reply without the answer to `#check (number : Nat)`, which shows that the reply is to this text."""
    if result.reply is None:
        verdict = service_error(result.error or "", Level.FAST)
        if verdict.status is Status.TIMEOUT:
            return StepResult(Step.TIMEOUT, message=verdict.detail)
        raise InfraError(f"a step failed: {verdict.detail}")
    reply = result.reply
    rest = tuple(note for note in reply.notes if not note.data.startswith(f"{number} : "))
    if reply.kind is not Kind.COMMAND or len(rest) == len(reply.notes):
        raise BadReply(f"the answer is not to this step: {reply.failure or 'its number is missing'}")
    return Reply(Kind.COMMAND, reply.env, rest, reply.sorries)


def unsolved(reply: Reply) -> tuple[str, ...]:
    """The goals that an `unsolved goals` error lists; any other error raises `BadReply`."""
    told = [note.data for note in reply.errors]
    if len(told) != 1 or not told[0].startswith(_UNSOLVED):
        raise BadReply(
            f"the goals that are left cannot be read: {told[0][:200] if told else 'no error came'}"
        )
    return tuple(told[0].removeprefix(_UNSOLVED).strip().split("\n\n"))
