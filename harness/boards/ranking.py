"""Boards: which runs are ranked against which, on what figure, and why a run is not. Pure.

Runs are ranked together only when they were given the same problems and the same budget for an attempt;
every such set is a section of its own. Published rows are shown beside, never ranked: another lineage of
statements, budget or Lean version makes another number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.analysis.runs import Budget, RunView, budget
from harness.analysis.settings import fingerprint, varying
from harness.analysis.summary import PassAtK, Summary
from harness.boards.definition import LOWER_IS_BETTER, PASS, Board, Limits, Select, board_names, load_board
from harness.types import Estimate

Siblings = dict[tuple[str, str], list[RunView]]
"""Runs on the split that rows are chosen on, by benchmark and fingerprint of their settings."""


@dataclass(frozen=True, slots=True)
class Row:
    """One run on a board."""

    run: RunView
    summary: Summary
    budget: Budget
    settings: Mapping[str, Any]
    """What sets it apart from the other rows of its section."""
    figure: Estimate | None
    """The board's metric; None when the run does not report it."""
    sure: float | None
    """What it is ranked by: the figure, or where attempts are in doubt the bound that is certain."""
    passed: PassAtK | None = None
    """Its pass@k: the board's k, or the smallest reported where the board ranks by something else."""
    reason: str = ""
    """Why it is not ranked; empty when it is."""
    rank: int | None = None
    siblings: tuple[RunView, ...] = ()
    """Runs that differ from it in nothing but the split, which is that of `select`."""
    selection: float | None = None
    """The metric of `select` on its split, on the problems that all its rivals were measured on."""
    chosen: bool = False
    """Best of its sweep on that split: the row to report."""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that can be ranked together: the same problems, the same budget for an attempt."""

    benchmark: str
    problems: int
    sampled: bool
    """A sample or a part of the split, not all of it."""
    budget: str
    rows: tuple[Row, ...]
    """Ranked rows first, best first; then those that do not qualify."""
    notes: tuple[str, ...] = ()
    """Why no row is chosen where one could have been."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A board with its rows."""

    board: Board
    sections: tuple[Section, ...] = field(default=())


def boards_for(runs: Sequence[RunView]) -> list[str]:
    """Names of the boards that show one of `runs` at least, the one with most of them first."""
    counts = {}
    for name in board_names():
        board = load_board(name)
        counts[name] = sum(run.benchmark in board.benchmarks and run.split == board.split for run in runs)
    return sorted((name for name, count in counts.items() if count), key=lambda name: (-counts[name], name))


def rank(board: Board, runs: Sequence[RunView]) -> Standing:
    """Sections of ranked rows, of all `runs` that the board is about; order of `runs` is nothing."""
    groups: dict[tuple[str, str, frozenset[tuple[str, str]]], list[RunView]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.name):
        if run.benchmark in board.benchmarks and run.split == board.split:
            groups[run.benchmark, _class(run), run.denominator].append(run)
    ordered = sorted(
        groups.items(), key=lambda item: (board.benchmarks.index(item[0][0]), -len(item[0][2]), item[0][1])
    )
    siblings = _by_settings(runs, board.select.split) if board.select is not None else {}
    return Standing(
        board,
        tuple(
            _section(board, benchmark, budget_text, members, siblings)
            for (benchmark, budget_text, _), members in ordered
        ),
    )


def _class(run: RunView) -> str:
    """What an attempt may cost: rows of one section agree in it."""
    return replace(budget(run.spec), samples=1).text.removeprefix("1 x").strip() or "no limit stated"


def _section(
    board: Board, benchmark: str, budget_text: str, members: Sequence[RunView], siblings: Siblings
) -> Section:
    settings = varying([run.spec for run in members])
    rows = [_row(board, run, told, siblings) for run, told in zip(members, settings, strict=True)]
    rows, notes = _choose(board, rows)
    ranked = sorted((row for row in rows if not row.reason), key=lambda row: _order(board.metric, row))
    placed: list[Row] = []
    for place, row in enumerate(ranked, start=1):
        tied = bool(placed) and placed[-1].sure == row.sure
        placed.append(replace(row, rank=placed[-1].rank if tied else place))
    first = members[0]
    limits = ("limit", "max_difficulty")
    sampled = any(first.get(f"evaluation.problems.{key}") is not None for key in limits)
    rest = tuple(row for row in rows if row.reason)
    return Section(benchmark, len(first.denominator), sampled, budget_text, (*placed, *rest), notes)


def _row(board: Board, run: RunView, settings: Mapping[str, Any], siblings: Siblings) -> Row:
    found = figure(run.summary, board.metric)
    return Row(
        run=run,
        summary=run.summary,
        budget=budget(run.spec),
        settings=settings,
        figure=None if found is None else found[0],
        sure=None if found is None else found[1],
        passed=_passed(run.summary, board.metric),
        reason="; ".join(reasons(board, run)),
        siblings=tuple(siblings.get((run.benchmark, fingerprint(run.spec)), ())) if siblings else (),
    )


