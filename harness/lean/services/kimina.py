"""Verdicts from Kimina Lean servers: single checks travel in batches, faults stay with their candidate.

A request that fails as a whole says nothing about any one snippet in it, so each is asked again alone.
Results are matched by an id drawn for each request, never by position.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace

from harness.errors import BadReply, InfraError, ServiceDown, ServiceTimeout
from harness.lean.services.kimina_client import KiminaServer, Reach, Snippet
from harness.lean.text.assemble import Assembly
from harness.lean.verdicts.audit import CheckFile, new_nonce, strict_file
from harness.lean.verdicts.checking import failed, judged
from harness.lean.verdicts.evidence import judge_result, service_error
from harness.lean.verdicts.replies import Reply, Result
from harness.protocols import Candidate
from harness.serving.http import HttpFault
from harness.types import Level, Status, Verdict

NAME = "kimina"
_LARGEST_BATCH = 128
_FIRST_BATCH = 8
_BATCH_S = 1.0
"""A batch answers when its slowest snippet does; its size follows from what snippets took lately."""
_LINGER_S = 0.002
_BACK_OFF_S = 0.5
_LONGEST_BACK_OFF_S = 20.0


@dataclass(eq=False)
class PendingText:
    """One text on its way to a result."""

    code: str
    answer: asyncio.Future[Result]
    alone: bool = False
    """It was part of a request that failed as a whole, or its own answer was no good."""
    fresh: bool = False
    """Ask for a REPL of its own: the last one may be out of step."""
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how long after a fault to ask again; seconds."""

    max_attempts: int = 3
    back_off_s: float = _BACK_OFF_S

    def pause_s(self, tries: int, asked_for_s: float | None = None) -> float:
        """The wait before try number `tries + 1`; a server's Retry-After is honoured within reason."""
        pause = self.back_off_s * 2.0 ** max(tries - 1, 0)
        return min(max(pause, asked_for_s or 0.0), _LONGEST_BACK_OFF_S)


