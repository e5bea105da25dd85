"""A board as one self-contained HTML page: tables that sort, charts, no network. Pure."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from importlib import resources

from harness.analysis.settings import fingerprint
from harness.boards.charts import COLOURS, Axes, Point, Series, chart
from harness.boards.rows import Row, Section, Standing
from harness.boards.tables import section_title, standing_tables
from harness.terminal.tables import Table

ALPHAS = 3
"""Distinct alphas from which a response can be drawn."""
LONG = 24
"""Characters from which a cell of text may be broken into lines."""


def page(standing: Standing, made_at: str) -> str:
    """The page. `made_at` is printed on it, so that equal boards give equal pages."""
    files = resources.files("harness.boards")
    style = files.joinpath("board.css").read_text(encoding="utf-8")
    script = files.joinpath("board.js").read_text(encoding="utf-8")
    tables = standing_tables(standing)
    parts = []
    for number, table in enumerate(tables):
        parts.append(_table(table))
        if number < len(standing.sections):
            parts.append(_charts(standing, standing.sections[number]))
    title = escape(standing.board.title)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>\n{style}</style></head>\n<body><h1>{title}</h1>\n"
        + "\n".join(parts)
        + f'\n<p class="made">Made {escape(made_at)} from stored records.</p>'
        + f"<script>\n{script}</script></body></html>\n"
    )


def _table(table: Table) -> str:
    if not table.rows:
        return f"<h2>{escape(table.title)}</h2>" + _notes(table)
    head = "".join(
        f'<th{_class(column.right)} scope="col"><button type="button">{escape(column.name)}</button></th>'
        for column in table.columns
    )
    rows = []
    for number, row in enumerate(table.rows):
        kind = "grey" if number in table.grey else "bold" if number in table.bold else ""
        cells = "".join(
            f"<td{_class(column.right, len(cell) > LONG)}{_key(cell)}>{escape(cell)}</td>"
            for cell, column in zip(row, table.columns, strict=True)
        )
        rows.append(f'<tr class="{kind}">{cells}</tr>' if kind else f"<tr>{cells}</tr>")
    body = "\n".join(rows)
    return (
        f'<h2>{escape(table.title)}</h2><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>{_notes(table)}"
    )


def _class(right: bool, long: bool = False) -> str:
    return ' class="n"' if right else ' class="wrap"' if long else ""


def _key(cell: str) -> str:
    """A cell such as `at least 41.2 [...]` sorts by its number."""
    number = cell.removeprefix("at least ")
    return f' data-key="{escape(number)}"' if number != cell else ""


def _notes(table: Table) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    return f'<ul class="notes">{items}</ul>' if items else ""


def _charts(standing: Standing, section: Section) -> str:
    ranked = [row for row in section.rows if row.rank is not None]
    curves = [
        Series(row.run.name, [Point(budget, share) for budget, share in row.summary.curve])
        for row in ranked
        if row.summary.curve
    ][:COLOURS]
    solved = Axes(
        f"Solved within a budget: {section_title(standing, section)}",
        x="expansions",
        y="share of problems",
        log_x=True,
        steps=True,
        y_limits=(0.0, 1.0),
    )
    return chart(solved, curves) + _alpha_charts(ranked)


def _alpha_charts(ranked: list[Row]) -> str:
    """What alpha does, for settings run at several: the share solved, and what the search spends."""
    groups: dict[str, dict[float, Row]] = defaultdict(dict)
    for row in ranked:
        alpha = row.run.get("search.alpha")
        if isinstance(alpha, int | float):
            groups[fingerprint(row.run.spec, ["search.alpha"])][float(alpha)] = row
    solved: list[Series] = []
    spent: list[Series] = []
    for members in groups.values():
        if len(members) < ALPHAS:
            continue
        rows = [(alpha, members[alpha]) for alpha in sorted(members)]
        label = _label([row for _, row in rows])
        passes = [(alpha, row.passed.estimate) for alpha, row in rows if row.passed is not None]
        costs = [(alpha, row.summary.nodes.censored) for alpha, row in rows]
        for found, estimates in ((solved, passes), (spent, costs)):
            points = [Point(a, e.value, e.low, e.high) for a, e in estimates if e.value is not None]
            found.append(Series(label, points))
    passed = Axes("Response to alpha: problems solved", x="alpha", y="share of problems")
    cost = Axes("Response to alpha: search spent, unproved = budget", x="alpha", y="mean expansions")
    return f"<div>{chart(passed, solved)}{chart(cost, spent)}</div>"


def _label(rows: list[Row]) -> str:
    """What tells these rows from those of other lines: the settings that they share, else the experiment."""
    shared = rows[0].settings.items()
    told = [f"{key}={value}" for key, value in shared if all(row.settings.get(key) == value for row in rows)]
    return " ".join(told) or str(rows[0].run.get("experiment", rows[0].run.name))
