"""Whole-proof sampling: the policy writes the proof in one go, n independent samples per problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from harness.protocols import Policy
from harness.provers.prover import ProverSpec, Tools
from harness.spec import WholeProofSpec
from harness.types import Attempt, Problem


class WholeProofProverSpec(ProverSpec, WholeProofSpec):
    """Whole-proof sampling as a prover."""

    shared: ClassVar[str] = "whole_proof"
    section: ClassVar[str] = "whole_proof"

    kind: Literal["whole_proof"] = "whole_proof"
    """The policy writes the proof in one go."""

    @property
    def repeats(self) -> str | None:
        """Greedy decoding draws nothing at random."""
        return None if self.method == "sample" else "method: sample"

    def build(self, tools: Tools) -> WholeProof:
        """Sampling from the generator."""
        return WholeProof(tools.policy(self))


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
