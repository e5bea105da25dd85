"""All that W&B shows of an experiment, from its records alone: the same rows whenever they are read.

The history of a W&B run is a fixed sequence: the curve and the figures of each stage of training, then the
figures of each evaluation, in the order of the experiment. So how many rows a server has says which are
missing, and sending them again after a kill, an outage or a crash repeats none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.analysis.runs import RunView, open_run
from harness.analysis.summary import Summary, scalars
from harness.nested import get
from harness.records import stages
from harness.records.folder import RECORDS, SPEC, SUMMARY
from harness.records.stamp import attempts_in
from harness.spec import RuntimeSpec
from harness.tracking.events import key_part
from harness.tracking.point import Point, sessions
from harness.types import Record

PROOF_CHARS = 2000
"""A longer proof is cut in the table of problems; the record has all of it."""
MAX_ROWS = 10_000
"""Rows of one table; the record file has all of them."""
PROBLEM_COLUMNS = (
    "problem", "sample", "status", "reason", "tier", "expansions", "tactic_calls", "tokens", "seconds",
    "proof",
)  # fmt: skip
CURVE_COLUMNS = ("expansions", "solved_share")
TAG_CHARS = 64
"""W&B takes no longer tag."""


@dataclass(frozen=True, slots=True)
class WandbTable:
    """A table as W&B takes it."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row of the history, and what comes with it."""

    figures: Mapping[str, float]
    axis: str = ""
    """Key of the figure that the others of this row are drawn over."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Words for the summary."""
    tables: Mapping[str, WandbTable] = field(default_factory=dict)
    tags: Sequence[str] = ()
    stage: tuple[str, Path] | None = None
    """Name and folder of the stage that this row ends."""
    run: Path | None = None
    """Folder of the evaluation that this row ends."""


def history(point: Point) -> Iterator[HistoryRow | None]:
    """The rows so far, in order; None where the next one is not there yet, each time one is asked for again.

    Raises StoreError when records are broken.
    """
    for name, where in point.stages:
        yield from _stage(name, point.root / where)
    for name, where in point.evaluations:
        yield from _evaluation(name, point.root / where, _most_unscored(point))


def summary(point: Point) -> dict[str, Any]:
    """The figures and words that W&B's summary holds of the rows that are there, the last one counting."""
    found: dict[str, Any] = {}
    for row in history(point):
        if row is None:
            break
        found |= {**row.figures, **row.facts}
    return found


def complete(point: Point) -> bool:
    """Whether the records hold all that the experiment promised."""
    return all(row is not None for row in history(point))


def _stage(name: str, folder: Path) -> Iterator[HistoryRow | None]:
    prefix, sent = f"curve/{key_part(name)}", 0
    while True:
        done = stages.facts(folder)  # before the curve: what is read after it is whole
        rows = stages.curve(folder)
        for row in rows[sent:]:
            yield HistoryRow(
                {f"{prefix}/{key_part(key)}": value for key, value in _numbers(row)}, f"{prefix}/step"
            )
        sent = max(sent, len(rows))
        if done is not None:
            break
        yield None
    figures = {f"{key_part(name)}/{key_part(key)}": value for key, value in _numbers(done["metrics"])}
    yield HistoryRow({**figures, f"{key_part(name)}/seconds": float(done["seconds"])}, stage=(name, folder))


def _evaluation(name: str, folder: Path, most_unscored: float) -> Iterator[HistoryRow | None]:
    while (view := _finished(folder, most_unscored)) is None:
        yield None
    figures = view.summary
    prefix = f"eval/{key_part(name)}"
    known = {f"{prefix}/{key}": value for key, value in scalars(figures).items() if value is not None}
    facts = {f"{prefix}/folder": folder.name, f"{prefix}/tier": " ".join(_tiers(figures))}
    yield HistoryRow(known, facts=facts, tables=tables(name, view), tags=_tags(view), run=folder)


def _finished(folder: Path, most_unscored: float) -> RunView | None:
    """The run once every attempt is recorded, few of them unscored, and its summary is that of its records.

    A summary alone says nothing: whoever looks at a run that goes on leaves one of what is there.
    """
    if not (folder / SUMMARY).is_file():
        return None
    view = open_run(folder)  # opening others would cost reading them
    found = view.stored()
    if found is None or attempts_in(folder) < len(view.problems) * found.samples:
        return None
    return view if found.unscored <= most_unscored * found.owed else None


def _most_unscored(point: Point) -> float:
    """The largest share that any process that tracked the point allowed: what was concluded has no more."""
    first = get(point.config, "runtime.max_unscored", RuntimeSpec().max_unscored)
    later = [session.run.get("max_unscored") for session in sessions(point.folder)]
    return max(float(told) for told in (first, *later) if told is not None)


def unfinished(point: Point) -> Iterator[tuple[str, RunView]]:
    """The evaluations that have records and no figures yet."""
    most_unscored = _most_unscored(point)
    for name, where in point.evaluations:
        folder = point.root / where
        there = (folder / SPEC).is_file() and (folder / RECORDS).is_file()
        if there and _finished(folder, most_unscored) is None:
            yield name, open_run(folder)


def tables(name: str, view: RunView) -> dict[str, WandbTable]:
    """The table of problems, and of what is solved within how many expansions when it searched."""
    canaries = {problem.key for problem in view.problems if problem.canary}
    rows = [
        problem_row(record)
        for record in sorted(view.records, key=lambda record: record.key)
        if (record.problem_id, record.revision) not in canaries
    ]
    found = {f"problems/{key_part(name)}": WandbTable(PROBLEM_COLUMNS, rows[:MAX_ROWS])}
    stored = view.stored()
    if stored is not None and stored.curve:
        found[f"search/{key_part(name)}"] = WandbTable(CURVE_COLUMNS, [list(step) for step in stored.curve])
    return found


def problem_row(record: Record) -> list[Any]:
    """One attempt, under `PROBLEM_COLUMNS`. Seconds are those of policy, value model and Lean together."""
    attempt, verdict, search = record.attempt, record.verdict, record.attempt.search
    spent = 0.0 if search is None else search.policy_s + search.lean_s + search.value_s
    return [
        record.problem_id,
        attempt.index,
        verdict.status.value,
        verdict.reason,
        verdict.tier,
        None if search is None else search.expanded,
        None if search is None else search.tactics_tried,
        attempt.usage.completion_tokens,
        round(spent + verdict.seconds, 6),
        (attempt.proof or "")[:PROOF_CHARS],
    ]


def _tags(view: RunView) -> list[str]:
    """`git describe` of the code that wrote, benchmark@revision, level and evidence of the verdicts."""
    described = [str(session.get("code", {}).get("describe") or "") for session in view.sessions]
    revision = str(view.get("evaluation.problems.revision", ""))
    level = view.get("lean.level", "")
    found = [*described, f"{view.benchmark}@{revision[:12]}"]
    found += [f"{level}/{tier}" for tier in _tiers(view.summary)]
    return [tag[:TAG_CHARS] for tag in dict.fromkeys(found) if tag.strip("@/")]


def _tiers(figures: Summary) -> list[str]:
    return sorted(tier for tier, count in figures.tiers.items() if tier and count)


def _numbers(figures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in figures.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield key, value
