"""Tables for people: in colour on a terminal, plain elsewhere, Markdown where asked for."""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TextIO

from harness.terminal.streams import printable, styled
from harness.types import Estimate


@dataclass(frozen=True, slots=True)
class Column:
    """One column; numbers go to the right."""

    name: str
    right: bool = False
    spare: int = 0
    """Above 0: left out of a terminal too narrow for the table, the highest first."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, ready to be shown anywhere."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    grey: Collection[int] = field(default_factory=frozenset)
    """Numbers of the rows that do not count."""
    bold: Collection[int] = field(default_factory=frozenset)
    """Numbers of the rows to look at."""
    notes: Sequence[str] = ()


def show(tables: Sequence[Table], file: TextIO | None = None, plain: bool | None = None) -> None:
    """Print tables. `plain` defaults to whether `file` (standard output) is no terminal."""
    out = sys.stdout if file is None else file
    if not out.isatty() if plain is None else plain:
        out.write(plain_text(tables))
        return
    from rich.console import Console

    plain_terminal: Any = {"color_system": None} if os.environ.get("NO_COLOR") else {}
    console = Console(file=styled(out), highlight=False, **plain_terminal)
    for table in tables:
        _show_rich(console, table)


def plain_text(tables: Sequence[Table]) -> str:
    """The tables as aligned text, a blank line between them."""
    return "\n".join(_plain(table) for table in tables)


def markdown(tables: Sequence[Table]) -> str:
    """The tables as GitHub Markdown."""
    parts = []
    for table in tables:
        lines = [f"### {_escape(table.title)}", ""]
        if table.rows:
            lines.append("| " + " | ".join(_escape(column.name) for column in table.columns) + " |")
            lines.append("|" + "|".join("--:" if column.right else "---" for column in table.columns) + "|")
            lines += ["| " + " | ".join(_escape(cell) for cell in row) + " |" for row in table.rows]
            lines.append("")
        lines += [f"- {_escape(note)}" for note in table.notes]
        parts.append("\n".join(lines).rstrip() + "\n")
    return "\n".join(parts)


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Lines of columns, two blanks apart; never cut, so that pipes see all of it. `right`: which go there."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    pads = [str.rjust if place in right else str.ljust for place in range(len(widths))]
    cut = (zip(pads, row, widths, strict=True) for row in rows)
    return ["  ".join(pad(cell, width) for pad, cell, width in cells).rstrip() for cells in cut]


def _plain(table: Table) -> str:
    lines = [table.title]
    if table.rows:
        cells = [[column.name for column in table.columns], *table.rows]
        right = [place for place, column in enumerate(table.columns) if column.right]
        lines += [f"  {line}" for line in aligned(cells, right)]
    lines += [f"  {note}" for note in table.notes]
    return "\n".join(lines) + "\n"


def _show_rich(console: object, table: Table) -> None:
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    def text(words: str, style: str = "") -> Text:
        return Text(printable(words), style=style)

    assert isinstance(console, Console)
    table, left_out = _fit(table, console.width)
    grid = RichTable(title=text(table.title, style="bold"), title_justify="left", box=None, pad_edge=False)
    for column in table.columns:
        grid.add_column(
            text(column.name),
            justify="right" if column.right else "left",
            header_style="dim",
            overflow="fold",
        )
    for number, row in enumerate(table.rows):
        style = "bright_black" if number in table.grey else "bold" if number in table.bold else ""
        grid.add_row(*(text(cell) for cell in row), style=style)
    console.print(grid if table.rows else text(table.title, style="bold"))
    notes = [*table.notes, f"not shown for lack of width: {', '.join(left_out)}"] if left_out else table.notes
    for note in notes:
        console.print(text(note, style="dim"))
    console.print()


def _fit(table: Table, width: int) -> tuple[Table, list[str]]:
    """The table without the columns that a terminal of this width has no room for, and their names."""
    kept = list(range(len(table.columns)))

    def needed() -> int:
        cells = [[column.name for column in table.columns], *table.rows]
        return sum(max(len(row[i]) for row in cells) + 2 for i in kept) - 2

    for i in sorted(kept, key=lambda i: -table.columns[i].spare):
        if table.columns[i].spare and needed() > width:
            kept.remove(i)
    columns = [table.columns[i] for i in kept]
    left_out = [column.name for column in table.columns if column not in columns]
    rows = [[row[i] for i in kept] for row in table.rows]
    return replace(table, columns=columns, rows=rows), left_out


def _escape(text: str) -> str:
    plain = html.escape(printable(text), quote=False)
    return plain.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def percent(value: float | None) -> str:
    """A share as `41.2`; `-` when unknown."""
    return "-" if value is None else f"{100 * value:.1f}"


def number(value: float | None, digits: int = 2) -> str:
    """A number with at most `digits` decimals; `-` when unknown."""
    return "-" if value is None else f"{value:.{digits}f}" if value != int(value) else f"{int(value)}"


def with_interval(
    estimate: Estimate, share: bool = False, sign: bool = False, digits: int | None = None
) -> str:
    """`41.2 [35.0, 47.5]`: the value and its 95 % interval; an unknown end is a question mark."""

    def told(value: float | None) -> str:
        if value is None:
            return "?"
        scaled = 100 * value if share else value
        places = digits or (1 if share else 2)
        return f"{scaled:+.{places}f}" if sign else f"{scaled:.{places}f}"

    if estimate.value is None and estimate.low is None and estimate.high is None:
        return "-"
    return f"{told(estimate.value)} [{told(estimate.low)}, {told(estimate.high)}]"
