"""Work in a thread whose results are wanted one by one, as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

Result = TypeVar("Result")


class _Unwanted(Exception):
    """Nobody waits for the results any more."""


async def results_of(work: Callable[[Callable[[Result], None]], object]) -> AsyncIterator[Result]:
    """What `work`, running in a thread, hands to the function that it is given; then what it raises.

    Whoever stops listening ends the work at its next result.
    """
    loop = asyncio.get_running_loop()
    came: asyncio.Queue[Result | None] = asyncio.Queue()
    wanted = True

    def tell(result: Result) -> None:
        if not wanted:
            raise _Unwanted
        loop.call_soon_threadsafe(came.put_nowait, result)

    working = asyncio.ensure_future(asyncio.to_thread(work, tell))
    working.add_done_callback(lambda _: came.put_nowait(None))  # queued behind every result
    try:
        while (result := await came.get()) is not None:
            yield result
        await working
    finally:
        wanted = False
