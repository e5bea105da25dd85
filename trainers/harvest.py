"""What a collection gathers: journalled theorem by theorem, written in their order once all are there.

A collection that was killed goes on with the theorems that it owes.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import InfraError, StoreError
from harness.records.journal import DROP_LINE, Journal, read_rows
from harness.types import Problem, Record, Status
from trainers import trajectories
from trainers.fitting import Progress
from trainers.trajectories import STATES, LabelledState

ATTEMPTS = "attempts.jsonl"
JOURNAL = "searches.jsonl"
"""While collecting: one line for each finished theorem, in the order in which they ended."""


@dataclass(frozen=True, slots=True)
class Harvested:
    """What one theorem gave."""

    records: tuple[Record, ...]
    """Its attempts, at least one, in order."""
    states: tuple[LabelledState, ...]
    not_replayed: int = 0
    """Accepted whole proofs that the step sessions do not follow tactic by tactic to their end."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Harvested:
        """Inverse of `row`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        told = row["records"] if "records" in row else [row["record"]]  # one search, as it was written before
        records = tuple(Record.from_json(record) for record in told)
        states = tuple(LabelledState(**state) for state in row["states"])
        if len({record.problem_id for record in records}) != 1:
            raise ValueError("not the attempts of one theorem")
        return cls(records, states, int(row.get("not_replayed", 0)))

    @property
    def row(self) -> dict[str, Any]:
        """Its line of the journal."""
        return {
            "records": [record.to_json() for record in self.records],
            "states": [dataclasses.asdict(state) for state in self.states],
            "not_replayed": self.not_replayed,
        }

    @property
    def solved(self) -> bool:
        """Whether one of its proofs was accepted."""
        return any(record.verdict.status is Status.PROVED for record in self.records)

    @property
    def unscored(self) -> int:
        """Attempts that the machine failed on."""
        return sum(record.verdict.status is Status.INFRA for record in self.records)


@dataclass(frozen=True, slots=True)
class HarvestLimits:
    """How many theorems at once, and how much the machine may fail."""

    concurrency: int
    max_unscored: float
    """Share of the attempts."""
    attempts: str = "searches"
    """What an attempt is called."""


Try = Callable[[Problem], Awaitable[Harvested]]
"""Everything that a collection does with one theorem."""


async def harvested(
    problems: Sequence[Problem], one: Try, limits: HarvestLimits, out: Path, progress: Progress
) -> list[Harvested]:
    """What `one` finds for each of `problems`; writes `STATES` and `ATTEMPTS` to `out`.

    All are in the order of `problems`, whatever finished first. What an earlier try left in `out` is gone on
    with. Raises `InfraError` when the machine failed on more than `limits.max_unscored` of the attempts:
    what is left would be another set.
    """
    harvest = Harvest(len(problems), progress)
    harvest.restore(out / JOURNAL)
    journal = Journal(out / JOURNAL)
    queue = iter([problem for problem in problems if problem.id not in harvest.found])

    async def worker() -> None:
        for problem in queue:
            harvest.add(await one(problem), journal)

    workers = [asyncio.ensure_future(worker()) for _ in range(min(limits.concurrency, len(problems)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        journal.close()
    found = [harvest.found[problem.id] for problem in problems]
    records = [record for each in found for record in each.records]
    _scored_enough(records, limits)
    trajectories.write(out / STATES, [state for each in found for state in each.states])
    _write_records(out / ATTEMPTS, records)
    (out / JOURNAL).unlink()
    return found


@dataclass(slots=True)
class Harvest:
    """What has come in so far."""

    total: int
    progress: Progress
    found: dict[str, Harvested] = field(default_factory=dict)
    """By theorem id."""

    def restore(self, path: Path) -> None:
        """Take what an earlier try journalled, except for theorems that the machine failed on."""
        for number, row in read_rows(path):
            try:
                found = Harvested.from_row(row)
            except (KeyError, TypeError, ValueError) as cause:
                raise StoreError(f"{path}:{number}: not a search ({cause}); {DROP_LINE}") from None
            if not found.unscored:
                self.found[found.records[0].problem_id] = found

    def add(self, found: Harvested, journal: Journal) -> None:
        """Keep what one theorem gave, on the disk first."""
        journal.append([found.row])
        self.found[found.records[0].problem_id] = found
        solved = sum(each.solved for each in self.found.values())
        self.progress(len(self.found), self.total, {"solved": float(solved)})


def _scored_enough(records: Sequence[Record], limits: HarvestLimits) -> None:
    failed = [record for record in records if record.verdict.status is Status.INFRA]
    if len(failed) > limits.max_unscored * len(records):
        raise InfraError(
            f"trajectories: {len(failed)} of {len(records)} {limits.attempts} failed, more than max_unscored "
            f"({limits.max_unscored:.0%}) allows: {failed[0].verdict.detail}"
        )


def _write_records(path: Path, records: Iterable[Record]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(record.to_json(), ensure_ascii=False) + "\n" for record in records)