def figure(summary: Summary, metric: str) -> tuple[Estimate, float | None] | None:
    """The estimate of a metric and the value that is certain; None when the run does not report it."""
    matched = PASS.fullmatch(metric)
    if matched is None:
        estimate: Estimate = getattr(summary.nodes, LOWER_IS_BETTER[metric])
        return None if estimate.value is None else (estimate, estimate.value)
    for item in summary.passes:
        if item.k == int(matched[1]):
            return item.estimate, item.floor
    return None


def _passed(summary: Summary, metric: str) -> PassAtK | None:
    matched = PASS.fullmatch(metric)
    if matched is None:
        return summary.passes[0] if summary.passes else None
    return next((item for item in summary.passes if item.k == int(matched[1])), None)


def reasons(board: Board, run: RunView) -> list[str]:
    """Why a run is not ranked; empty when it is."""
    limit = budget(run.spec)
    found = [] if figure(run.summary, board.metric) else [f"no {board.metric}"]
    for key in Limits.model_fields:
        allowed, given = getattr(board.budget, key), getattr(limit, key)
        if allowed is not None and given is not None and given > allowed:
            found.append(f"{given} {key.replace('_', ' ')}, the board allows {allowed}")
    return found + faults(board, run)


def faults(board: Board, run: RunView) -> list[str]:
    """What makes a run's figures unfit to be reported or to choose by, whatever its metric and budget."""
    summary = run.summary
    found = []
    if summary.missing:
        found.append(f"{summary.missing} of {summary.owed} attempts missing")
    if summary.unscored > board.max_unscored * summary.owed:
        found.append(f"{summary.unscored} of {summary.owed} attempts unscored")
    if summary.canaries_proved:
        found.append("a canary was proved")
    if board.level == "strict" and (run.get("lean.level") != "strict" or summary.levels.get("fast")):
        found.append("verdicts at the fast level")
    commits = {str(session.get("code", {}).get("commit")) for session in run.sessions}
    if any(session.get("code", {}).get("dirty") for session in run.sessions):
        found.append("uncommitted changes in the code")
    if len(commits) > 1:
        found.append(f"made by {len(commits)} commits")
    if not run.sessions:
        found.append("no provenance")
    return found


def _order(metric: str, row: Row) -> tuple[float, float, str]:
    value = 0.0 if row.sure is None else row.sure
    spent = row.summary.nodes.censored.value
    return (
        value if metric in LOWER_IS_BETTER else -value,
        float("inf") if spent is None else spent,
        row.run.name,
    )


def _choose(board: Board, rows: Sequence[Row]) -> tuple[list[Row], tuple[str, ...]]:
    """Mark, among rows that differ in nothing but `select.among`, the best on the split of `select`.

    All rivals are looked at on the same problems of that split. Where one of them is not measured there yet,
    or where the best is not ranked, no row is marked: the second best was not chosen. Notes say so.
    """
    select, chosen, notes = board.select, list(rows), []
    if select is None:
        return chosen, ()
    groups: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        if row.siblings:
            groups[fingerprint(row.run.spec, select.among)].append(number)
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
        best = min(numbers, key=lambda number: _selection_order(select, chosen[number]))
        if rows[best].reason:
            notes.append(f"no row is chosen: {select.split} picks {rows[best].run.name}, which is not ranked")
        else:
            chosen[best] = replace(chosen[best], chosen=True)
    return chosen, tuple(notes)


def _selection(board: Board, select: Select, rivals: Sequence[Row]) -> tuple[list[float | None], str]:
    """The metric of `select` of each rival on common problems, and why they cannot be compared by it."""
    fit = [{run.denominator: run for run in row.siblings if not faults(board, run)} for row in rivals]
    common = set.intersection(*(set(runs) for runs in fit))
    if not common:
        missing = next((row.run.name for row, runs in zip(rivals, fit, strict=True) if not runs), "")
        if missing:
            return [None] * len(rivals), f"no complete, clean run of {missing} on {select.split}"
        return [None] * len(rivals), f"they were measured on different problems of {select.split}"
    problems = max(common, key=lambda some: (len(some), sorted(some)))
    found = [figure(runs[problems].summary, select.metric) for runs in fit]
    values = [None if one is None else one[1] for one in found]
    return values, f"not every run on {select.split} reports {select.metric}" if None in values else ""


def _selection_order(select: Select, row: Row) -> tuple[float, str]:
    value = row.selection or 0.0
    return (value if select.metric in LOWER_IS_BETTER else -value, row.run.name)


def _by_settings(runs: Sequence[RunView], split: str) -> Siblings:
    """The runs on one split, by benchmark and settings, each list by name."""
    found: Siblings = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.name):
        if run.split == split:
            found[run.benchmark, fingerprint(run.spec)].append(run)
    return found
