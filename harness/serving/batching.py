"""Coalesce the single requests of concurrent searches into batches.

Hundreds of searches run as coroutines and each asks for a few states at a time; a model answers a hundred
states in about the time of four. A `Batcher` gathers whatever is asked while the event loop still has
other work, and calls the batch function once the loop has gone quiet. There is no timer: what ends up in
a batch depends on the order of events alone.

What computes one batch at a time is given one call at a time. Calls that queue behind it would be cut small
while it is busy; gathered here they become the next, larger batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from harness.errors import BadReply

Item = TypeVar("Item")
Result = TypeVar("Result")
Answers = Awaitable[Sequence[Result]] | AsyncIterator[tuple[int, Result]]
"""The results of a batch: together and in order, or each with its place as soon as it is there."""


@dataclass(slots=True)
class _Request:
    """Items that were handed in together; the waiter hears when the last of them is there."""

    results: list[Any]
    left: int
    future: asyncio.Future[list[Any]]

    def answer(self, place: int, result: Any) -> None:
        """Take in one result."""
        self.results[place] = result
        self.left -= 1
        if not self.left and not self.future.done():
            self.future.set_result(self.results)


class Batcher(Generic[Item, Result]):
    """`await batcher(item)` gives the item's own result out of one call of `run` for many items.

    `run` takes a list of items and gives one result per item (see `Answers`). An exception that it raises
    reaches every waiter of that batch that has no result yet, and a reply of another length is a `BadReply`.
    One batcher belongs to one event loop.
    """

    def __init__(
        self,
        run: Callable[[list[Item]], Answers[Result]],
        max_batch: int = 256,
        in_flight: int | None = None,
        quiet_sweeps: int = 3,
    ) -> None:
        """`max_batch` items at most go into a call, and `in_flight` calls at most run at once: None for a
        server that merges its own queue, 1 for a model that computes one batch after the other.
        `quiet_sweeps` passes of the event loop without a new item count as quiet (one is not enough: a waiter
        that yields once on its way would be left behind).
        """
        if max_batch < 1 or quiet_sweeps < 1 or (in_flight is not None and in_flight < 1):
            raise ValueError("max_batch, in_flight and quiet_sweeps must be at least 1")
        self._run = run
        self._max_batch = max_batch
        self._in_flight = in_flight
        self._quiet_sweeps = quiet_sweeps
        self._queue: deque[tuple[Item, int, _Request]] = deque()
        self._watching = False
        self._running: set[asyncio.Task[None]] = set()
        self.batches = 0
        """Calls of `run` so far."""
        self.items = 0
        """Items handed to `run` so far."""

    async def __call__(self, item: Item) -> Result:
        """Hand in one item and wait for its result."""
        [result] = await self.all([item])
        return result

    async def all(self, items: Sequence[Item]) -> list[Result]:
        """Hand in several items and wait for all of their results, in order."""
        if not items:
            return []
        future: asyncio.Future[list[Result]] = asyncio.get_running_loop().create_future()
        request = _Request([None] * len(items), len(items), future)
        self._queue.extend((item, place, request) for place, item in enumerate(items))
        self._pump()
        return await future

    def _pump(self) -> None:
        """Start every full batch that may start, and watch for the loop to go quiet with the rest."""
        while len(self._queue) >= self._max_batch and self._has_room:
            self._launch()
        if self._queue and not self._watching and self._has_room:
            self._watching = True
            loop = asyncio.get_running_loop()
            loop.call_soon(self._watch, loop, len(self._queue), self._quiet_sweeps)

    @property
    def _has_room(self) -> bool:
        return self._in_flight is None or len(self._running) < self._in_flight

    def _watch(self, loop: asyncio.AbstractEventLoop, seen: int, left: int) -> None:
        """Look once per sweep whether the queue still grows; launch after enough sweeps without growth."""
        if not self._queue or not self._has_room:
            self._watching = False
        elif len(self._queue) != seen:
            loop.call_soon(self._watch, loop, len(self._queue), self._quiet_sweeps)
        elif left > 1:
            loop.call_soon(self._watch, loop, seen, left - 1)
        else:
            self._watching = False
            self._launch()

    def _launch(self) -> None:
        batch: list[tuple[Item, int, _Request]] = []
        while self._queue and len(batch) < self._max_batch:
            entry = self._queue.popleft()
            # A waiter that was cancelled or failed meanwhile costs no work.
            if not entry[2].future.done():
                batch.append(entry)
        if not batch:
            return
        self.batches += 1
        self.items += len(batch)
        task = asyncio.get_running_loop().create_task(self._call(batch))
        # The loop keeps weak references to tasks only, so the running ones are held here.
        self._running.add(task)
        task.add_done_callback(lambda done: self._close(done, [request for _, _, request in batch]))

    async def _call(self, batch: list[tuple[Item, int, _Request]]) -> None:
        answers, told = self._run([item for item, _, _ in batch]), 0
        if isinstance(answers, AsyncIterator):
            async for number, result in answers:
                batch[number][2].answer(batch[number][1], result)
                told += 1
        else:
            results = await answers
            told = len(results)
            if told == len(batch):
                for (_, place, request), result in zip(batch, results, strict=True):
                    request.answer(place, result)
        if told != len(batch):
            raise BadReply(f"a batch of {len(batch)} items was answered with {told} results")

    def _close(self, task: asyncio.Task[None], requests: list[_Request]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        for request in requests:
            if request.future.done():
                continue
            if task.cancelled():
                request.future.cancel()
            elif error is not None:
                request.future.set_exception(error)
        self._pump()
