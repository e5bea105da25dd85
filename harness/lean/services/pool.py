"""A pool of local REPL processes, lent to one caller at a time.

Waiting for a free worker is not counted against a check. Each worker imports a header once; it is replaced
after a set number of checks, when it has grown too large, and after any surprise.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from harness.errors import BadReply, InfraError, ServiceTimeout
from harness.lean.services.repl import Program, ReplProcess, Request
from harness.lean.verdicts.replies import Kind, Reply

_HEADERS_KEPT = 32
"""Preambles over the same imports that one process keeps; each is one small environment."""
_IMPORTS_KEPT = 4
_ROOMY = 0.2
"""Share of the memory limit below which a process may import another set of modules beside the first."""
_GROWN = 0.8
"""Share of the memory limit at which an idle worker is replaced, before Lean stops itself in a check."""


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
            if base.kind is not Kind.COMMAND:
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


class ReplPool:
    """`workers` slots, each with at most one process. Processes start when they are first needed."""

    def __init__(self, program: Program, settings: PoolSettings) -> None:
        self.settings = settings
        self._program = program
        self._workers = [Worker(number) for number in range(settings.workers)]
        self._waiting: deque[Waiter] = deque()
        self._background: set[asyncio.Task[object]] = set()
        self._closed = False

    @asynccontextmanager
    async def lease(
        self, header: str = "", worker: Worker | None = None, replays: Replays | None = None
    ) -> AsyncIterator[Lease]:
        """Borrow a worker: that one, else a free one that knows `header`, else any as soon as one is free.

        With `replays` another than `worker` will do: whoever is free and has less to repeat than there are
        callers before this one. Raises `InfraError` when the pool is closed.
        """
        taken = await (self._take(worker, replays) if worker is not None else self._take_any(header))
        try:
            yield Lease(taken, self._program, self.settings)
        finally:
            try:
                if self._worn(taken):
                    await retire(taken)
            finally:
                self._give_back(taken)

    @property
    def closed(self) -> bool:
        """No more work is taken."""
        return self._closed

    def home(self) -> Worker:
        """The worker with the fewest step sessions; a session's states live in one process."""
        return min(self._workers, key=lambda worker: (worker.sessions, worker.number))

    def helpers(self, home: Worker, header: str) -> list[Worker]:
        """Workers beside `home` that nobody uses and that could import `header`, but have not yet."""
        imports = split_imports(header)[0]
        return [
            worker
            for worker in self._workers
            if worker is not home
            and not worker.busy
            and not worker.knows(header)
            and worker.suits(imports, self._program.memory_mb)
        ]

    def warm(self, worker: Worker, header: str) -> None:
        """Have a worker import `header` while others go on."""
        self.leave(asyncio.ensure_future(self._warm(worker, header)))

    def leave(self, task: asyncio.Task[object]) -> None:
        """Let `task` end in the background; whether it fails concerns nobody any more."""
        self._background.add(task)
        task.add_done_callback(self._forget)

    async def close(self) -> None:
        """Kill every process. Callers that still wait for a worker get `InfraError`."""
        self._closed = True
        closing = InfraError("the pool is closed")
        for waiter in [*self._waiting, *(waiter for worker in self._workers for waiter in worker.waiting)]:
            if not waiter.turn.done():
                waiter.turn.set_exception(closing)
        await asyncio.gather(*(retire(worker) for worker in self._workers))
        await asyncio.gather(*self._background, return_exceptions=True)

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._background.discard(task)
        if not task.cancelled():
            task.exception()

    async def _warm(self, worker: Worker, header: str) -> None:
        async with self.lease(worker=worker) as lease:
            await lease.header(header)

    async def _take(self, worker: Worker, replays: Replays | None = None) -> Worker:
        self._refuse_when_closed()
        free = worker if replays is None else self._nearest(worker, replays)
        if free.busy:
            return await self._turn(worker.waiting, replays)
        free.busy = True
        return free

    def _nearest(self, home: Worker, replays: Replays) -> Worker:
        """The free worker with the least to repeat; `home` when it takes no longer to wait for it."""
        ahead = len(_still_waiting(home)) + 1 if home.busy else 0
        best, least = home, (ahead if home.busy else replays(home) or 0)
        for worker in self._workers:
            if worker is not home and not worker.busy:
                wanted = replays(worker)
                if wanted is not None and wanted < least:
                    best, least = worker, wanted
        return best

    async def _take_any(self, header: str) -> Worker:
        self._refuse_when_closed()
        free = [worker for worker in self._workers if not worker.busy]
        if not free:
            return await self._turn(self._waiting)
        imports = split_imports(header)[0]
        best = min(free, key=lambda worker: self._unfit(worker, header, imports))
        best.busy = True
        return best

    async def _turn(self, queue: deque[Waiter], replays: Replays | None = None) -> Worker:
        turn: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        queue.append(Waiter(turn, replays))
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._give_back(turn.result())
            raise

    def _give_back(self, worker: Worker) -> None:
        # The worker stays marked busy when it goes straight to the next caller: nobody can slip in between.
        for queue in (worker.waiting, self._waiting):
            while queue:
                waiter = queue.popleft()
                if not waiter.turn.done():
                    waiter.turn.set_result(worker)
                    return
        helped = None if self._closed else self._helped(worker)
        if helped is None:
            worker.busy = False
        else:
            helped.turn.set_result(worker)

    def _helped(self, helper: Worker) -> Waiter | None:
        """Whom an idle worker can help: the first in the longest queue with more before it than to repeat."""
        home = max(self._workers, key=lambda worker: len(_still_waiting(worker)))
        for waiter in (queue := _still_waiting(home)):
            wanted = None if waiter.replays is None else waiter.replays(helper)
            if wanted is not None and wanted < len(queue):
                home.waiting.remove(waiter)
                return waiter
        return None

    def _unfit(self, worker: Worker, header: str, imports: str) -> tuple[int, int]:
        if header in worker.headers:
            rank = 0
        elif worker.process is None:
            rank = 2
        else:
            rank = 1 if worker.suits(imports, self._program.memory_mb) else 3
        return rank, worker.number

    def _worn(self, worker: Worker) -> bool:
        process = worker.process
        if process is None:
            return False
        if not process.alive or self._closed or worker.checks >= self.settings.recycle_after:
            return True
        own = process.own_mb()
        return own is not None and own > _GROWN * self._program.memory_mb

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise InfraError("the pool is closed")


def _still_waiting(worker: Worker) -> deque[Waiter]:
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
