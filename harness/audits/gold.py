"""`harness validate`: statements and gold proofs of a benchmark through the verifier, without any model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.protocols import Candidate, Verifier
from harness.types import Level, Problem, Status, Verdict

BATCH = 64
UNSTATED = "toolchain"
"""Reason of a verdict on a problem whose own text fails."""
BEYOND = "not in the embedded fragment"
"""How the embedded core begins to say that it does not know a piece of Lean at all."""
PROBE = "by skip"
"""Shown for a problem without a gold proof: proves nothing, but Lean has to state the problem for it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One gold proof that was not proved."""

    id: str
    split: str
    status: Status
    reason: str
    detail: str
    proof: str


@dataclass(frozen=True, slots=True)
class Validation:
    """What `validate` found. A benchmark is sound when its tuples of failures are all empty."""

    benchmark: str
    problems: int
    with_gold: int
    proved: int
    level: Level
    failures: tuple[Failure, ...]
    """Rejected and timed out: the gold proof or the statement is wrong, or the checker is."""
    unstated: tuple[Failure, ...]
    """Problems, with or without a gold proof, whose own text Lean does not take."""
    unjudged: tuple[Failure, ...]
    """The machine failed; nothing is known of these."""
    beyond: tuple[Failure, ...]
    """Not for the embedded core: proofs by `|` equations, `where` and the like. Nothing is known of these."""
    seconds: float
    """Sum of the verifier's own seconds."""

    @property
    def by_reason(self) -> dict[str, int]:
        """Failures counted by reason, most frequent first."""
        return dict(Counter(item.reason for item in self.failures).most_common())


async def validate(
    problems: Sequence[Problem],
    verifier: Verifier,
    level: Level = Level.FAST,
    progress: Callable[[int], None] | None = None,
) -> Validation:
    """Have every problem stated and its gold proof checked, where it has one, `BATCH` at a time.

    `progress` is told the number of problems judged so far.
    """
    verdicts: list[Verdict] = []
    for start in range(0, len(problems), BATCH):
        batch = [Candidate(problem, problem.gold or PROBE) for problem in problems[start : start + BATCH]]
        verdicts += await verifier.check(batch, level)
        if progress is not None:
            progress(len(verdicts))
    every = list(zip(problems, verdicts, strict=True))
    judged = [(problem, verdict) for problem, verdict in every if problem.gold]
    refused = [(p, v) for p, v in judged if v.status in (Status.REJECTED, Status.TIMEOUT)]
    beyond = [(p, v) for p, v in refused if v.verifier == "core" and BEYOND in v.detail]
    failed = [(p, v) for p, v in every if v.status is Status.INFRA]
    return Validation(
        benchmark=problems[0].benchmark if problems else "",
        problems=len(problems),
        with_gold=len(judged),
        proved=sum(verdict.status is Status.PROVED for _, verdict in judged),
        level=level,
        failures=tuple(_failure(p, v) for p, v in refused if (p, v) not in beyond),
        unstated=tuple(_failure(p, v) for p, v in failed if v.reason == UNSTATED),
        unjudged=tuple(_failure(p, v) for p, v in failed if v.reason != UNSTATED),
        beyond=tuple(_failure(p, v) for p, v in beyond),
        seconds=sum(verdict.seconds for verdict in verdicts),
    )


def _failure(problem: Problem, verdict: Verdict) -> Failure:
    return Failure(
        id=problem.id,
        split=problem.split,
        status=verdict.status,
        reason=verdict.reason,
        detail=verdict.detail,
        proof=problem.gold or "",
    )
