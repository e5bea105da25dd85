"""Runs made side by side begin their attempts in turn, so that whatever the machine does hits all alike.

A machine that grows hot, a server that fills up or a neighbour that wakes changes seconds, and where a wall
clock stops searches it changes results. One run after the other would put all of that on one side.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


class Turns:
    """Of several runs none begins its next attempt before every other has begun as many, or has no more."""

    def __init__(self, runs: int) -> None:
        self._begun = [0] * runs
        self._over = [False] * runs
        self._changed = asyncio.Condition()

    async def begin(self, run: int) -> None:
        """Wait until it is the turn of `run`, and take it. Of equal ones the first comes first."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._next(run))
            self._begun[run] += 1
            self._changed.notify_all()

    async def end(self, run: int) -> None:
        """Say that `run` has nothing more to begin: nobody waits for it any longer."""
        async with self._changed:
            self._over[run] = True
            self._changed.notify_all()

    def _next(self, run: int) -> bool:
        mine = self._begun[run]
        return all(
            over or begun >= mine + (other < run)
            for other, (begun, over) in enumerate(zip(self._begun, self._over, strict=True))
            if other != run
        )


@dataclass(frozen=True, slots=True)
class TurnPlace:
    """One run's place among `turns`."""

    turns: Turns
    run: int

    async def begin(self) -> None:
        """Wait for the turn."""
        await self.turns.begin(self.run)

    async def end(self) -> None:
        """Nothing more is begun."""
        await self.turns.end(self.run)
