"""`harness validate`: every gold proof of a benchmark through the verifier, without any model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.protocols import Candidate, Verifier
from harness.types import Level, Problem, Status, Verdict

BATCH = 64


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
    """What `validate` found. A benchmark is sound when `failures` and `unjudged` are empty."""

    benchmark: str
    problems: int
    with_gold: int
    proved: int
    level: Level
    failures: tuple[Failure, ...]
    """Rejected and timed out: the gold proof or the statement is wrong, or the checker is."""
    unjudged: tuple[Failure, ...]
    """The machine failed; nothing is known of these."""
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
    """Check the gold proof of every problem that has one, `BATCH` at a time.

    `progress` is told the number of proofs judged so far.
    """
    golden = [problem for problem in problems if problem.gold]
    verdicts: list[Verdict] = []
    for start in range(0, len(golden), BATCH):
        batch = [Candidate(problem, problem.gold or "") for problem in golden[start : start + BATCH]]
        verdicts += await verifier.check(batch, level)
        if progress is not None:
            progress(len(verdicts))
    judged = list(zip(golden, verdicts, strict=True))
    return Validation(
        benchmark=problems[0].benchmark if problems else "",
        problems=len(problems),
        with_gold=len(golden),
        proved=sum(verdict.status is Status.PROVED for verdict in verdicts),
        level=level,
        failures=tuple(_failure(p, v) for p, v in judged if v.status in (Status.REJECTED, Status.TIMEOUT)),
        unjudged=tuple(_failure(p, v) for p, v in judged if v.status is Status.INFRA),
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
