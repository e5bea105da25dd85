"""What lies in the folder of a run, for everyone who reads it.

runs/<experiment>.<evaluation>-<digest8>/
    spec.json        everything that is in the run's digest, nested plain JSON; never changes
    problems.json    the problems owed: the denominator of every figure; never changes
    provenance.json  one entry per session that wrote here: code, packages, machine, command, times
    records.jsonl    one line per attempt, append-only: the facts, each with a digest of what it depends on
    summary.json     figures derived from the records; may be deleted and recomputed
    logs/
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import StoreError
from harness.records.inputs import INPUTS, OF_ANOTHER_RUN, inputs_digest
from harness.records.journal import DROP_LINE, read_json, read_rows
from harness.records.ledger import Key, Ledger
from harness.strict_json import RepeatedKey, parse
from harness.types import ProblemRef, Record, Status
from harness.well_typed import typed

SPEC, PROBLEMS, PROVENANCE, RECORDS, SUMMARY = (
    "spec.json",
    "problems.json",
    "provenance.json",
    "records.jsonl",
    "summary.json",
)


def each_record(path: Path, ledger: Ledger) -> Iterator[Record]:
    """Every attempt of a records file, one by one, as its last record has it; `ledger` is written meanwhile.

    Attempts that the machine failed come last, for a later record may replace theirs. Raises StoreError
    naming file, line and fix for a line that is corrupt, or that the ledger objects to.
    """
    failed: dict[Key, Record] = {}
    for number, row in read_rows(path):
        try:
            record = Record.from_json(row)
        except (KeyError, TypeError, ValueError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else error
            raise StoreError(f"{path}:{number}: not a record ({what}); {DROP_LINE}") from None
        why = _foreign(row, ledger) or ledger.objection(record)
        if why is not None:
            fix = "" if why == OF_ANOTHER_RUN else f"; {DROP_LINE}"
            raise StoreError(f"{path}:{number}: {why}{fix}")
        ledger.add(record)
        if record.verdict.status is Status.INFRA:
            failed[record.key] = record
        else:
            failed.pop(record.key, None)
            yield record
    yield from failed.values()


def _foreign(row: Mapping[str, Any], ledger: Ledger) -> str | None:
    """Why a line is none of this run's records, whatever it says; older lines do not tell."""
    told = row.get(INPUTS)
    return OF_ANOTHER_RUN if None not in (told, ledger.inputs) and told != ledger.inputs else None


def ledger_of(spec: Mapping[str, Any], problems: Iterable[ProblemRef]) -> Ledger:
    """An empty ledger for the records of a run with this spec and these problems."""
    return Ledger((problem.key for problem in problems), samples_of(spec), inputs_digest(spec))


def samples_of(spec: Mapping[str, Any]) -> int | None:
    """Attempts at each problem, where the spec of a run says it."""
    evaluation = spec.get("evaluation")
    samples = evaluation.get("samples") if isinstance(evaluation, Mapping) else None
    return samples if isinstance(samples, int) else None


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
    except RepeatedKey as error:
        raise StoreError(f"{path}: {error}; restore the file") from None
    except (FileNotFoundError, TypeError, ValueError):
        raise StoreError(
            f"{path}: not a list of problems; the command that made the run writes it again"
        ) from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None


@functools.lru_cache(maxsize=64)
def _problems_in(content: bytes) -> ProblemSet:
    found = ProblemSet(typed(ProblemRef, row) for row in parse(content))
    if not found:
        raise ValueError("no run owes nothing")
    return found


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
