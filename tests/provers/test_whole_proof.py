"""Whole-proof sampling."""

import asyncio

from harness.provers.whole_proof import WholeProof
from harness.serving.batched import BatchedPolicy
from tests.provers.toy_graph import PROBLEM, Toy


def test_each_attempt_is_the_sample_of_its_own_seed():
    async def both():
        prover = WholeProof(BatchedPolicy(Toy({})))
        return await asyncio.gather(prover.attempt(PROBLEM, 0, 5), prover.attempt(PROBLEM, 1, 6))

    first, second = asyncio.run(both())
    assert (first.proof, first.raw, first.index, first.seed) == ("proof 5", "raw 5", 0, 5)
    assert (second.proof, second.index, second.usage.completion_tokens) == ("proof 6", 1, 2)
