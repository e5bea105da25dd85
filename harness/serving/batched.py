"""Batching faces of a policy and a value model that compute in this process.

Searches ask for one state at a time; these put what concurrent attempts ask for into common calls, one after
the other. Whatever merges its own queue (a model server, every Lean service) is asked directly: here each
request would wait for the slowest of its batch. One face belongs to one event loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from harness.protocols import Policy, Repairing, Streaming, Value
from harness.serving.batching import Batcher
from harness.types import Problem, ProofState, Proposed, Sample, Turn


class BatchedPolicy:
    """A `Policy` whose requests share calls of the policy behind it."""

    def __init__(self, policy: Policy, max_batch: int = 256, in_flight: int | None = 1) -> None:
        """`in_flight`: calls at most at once of each kind; None for no limit."""
        self._policy = policy
        self._widths: dict[int, Batcher[tuple[ProofState, int], Proposed]] = {}
        self._samples = Batcher(self._sample, max_batch, in_flight)
        self._repairs = Batcher(self._repair, max_batch, in_flight)
        self._limits = max_batch, in_flight

    async def propose(self, states: Sequence[ProofState], seeds: Sequence[int], k: int) -> list[Proposed]:
        """As the policy behind it; requests of the same `k` are batched."""
        if k not in self._widths:

            async def run(batch: list[tuple[ProofState, int]]) -> list[Proposed]:
                return await self._policy.propose([state for state, _ in batch], [s for _, s in batch], k)

            self._widths[k] = Batcher(run, *self._limits)
        return await self._widths[k].all(list(zip(states, seeds, strict=True)))

    async def sample(self, problems: Sequence[Problem], seeds: Sequence[int]) -> list[Sample]:
        """As the policy behind it."""
        return await self._samples.all(list(zip(problems, seeds, strict=True)))

    @property
    def repairs(self) -> bool:
        """As the policy behind it."""
        return isinstance(self._policy, Repairing) and self._policy.repairs

    async def repaired(
        self, problems: Sequence[Problem], turns: Sequence[Sequence[Turn]], seeds: Sequence[int]
    ) -> AsyncIterator[tuple[int, Sample]]:
        """As the policy behind it."""
        for found in enumerate(await self._repairs.all(list(zip(problems, turns, seeds, strict=True)))):
            yield found

    def _repair(self, asked: list[tuple[Problem, Sequence[Turn], int]]) -> AsyncIterator[tuple[int, Sample]]:
        assert isinstance(self._policy, Repairing)
        problems, turns, seeds = zip(*asked, strict=True)
        return self._policy.repaired(problems, turns, seeds)

    async def _sample(self, pairs: list[tuple[Problem, int]]) -> AsyncIterator[tuple[int, Sample]]:
        """Proofs differ in length by orders of magnitude: nobody waits for the longest of a batch."""
        problems, seeds = [problem for problem, _ in pairs], [seed for _, seed in pairs]
        if isinstance(self._policy, Streaming):
            async for place, sample in self._policy.samples(problems, seeds):
                yield place, sample
        else:
            for place, sample in enumerate(await self._policy.sample(problems, seeds)):
                yield place, sample


class BatchedValue:
    """A `Value` whose requests share calls."""

    def __init__(self, value: Value, max_batch: int = 256, in_flight: int | None = 1) -> None:
        """`in_flight` as for `BatchedPolicy`."""

        async def run(batch: list[ProofState]) -> list[float]:
            return await value.score(batch)

        self._batcher = Batcher(run, max_batch, in_flight)

    async def score(self, states: Sequence[ProofState]) -> list[float]:
        """As the value model behind it."""
        return await self._batcher.all(states)
