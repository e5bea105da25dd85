"""Verdicts of the embedded core from processes beside this one.

The core is Python, and so is half of asking a model: in one process they take turns, a few milliseconds each.
Whoever has many attempts in flight hands in one proof at a time; these are judged elsewhere while the model
goes on, at the strict level of evaluations. Of a batch this process judges its share, since whoever hands in
one has nothing else to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
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
        self._workers, self._tries = workers, tries
        self._seen = 0

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        """One verdict per candidate, in order. Never raises for a bad proof."""
        self._seen += len(candidates)
        # A lone fast check is a collection's, whose curve follows the order in which its searches end.
        if self._seen <= FEW or (len(candidates) == 1 and level is Level.FAST):
            return await self._here.check(candidates, level)
        share = len(candidates) // (self._workers + 1)  # none of a lone one
        size = max(1, -(-(len(candidates) - share) // self._workers))
        parts = [candidates[first : first + size] for first in range(share, len(candidates), size)]
        asked = [self._submitted(part, level) for part in parts]
        verdicts = await self._here.check(candidates[:share], level)
        for part, answer in zip(parts, asked, strict=True):
            verdicts += await self._answered(part, level, answer)
        return verdicts

    def _submitted(self, part: Sequence[Candidate], level: Level) -> Future[list[Verdict]]:
        return self._pool.submit(judged, part, level, *self._limits)

    async def _answered(
        self, part: Sequence[Candidate], level: Level, answer: Future[list[Verdict]]
    ) -> list[Verdict]:
        try:
            return await asyncio.wrap_future(answer)
        except ServiceDown as cause:
            if len(part) == 1:
                return [failed(level, cause, self._tries)]
        # One of them ends every process that it is judged in, and the others are to be told apart.
        alone = [await self._answered([one], level, self._submitted([one], level)) for one in part]
        return [verdict for [verdict] in alone]

    async def close(self) -> None:
        """Forget what was kept here, and end the processes."""
        await self._here.close()
        self._pool.close()


def judged(candidates: Sequence[Candidate], level: Level, heartbeats: int, timeout_s: float) -> list[Verdict]:
    """The verdicts of the verifier that this process keeps."""
    verifier, runner = _kept(heartbeats, timeout_s)
    return runner.run(verifier.check(candidates, level))


@lru_cache(maxsize=4)
def _kept(heartbeats: int, timeout_s: float) -> tuple[CoreVerifier, asyncio.Runner]:
    return CoreVerifier(heartbeats, timeout_s), asyncio.Runner()
