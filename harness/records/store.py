"""The folder of one run, for the process that fills it.

    runs/<experiment>.<evaluation>-<digest8>/
        spec.json        everything that is in the run's digest, nested plain JSON; never changes
        problems.json    the problems owed: the denominator of every figure; never changes
        provenance.json  one entry per session that wrote here: code, packages, machine, command, times
        records.jsonl    one line per attempt, append-only: the facts
        summary.json     figures derived from the records; may be deleted and recomputed
        logs/

Reading runs is `harness.analysis.runs`; the figures are `harness.analysis.metrics`. A record is acknowledged
when `append` returns. Killing the process anywhere loses no acknowledged record; what was not acknowledged is
owed again.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import time
from collections import ChainMap
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.errors import StoreError, UserError
from harness.nested import changed_keys
from harness.records.journal import (
    DROP_LINE,
    FolderLock,
    Journal,
    make_folder,
    parse_json,
    read_json,
    read_rows,
    write_json,
)
from harness.types import ProblemRef, Record, Status, typed

SPEC, PROBLEMS, PROVENANCE, RECORDS, SUMMARY = (
    "spec.json",
    "problems.json",
    "provenance.json",
    "records.jsonl",
    "summary.json",
)
Key = tuple[str, str, int]


def content_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; of no bytes when there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return hashlib.sha256().hexdigest()


FRESH_NS = 100_000_000
"""Files changed more lately than this are known by their content alone."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which content of a records file something was computed from."""

    sha256: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """The stamp of a file as it is now. Times come first: a change while it is read is then seen."""
        size, mtime_ns = _size_and_time(path)
        # A file system's clock ticks in milliseconds: an edit in the tick of the last write would go unseen.
        fresh = time.time_ns() - mtime_ns < FRESH_NS
        return cls(content_of(path), size, 0 if fresh else mtime_ns)

    @classmethod
    def stored(cls, summary: Mapping[str, Any]) -> Stamp | None:
        """The stamp in a stored summary, None where there is no whole one."""
        found = summary.get("records")
        known = found if isinstance(found, Mapping) else {}
        sha256 = known.get("sha256")
        return cls(sha256, known.get("size", -1), known.get("mtime_ns", -1)) if sha256 else None

    def in_time(self, path: Path) -> bool:
        """Whether the file is the one stamped, by its size and time, as git knows an unchanged file."""
        return (self.size, self.mtime_ns) == _size_and_time(path)


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)


def figures_hash(summary: Mapping[str, Any]) -> str:
    """Digest of a summary's figures, plain JSON with text for keys. Tells one that was edited."""
    return hashlib.sha256(json.dumps(summary, sort_keys=True).encode()).hexdigest()[:12]


