"""Boards: which runs are ranked against which, on what figure, and why a run is not. Pure.

Runs are ranked together only when they were given the same problems and the same budget for an attempt, and
when their proofs rest on the same evidence; every such set is a section of its own. Runs that differ in their
seed alone are one row, and runs that hold the same attempts stand there once. Published rows are shown
beside, never ranked: another lineage of statements, budget or Lean version makes another number.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.analysis.costs import cost
from harness.analysis.naming import names, plain
from harness.analysis.pooling import pool
from harness.analysis.runs import RunView, budget
from harness.analysis.settings import fingerprint, setting, varying
from harness.boards.choice import Siblings, choose, siblings_of
from harness.boards.definition import LOWER_IS_BETTER, Board, board_names, load_board, own_board
from harness.boards.eligibility import evidence, figure, passed, reasons
from harness.boards.rows import BoardSection, Delta, Row, Standing
from harness.boards.ties import paired_p, ranked, sums
from harness.records.inputs import inputs_digest

Group = tuple[str, str, frozenset[tuple[str, str]]]
"""Benchmark, budget of an attempt, problems."""


def boards_for(runs: Sequence[RunView]) -> list[str]:
    """Names of the boards that show one of `runs` at least, the one with most of them first.

    A benchmark that stands on no board has one of its own name.
    """
    counts: Counter[str] = Counter()
    shown: set[str] = set()
    for board in map(load_board, board_names()):
        shown.update(board.benchmarks)
        counts[board.name] = sum(
            run.benchmark in board.benchmarks and run.split == board.split for run in runs
        )
    counts.update(run.benchmark for run in runs if run.benchmark and run.benchmark not in shown)
    return sorted((name for name, count in counts.items() if count), key=lambda name: (-counts[name], name))


def board_of(text: str, runs: Sequence[RunView]) -> Board:
    """The board that `text` names: a file of `leaderboards/`, a path, or a benchmark that has runs.

    A benchmark's own board is of the split that most of its runs are on; `NAME:SPLIT` asks for another one.
    Raises SpecError as `load_board` does.
    """
    benchmark, _, split = text.partition(":")
    splits = Counter(
        run.split for run in sorted(runs, key=lambda run: run.split) if run.benchmark == benchmark
    )
    if text in board_names() or not splits:
        return load_board(text)
    return own_board(benchmark, split or splits.most_common(1)[0][0])


def rank(board: Board, runs: Sequence[RunView], baseline: str | None = None) -> Standing:
    """Sections of ranked rows, of all `runs` that the board is about; order of `runs` is nothing.

    `baseline` names the run that rows are held against, instead of the board's.
    """
    groups: dict[Group, list[RunView]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.name):
        if run.benchmark in board.benchmarks and run.split == board.split:
            groups[run.benchmark, _class(run), run.denominator].append(run)
    ordered = sorted(
        groups.items(),
        key=lambda item: (board.benchmarks.index(item[0][0]), -len(item[0][2]), _by_number(item[0][1])),
    )
    siblings = siblings_of(runs, board.select.split) if board.select is not None else {}
    sections = [
        _section(board, group, rests_on, members, siblings, baseline)
        for group, alike in ordered
        for rests_on, members in _by_tier(alike)
    ]
    return Standing(board, tuple(sections))


def _class(run: RunView) -> str:
    """What an attempt may cost: rows of one section agree in it."""
    return replace(budget(run.spec), samples=1).text.removeprefix("1 x").strip() or "no limit stated"


def _by_number(budget_text: str) -> str:
    """Sorts 9 expansions before 10."""
    return re.sub(r"\d+", lambda number: number[0].zfill(12), budget_text)


def _by_tier(runs: Sequence[RunView]) -> list[tuple[str, list[RunView]]]:
    """The runs by what their proofs rest on; one that proved nothing stands with the most."""
    tiers = {run.name: evidence(run.summary) for run in runs}
    sizes = Counter(name for name in tiers.values() if name)
    usual = max(sorted(sizes), key=lambda name: sizes[name], default="")
    found: dict[str, list[RunView]] = defaultdict(list)
    for run in runs:
        found[tiers[run.name] or usual].append(run)
    return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))


def _section(
    board: Board,
    group: Group,
    rests_on: str,
    members: Sequence[RunView],
    siblings: Siblings,
    baseline: str | None,
) -> BoardSection:
    benchmark, budget_text, _ = group
    alike = _alike(board, members)
    shown = [run for run, *_ in alike]
    same = {run.name: tuple(others) for run, *others in alike}
    found = [_told_same(row, same) for row in _rows(board, _pooled(shown), siblings)]
    rows, notes = choose(board, found)
    placed = _placed(board, [row for row in rows if not row.reason])
    first = members[0]
    limits = ("limit", "max_difficulty")
    sampled = any(first.get(f"evaluation.problems.{key}") is not None for key in limits)
    rest = tuple(row for row in rows if row.reason)
    held = _against(board, (*placed, *rest), baseline)
    return BoardSection(benchmark, len(first.denominator), sampled, budget_text, held, rests_on, notes)


def _alike(board: Board, runs: Sequence[RunView]) -> list[list[RunView]]:
    """The runs in lists that hold the same attempts, one that qualifies first where there is one.

    Two evaluations of an experiment may ask for the same search under two names. Equal settings alone would
    not do: what another version of the code made of them is another measurement.
    """
    groups: dict[Any, list[RunView]] = defaultdict(list)
    for run in runs:
        groups[inputs_digest(run.spec), run.summary.samples, run.summary.outcomes].append(run)
    return [sorted(same, key=lambda run: (bool(reasons(board, run)), run.name)) for same in groups.values()]


def _told_same(row: Row, same: Mapping[str, tuple[RunView, ...]]) -> Row:
    members = tuple(_told_same(member, same) for member in row.members)
    return replace(row, members=members, same=() if members else same[row.run.name])


def _pooled(runs: Sequence[RunView]) -> list[list[RunView]]:
    """The runs of each setting, by seed; where a seed stands twice, those of one experiment or model."""
    groups: dict[str, list[RunView]] = defaultdict(list)
    for run in runs:
        groups[setting(run.spec)].append(run)
    return [
        sorted(alike, key=lambda run: (str(run.get("seed")), run.name))
        for group in groups.values()
        for alike in _apart(group)
    ]


def _apart(runs: Sequence[RunView]) -> list[list[RunView]]:
    """The coarsest parts of `runs` in which every seed stands once."""
    found: dict[Any, list[RunView]] = {}
    for keys in ((), ("experiment",), ("experiment", "generator.digest", "value.digest")):
        found = defaultdict(list)
        for run in runs:
            found[tuple(run.get(key) for key in keys)].append(run)
        if all(len({run.get("seed") for run in part}) == len(part) for part in found.values()):
            return list(found.values())
    return [[run] for run in runs]


def _rows(board: Board, groups: Sequence[Sequence[RunView]], siblings: Siblings) -> list[Row]:
    specs = [runs[0].spec for runs in groups]
    told = varying(specs)
    called = names(specs, [len(runs) for runs in groups])
    rows = []
    for runs, title, settings in zip(groups, called, told, strict=True):
        members = [_row(board, run, title, settings, siblings) for run in runs]
        if len(members) > 1:
            members = [replace(one, name=_of_seed(title, members, one.run)) for one in members]
            settings = {key: value for key, value in settings.items() if key != "seed"}
            rows.append(_pooled_row(board, title, settings, members))
        else:
            rows.append(members[0])
    return rows


def _of_seed(title: str, members: Sequence[Row], run: RunView) -> str:
    return title.replace(f"{len(members)} seeds", f"seed {plain(run.get('seed', 0))}")


def _row(board: Board, run: RunView, title: str, settings: Mapping[str, Any], siblings: Siblings) -> Row:
    found = figure(run.summary, board.metric)
    return Row(
        name=title,
        runs=(run,),
        summary=run.summary,
        budget=budget(run.spec),
        settings=settings,
        figure=None if found is None else found[0],
        sure=None if found is None else found[1],
        cost=cost(run.summary, run.sessions, board.prices),
        passed=passed(run.summary, board.metric),
        reason="; ".join(reasons(board, run)),
        siblings=tuple(siblings.get((run.benchmark, fingerprint(run.spec)), ())) if siblings else (),
    )


def _pooled_row(board: Board, title: str, settings: Mapping[str, Any], members: Sequence[Row]) -> Row:
    fit = [row for row in members if not row.reason] or members
    first = fit[0]
    summary = pool([row.summary for row in fit], first.budget.expansions)
    found = figure(summary, board.metric)
    sessions = [session for row in fit for session in row.run.sessions]
    return replace(
        first,
        name=title,
        runs=tuple(row.run for row in members),
        summary=summary,
        settings=settings,
        figure=None if found is None else found[0],
        sure=None if found is None else found[1],
        cost=cost(summary, sessions, board.prices),
        passed=passed(summary, board.metric),
        siblings=(),
        members=tuple(members),
    )


def _placed(board: Board, rows: Sequence[Row]) -> list[Row]:
    ordered = sorted(rows, key=lambda row: _order(board.metric, row))
    ranks, ends = ranked(ordered, board.metric)
    return [replace(row, rank=r, ranks=e) for row, r, e in zip(ordered, ranks, ends, strict=True)]


def _order(metric: str, row: Row) -> tuple[float, float, str]:
    value = 0.0 if row.sure is None else row.sure
    spent = row.summary.nodes.censored.value
    return (
        value if metric in LOWER_IS_BETTER else -value,
        float("inf") if spent is None else spent,
        row.run.name,
    )


def _against(board: Board, rows: Sequence[Row], named: str | None) -> tuple[Row, ...]:
    """The ranked rows with their difference from the baseline, where one of the rows is it.

    Of several the one after the fewest rounds of training is meant, the first among those.
    """
    able = [row for row in rows if row.rank is not None and _is_baseline(board, row, named)]
    base = min(able, key=lambda row: row.run.get("generator.rounds") or 0, default=None)
    if base is None or base.sure is None:
        return tuple(rows)
    theirs, found = sums(base, board.metric), []
    for row in rows:
        if row is base:
            found.append(replace(row, baseline=True))
        elif row.rank is not None and row.sure is not None:
            p = paired_p(theirs, sums(row, board.metric))
            found.append(replace(row, delta=Delta(row.sure - base.sure, p)))
        else:
            found.append(row)
    return tuple(found)


def _is_baseline(board: Board, row: Row, named: str | None) -> bool:
    if named is not None:
        runs = [run for part in row.parts for run in (*part.runs, *part.same)]
        return row.name == named or any(run.name.startswith(named) for run in runs)
    if board.baseline:
        return all(row.run.get(key) == value for key, value in board.baseline.items())
    return row.run.get("search.alpha") == 1.0 and row.run.get("value") is None
