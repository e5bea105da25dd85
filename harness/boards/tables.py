"""Boards as tables, CSV and JSON. Pure."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from harness.analysis.summary import scalars
from harness.boards.columns import BoardColumn, columns
from harness.boards.definition import Published
from harness.boards.rows import BoardSection, Row, Standing
from harness.errors import UserError
from harness.nested import nearest
from harness.serving.weights import UNKNOWN
from harness.terminal.tables import Column, Table, number


def standing_tables(standing: Standing, seeds: bool = False) -> list[Table]:
    """One table per section, and those of the published rows where there are some.

    `seeds` also shows the runs of each row that pools several.
    """
    tables = [_section_table(standing, section, seeds) for section in standing.sections]
    if not tables:
        nothing = f"no run on {'/'.join(standing.board.benchmarks)}, split {standing.board.split}, yet"
        tables.append(Table(standing.board.title, (), (), notes=[nothing]))
    tables += published_tables(standing)
    tables[-1] = dataclasses.replace(tables[-1], notes=[*tables[-1].notes, *standing.board.notes])
    return tables


def section_title(standing: Standing, section: BoardSection) -> str:
    """What its rows have in common."""
    board = standing.board
    which = "" if len(board.benchmarks) == 1 else f" ({section.benchmark})"
    part = "a sample of " if section.sampled else ""
    evidence = f", {section.tier} evidence" if section.tier else ""
    return f"{board.title}{which}: {part}{section.problems} problems, {section.budget} an attempt{evidence}"


def sorted_by(standing: Standing, key: str) -> Standing:
    """The board with its rows in the order of another column; ranks stay. Raises UserError for no column."""
    sections = []
    for section in standing.sections:
        known = {column.key: column for column in columns(standing.board, section)}
        if key not in known:
            raise UserError(f"--sort {key}: no such column{nearest(key, known)}")
        column = known[key]
        sections.append(
            dataclasses.replace(
                section, rows=tuple(sorted(section.rows, key=lambda row: _place(column, row)))
            )
        )
    return dataclasses.replace(standing, sections=tuple(sections))


def _place(column: BoardColumn, row: Row) -> tuple[bool, bool, float, str]:
    value = column.value(row)
    amount = float(value) if isinstance(value, int | float) else 0.0
    text = value if isinstance(value, str) else ""
    return bool(row.reason), value is None, amount if column.lower else -amount, text


def _section_table(standing: Standing, section: BoardSection, seeds: bool) -> Table:
    shown = [column for column in columns(standing.board, section) if not column.wide]
    rows = [one for row in section.rows for one in (row, *(row.members if seeds else ()))]
    cells = [[column.text(row) for column in shown] for row in rows]
    if seeds:
        at = next(place for place, column in enumerate(shown) if column.key == "name")
        members = {id(one) for row in section.rows for one in row.members}
        for row, line in zip(rows, cells, strict=True):
            line[at] = f"  {line[at]}" if id(row) in members else line[at]
    return Table(
        section_title(standing, section),
        [Column(column.title, column.right, column.spare) for column in shown],
        cells,
        grey={i for i, row in enumerate(rows) if row.reason},
        bold={i for i, row in enumerate(rows) if row.chosen},
        notes=notes(standing, section),
    )


def notes(standing: Standing, section: BoardSection) -> list[str]:
    """What a reader of the section's table has to know."""
    board, rows = standing.board, section.rows
    told = [
        f"{part.name} ({part.run.name}): not ranked, {part.reason}"
        for row in rows
        for part in row.parts
        if part.reason
    ]
    told += [
        f"{' and '.join(run.name for run in part.same)} "
        f"{'holds' if len(part.same) == 1 else 'hold'} the same attempts as {part.name}"
        for row in rows
        for part in row.parts
        if part.same
    ]
    if any(row.chosen for row in rows) and board.select is not None:
        among = [key.rsplit(".", 1)[-1] for key in board.select.among]
        # The fingerprint of a choice leaves out the value model where it leaves out alpha.
        among += ["value model"] if "search.alpha" in board.select.among else []
        on = f"{board.select.split} by {board.select.metric.replace('_', ' ')}"
        told.append(f"* the row to report: {' and '.join(among)} chosen on {on}")
    told += section.notes
    ranked = sum(row.rank is not None for row in rows)
    if ranked > 1:
        told.append(
            "rows that share a rank are not told apart by a paired test "
            f"(sign flips over problems, 5 % over {ranked - 1} comparison{'s' if ranked > 2 else ''}); "
            "ranks: where the rank may lie, 95 %, over resampled problems"
        )
    if any(row.members for row in rows):
        told.append("seeds of one setting are one row: each problem's mean over them (--seeds shows them)")
    if any(row.of_unknown_weights for row in rows):
        told.append(
            f"{UNKNOWN}: the experiment named a served model and not its revision; other weights may have "
            "stood behind the name from run to run"
        )
    if any(row.figure is not None and row.figure.value != row.sure for row in rows):
        told.append("some attempts are unscored: such a row is ranked by what is certain")
    return told


