"""Choosing the row to report of a sweep, on a split that the board does not report. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from harness.analysis.runs import RunView
from harness.analysis.settings import fingerprint, setting
from harness.boards.definition import LOWER_IS_BETTER, Board, Select
from harness.boards.eligibility import faults, figure
from harness.boards.rows import Row

Siblings = dict[tuple[str, str], list[RunView]]
"""Runs on the split that rows are chosen on, by benchmark and fingerprint of their settings."""


def siblings_of(runs: Sequence[RunView], split: str) -> Siblings:
    """The runs on one split, by benchmark and settings, each list by name."""
    found: Siblings = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.name):
        if run.split == split:
            found[run.benchmark, fingerprint(run.spec)].append(run)
    return found


def choose(board: Board, rows: Sequence[Row]) -> tuple[list[Row], tuple[str, ...]]:
    """Mark, among rows that differ in nothing but `select.among`, the best on the split of `select`.

    All rivals are looked at on the same problems of that split, a row of several seeds by their mean. Where
    one of them is not measured there yet, or where the best is not ranked, no row is marked: the second best
    was not chosen. Notes say so.
    """
    select, chosen, notes = board.select, list(rows), []
    if select is None:
        return chosen, ()
    groups: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        if any(part.siblings for part in row.parts):
            groups[setting(row.run.spec, select.among)].append(number)
    for numbers in groups.values():
        rivals = [rows[number] for number in numbers]
        values, why = _selection(board, select, rivals)
        for number, value in zip(numbers, values, strict=True):
            chosen[number] = replace(rows[number], selection=value)
        if len(rivals) < 2:
            continue
        if why:
            notes.append(f"no row is chosen among {len(rivals)}: {why}")
            continue
        best = min(numbers, key=lambda number: _order(select, chosen[number]))
        if rows[best].reason:
            notes.append(f"no row is chosen: {select.split} picks {rows[best].name}, which is not ranked")
        else:
            chosen[best] = replace(chosen[best], chosen=True)
    return chosen, tuple(notes)


def _selection(board: Board, select: Select, rivals: Sequence[Row]) -> tuple[list[float | None], str]:
    """The metric of `select` of each rival on common problems, and why they cannot be compared by it."""
    fit = [
        [{run.denominator: run for run in part.siblings if not faults(board, run)} for part in row.parts]
        for row in rivals
    ]
    common = set.intersection(*(set(runs) for parts in fit for runs in parts))
    if not common:
        missing = next((row.name for row, parts in zip(rivals, fit, strict=True) if not all(parts)), "")
        if missing:
            return [None] * len(rivals), f"no complete, clean run of {missing} on {select.split}"
        return [None] * len(rivals), f"they were measured on different problems of {select.split}"
    problems = max(common, key=lambda some: (len(some), sorted(some)))
    values = [_mean_figure([runs[problems] for runs in parts], select.metric) for parts in fit]
    return values, f"not every run on {select.split} reports {select.metric}" if None in values else ""


def _mean_figure(runs: Sequence[RunView], metric: str) -> float | None:
    found = [figure(run.summary, metric) for run in runs]
    values = [one[1] for one in found if one is not None and one[1] is not None]
    return math.fsum(values) / len(values) if len(values) == len(runs) else None


def _order(select: Select, row: Row) -> tuple[float, str]:
    value = row.selection or 0.0
    return (value if select.metric in LOWER_IS_BETTER else -value, row.run.name)
