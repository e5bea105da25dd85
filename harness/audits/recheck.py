"""Judging stored proofs again, without a model: after a new verifier, or at a stricter level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.errors import UserError
from harness.protocols import Candidate, Verifier
from harness.types import Level, Problem, Record, Verdict

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Rechecked:
    """One record as it was and as it is judged now."""

    old: Record
    new: Record

    @property
    def changed(self) -> bool:
        """Whether status or reason differ; level, times and wording may."""
        before, after = self.old.verdict, self.new.verdict
        return (before.status, before.reason) != (after.status, after.reason)


async def recheck(
    records: Iterable[Record],
    problems: Sequence[Problem],
    verifier: Verifier,
    level: Level,
) -> list[Rechecked]:
    """Every record with a new verdict at `level`, in order. The records given are not changed.

    Records without a candidate keep their verdict: there is nothing to judge. Raises `UserError` when a
    record's problem, in its revision, is not among `problems`.
    """
    known: Mapping[tuple[str, str], Problem] = {(item.id, item.revision): item for item in problems}
    stored = list(records)
    for record in stored:
        if (record.problem_id, record.revision) not in known:
            raise UserError(
                f"{record.problem_id}: revision {record.revision} is not in the benchmark any more; "
                "recheck with the version that the run used"
            )
    done: list[Rechecked] = []
    for start in range(0, len(stored), _BATCH):
        batch = stored[start : start + _BATCH]
        asked = [record for record in batch if record.attempt.proof is not None]
        candidates = [
            Candidate(known[record.problem_id, record.revision], record.attempt.proof or "")
            for record in asked
        ]
        verdicts = iter(await verifier.check(candidates, level) if candidates else [])
        for record in batch:
            verdict: Verdict = record.verdict if record.attempt.proof is None else next(verdicts)
            done.append(Rechecked(record, replace(record, verdict=verdict)))
    return done


def recheck_report(rows: Sequence[Rechecked]) -> list[str]:
    """Lines for people: every verdict that changed, then how often each change occurred."""
    lines = []
    changes: Counter[str] = Counter()
    for row in rows:
        if not row.changed:
            continue
        before, after = row.old.verdict, row.new.verdict
        change = f"{before.status} ({before.reason}) -> {after.status} ({after.reason})"
        changes[change] += 1
        detail = f": {after.detail[:120]}" if after.detail else ""
        lines.append(f"{row.old.problem_id} #{row.old.attempt.index}: {change}{detail}")
    lines.append(f"{sum(changes.values())} of {len(rows)} verdicts changed")
    lines.extend(f"  {count} x {change}" for change, count in changes.most_common())
    return lines
