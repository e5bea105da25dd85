"""Verdicts of the embedded core from processes beside this one.

The core is Python, and so is half of asking a model: in one process they take turns, a few milliseconds each.
Whoever has many attempts in flight hands in one proof at a time; these are judged elsewhere while the model
goes on, at the strict level of evaluations. Of a batch this process judges its share, since whoever hands in
one has nothing else to do.
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
        self._workers, self._tries = workers, tries
        self._seen = 0

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        """One verdict per candidate, in order. Never raises for a bad proof."""
        self._seen += len(candidates)
        # A collection's curve follows the order in which its searches end, so a lone fast check waits for nobody.
        if self._seen <= FEW or (len(candidates) == 1 and level is Level.FAST):
            return await self._here.check(candidates, level)
        share = len(candidates) // (self._workers + 1)  # none of a lone one
        size = max(1, -(-(len(candidates) - share) // self._workers))
        parts = [candidates[first : first + size] for first in range(share, len(candidates), size)]
        asked = [self._pool.submit(judged, part, level, *self._limits) for part in parts]
        verdicts = await self._here.check(candidates[:share], level)
        for part, answer in zip(parts, asked, strict=True):
            try:
                found: list[Verdict] = await asyncio.wrap_future(answer)
                verdicts += found
            except ServiceDown as cause:
                # One of them ends every process that it is judged in, and the others are to be told apart.
                alone = [await self.check([one], level) for one in part if len(part) > 1]
                verdicts += [verdict for [verdict] in alone] or [failed(level, cause, self._tries)]
        return verdicts

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
