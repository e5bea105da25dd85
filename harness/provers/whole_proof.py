"""Whole-proof sampling: the policy writes the proof in one go, n independent samples per problem.

With `repairs` a proof that Lean refuses is shown to the policy again, with what Lean said, and another one is
asked for. All turns are one attempt: their tokens add up, and the last proof is the one that is judged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from harness.errors import InfraError, SpecError
from harness.lean.text.placing import placed
from harness.protocols import Candidate, Policy, Repairing, Verifier
from harness.provers.prover import ProverSpec, Tools
from harness.spec import WholeProofSpec
from harness.types import (
    REASONS,
    Attempt,
    Fault,
    Level,
    Problem,
    Sample,
    Status,
    Turn,
    Usage,
    Verdict,
)


class WholeProofProverSpec(ProverSpec, WholeProofSpec):
    """Whole-proof sampling as a prover."""

    _neutral: ClassVar[dict[str, Any]] = {"repairs": 0}

    shared: ClassVar[str] = "whole_proof"
    section: ClassVar[str] = "whole_proof"

    kind: Literal["whole_proof"] = "whole_proof"
    """The policy writes the proof in one go."""
    repairs: int = Field(default=0, ge=0)
    """Times that a refused proof is shown to the policy with Lean's errors and written anew: the first 8 in
    the order of the text, 2,000 characters of each at most, each with its place in the proof; no warnings.
    Needs a prompt family with such a turn; each refused proof is checked once more than without."""

    @property
    def repeats(self) -> str | None:
        """Greedy decoding draws nothing at random."""
        return None if self.method == "sample" else "method: sample"

    def build(self, tools: Tools) -> WholeProof:
        """Sampling from the generator."""
        return WholeProof(tools.policy(self), tools.verifier, self.repairs)


@dataclass(frozen=True, slots=True)
class WholeProof:
    """A `Prover`: attempt number i is the policy's sample under that attempt's own seed.

    Raises `SpecError` at construction when repairs are asked for that nobody can make.
    """

    policy: Policy
    verifier: Verifier | None = None
    repairs: int = 0

    def __post_init__(self) -> None:
        if self.repairs and not (isinstance(self.policy, Repairing) and self.policy.repairs):
            raise SpecError("whole_proof.repairs: this generator has no such turn; set repairs: 0")
        if self.repairs and self.verifier is None:
            raise SpecError("whole_proof.repairs: needs Lean's messages and there is no Lean; set repairs: 0")

    async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
        """One sampled proof, unjudged; repaired as long as Lean refuses it and turns are left."""
        [sample] = await self.policy.sample([problem], [seed])
        usage, turns = sample.usage, list[Turn]()
        while len(turns) < self.repairs and (refused := await self._refused(problem, sample)):
            turns.append(refused)
            assert isinstance(self.policy, Repairing)
            [sample] = [item async for _, item in self.policy.repaired([problem], [tuple(turns)], [seed])]
            usage = _together(usage, sample.usage)
        raw = "" if sample.raw == sample.proof else sample.raw
        made = Attempt(problem.id, index, seed, sample.proof, raw=raw, usage=usage, logprob=sample.logprob)
        origin = f"repair {len(turns)}: {sample.origin}" if turns else sample.origin
        return replace(made, origin=origin)

    async def _refused(self, problem: Problem, sample: Sample) -> Turn | None:
        """What to show the policy of a proof that is none; None for a proof. Raises `InfraError`."""
        if not sample.proof.strip():
            return Turn(sample.raw, "", (Fault("The answer holds no Lean code."),))
        assert self.verifier is not None
        [verdict] = await self.verifier.check([Candidate(problem, sample.proof)], Level.FAST)
        if verdict.status is Status.INFRA:
            raise InfraError(f"a proof to be repaired could not be checked: {verdict.detail}")
        return None if verdict.status is Status.PROVED else _turn(problem, sample, verdict)


def _turn(problem: Problem, sample: Sample, verdict: Verdict) -> Turn:
    """The refused proof with Lean's errors in their places; with the verdict's reason where Lean had none."""
    if verdict.faults:
        faults = placed(problem, sample.proof, verdict.faults)
        return Turn(sample.raw, sample.proof, faults, verdict.more_faults)
    unsaid = "Lean ran out of time." if verdict.status is Status.TIMEOUT else REASONS[verdict.reason]
    said = verdict.detail if verdict.status is Status.REJECTED else ""
    return Turn(sample.raw, sample.proof, (Fault(said or unsaid),))


def _together(one: Usage, two: Usage) -> Usage:
    return Usage(
        one.prompt_tokens + two.prompt_tokens,
        one.completion_tokens + two.completion_tokens,
        truncated=two.truncated,
    )
