"""Coalesce the single requests of concurrent searches into batches.

Hundreds of searches run as coroutines and each asks for one state at a time; a model answers a hundred
states in about the time of four. A `Batcher` gathers whatever is asked while the event loop still has
other work, and calls the batch function once the loop has gone quiet. There is no timer: what ends up in
a batch depends on the order of events alone, so a run in one process repeats itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from harness.errors import BadReply

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """`await batcher(item)` gives the item's own result out of one call of `run` for many items.

    `run` takes a list of items and returns one result per item, in order. An exception that it raises
    reaches every waiter of that batch, and a reply of another length is a `BadReply`. Batches of one
    batcher may overlap when `run` really waits (a server); a computation in the loop's own thread runs
    one batch after the other. One batcher belongs to one event loop.
    """

    def __init__(
        self,
        run: Callable[[list[Item]], Awaitable[Sequence[Result]]],
        max_batch: int = 256,
        quiet_sweeps: int = 3,
    ) -> None:
        """`max_batch` items at most go into a call; `quiet_sweeps` passes of the event loop without a new
        item count as quiet (one is not enough: a waiter that yields once on its way would be left behind).
        """
        if max_batch < 1 or quiet_sweeps < 1:
            raise ValueError("max_batch and quiet_sweeps must be at least 1")
        self._run = run
        self._max_batch = max_batch
        self._quiet_sweeps = quiet_sweeps
        self._queue: list[tuple[Item, asyncio.Future[Result]]] = []
        self._watching = False
        self._running: set[asyncio.Task[Sequence[Result]]] = set()
        self.batches = 0
        """Calls of `run` so far."""
        self.items = 0
        """Items handed to `run` so far."""

    async def __call__(self, item: Item) -> Result:
        """Hand in one item and wait for its result."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._queue.append((item, future))
        if len(self._queue) >= self._max_batch:
            self._flush()
        elif not self._watching:
            self._watching = True
            loop.call_soon(self._watch, loop, len(self._queue), self._quiet_sweeps)
        return await future

    def _watch(self, loop: asyncio.AbstractEventLoop, seen: int, left: int) -> None:
        """Look once per sweep whether the queue still grows; flush after enough sweeps without growth."""
        if not self._queue:
            self._watching = False
        elif len(self._queue) != seen:
            loop.call_soon(self._watch, loop, len(self._queue), self._quiet_sweeps)
        elif left > 1:
            loop.call_soon(self._watch, loop, seen, left - 1)
        else:
            self._watching = False
            self._flush()

    def _flush(self) -> None:
        # A waiter that was cancelled meanwhile costs no work.
        batch = [(item, future) for item, future in self._queue if not future.done()]
        self._queue = []
        if not batch:
            return
        futures = [future for _, future in batch]
        self.batches += 1
        self.items += len(batch)
        task = asyncio.get_running_loop().create_task(self._call([item for item, _ in batch]))
        # The loop keeps weak references to tasks only, so the running ones are held here.
        self._running.add(task)
        task.add_done_callback(lambda done: self._deliver(done, futures))

    async def _call(self, items: list[Item]) -> Sequence[Result]:
        results = await self._run(items)
        if len(results) != len(items):
            raise BadReply(f"a batch of {len(items)} items was answered with {len(results)} results")
        return results

    def _deliver(self, task: asyncio.Task[Sequence[Result]], futures: list[asyncio.Future[Result]]) -> None:
        self._running.discard(task)
        waiting = [(place, future) for place, future in enumerate(futures) if not future.done()]
        if task.cancelled():
            for _, future in waiting:
                future.cancel()
            return
        error = task.exception()
        for place, future in waiting:
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(task.result()[place])
