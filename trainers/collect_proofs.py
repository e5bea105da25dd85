"""Labelled states from whole proofs: sampled, checked, and followed tactic by tactic.

A prover that writes no tactics of its own still says, with every proof that is accepted, how many tactics are
left at each state on it. A proof that cannot be followed so gives no states; it stays a proof to imitate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.errors import InfraError
from harness.experiment.attempts import RETRY_PAUSE_S, AttemptTask, Checks, attempt, attempt_seed
from harness.protocols import Policy, Sessions, Verifier
from harness.provers.whole_proof import WholeProof
from harness.types import Level, Problem, Record, Status, Verdict
from trainers import trajectories
from trainers.examples import ProofStep, replay, tactic_block
from trainers.fitting import Progress
from trainers.harvest import Harvested, HarvestLimits, harvested
from trainers.trajectories import LabelledState


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to collect. `round_` counts from 0."""

    samples: int
    """Proofs of each theorem."""
    round_: int
    seed: int
    concurrency: int
    """Proofs in flight."""
    max_attempts: int = 3
    """Tries per proof while the machine fails."""
    max_unscored: float = 0.02
    """Share of the proofs that the machine may fail on."""


@dataclass(frozen=True, slots=True)
class ProofTools:
    """Who writes proofs, who judges them, and who follows them."""

    policy: Policy
    verifier: Verifier
    sessions: Sessions


def labelled(problem: Problem, steps: Sequence[ProofStep], round_: int) -> list[LabelledState]:
    """The states along a finished proof, the first with all of its tactics left; `round_` counts from 0."""
    return [
        LabelledState(
            problem.id, problem.revision, "\n\n".join(step.goals), left, "proof", step.tactic, round_
        )
        for left, step in zip(range(len(steps), 0, -1), steps, strict=True)
    ]


async def collect(
    how: Sampling, problems: Sequence[Problem], tools: ProofTools, out: Path, progress: Progress
) -> dict[str, Any]:
    """Sample `how.samples` proofs of every problem, check and follow each; files, order and errors as of
    `harvested`. Returns counts."""
    limits = HarvestLimits(how.concurrency, how.max_unscored, "proofs")
    found = await harvested(problems, _Theorems(how, tools).found, limits, out, progress)
    return _counts(found)


@dataclass(slots=True)
class _Theorems:
    """What is done with each theorem. Of all together `how.concurrency` proofs are in flight; following them
    waits for none of these, so that a theorem whose proofs are there is soon done."""

    how: Sampling
    tools: ProofTools
    prover: WholeProof = field(init=False)
    slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.prover = WholeProof(self.tools.policy)
        self.slots = asyncio.Semaphore(self.how.concurrency)

    async def found(self, problem: Problem) -> Harvested:
        """The samples of one theorem. A state that several of its proofs meet keeps the fewest tactics."""
        records = await asyncio.gather(*(self._sampled(problem, n) for n in range(self.how.samples)))
        proofs = dict.fromkeys(record.attempt.proof or "" for record in records if _proved(record))
        followed = {proof: await self._followed(problem, proof) for proof in proofs}
        judged = tuple(_unscored(record, followed.get(record.attempt.proof or "")) for record in records)
        paths = [steps for steps in followed.values() if isinstance(steps, list)]
        met = [state for steps in paths for state in labelled(problem, steps, self.how.round_)]
        lost = sum(_proved(record) and followed[record.attempt.proof or ""] is None for record in judged)
        return Harvested(judged, tuple(trajectories.merged(met)), lost)

    async def _sampled(self, problem: Problem, number: int) -> Record:
        how = self.how
        # Another round draws other proofs.
        seed = attempt_seed(how.seed, problem.id, how.round_ * how.samples + number)
        async with self.slots:
            checks = Checks(self.tools.verifier, Level.FAST)
            return await attempt(AttemptTask(problem, number, seed), self.prover, checks, how.max_attempts)

    async def _followed(self, problem: Problem, proof: str) -> list[ProofStep] | InfraError | None:
        """The way of an accepted proof; None when it has none tactic by tactic, or how the machine failed."""
        block = tactic_block(problem, proof)
        for number in range(self.how.max_attempts):
            if number:
                await asyncio.sleep(RETRY_PAUSE_S * 2 ** (number - 1))
            try:
                return await replay(self.tools.sessions, problem, block)
            except InfraError as cause:
                failure = cause
        return failure


def _proved(record: Record) -> bool:
    return record.verdict.status is Status.PROVED


def _unscored(record: Record, followed: list[ProofStep] | InfraError | None) -> Record:
    """`record`, unscored where the machine failed to follow its proof: nobody knows what it would teach."""
    if not _proved(record) or not isinstance(followed, InfraError):
        return record
    detail = f"the accepted proof could not be followed: {type(followed).__name__}: {followed}"
    return replace(record, verdict=Verdict(Status.INFRA, "service", detail, level=Level.FAST))


def _counts(found: Sequence[Harvested]) -> dict[str, Any]:
    records = [record for each in found for record in each.records]
    return {
        "theorems": len(found),
        "solved": sum(each.solved for each in found),
        "attempts": len(records),
        "proofs": sum(_proved(record) for record in records),
        "not_replayed": sum(each.not_replayed for each in found),
        "unscored": sum(each.unscored for each in found),
        "truncated": sum(record.attempt.usage.truncated for record in records),
        "completion_tokens": sum(record.attempt.usage.completion_tokens for record in records),
        "states_proof": sum(len(each.states) for each in found),
    }