def write_summary(folder: Path, summary: Mapping[str, Any], stamp: Stamp, lines: int) -> None:
    """Write `summary.json`, bound to its figures and to the records behind them. Raises StoreError."""
    bound = {"lines": lines, **dataclasses.asdict(stamp), "summary": figures_hash(summary)}
    write_json(folder / SUMMARY, {**summary, "records": bound})


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
        self._known = {problem.key: problem.key for problem in problems}
        self._lock = lock
        self._unscored: dict[Key, bool] = {}
        """Every attempt recorded, and whether the machine failed it; the records stay on the disk."""
        self._repeated: set[Key] = set()
        """Attempts recorded more than once: the last counts."""
        for record in each_record(folder / RECORDS, self._known, samples_of(spec), texts=False):
            self._note(record)
        self._journal = Journal(folder / RECORDS)
        self._session: Mapping[str, Any] | None = provenance
        if not self._unscored:
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

    def each(self, texts: bool = True) -> Iterator[Record]:
        """The records one by one, as they stand on the disk; those made again after a failure come last.

        Without `texts` proofs, models' own words and Lean's messages are left out: figures need none.
        """
        again: dict[Key, Record] = {}
        for record in each_record(self.folder / RECORDS, self._known, samples_of(self.spec), texts):
            if record.key in self._repeated:
                again[record.key] = record
            else:
                yield record
        yield from again.values()

    def _note(self, record: Record) -> None:
        name, revision, index = record.key
        key = (*self._known[name, revision], index)  # a million records share the names of their problems
        if key in self._unscored:
            self._repeated.add(key)
        self._unscored[key] = record.verdict.status is Status.INFRA

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
            _check_new(f"{self.folder / RECORDS}", record, ChainMap(fresh, self._unscored), self._known)
            fresh[record.key] = record.verdict.status is Status.INFRA
        if fresh and self._session is not None:
            self._begin_session(read_sessions(self.folder))
        self._journal.append([record.to_json() for record in records])
        for record in records:
            self._note(record)

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
        done = {key for key, unscored in self._unscored.items() if not (retry_unscored and unscored)}
        return [
            (problem, index)
            for index in range(samples)
            for problem in self.problems
            if (*problem.key, index) not in done
        ]

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write `summary.json`, bound to its figures and to the records behind them; close the session."""
        write_summary(self.folder, summary, Stamp.of(self.folder / RECORDS), len(self._unscored))
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


def samples_of(spec: Mapping[str, Any]) -> int | None:
    """Attempts at each problem, where the spec of a run says it."""
    evaluation = spec.get("evaluation")
    samples = evaluation.get("samples") if isinstance(evaluation, Mapping) else None
    return samples if isinstance(samples, int) else None


def load_records(
    path: Path, known: Iterable[tuple[str, str]], samples: int | None = None, texts: bool = True
) -> dict[Key, Record]:
    """Every whole record of a file by its key; of a repeated INFRA record the last. See `each_record`.

    Raises StoreError naming file, line and fix for a line that is corrupt, repeated, of no known problem or,
    when `samples` is given, beyond them.
    """
    return {record.key: record for record in each_record(path, known, samples, texts)}


def each_record(
    path: Path, known: Iterable[tuple[str, str]], samples: int | None = None, texts: bool = True
) -> Iterator[Record]:
    """Every whole line of a file as a record, one by one; raises as `load_records` does.

    Without `texts` proofs, models' own words and Lean's messages are left out.
    """
    unscored: dict[Key, bool] = {}
    problems = {key: key for key in known}
    for number, row in read_rows(path):
        try:
            record = Record.from_json(row if texts else _without_texts(row))
        except (KeyError, TypeError, ValueError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else error
            raise StoreError(f"{path}:{number}: not a record ({what}); {DROP_LINE}") from None
        if samples is not None and record.attempt.index >= samples:
            raise StoreError(
                f"{path}:{number}: sample {record.attempt.index} of {record.problem_id}, but this run makes "
                f"{samples} (0 to {samples - 1}); {DROP_LINE}"
            )
        _check_new(f"{path}:{number}", record, unscored, problems)
        shared = problems[record.problem_id, record.revision]
        unscored[*shared, record.attempt.index] = record.verdict.status is Status.INFRA
        yield record


def _without_texts(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its long texts emptied; what is no text stays, to be refused."""
    attempt, verdict = dict(row["attempt"]), dict(row["verdict"])
    for part, name in ((attempt, "proof"), (attempt, "raw"), (verdict, "detail")):
        if isinstance(part.get(name), str):
            part[name] = ""
    return {**row, "attempt": attempt, "verdict": verdict}


class ProblemSet(tuple[ProblemRef, ...]):
    """The problems that a run owes, canaries included."""

    @functools.cached_property
    def denominator(self) -> frozenset[tuple[str, str]]:
        """(id, revision) of every problem that counts."""
        return frozenset(problem.key for problem in self if not problem.canary)


def read_problems(folder: Path) -> ProblemSet:
    """The problems that a run owes. Raises StoreError when the file is missing or broken.

    Files of the same content give the same object: the runs of a sweep owe the same problems.
    """
    path = folder / PROBLEMS
    try:
        return _problems_in(path.read_bytes())
    except (FileNotFoundError, TypeError, ValueError):
        raise StoreError(
            f"{path}: not a list of problems; the command that made the run writes it again"
        ) from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None


@functools.lru_cache(maxsize=64)
def _problems_in(content: bytes) -> ProblemSet:
    found = ProblemSet(typed(ProblemRef, row) for row in parse_json(content))
    if not found:
        raise ValueError("no run owes nothing")
    return found


def now() -> str:
    """The time as `2026-01-31T12:00:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _check_new(
    where: str, record: Record, stored: Mapping[Key, bool], known: Container[tuple[str, str]]
) -> None:
    name, revision, index = record.key
    if (name, revision) not in known:
        raise StoreError(
            f"{where}: {name} at revision {revision} is none of this run's problems; {DROP_LINE}"
        )
    if stored.get(record.key) is False:
        raise StoreError(f"{where}: a second record of {name}, sample {index}; {DROP_LINE}")


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


def read_sessions(folder: Path) -> list[dict[str, Any]]:
    """Provenance, one entry for each session that wrote. Raises StoreError when the file is broken."""
    path = folder / PROVENANCE
    stored = read_json(path)
    if stored is None:
        return []
    sessions = stored.get("sessions") if isinstance(stored, dict) else None
    if not isinstance(sessions, list) or not all(_is_session(item) for item in sessions):
        raise StoreError(f"{path}: not a list of sessions; restore it, or delete it and lose what it said")
    return sessions


def _is_session(item: object) -> bool:
    return isinstance(item, dict) and all(isinstance(item.get(key, {}), dict) for key in ("code", "packages"))
