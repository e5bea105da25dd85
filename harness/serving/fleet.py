"""Several servers of one model behind one door: bounded, balanced by load, retried.

A request goes to the least busy server that is up and has room. What has to wait is sent in the order of its
text, round and round, so that prompts with a common beginning follow each other and a server's prefix cache
serves them. A server without room (429, 503 ...) or without connection is asked again for as long as
`Patience` says, whatever else goes wrong a few times; then the fault is the request's own `InfraError`.
"""

from __future__ import annotations

import asyncio
import itertools
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.errors import InfraError, ServiceDown
from harness.serving.http import OVERLOADED, HttpFault, JsonServer

_LONGEST_PAUSE_S = 20.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a request is tried; seconds."""

    wait_s: float = 60.0
    """From the first failure on, while servers are down or have no room."""
    tries: int = 3
    """After any other fault that may pass: no answer in time, a broken answer, a server error."""
    back_off_s: float = 0.5
    """Pause before the second try; doubled each time, 20 s at most."""

    def pause_s(self, failures: int, asked_for_s: float | None = None) -> float:
        """The pause after so many failures; a server's Retry-After is honoured up to the longest pause."""
        pause = self.back_off_s * 2.0 ** (failures - 1)
        return min(max(pause, asked_for_s or 0.0), _LONGEST_PAUSE_S)


@dataclass(eq=False, slots=True)
class _Slot:
    """One server and how it does."""

    server: JsonServer
    in_flight: int = 0
    down_until: float = 0.0
    """Loop time before which it is only asked when no other server is up."""
    failures: int = 0
    """Lost connections in a row."""


@dataclass(order=True, slots=True)
class _Waiter:
    order: str
    number: int
    place: asyncio.Future[_Slot] = field(compare=False)


class Fleet:
    """Servers that answer alike. `close` ends the connections; a later request opens new ones."""

    def __init__(self, servers: Sequence[JsonServer], patience: Patience | None = None) -> None:
        """At least one server; each takes as many requests at a time as it has connections."""
        self._slots = [_Slot(server) for server in servers]
        self._patience = patience or Patience()
        self._waiting: list[_Waiter] = []
        self._numbers = itertools.count()
        self._last = ""
        self.requests = 0
        """Sent so far, retries included."""

    @property
    def servers(self) -> list[JsonServer]:
        """All of them, whether up or not."""
        return [slot.server for slot in self._slots]

    async def post(self, path: str, body: Mapping[str, Any], order: str = "") -> object:
        """The JSON answer of one server; `order` is the text that waiting requests are sorted by.

        Raises `HttpFault` at once when the request itself is refused, else the last `InfraError`.
        """
        loop = asyncio.get_running_loop()
        failures, others, first = 0, 0, 0.0
        while True:
            slot = await self._place(order)
            try:
                self.requests += 1
                answer = await slot.server.post(path, body)
            except InfraError as cause:
                if isinstance(cause, HttpFault) and cause.permanent:
                    raise
                first = first or loop.time()
                failures += 1
                others += not _may_recover(cause)
                self._note(slot, cause)
                if others >= self._patience.tries or loop.time() - first >= self._patience.wait_s:
                    raise
                asked_for_s = cause.retry_after_s if isinstance(cause, HttpFault) else None
                pause_s = self._patience.pause_s(failures, asked_for_s)
            else:
                slot.failures, slot.down_until = 0, 0.0
                return answer
            finally:
                self._leave(slot)
            await asyncio.sleep(pause_s)

    async def close(self) -> None:
        """Close the connections."""
        for slot in self._slots:
            await slot.server.close()

    async def _place(self, order: str) -> _Slot:
        """A place at a server, once there is one."""
        slot = None if self._waiting else self._roomiest()
        if slot is not None:
            slot.in_flight += 1
            self._last = order
            return slot
        waiter = _Waiter(order, next(self._numbers), asyncio.get_running_loop().create_future())
        insort(self._waiting, waiter)
        try:
            return await waiter.place
        except asyncio.CancelledError:
            if waiter.place.done() and not waiter.place.cancelled():
                self._leave(waiter.place.result())
            elif waiter in self._waiting:
                self._waiting.remove(waiter)
            raise

    def _leave(self, slot: _Slot) -> None:
        slot.in_flight -= 1
        while self._waiting:
            free = self._roomiest()
            if free is None:
                return
            # The next in order from the one sent last on; after the greatest comes the least.
            place = bisect_left(self._waiting, self._last, key=lambda waiter: waiter.order)
            place %= len(self._waiting)
            waiter = self._waiting.pop(place)
            if not waiter.place.done():
                free.in_flight += 1
                self._last = waiter.order
                waiter.place.set_result(free)

    def _roomiest(self) -> _Slot | None:
        now = asyncio.get_running_loop().time()
        up = [slot for slot in self._slots if slot.down_until <= now] or self._slots
        free = [slot for slot in up if slot.in_flight < slot.server.connections]
        return min(free, key=lambda slot: slot.in_flight / slot.server.connections, default=None)

    def _note(self, slot: _Slot, cause: InfraError) -> None:
        if isinstance(cause, ServiceDown):
            slot.failures += 1
            pause_s = self._patience.pause_s(slot.failures)
            slot.down_until = asyncio.get_running_loop().time() + pause_s


def _may_recover(cause: InfraError) -> bool:
    return isinstance(cause, ServiceDown) or (isinstance(cause, HttpFault) and cause.code in OVERLOADED)
