"""A pool of local REPL processes, lent to one caller at a time.

Waiting for a free worker is not counted against a check. Each worker imports a header once; it is replaced
after a set number of checks, when it has grown too large, and after any surprise.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from harness.errors import InfraError
from harness.lean.services.repl import Program
from harness.lean.services.worker import (
    Lease,
    PoolSettings,
    Replays,
    Waiter,
    Worker,
    retire,
    split_imports,
    still_waiting,
)

_GROWN = 0.8
"""Share of the memory limit at which an idle worker is replaced, before Lean stops itself in a check."""


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
        ahead = len(still_waiting(home)) + 1 if home.busy else 0
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
        home = max(self._workers, key=lambda worker: len(still_waiting(worker)))
        for waiter in (queue := still_waiting(home)):
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
