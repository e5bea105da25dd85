"""Batching faces of a policy and a value model.

Provers and the runner ask for one thing at a time; these put what concurrent attempts ask for into common
calls. One set belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeVar

from harness.protocols import Policy, Value
from harness.serving.batching import Batcher
from harness.types import Problem, ProofState, Proposal, Sample

Item = TypeVar("Item")
Result = TypeVar("Result")


async def _each(batcher: Batcher[Item, Result], items: Sequence[Item]) -> list[Result]:
    return list(await asyncio.gather(*(batcher(item) for item in items)))


class BatchedPolicy:
    """A `Policy` whose requests share calls of the policy behind it."""

    def __init__(self, policy: Policy, max_batch: int = 256) -> None:
        self._policy = policy
        self._widths: dict[int, Batcher[tuple[ProofState, int], list[Proposal]]] = {}
        self._samples = Batcher(self._sample, max_batch)
        self._max_batch = max_batch

    async def propose(
        self, states: Sequence[ProofState], seeds: Sequence[int], k: int
    ) -> list[list[Proposal]]:
        """As the policy behind it; requests of the same `k` are batched."""
        if k not in self._widths:

            async def run(batch: list[tuple[ProofState, int]]) -> list[list[Proposal]]:
                return await self._policy.propose([state for state, _ in batch], [s for _, s in batch], k)

            self._widths[k] = Batcher(run, self._max_batch)
        return await _each(self._widths[k], list(zip(states, seeds, strict=True)))

    async def sample(self, problems: Sequence[Problem], seeds: Sequence[int]) -> list[Sample]:
        """As the policy behind it."""
        return await _each(self._samples, list(zip(problems, seeds, strict=True)))

    async def _sample(self, pairs: list[tuple[Problem, int]]) -> list[Sample]:
        return await self._policy.sample([problem for problem, _ in pairs], [seed for _, seed in pairs])


class BatchedValue:
    """A `Value` whose requests share calls."""

    def __init__(self, value: Value, max_batch: int = 256) -> None:
        async def run(batch: list[ProofState]) -> list[float]:
            return await value.score(batch)

        self._batcher = Batcher(run, max_batch)

    async def score(self, states: Sequence[ProofState]) -> list[float]:
        """As the value model behind it."""
        return await _each(self._batcher, states)
