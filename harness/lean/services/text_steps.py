"""Step sessions over a service that only checks texts (Kimina servers, plain `lean`): every step is a text.

The tactics that led to a state and the one to be tried stand under the statement, followed by
`all_goals sorry`: Lean then tells the goals that are left, one for each sorry. Slower than a REPL, since
every step runs the whole script again, but it needs no tactic mode; over a Kimina server the tactics that are
tried at once travel in one request. What is found this way is checked as a whole file like every other proof.
"""

from __future__ import annotations

import secrets
import textwrap
from collections.abc import Awaitable, Callable, Sequence

from harness.errors import BadReply, ServiceTimeout
from harness.lean.text.assemble import Assembly
from harness.lean.text.comments import without_comments
from harness.lean.verdicts.audit import service_header
from harness.lean.verdicts.checking import refused_step, screened_tactic, stated
from harness.lean.verdicts.replies import Reply, ReplyKind
from harness.types import Problem, ProofState, Step, StepResult

Ask = Callable[[str, str], Awaitable[Reply]]
"""(header, text that begins with it) to Lean's answer. Raises `ServiceTimeout` when the text took too long,
other `InfraError` kinds when the service failed."""

_UNSOLVED = "unsolved goals\n"
_HELD = "all_goals sorry"


class TextSessions:
    """Where sessions over a checking service come from."""

    def __init__(self, ask: Ask, heartbeats: int, *, import_first: bool) -> None:
        """`import_first`: the service takes leading imports for the header, so there has to be one."""
        self._ask, self._heartbeats, self._import_first = ask, heartbeats, import_first

    async def open(self, problem: Problem) -> TextSession:
        """A session on `problem`. Raises `InfraError` when it cannot be assembled."""
        assembly = stated(problem, self._heartbeats)
        header = service_header(assembly.header) if self._import_first else assembly.header
        return TextSession(self._ask, assembly, header)


class TextSession:
    """Step-wise proving of one problem. A state's handle is the script that leads to it."""

    overlaps = True
    """Every step is a text of its own."""

    def __init__(self, ask: Ask, assembly: Assembly, header: str) -> None:
        self._service = ask
        self._problem = assembly.problem.id
        self._header = header
        self._front = header + assembly.holes + assembly.target.removesuffix("sorry")

    async def start(self) -> ProofState:
        """The problem's initial state. Raises `InfraError` when the statement is not accepted."""
        result = await self._step(())
        if result.state is None:
            raise BadReply(f"{self._problem}: the statement was not accepted: {result.message[:300]}")
        return result.state

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        """Apply one tactic to the first goal of `state`."""
        refused = screened_tactic(tactic)
        return refused or await self._step((*state.handle, without_comments(tactic)))

    async def close(self) -> None:
        """Nothing is held."""

    async def _step(self, script: tuple[str, ...]) -> StepResult:
        try:
            reply = await self._ask((*script, _HELD))
            if reply.errors:
                return refused_step("\n".join(note.data for note in reply.errors))
            goals = tuple(entry.goal for entry in reply.sorries if not entry.root)
            if not goals and any(note.says_sorry for note in reply.notes):
                # The sorries were met but not told: without them Lean names the goals in an error.
                goals = unsolved(await self._ask(script or ("skip",)))
        except ServiceTimeout as late:
            return StepResult(Step.TIMEOUT, message=str(late))
        return StepResult(Step.OPEN, ProofState(goals, script)) if goals else StepResult(Step.DONE)

    async def _ask(self, script: Sequence[str]) -> Reply:
        """The answer to a script, which a number at its end shows to be to this one."""
        number = str(secrets.randbits(48))
        lines = textwrap.indent("\n".join(script), "  ")
        text = f"{self._front}\n{lines}\n\n#check ({number} : Nat)\n"
        reply = await self._service(self._header, text)
        rest = tuple(note for note in reply.notes if not note.data.startswith(f"{number} : "))
        if reply.kind is not ReplyKind.COMMAND or len(rest) == len(reply.notes):
            raise BadReply(f"the answer is not to this step: {reply.failure or 'its number is missing'}")
        return Reply(ReplyKind.COMMAND, reply.env, rest, reply.sorries)


def unsolved(reply: Reply) -> tuple[str, ...]:
    """The goals that an `unsolved goals` error lists; any other error raises `BadReply`."""
    told = [note.data for note in reply.errors]
    if len(told) != 1 or not told[0].startswith(_UNSOLVED):
        raise BadReply(f"the goals left cannot be read: {told[0][:200] if told else 'no error came'}")
    return tuple(told[0].removeprefix(_UNSOLVED).strip().split("\n\n"))
