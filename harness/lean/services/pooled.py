"""Verdicts and step sessions from a pool of local REPLs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from harness.errors import BadReply, ForeignText, InfraError, ServiceTimeout
from harness.lean.services.pool import Lease, ReplPool, Worker
from harness.lean.services.repl import ReplProcess
from harness.lean.text.assemble import Assembly
from harness.lean.text.comments import without_comments
from harness.lean.verdicts.checking import (
    converse,
    judged,
    refused_step,
    screened_tactic,
    sound_header,
    stated,
    tried,
)
from harness.lean.verdicts.replies import Kind, Reply
from harness.protocols import Candidate
from harness.types import Level, Problem, ProofState, Status, Step, StepResult, Verdict

NAME = "repl"


class ReplVerifier:
    """Verdicts from a pool. A crash, a time-out or a flood costs one check its process, never another."""

    def __init__(self, pool: ReplPool, heartbeats: int = 200_000, max_attempts: int = 3) -> None:
        self._pool = pool
        self._heartbeats = heartbeats
        self._max_attempts = max_attempts
        self._stated: set[tuple[str, str]] = set()

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        """One verdict per candidate, in order; as many at a time as there are workers."""
        beats = self._heartbeats

        def ask(reading: Assembly) -> Awaitable[Verdict]:
            return tried(
                level, self._max_attempts, lambda: self._once(reading, level), lambda: self._pool.closed
            )

        return list(await asyncio.gather(*(judged(item, beats, level, ask, NAME) for item in candidates)))

    async def close(self) -> None:
        """Stop the pool."""
        await self._pool.close()

    async def _once(self, assembly: Assembly, level: Level) -> Verdict:
        """The verdict, with its seconds since it had its worker."""
        async with self._pool.lease(assembly.header) as lease:
            started = time.perf_counter()
            verdict = await self._attempt(lease, assembly, level)
            return replace(verdict, seconds=time.perf_counter() - started)

    async def _attempt(self, lease: Lease, assembly: Assembly, level: Level) -> Verdict:
        lease.count()
        sound = False
        try:
            verdict = await converse(assembly, level, lease, self._stated)
            sound = verdict.status is not Status.INFRA
            return verdict
        finally:
            if not sound:
                lease.discard()


@dataclass(eq=False, slots=True)
class _Node:
    """A proof state: where it lives, and how to make it again when that process is gone."""

    parent: _Node | None
    tactic: str
    process: ReplProcess
    number: int


class ReplSessions:
    """Where sessions on the pool come from. Each stays with one worker, which it shares with others."""

    def __init__(self, pool: ReplPool, heartbeats: int = 200_000, max_attempts: int = 3) -> None:
        self._pool = pool
        self._heartbeats = heartbeats
        self._max_attempts = max_attempts

    async def open(self, problem: Problem) -> ReplSession:
        """A session on `problem`. Raises `InfraError` when it cannot be assembled."""
        assembly = stated(problem, self._heartbeats)
        return ReplSession(self._pool, assembly, self._max_attempts)


class ReplSession:
    """Step-wise proving of one problem. When its process is replaced, states are made again by replay."""

    overlaps = False
    """A session has one process of the pool, which keeps its states."""

    def __init__(self, pool: ReplPool, assembly: Assembly, max_attempts: int) -> None:
        self._pool = pool
        self._assembly = assembly
        self._max_attempts = max_attempts
        self._home: Worker = pool.home()
        self._home.sessions += 1
        self._open = True

    async def start(self) -> ProofState:
        """The problem's initial state. Raises `InfraError` when the statement is not accepted."""
        cause: InfraError | None = None
        for _ in range(self._max_attempts):
            try:
                async with self._pool.lease(worker=self._home) as lease:
                    lease.count()
                    node, goals = await self._root(lease)
                    return ProofState(goals, node)
            except InfraError as failure:
                cause = failure
        assert cause is not None
        raise cause

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        """Apply one tactic to the first goal of `state`."""
        refused = screened_tactic(tactic)
        if refused is not None:
            return refused
        tactic = without_comments(tactic)
        cause: InfraError | None = None
        for _ in range(self._max_attempts):
            try:
                async with self._pool.lease(worker=self._home) as lease:
                    return await self._step(lease, state.handle, tactic)
            except InfraError as failure:
                cause = failure
        assert cause is not None
        raise cause

    async def close(self) -> None:
        """Give up the claim on the worker."""
        if self._open:
            self._open = False
            self._home.sessions -= 1

    async def _step(self, lease: Lease, node: _Node, tactic: str) -> StepResult:
        await lease.header(self._assembly.header)
        number = await self._number(lease, node)
        lease.start_clock()
        try:
            reply = await lease.tactic(tactic, number)
        except ServiceTimeout as late:
            return StepResult(Step.TIMEOUT, message=str(late))
        if reply.kind is Kind.FAILURE and (reply.failure or "").startswith("Unknown"):
            lease.discard()
            raise BadReply(f"the REPL lost a proof state: {reply.failure}")
        return read_step(reply, lambda new: _Node(node, tactic, lease.process, new))

    async def _number(self, lease: Lease, node: _Node) -> int:
        if node.process is lease.process:
            return node.number
        if node.parent is None:
            again, _ = await self._root(lease)
            number = again.number
        else:
            above = await self._number(lease, node.parent)
            lease.start_clock()
            reply = await lease.tactic(node.tactic, above)
            if reply.kind is not Kind.TACTIC or reply.state is None:
                raise BadReply(f"the replay of {node.tactic!r} failed: {reply.failure}")
            number = reply.state
        node.process, node.number = lease.process, number
        return number

    async def _root(self, lease: Lease) -> tuple[_Node, tuple[str, ...]]:
        env = sound_header(await lease.header(self._assembly.header))
        if self._assembly.holes.strip():
            env = sound_header(await lease.send(self._assembly.holes, env))
        reply = await lease.send(self._assembly.target, env)
        states = [entry for entry in reply.sorries if entry.state is not None]
        if reply.errors or len(states) != 1 or states[0].state is None:
            said = reply.failure or "; ".join(note.data for note in reply.errors) or "no proof state came"
            kind = ForeignText if reply.errors else BadReply
            raise kind(f"{self._assembly.problem.id}: Lean cannot state it: {said[:300]}")
        return _Node(None, "", lease.process, states[0].state), (states[0].goal,)


def read_step(reply: Reply, name: Callable[[int], object]) -> StepResult:
    """What a tactic's answer says; `name` makes the handle of a new state from its number.

    An empty list of goals is no success: `proofStatus` has to say so. REPLs too old to have one leave the
    decision to the check of the whole file, which every proof found by search gets anyway.
    """
    if reply.kind is not Kind.TACTIC or reply.state is None:
        return refused_step(reply.failure or "the answer is not one to a tactic")
    if reply.errors:
        return refused_step("\n".join(note.data for note in reply.errors))
    if reply.sorries or reply.status == "Incomplete: contains sorry":
        return StepResult(Step.INVALID, message="the tactic leaves a sorry")
    if reply.goals and (reply.status is None or reply.status.startswith(("Incomplete:", "Not verified"))):
        return StepResult(Step.OPEN, ProofState(reply.goals, name(reply.state)))
    if not reply.goals and reply.status in (None, "Completed"):
        return StepResult(Step.DONE)
    return StepResult(Step.INVALID, message=reply.status or "")
