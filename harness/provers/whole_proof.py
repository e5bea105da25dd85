"""Whole-proof sampling: the policy writes the proof in one go, n independent samples per problem."""

from __future__ import annotations

from dataclasses import dataclass

from harness.protocols import Policy
from harness.types import Attempt, Problem


@dataclass(frozen=True, slots=True)
class WholeProof:
    """A `Prover`: attempt number i is the policy's sample under that attempt's own seed."""

    policy: Policy

    async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
        """One sampled proof, unjudged."""
        [sample] = await self.policy.sample([problem], [seed])
        raw = "" if sample.raw == sample.proof else sample.raw
        return Attempt(
            problem.id,
            index,
            seed,
            sample.proof,
            raw=raw,
            usage=sample.usage,
            logprob=sample.logprob,
            origin=sample.origin,
        )
