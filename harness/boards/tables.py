"""Boards as tables and as JSON. Pure."""

from __future__ import annotations

import dataclasses
from typing import Any

from harness.analysis.summary import scalars
from harness.analysis.tables import pass_cell
from harness.boards.ranking import Row, Section, Standing
from harness.terminal.tables import Column, Table, number, percent, with_interval


def standing_tables(standing: Standing) -> list[Table]:
    """One table per section, and one of the published rows where there are some."""
    tables = [_section_table(standing, section) for section in standing.sections]
    if not tables:
        nothing = f"no run on {'/'.join(standing.board.benchmarks)}, split {standing.board.split}, yet"
        tables.append(Table(standing.board.title, (), (), notes=[nothing]))
    if standing.board.published:
        tables.append(_published_table(standing))
    tables[-1] = dataclasses.replace(tables[-1], notes=[*tables[-1].notes, *standing.board.notes])
    return tables


def section_title(standing: Standing, section: Section) -> str:
    """What its rows have in common."""
    board = standing.board
    which = "" if len(board.benchmarks) == 1 else f" ({section.benchmark})"
    part = "a sample of " if section.sampled else ""
    return f"{board.title}{which}: {part}{section.problems} problems, {section.budget} an attempt"


def _section_table(standing: Standing, section: Section) -> Table:
    board = standing.board
    columns = [
        Column("#", True),
        Column("run"),
        Column(f"{_pass_name(section)} %", True),
        Column(_solved_name(section), True),
        Column("settings", spare=1),
        Column("nodes/proof", True),
        Column("median", True, spare=4),
        Column("p90", True, spare=3),
        Column("expansions/proof", True, spare=5),
        Column("unscored", True, spare=6),
        Column("verdicts", spare=8),
        Column("commit", spare=7),
    ]
    if board.select is not None:
        columns.insert(5, Column(f"{board.select.split}: {board.select.metric}", True, spare=2))
    rows = [_cells(standing, row) for row in section.rows]
    # A whole-proof section has no nodes, a section without a choice nothing chosen on.
    told = [n for n, column in enumerate(columns) if not column.right or any(row[n] != "-" for row in rows)]
    columns, rows = [columns[n] for n in told], [[row[n] for n in told] for row in rows]
    notes = [f"{row.run.name}: not ranked, {row.reason}" for row in section.rows if row.reason]
    if any(row.chosen for row in section.rows) and board.select is not None:
        among = [key.rsplit(".", 1)[-1] for key in board.select.among]
        # The fingerprint of a choice leaves out the value model where it leaves out alpha.
        among += ["value model"] if "search.alpha" in board.select.among else []
        on = f"{board.select.split} by {board.select.metric}"
        notes.append(f"* the row to report: {' and '.join(among)} chosen on {on}")
    notes += section.notes
    if any(row.figure is not None and row.figure.value != row.sure for row in section.rows):
        notes.append("some attempts are unscored: such a row is ranked by what is certain")
    return Table(
        section_title(standing, section),
        columns,
        rows,
        grey={i for i, row in enumerate(section.rows) if row.reason},
        bold={i for i, row in enumerate(section.rows) if row.chosen},
        notes=notes,
    )


def _solved_name(section: Section) -> str:
    samples = {row.budget.samples for row in section.rows}
    return "solved" if samples == {1} else f"solved in {min(samples) if len(samples) == 1 else 'n'} tries"


def _pass_name(section: Section) -> str:
    ks = {row.passed.k for row in section.rows if row.passed is not None}
    return f"pass@{min(ks)}" if len(ks) == 1 else "pass@k"


def _cells(standing: Standing, row: Row) -> list[str]:
    summary, nodes = row.summary, row.summary.nodes
    settings = " ".join(f"{key}={value}" for key, value in row.settings.items())
    cells = [
        "-" if row.rank is None else str(row.rank),
        f"{row.run.name}{' *' if row.chosen else ''}",
        pass_cell(row.passed),
        f"{summary.solved}/{summary.problems}",
        settings,
        with_interval(nodes.mean),
        number(nodes.median.value),
        number(nodes.p90.value),
        with_interval(nodes.total),
        str(summary.unscored + summary.missing),
        "/".join([*summary.levels, *(tier for tier in summary.tiers if tier)]),
        str(row.run.session.get("code", {}).get("commit") or "-")[:8],
    ]
    select = standing.board.select
    if select is not None:
        share = select.metric.startswith("pass@")
        cells.insert(5, percent(row.selection) if share else number(row.selection))
    return cells


def _published_table(standing: Standing) -> Table:
    columns = [Column("system"), Column("reported", True), Column("budget"), Column("statements", spare=1)]
    columns += [Column("source", spare=2), Column("caveat", spare=3)]
    rows = [
        [item.system, item.score, item.budget, item.lineage, item.source, item.caveat]
        for item in standing.board.published
    ]
    title = "Reported elsewhere, not ranked: other statements, budgets or Lean versions"
    return Table(title, columns, rows, grey=set(range(len(rows))))


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
        "run": row.run.name,
        "settings": dict(row.settings),
        "reason": row.reason,
        "chosen": row.chosen,
        "selection": row.selection,
        "certain": row.sure,
        "figures": scalars(row.summary),
        "levels": dict(row.summary.levels),
        "tiers": dict(row.summary.tiers),
        "code": row.run.session.get("code"),
        "command": row.run.session.get("command"),
    }
