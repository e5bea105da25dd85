"""One check, whatever answers: assemble, screen, hold the conversation, read the evidence.

The embedded core and a REPL process are both a `Conversation`, so the same requests are judged by the same
code; only the transport differs.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from harness.errors import BadReply, ForeignText, InfraError, ServiceTimeout
from harness.lean.text.assemble import Assembly, assemble
from harness.lean.text.screen import screen
from harness.lean.verdicts.audit import AuditRequest, fast_file, new_nonce, strict_stages
from harness.lean.verdicts.evidence import judge_fast, judge_stages, refusal, stops
from harness.lean.verdicts.replies import Reply, ReplyKind, in_step
from harness.protocols import Candidate
from harness.types import Level, Problem, Status, Step, StepResult, Verdict

_MODEL_STAGES = frozenset({"holes", "candidate", "trailer"})
"""Only here does the model's text decide how long Lean works."""

MAX_ANSWER = 1_000_000
"""Characters of an answer that are read at all: some hundred times what a model writes."""

_HEADER_SECTION = "_audit_header"
_PAUSE_S = 0.05


class Conversation(Protocol):
    """Somebody who answers REPL requests. Both methods raise `InfraError` kinds."""

    async def header(self, text: str) -> Reply:
        """The answer to `text` on a fresh environment, imports allowed; it may come from a cache."""
        ...

    async def send(self, cmd: str, env: int) -> Reply:
        """The answer to `cmd` on environment `env`."""
        ...

    async def send_all(self, commands: Sequence[tuple[str, int]]) -> list[Reply]:
        """The answers to several commands, each on its environment, sent without a pause."""
        ...


def prepared(problem: Problem, heartbeats: int) -> Problem:
    """`problem` with the step limit after its imports, unless its header sets one itself.

    Variables of its own stand in a section, which the audit can close. Neither comes at the header's end: an
    `open .. in` there belongs to the statement that follows.
    """
    limit = "" if "maxHeartbeats" in problem.header else f"set_option maxHeartbeats {heartbeats}\n"
    section = f"section {_HEADER_SECTION}\n" if "variable" in problem.header else ""
    if not limit and not section:
        return problem
    lines = problem.header.splitlines(keepends=True)
    imports = [number for number, line in enumerate(lines) if line.lstrip().startswith("import ")]
    place = imports[-1] + 1 if imports else 0
    before = "".join(lines[:place])
    gap = "\n" if before and not before.endswith("\n") else ""
    return replace(problem, header=before + gap + section + limit + "".join(lines[place:]))


def assembled(candidate: Candidate, heartbeats: int) -> Assembly:
    """The candidate as text for Lean. Pure."""
    problem, length = prepared(candidate.problem, heartbeats), len(candidate.proof)
    if length > MAX_ANSWER:
        # Reading it would take seconds that no limit of Lean's counts; no model writes that much.
        detail = f"an answer of {length} characters; at most {MAX_ANSWER} are read"
        return replace(assemble(problem, ""), refused=detail, reason="refused")
    return assemble(problem, candidate.proof)


def stated(problem: Problem, heartbeats: int) -> Assembly:
    """The header, answers and statement of `problem`, for step sessions. Pure.

    Raises `InfraError` when it cannot be assembled.
    """
    assembly = assembled(Candidate(problem, "by trivial"), heartbeats)
    if assembly.refused is not None:
        raise InfraError(f"{problem.id} cannot be assembled: {assembly.refused}")
    return assembly


@lru_cache(maxsize=8192)
def screened_tactic(tactic: str) -> StepResult | None:
    """The refusal of a tactic that must not be run (see `harness.lean.text.screen`), or None.

    What may be run is `without_comments(tactic)`.
    """
    refusal = screen(tactic)
    return None if refusal is None else StepResult(Step.INVALID, message=f"refused: {refusal.detail}")


def refused_step(message: str) -> StepResult:
    """A tactic that Lean did not accept: out of its step limit, or wrong."""
    late = "maximum number of heartbeats" in message or "(deterministic) timeout" in message
    return StepResult(Step.TIMEOUT if late else Step.INVALID, message=message)


async def judged(
    candidate: Candidate,
    heartbeats: int,
    level: Level,
    ask: Callable[[Assembly], Awaitable[Verdict]],
    name: str,
) -> Verdict:
    """The verdict of the service `name` on a candidate: refused by the screen, or what it says when asked.

    Its seconds are those that `ask` gives, else the time since it was called.
    """
    started = time.perf_counter()
    assembly = assembled(candidate, heartbeats)
    verdict = refusal(assembly, level) or await first_proof(assembly, ask)
    return replace(verdict, verifier=name, seconds=verdict.seconds or time.perf_counter() - started)


