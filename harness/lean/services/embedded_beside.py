"""Verdicts of the embedded core from processes beside this one.

The core is Python, and so is half of asking a model: in one process they take turns, a few milliseconds each.
Whoever has many attempts in flight hands in one proof at a time; these are judged elsewhere while the model
goes on. A batch is judged here, since whoever hands in one waits for all of it and has nothing else to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache

from harness.errors import ServiceDown
from harness.lean.services.embedded import CoreVerifier
from harness.lean.verdicts.checking import failed
from harness.processes.pool import Pool
from harness.protocols import Candidate
from harness.types import Level, Verdict

FEW = 100
"""So many proofs are judged in the time in which a process starts, and stay here."""


class CoreBeside:
    """A `Verifier`: the verdicts of `CoreVerifier`, in whichever process they are reached."""

    def __init__(self, heartbeats: int, timeout_s: float, workers: int, tries: int) -> None:
        """`workers`: processes. `tries` of one check while its process dies; then it is INFRA."""
        self._limits = heartbeats, timeout_s
        self._here = CoreVerifier(*self._limits)
        self._pool = Pool(workers, tries)
        self._tries = tries
        self._alone = 0

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        """One verdict per candidate, in order. Never raises for a bad proof."""
        if len(candidates) != 1:
            return await self._here.check(candidates, level)
        self._alone += 1
        if self._alone <= FEW:
            return await self._here.check(candidates, level)
        asked = self._pool.submit(judged, candidates[0], level, *self._limits)
        try:
            return [await asyncio.wrap_future(asked)]
        except ServiceDown as cause:
            return [failed(level, cause, self._tries)]

    async def close(self) -> None:
        """Forget what was kept here, and end the processes."""
        await self._here.close()
        self._pool.close()


def judged(candidate: Candidate, level: Level, heartbeats: int, timeout_s: float) -> Verdict:
    """The verdict on one candidate, from the verifier that this process keeps."""
    verifier, runner = _kept(heartbeats, timeout_s)
    [verdict] = runner.run(verifier.check([candidate], level))
    return verdict


@lru_cache(maxsize=4)
def _kept(heartbeats: int, timeout_s: float) -> tuple[CoreVerifier, asyncio.Runner]:
    return CoreVerifier(heartbeats, timeout_s), asyncio.Runner()
