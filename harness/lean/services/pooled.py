"""Verdicts and step sessions from a pool of local REPLs.

A session has a home among the workers. Tactics of one expansion that would queue there go to workers that
are free: the state is made again by replaying what that process has not seen of its tactics, one for each
expansion of a search, since all of them saw the parent. What a REPL offers besides, pickled states, needs
files, and every REPL writes its own; a replay is checked against the goals that the state had.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from harness.errors import BadReply, ForeignText, InfraError, ServiceTimeout
from harness.lean.services.pool import ReplPool
from harness.lean.services.repl import ReplProcess
from harness.lean.services.worker import Lease, Replays, Worker
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
from harness.lean.verdicts.replies import Reply, ReplyKind
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
    """A proof state: where it lives, and how to make it again in another process."""

    parent: _Node | None
    tactic: str
    goals: tuple[str, ...]
    places: tuple[tuple[ReplProcess, int], ...]
    """Processes that have it, and its number there."""

    def number(self, process: ReplProcess) -> int | None:
        """Its number in `process`; None where it is not known."""
        return next((number for where, number in self.places if where is process), None)

    def settle(self, process: ReplProcess, number: int) -> None:
        """From now on it is known in `process` too."""
        self.places = (*(place for place in self.places if place[0].alive), (process, number))

    def replays(self, process: ReplProcess) -> int:
        """Requests that it takes until `process` has it."""
        count, node = 0, self
        while node.number(process) is None:
            count += 1
            if node.parent is None:
                break
            node = node.parent
        return count


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

    def __init__(self, pool: ReplPool, assembly: Assembly, max_attempts: int) -> None:
        self._pool = pool
        self._assembly = assembly
        self._max_attempts = max_attempts
        self._home: Worker = pool.home()
        self._home.sessions += 1
        self._open = True
        self._warmed: set[int] = set()
        """Workers that were asked to import the header for this proof."""

    @property
    def overlaps(self) -> bool:
        """With more than one worker, tactics handed in at once are spread over those that are free."""
        return self._pool.settings.workers > 1

    async def start(self) -> ProofState:
        """The problem's initial state. Raises `InfraError` when the statement is not accepted."""
        cause: InfraError | None = None
        for _ in range(self._max_attempts):
            try:
                async with self._pool.lease(worker=self._home) as lease:
                    lease.count()
                    number, goals = await self._root(lease)
                    return ProofState(goals, _Node(None, "", goals, ((lease.process, number),)))
            except InfraError as failure:
                cause = failure
        assert cause is not None
        raise cause

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        """Apply one tactic to the first goal of `state`."""
        refused = screened_tactic(tactic)
        if refused is not None:
            return refused
        sent = asyncio.Event()
        step = asyncio.ensure_future(self._applied(state.handle, without_comments(tactic), sent))
        try:
            return await asyncio.shield(step)
        except asyncio.CancelledError:
            if sent.is_set():
                # A process that is stopped in the middle has to import everything again; this takes no longer
                # than a tactic may.
                self._pool.leave(step)
            else:
                step.cancel()
            raise

    async def close(self) -> None:
        """Give up the claim on the worker."""
        if self._open:
            self._open = False
            self._home.sessions -= 1

    async def _applied(self, node: _Node, tactic: str, sent: asyncio.Event) -> StepResult:
        """The tactic's outcome; `sent` is set as soon as a process works on it. After a failure, at home."""
        replays: Replays | None = partial(self._replays, node)
        cause: InfraError | None = None
        if self._home.busy:
            self._call_helpers()
        for _ in range(self._max_attempts):
            try:
                async with self._pool.lease(worker=self._home, replays=replays) as lease:
                    sent.set()
                    return await self._step(lease, node, tactic)
            except InfraError as failure:
                cause, replays = failure, None
        assert cause is not None
        raise cause

    def _replays(self, node: _Node, worker: Worker) -> int | None:
        """What `worker` has to do before it has the state; None when it has not even the header."""
        if not worker.knows(self._assembly.header) or worker.process is None:
            return None
        return node.replays(worker.process)

    def _call_helpers(self) -> None:
        header = self._assembly.header
        for worker in self._pool.helpers(self._home, header):
            if worker.number not in self._warmed:
                self._warmed.add(worker.number)
                self._pool.warm(worker, header)

    async def _step(self, lease: Lease, node: _Node, tactic: str) -> StepResult:
        await lease.header(self._assembly.header)
        number = await self._number(lease, node)
        lease.start_clock()
        try:
            reply = await lease.tactic(tactic, number)
        except ServiceTimeout as late:
            return StepResult(Step.TIMEOUT, message=str(late))
        if reply.kind is ReplyKind.FAILURE and (reply.failure or "").startswith("Unknown"):
            lease.discard()
            raise BadReply(f"the REPL lost a proof state: {reply.failure}")
        process = lease.process
        return read_step(reply, lambda new: _Node(node, tactic, reply.goals, ((process, new),)))

    async def _number(self, lease: Lease, node: _Node) -> int:
        known = node.number(lease.process)
        if known is not None:
            return known
        if node.parent is None:
            number, goals = await self._root(lease)
        else:
            above = await self._number(lease, node.parent)
            lease.start_clock()
            reply = await lease.tactic(node.tactic, above)
            if reply.kind is not ReplyKind.TACTIC or reply.state is None:
                raise BadReply(f"the replay of {node.tactic!r} failed: {reply.failure}")
            number, goals = reply.state, reply.goals
        if goals != node.goals:
            raise BadReply(f"the replay of {node.tactic or 'the statement'!r} led to other goals")
        node.settle(lease.process, number)
        return number

    async def _root(self, lease: Lease) -> tuple[int, tuple[str, ...]]:
        """(number, goals) of the initial state in this process."""
        env = sound_header(await lease.header(self._assembly.header))
        if self._assembly.holes.strip():
            env = sound_header(await lease.send(self._assembly.holes, env))
        reply = await lease.send(self._assembly.target, env)
        states = [entry for entry in reply.sorries if entry.state is not None]
        if reply.errors or len(states) != 1 or states[0].state is None:
            said = reply.failure or "; ".join(note.data for note in reply.errors) or "no proof state came"
            kind = ForeignText if reply.errors else BadReply
            raise kind(f"{self._assembly.problem.id}: Lean cannot state it: {said[:300]}")
        return states[0].state, (states[0].goal,)


def read_step(reply: Reply, name: Callable[[int], object]) -> StepResult:
    """What a tactic's answer says; `name` makes the handle of a new state from its number.

    An empty list of goals is no success: `proofStatus` has to say so. REPLs too old to have one leave the
    decision to the check of the whole file, which every proof found by search gets anyway.
    """
    if reply.kind is not ReplyKind.TACTIC or reply.state is None:
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