class Dispatcher:
    """Sends waiting questions to the least busy server with room, as many in one request as suit."""

    def __init__(self, servers: Sequence[KiminaServer], patience: Retries) -> None:
        if not servers:
            raise ServiceDown("no Kimina server is configured")
        self._servers = servers
        self._patience = patience
        self._waiting: deque[PendingText] = deque()
        self._open: set[PendingText] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._pace_s: float | None = None
        self._closed = False
        self.requests = 0
        """HTTP requests sent so far."""

    async def ask(self, code: str, fresh: bool = False) -> Result:
        """The result for `code`. Raises `InfraError` kinds when `max_attempts` tries gave none."""
        if self._closed:
            raise InfraError("the client is closed")
        question = PendingText(code, asyncio.get_running_loop().create_future(), alone=fresh, fresh=fresh)
        self._open.add(question)
        self._enqueue(question)
        try:
            return await question.answer
        finally:
            self._open.discard(question)

    async def close(self) -> None:
        """Stop what is under way; who still waits gets `InfraError`."""
        self._closed = True
        for question in self._open:
            if not question.answer.done():
                question.answer.set_exception(InfraError("the client is closed"))
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for server in self._servers:
            await server.close()

    def _enqueue(self, question: PendingText) -> None:
        self._waiting.append(question)
        if self._timer is None:
            # A moment's wait lets callers that were woken together travel together.
            self._timer = asyncio.get_running_loop().call_later(_LINGER_S, self._dispatch)

    def _dispatch(self) -> None:
        self._timer = None
        while self._waiting and not self._closed:
            server = self._roomiest()
            if server is None:
                return
            batch = self._next_batch()
            if batch:
                server.in_flight += 1
                task = asyncio.get_running_loop().create_task(self._send(server, batch))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    def _roomiest(self) -> KiminaServer | None:
        now = asyncio.get_running_loop().time()
        free = [server for server in self._servers if server.in_flight < server.connections]
        return min(free, key=lambda server: (server.down_until > now, server.in_flight), default=None)

    def _next_batch(self) -> list[PendingText]:
        batch: list[PendingText] = []
        share = -(-len(self._waiting) // self._room())
        limit = min(self._batch_limit(), max(share, 1))
        while self._waiting and len(batch) < limit:
            question = self._waiting.popleft()
            if question.answer.done():
                continue
            if question.alone:
                if batch:
                    self._waiting.appendleft(question)
                    break
                return [question]
            batch.append(question)
        return batch

    def _room(self) -> int:
        return max(sum(server.connections - server.in_flight for server in self._servers), 1)

    def _batch_limit(self) -> int:
        if self._pace_s is None:
            return _FIRST_BATCH
        return max(1, min(_LARGEST_BATCH, int(_BATCH_S / max(self._pace_s, 1e-6))))

    async def _send(self, server: KiminaServer, batch: list[PendingText]) -> None:
        loop = asyncio.get_running_loop()
        request = secrets.token_hex(6)
        named = {f"{request}-{number}": question for number, question in enumerate(batch)}
        for question in batch:
            question.tries += 1
        snippets = [Snippet(name, question.code) for name, question in named.items()]
        started = loop.time()
        self.requests += 1
        try:
            results = await server.check(snippets, reuse=not batch[0].fresh)
        except InfraError as cause:
            self._note_failure(server, cause)
            for question in batch:
                self._again(question, cause, len(batch))
        else:
            server.failures, server.down_until = 0, 0.0
            self._learn((loop.time() - started) / len(batch))
            for name, question in named.items():
                self._settle(question, results.get(name), server)
        finally:
            server.in_flight -= 1
            if self._waiting and self._timer is None and not self._closed:
                self._timer = loop.call_later(_LINGER_S, self._dispatch)

    def _settle(self, question: PendingText, result: Result | BadReply | None, server: KiminaServer) -> None:
        if question.answer.done():
            return
        if result is None or isinstance(result, BadReply):
            why = "" if result is None else f": {result}"
            self._again(question, BadReply(f"{server.url} sent no usable result for this snippet{why}"), 1)
        else:
            question.answer.set_result(result)

    def _again(self, question: PendingText, cause: InfraError, size: int) -> None:
        """Ask again later, or give up. A failure shared with others does not count as the question's own."""
        if question.answer.done():
            return
        permanent = (
            isinstance(cause, HttpFault) and cause.permanent and (size == 1 or cause.code in (401, 403))
        )
        shared = size > 1 and not question.alone
        if shared:
            question.tries -= 1
        if permanent or self._closed or question.tries >= self._patience.max_attempts:
            question.answer.set_exception(cause)
            return
        question.alone = True
        asked_for_s = cause.retry_after_s if isinstance(cause, HttpFault) else None
        pause_s = self._patience.pause_s(question.tries, asked_for_s)
        asyncio.get_running_loop().call_later(pause_s, self._enqueue, question)

    def _note_failure(self, server: KiminaServer, cause: InfraError) -> None:
        if isinstance(cause, ServiceDown):
            server.failures += 1
            server.down_until = asyncio.get_running_loop().time() + self._patience.pause_s(server.failures)

    def _learn(self, seconds_each: float) -> None:
        old = self._pace_s
        self._pace_s = seconds_each if old is None else 0.7 * old + 0.3 * seconds_each


class KiminaVerifier:
    """Verdicts from Kimina servers. Needs one event loop for its life.

    Both levels send the strict file (statement first, nonce last): behind this protocol nobody can ask a REPL
    whether it is in step, so without a nonce in the evidence one sample could get another's answer.
    """

    def __init__(
        self, urls: Sequence[str], reach: Reach, connections: int, patience: Retries, heartbeats: int
    ) -> None:
        self._servers = [KiminaServer(url, reach, connections) for url in urls]
        self._dispatcher = Dispatcher(self._servers, patience)
        self._patience = patience
        self._heartbeats = heartbeats

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        """One verdict per candidate, in order; checks of concurrent callers travel together."""
        beats = self._heartbeats

        def ask(reading: Assembly) -> Awaitable[Verdict]:
            return self._ask(reading, level)

        return list(await asyncio.gather(*(judged(item, beats, level, ask, NAME) for item in candidates)))

    async def close(self) -> None:
        """Stop what is under way and close the connections."""
        await self._dispatcher.close()

    async def ask(self, header: str, text: str) -> Reply:
        """Lean's answer to a text. Raises `ServiceTimeout` for one that took too long, else `InfraError`."""
        result = await self._dispatcher.ask(text)
        if result.reply is None:
            verdict = service_error(result.error or "", Level.FAST)
            late = verdict.status is Status.TIMEOUT
            raise (ServiceTimeout if late else InfraError)(f"the server says: {verdict.detail}")
        return result.reply

    async def _ask(self, assembly: Assembly, level: Level) -> Verdict:
        """The verdict; one without evidence is asked for again, on another REPL."""
        verdict = failed(level, InfraError("not asked"))
        for attempt in range(1, self._patience.max_attempts + 1):
            sheet: CheckFile = strict_file(assembly, new_nonce(), import_first=True)
            try:
                result = await self._dispatcher.ask(sheet.text, fresh=attempt > 1)
            except InfraError as cause:
                permanent = isinstance(cause, HttpFault) and cause.permanent
                return failed(level, cause, 1 if permanent else self._patience.max_attempts)
            verdict = replace(judge_result(assembly, sheet, result, level), seconds=result.seconds or 0.0)
            if verdict.status is Status.REJECTED and attempt == 1 and not _names(result, sheet.marks.name):
                # An error report without the nonce may be a stranger's; one from a new REPL is ours.
                verdict = failed(level, BadReply("the answer does not show that it is this candidate's"))
            if verdict.status is not Status.INFRA:
                break
            await asyncio.sleep(self._patience.pause_s(attempt))
        return verdict


def _names(result: Result, check: str) -> bool:
    return result.reply is not None and any(check in note.data for note in result.reply.notes)