def published_tables(standing: Standing) -> list[Table]:
    """What others reported, one table for each set of statements and Lean version, none of it ranked.

    Budgets differ from row to row, so each figure is told with its own: a column of bare figures would
    compare what cannot be compared.
    """
    groups: dict[tuple[str, str], list[Published]] = defaultdict(list)
    for item in standing.board.published:
        groups[item.lineage, item.lean].append(item)
    ordered = sorted(groups.items(), key=lambda group: ("not stated" in group[0], -len(group[1])))
    return [_published_table(*group, items) for group, items in ordered]


def _published_table(lineage: str, lean: str, items: Sequence[Published]) -> Table:
    shown = [Column("system"), Column("reported, with its budget"), Column("nodes/proof", True, spare=1)]
    shown += [Column("source", spare=2), Column("caveat", spare=3)]
    rows = [
        [item.system, f"{item.score} ({item.budget})", number(item.nodes_per_proof), item.source, item.caveat]
        for item in items
    ]
    title = f"Reported elsewhere, not ranked; statements: {lineage}; Lean: {lean}"
    told = [at for at in range(len(shown)) if any(row[at] not in ("", "-") for row in rows)]
    cells = [[row[at] for at in told] for row in rows]
    return Table(title, [shown[at] for at in told], cells, grey=set(range(len(rows))))


def standing_csv(standing: Standing) -> str:
    """Every row and, below it, each run that it pools; plain numbers, all sections in one table."""
    out = io.StringIO()
    keys: dict[str, None] = {}
    lines: list[dict[str, Any]] = []
    for section in standing.sections:
        shared = {
            "board": standing.board.name,
            "benchmark": section.benchmark,
            "problems": section.problems,
            "budget": section.budget,
            "tier": section.tier,
        }
        shown = columns(standing.board, section)
        for row in section.rows:
            for one in (row, *row.members):
                kind = "pooled" if one.members else "run" if one is row else "seed"
                figures = {column.key: column.value(one) for column in shown}
                lines.append({**shared, "kind": kind, **figures, "reason": one.reason})
                keys.update(dict.fromkeys(lines[-1]))
    writer = csv.DictWriter(out, list(keys), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _harmless(value) for key, value in line.items()} for line in lines)
    return out.getvalue()


def _harmless(value: Any) -> Any:
    """Spreadsheets take text that begins with such a sign for a formula."""
    return (
        f"'{value}"
        if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") and value != "-"
        else value
    )


def standing_json(standing: Standing) -> dict[str, Any]:
    """A board with its rows as plain JSON."""
    return {
        "board": standing.board.name,
        "metric": standing.board.metric,
        "sections": [
            {
                "benchmark": section.benchmark,
                "problems": section.problems,
                "sampled": section.sampled,
                "budget": section.budget,
                "tier": section.tier,
                "notes": list(section.notes),
                "rows": [_row_json(row) for row in section.rows],
            }
            for section in standing.sections
        ],
        "published": [item.model_dump(mode="json") for item in standing.board.published],
    }


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "rank": row.rank,
        "ranks": None if row.ranks is None else list(row.ranks),
        "name": row.name,
        "run": row.run.name,
        "runs": [run.name for run in row.runs],
        "same": [run.name for run in row.same],
        "settings": dict(row.settings),
        "reason": row.reason,
        "unknown_revision": row.of_unknown_weights,
        "chosen": row.chosen,
        "selection": row.selection,
        "baseline": row.baseline,
        "delta": None if row.delta is None else dataclasses.asdict(row.delta),
        "certain": row.sure,
        "budget": row.budget.text,
        "toolchain": row.run.session.get("toolchain"),
        "figures": scalars(row.summary),
        "cost": {"total": dataclasses.asdict(row.cost), **_per(row)},
        "levels": dict(row.summary.levels),
        "tiers": dict(row.summary.tiers),
        "code": row.run.session.get("code"),
        "command": row.run.session.get("command"),
        "members": [_row_json(member) for member in row.members],
    }


def _per(row: Row) -> dict[str, dict[str, float | None]]:
    return {f"per_{what}": row.cost.per(what) for what in ("attempt", "proof")}
