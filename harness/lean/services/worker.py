"""One slot of a pool of REPLs: its process, the headers that this has, and who uses or waits for it."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.errors import BadReply, ServiceTimeout
from harness.lean.services.repl import Program, ReplProcess, Request
from harness.lean.verdicts.replies import Reply, ReplyKind

_HEADERS_KEPT = 32
"""Preambles over the same imports that one process keeps; each is one small environment."""
_IMPORTS_KEPT = 4
_ROOMY = 0.2
"""Share of the memory limit below which a process may import another set of modules beside the first."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """Size and limits of a pool; times in seconds."""

    workers: int = 1
    timeout_s: float = 60.0
    """For one check, from the moment it has a worker with its header."""
    header_timeout_s: float = 300.0
    """For starting a process and importing a header."""
    recycle_after: int = 500
    """Checks after which a process is replaced."""


Replays = Callable[["Worker"], int | None]
"""Requests that a worker has to repeat before it can do what is asked; None when it cannot help."""


@dataclass(eq=False, slots=True)
class Waiter:
    """A caller that waits for one worker, or for another that can do its work."""

    turn: asyncio.Future[Worker]
    replays: Replays | None = None


@dataclass(eq=False)
class Worker:
    """One slot of the pool: a process, or none yet, and the headers that it has."""

    number: int
    process: ReplProcess | None = None
    imports: set[str] = field(default_factory=set)
    """What its environments import."""
    headers: OrderedDict[str, Reply] = field(default_factory=OrderedDict)
    checks: int = 0
    busy: bool = False
    sessions: int = 0
    waiting: deque[Waiter] = field(default_factory=deque)

    def knows(self, header: str) -> bool:
        """Its process runs and has this header."""
        return self.process is not None and self.process.alive and header in self.headers

    def suits(self, imports: str, memory_mb: int) -> bool:
        """Its process can serve a header with these imports: it has them, or room for some more."""
        if not imports or not self.imports or imports.strip() in self.imports:
            return True
        own = None if self.process is None else self.process.own_mb()
        return own is not None and own < _ROOMY * memory_mb and len(self.imports) < _IMPORTS_KEPT


class Lease:
    """A worker in the hands of one caller. The methods that ask raise what `ReplProcess.ask` raises."""

    def __init__(self, worker: Worker, program: Program, settings: PoolSettings) -> None:
        self._worker = worker
        self._program = program
        self._settings = settings
        self._deadline: float | None = None

    @property
    def process(self) -> ReplProcess:
        """The process behind it. Only after `header`."""
        assert self._worker.process is not None
        return self._worker.process

    async def header(self, text: str) -> Reply:
        """Have a live process with `text` imported, and its answer to it; then the check's own time starts.

        Also raises `ServiceTimeout` when that takes longer than `header_timeout_s`.
        """
        worker = self._worker
        imports, preamble = split_imports(text)
        process = await self._fresh(imports)
        try:
            reply = worker.headers.get(text)
            if reply is None:
                reply = await self._import(process, imports, preamble)
                worker.headers[text] = reply
                if len(worker.headers) > _HEADERS_KEPT:
                    worker.headers.popitem(last=False)
        except ServiceTimeout as cause:
            raise ServiceTimeout(f"the header took over {self._settings.header_timeout_s:g} s") from cause
        worker.headers.move_to_end(text)
        self.start_clock()
        return reply

    def start_clock(self, seconds: float | None = None) -> None:
        """Give the requests that follow `seconds` together, by default `timeout_s`."""
        self._deadline = time.monotonic() + (self._settings.timeout_s if seconds is None else seconds)

    async def send(self, cmd: str, env: int, all_tactics: bool = False) -> Reply:
        """Run `cmd` on environment `env` within the check's time."""
        request: dict[str, object] = {"cmd": cmd, "env": env}
        return await self.process.ask(request | ({"allTactics": True} if all_tactics else {}), self._left())

    async def send_all(self, commands: Sequence[tuple[str, int]]) -> list[Reply]:
        """Run commands, each on its environment, without a pause between them."""
        requests = [{"cmd": cmd, "env": env} for cmd, env in commands]
        return [reply for _, reply in await self.process.ask_all(requests, self._left())]

    async def raw(self, request: Request, imports: str = "") -> dict[str, object]:
        """The answer to any request, as sent, in the check's time, from a process with `imports`."""
        process = await self._fresh(imports)
        return (await process.ask_all([request], self._left()))[0][0]

    async def tactic(self, tactic: str, state: int) -> Reply:
        """Apply a tactic to proof state `state` within the check's time."""
        return await self.process.ask({"tactic": tactic, "proofState": state}, self._left())

    def discard(self) -> None:
        """Kill the process: something about it surprised the caller."""
        if self._worker.process is not None:
            self._worker.process.kill()

    def count(self) -> None:
        """One more check (or session) was made on this process."""
        self._worker.checks += 1

    async def _fresh(self, imports: str) -> ReplProcess:
        worker = self._worker
        process = worker.process
        if process is not None and (not process.alive or not worker.suits(imports, self._program.memory_mb)):
            await retire(worker)
            process = None
        if process is None:
            process = worker.process = await ReplProcess.start(self._program)
        if imports:
            worker.imports.add(imports.strip())
        return process

    async def _import(self, process: ReplProcess, imports: str, preamble: str) -> Reply:
        limit_s = self._settings.header_timeout_s
        if not imports:
            return await process.ask({"cmd": preamble}, limit_s)
        imports = imports.strip() + "\n"
        base = self._worker.headers.get(imports)
        if base is None:
            base = await process.ask({"cmd": imports}, limit_s)
            if base.kind is not ReplyKind.COMMAND:
                self.discard()
                raise BadReply(f"the REPL refused the header: {base.failure or base.status}")
            self._worker.headers[imports] = base
        if base.errors or not preamble.strip():
            return base
        return await process.ask({"cmd": preamble, "env": base.env}, limit_s)

    def _left(self) -> float:
        if self._deadline is None:
            self.start_clock()
        assert self._deadline is not None
        return max(self._deadline - time.monotonic(), 0.001)


def still_waiting(worker: Worker) -> deque[Waiter]:
    """The worker's queue, without those who have given up."""
    if any(waiter.turn.done() for waiter in worker.waiting):
        worker.waiting = deque(waiter for waiter in worker.waiting if not waiter.turn.done())
    return worker.waiting


async def retire(worker: Worker) -> None:
    """Kill the worker's process, if any, and forget what it had imported."""
    process, worker.process = worker.process, None
    worker.headers.clear()
    worker.imports.clear()
    worker.checks = 0
    if process is not None:
        await process.close()


def split_imports(header: str) -> tuple[str, str]:
    """`header` as (leading import and blank lines, all that follows). The parts join to `header` again.

    The first part is empty when there are no imports at the top. With a comment before them the header has to
    go as it is, in one request on a fresh environment.
    """
    lines = header.split("\n")
    count = 0
    while count < len(lines) and (not lines[count].strip() or lines[count].lstrip().startswith("import ")):
        count += 1
    if not any(line.strip() for line in lines[:count]):
        return "", header
    imports = "\n".join(lines[:count]) + ("\n" if count < len(lines) else "")
    return imports, header[len(imports) :]