async def tried(
    level: Level,
    attempts: int,
    once: Callable[[], Awaitable[Verdict]],
    stopped: Callable[[], bool] = lambda: False,
) -> Verdict:
    """What `once` says, asked again while the machine fails, at most `attempts` times and until `stopped`."""
    verdict = failed(level, InfraError("not asked"))
    for attempt in range(1, attempts + 1):
        try:
            verdict = await once()
        except InfraError as cause:
            verdict = failed(level, cause, attempt)
        if verdict.status is not Status.INFRA or stopped():
            break
        await asyncio.sleep(_PAUSE_S * attempt)
    return verdict


async def first_proof(assembly: Assembly, ask: Callable[[Assembly], Awaitable[Verdict]]) -> Verdict:
    """What `ask` says of `assembly`, or of its other reading where only that one is a proof."""
    verdict = await ask(assembly)
    if verdict.status is Status.REJECTED and assembly.other is not None:
        second = await ask(assembly.other)
        if second.status is Status.PROVED:
            return second
    return verdict


async def converse(
    assembly: Assembly, level: Level, talk: Conversation, stated_before: set[tuple[str, str]] | None = None
) -> Verdict:
    """Have `assembly` judged. It must have passed the screen.

    A time-out while the model's text is being checked is a TIMEOUT verdict; any other failure of the service
    raises `InfraError` kinds. `stated_before` remembers the statements that this service has accepted.
    """
    if level is Level.FAST:
        return await _fast(assembly, talk, set() if stated_before is None else stated_before)
    return await _strict(assembly, talk)


async def _strict(assembly: Assembly, talk: Conversation) -> Verdict:
    *stages, resync = strict_stages(assembly, new_nonce())
    replies: dict[str, Reply] = {}
    for stage in stages:
        last = stage.name == "trailer"
        try:
            if stage.on is None:
                replies[stage.name] = await talk.header(stage.cmd)
            elif last:
                # Both at once: the candidate has run, so neither text can tell it anything any more.
                both = [_request(stage, replies), _request(resync, replies)]
                replies[stage.name], replies[resync.name] = await talk.send_all(both)
            else:
                replies[stage.name] = await talk.send(*_request(stage, replies))
        except ServiceTimeout as late:
            if stage.name in _MODEL_STAGES:
                return timed_out(Level.STRICT, str(late))
            raise
        if not last and stops(stage, replies[stage.name]):
            replies[resync.name] = await talk.send(*_request(resync, replies))
            break
    return judge_stages(assembly, [*stages, resync], replies)


def _request(stage: AuditRequest, replies: dict[str, Reply]) -> tuple[str, int]:
    before = replies[stage.on or ""]
    if before.env is None:
        raise BadReply(f"no environment for {stage.name}: {before.failure}")
    return stage.cmd, before.env


async def _fast(assembly: Assembly, talk: Conversation, stated_before: set[tuple[str, str]]) -> Verdict:
    sheet = fast_file(assembly, new_nonce())
    header = await talk.header(sheet.header)
    env = sound_header(header)
    number = str(secrets.randbits(48))
    try:
        # The file holds its own trailer, so the question behind it tells the candidate nothing new.
        reply, resync = await talk.send_all([(sheet.body, env), (f"#check ({number} : Nat)", env)])
    except ServiceTimeout as late:
        return timed_out(Level.FAST, str(late))
    if not in_step(resync, number):
        raise BadReply("the REPL's answers are out of step with the questions")
    verdict = judge_fast(assembly, sheet, reply, body=True)
    if verdict.status is Status.PROVED or sheet.target is not None or assembly.supplied:
        return verdict
    # No target stood before the candidate: was it the candidate that failed, or a statement Lean cannot read?
    key = (assembly.header + assembly.holes, assembly.target)
    if key not in stated_before:
        base = sound_header(await talk.send(assembly.holes, env)) if assembly.holes.strip() else env
        sound_header(await talk.send(assembly.target, base))
        stated_before.add(key)
    return verdict


def sound_header(reply: Reply) -> int:
    """The environment of trusted text that was accepted; `ForeignText` or `BadReply` when it was not."""
    if reply.kind is not ReplyKind.COMMAND or reply.env is None or reply.errors:
        said = reply.failure or "; ".join(note.data for note in reply.errors)
        # An error of Lean says that this Lean cannot read the benchmark; anything else is the machine's.
        kind = ForeignText if reply.errors else BadReply
        raise kind(f"the benchmark's own text fails on this Lean: {said[:300]}")
    return reply.env


def timed_out(level: Level, detail: str) -> Verdict:
    """Lean was still at work on the model's text when its time was up."""
    return Verdict(Status.TIMEOUT, "timeout", detail, level=level)


def failed(level: Level, cause: InfraError, attempts: int = 1) -> Verdict:
    """The machine failed, `attempts` times in a row; nothing was judged."""
    tries = f" ({attempts} attempts)" if attempts > 1 else ""
    reason = "toolchain" if isinstance(cause, ForeignText) else "service"
    return Verdict(Status.INFRA, reason, f"{type(cause).__name__}: {cause}{tries}", level=level)
