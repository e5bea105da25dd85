"""The folder of one run, for the process that fills it. What lies there: `harness.records.folder`.

Reading runs is `harness.analysis.runs`; the figures are `harness.analysis.metrics`. A record is acknowledged
when `append` returns. Killing the process anywhere loses no acknowledged record; what was not acknowledged is
owed again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.errors import StoreError, UserError
from harness.nested import changed_keys
from harness.records.folder import (
    PROBLEMS,
    PROVENANCE,
    RECORDS,
    SPEC,
    each_record,
    ledger_of,
    read_problems,
    read_sessions,
)
from harness.records.inputs import INPUTS
from harness.records.journal import DROP_LINE, FolderLock, Journal, make_folder, read_json, write_json
from harness.records.ledger import Key, Ledger
from harness.records.provenance import now
from harness.records.stamp import Stamp, write_summary
from harness.types import ProblemRef, Record, Status


class RunStore:
    """One run, opened for writing. Use as a context manager, or call `close`."""

    def __init__(
        self,
        folder: Path,
        lock: FolderLock,
        spec: Mapping[str, Any],
        problems: Sequence[ProblemRef],
        provenance: Mapping[str, Any],
    ) -> None:
        """Use `create_or_resume`."""
        self.folder = folder
        self.spec = spec
        self.problems = tuple(problems)
        self._lock = lock
        self._ledger = self._blank()
        self.canaries: list[Record] = []
        """The records at canaries; all others stay on the disk."""
        self._watched = {problem.key for problem in problems if problem.canary}
        for record in each_record(folder / RECORDS, self._ledger):
            self._watch(record)
        self._journal = Journal(folder / RECORDS)
        self._session: Mapping[str, Any] | None = provenance
        if not len(self._ledger):
            self._begin_session([])

    @classmethod
    def create_or_resume(
        cls,
        folder: Path,
        spec: Mapping[str, Any],
        problems: Sequence[ProblemRef],
        provenance: Mapping[str, Any],
        wait: bool = False,
    ) -> RunStore:
        """Begin a run, or go on with one that has the same spec and the same problems.

        Which k of pass@k are reported is not part of what a run is: the k of both specs are kept.

        `provenance` says what writes now (see `harness.records.provenance`) and is added to the others
        with the first record: a process that only looked made nothing of this run.
        `wait` lets another process that writes here come to its end first.
        Raises StoreError when the spec or the problems have changed (naming what), when another process
        writes here, when a stored line is corrupt, or when the disk refuses.
        """
        _check_distinct(problems)
        make_folder(folder / "logs")
        lock = FolderLock(folder / ".lock", wait=wait)
        with ExitStack() as on_failure:
            on_failure.callback(lock.release)
            found = _write_or_compare(folder, json.loads(json.dumps(spec)), problems)
            store = cls(folder, lock, found, problems, provenance)
            on_failure.pop_all()
        return store

    @property
    def records(self) -> list[Record]:
        """Every record so far, one per (problem, revision, index)."""
        return list(self.each())

    def each(self) -> Iterator[Record]:
        """The records one by one, as they stand on the disk; what the machine failed comes last."""
        return each_record(self.folder / RECORDS, self._blank())

    def _blank(self) -> Ledger:
        return ledger_of(self.spec, self.problems)

    def _watch(self, record: Record) -> None:
        if (record.problem_id, record.revision) in self._watched:
            self.canaries.append(record)

    def append(self, record: Record) -> None:
        """Store one record; see `append_many`."""
        self.append_many([record])

    def append_many(self, records: Sequence[Record]) -> None:
        """Store records with one sync (a sync costs milliseconds, a line microseconds).

        Raises StoreError when a record repeats a stored one or is not of this run's problems, or when it
        cannot be written; then none of them is stored. Only an unscored (INFRA) record may be repeated: the
        later one counts.
        """
        fresh: dict[Key, bool] = {}
        for record in records:
            why = self._ledger.objection(record)
            if fresh.get(record.key) is False:
                why = f"a second record of {record.problem_id}, sample {record.attempt.index}"
            if why is not None:
                raise StoreError(f"{self.folder / RECORDS}: {why}; {DROP_LINE}")
            fresh[record.key] = record.verdict.status is Status.INFRA
        if fresh and self._session is not None:
            self._begin_session(read_sessions(self.folder))
        self._journal.append([{**record.to_json(), INPUTS: self._ledger.inputs} for record in records])
        for record in records:
            self._ledger.add(record)
            self._watch(record)

    def adopt(self, records: Sequence[Record], sessions: Sequence[Mapping[str, Any]]) -> None:
        """Store records that another run made, with the provenance of that run before one's own.

        Raises StoreError as `append_many` does.
        """
        if self._session is not None:
            self._begin_session(read_sessions(self.folder))
        known = read_sessions(self.folder)
        added = [dict(session) for session in sessions if session not in known]
        write_json(self.folder / PROVENANCE, {"sessions": [*known[:-1], *added, *known[-1:]]})
        self.append_many(records)

    def owed(self, samples: int, retry_unscored: bool = False) -> list[tuple[ProblemRef, int]]:
        """Problem and sample index of each attempt still to be made, by index, then in the problems' order.

        `retry_unscored` also owes the attempts that the machine failed.
        """
        return [
            (problem, index)
            for index in range(samples)
            for problem in self.problems
            if (failed := self._ledger.failed(problem.key, index)) is None or (retry_unscored and failed)
        ]

    def unscored_share(self, samples: int) -> float:
        """Share of the attempts owed that the machine failed; canaries are no part, as on every board."""
        return self._ledger.unscored_share(self.problems, samples)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write `summary.json`, bound to its figures and to the records behind them; close the session."""
        stamp = Stamp.of(self.folder / RECORDS, self._ledger.inputs)
        write_summary(self.folder, summary, stamp, len(self._ledger))
        sessions = read_sessions(self.folder)
        if self._session is None and sessions:
            sessions[-1]["finished_at"] = now()
            write_json(self.folder / PROVENANCE, {"sessions": sessions})

    def _begin_session(self, former: Sequence[Mapping[str, Any]]) -> None:
        assert self._session is not None
        write_json(self.folder / PROVENANCE, {"sessions": [*former, dict(self._session)]})
        self._session = None

    def close(self) -> None:
        """Close the file and give the lock back. Calling it again is harmless."""
        self._journal.close()
        self._lock.release()

    def __enter__(self) -> RunStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check_distinct(problems: Sequence[ProblemRef]) -> None:
    if not problems:
        raise UserError("no problems to attempt; check benchmark, split, limit and max_difficulty")
    names = [problem.id for problem in problems]
    if len(set(names)) != len(names):
        twice = sorted(name for name in set(names) if names.count(name) > 1)
        raise UserError(f"problem {twice[0]!r} stands twice in the set; every id must be unique")


def _write_or_compare(
    folder: Path, spec: dict[str, Any], problems: Sequence[ProblemRef]
) -> Mapping[str, Any]:
    """The spec as it stands in the folder now: its k are all that were ever asked of these records."""
    rows = [dataclasses.asdict(problem) for problem in problems]
    stored = read_json(folder / SPEC)
    if stored is None:
        if (folder / RECORDS).exists():
            raise StoreError(f"{folder / SPEC}: missing beside records; move the folder away and run again")
        write_json(folder / PROBLEMS, rows)
        write_json(folder / SPEC, spec)  # last: where it stands, the rest does
        return spec
    if not isinstance(stored, dict):
        raise StoreError(f"{folder / SPEC}: not an object; restore it, or move {folder} away and run again")
    fix = f"give the experiment another name, or delete {folder} to begin again"
    changed = changed_keys(stored, spec)
    if changed == ["evaluation.k"]:
        both = {**spec["evaluation"], "k": sorted({*stored["evaluation"]["k"], *spec["evaluation"]["k"]})}
        spec, changed = {**spec, "evaluation": both}, []
        write_json(folder / SPEC, spec)
    if changed:
        raise StoreError(f"{folder / SPEC}: changed since this run began: {', '.join(changed)}; {fix}")
    if not _has_problems(folder):
        write_json(folder / PROBLEMS, rows)  # the spec is the same, so they are the ones of this run
    elif {problem.key for problem in read_problems(folder)} != {problem.key for problem in problems}:
        raise StoreError(f"{folder / PROBLEMS}: not the problems that this run began with; {fix}")
    return spec


def _has_problems(folder: Path) -> bool:
    try:
        return bool(read_problems(folder))
    except StoreError:
        return False
