"""A board as one self-contained HTML page: tables, charts, runs and problems, without a network.

Tables are plain HTML and are there before any script runs. Details and the chart library lie in the page
compressed, and are opened when something asks for them. Pure, apart from the cache of the library.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from html import escape
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from harness import extras, files
from harness.boards.charts import Chart, config, section_charts
from harness.boards.columns import BoardColumn, columns
from harness.boards.details import Statements, board_details, texts
from harness.boards.rows import BoardSection, Row, Standing
from harness.boards.tables import notes, published_tables, section_title
from harness.paths import local_data
from harness.terminal.streams import printable
from harness.terminal.tables import Table

LONG = 24
"""Characters from which a cell of text may be broken into lines."""
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'; img-src data:;"
)
"""Nothing is fetched and nothing is sent, whatever a text in the page may hold."""


def page(
    standing: Standing,
    made_at: str,
    statements: Statements | None = None,
    links: Mapping[str, str] | None = None,
    live: bool = False,
) -> str:
    """The page. `made_at` is printed on it, so that equal boards give equal pages.

    `statements` looks up the problems' texts; without it only ids are shown. `links` holds the W&B page of
    each run that has one. `live`: the page asks the server
    that it came from for news, and for the runs that it does not hold itself.
    """
    nothing: Statements = lambda benchmark, split: {}  # noqa: E731
    runs, left_out = ({}, []) if live else board_details(standing, links or {})
    shown = [
        run for section in standing.sections for row in section.rows for run in row.runs if run.name in runs
    ]
    charts = [section_charts(section) for section in standing.sections]
    data = {
        "runs": runs,
        "left_out": left_out,
        "texts": texts(shown, statements or nothing),
        "charts": {
            f"s{number}-{chart.key}": chart.spec for number, group in enumerate(charts) for chart in group
        },
        "themes": {"light": config(), "dark": config(dark=True)},
    }
    return document(standing.board.title, _body(standing, charts), data, made_at, live=live)


def document(
    title: str,
    body: str,
    data: Mapping[str, Any],
    made_at: str,
    live: bool = False,
    back: str = "the board",
) -> str:
    """A page around `body`, with what its script shows of runs, problems and charts: `data`."""
    told = escape(printable(title))
    policy = POLICY + (" connect-src 'self';" if live else "")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{told}</title><style>\n{_asset('board.css')}</style></head>\n"
        f'<body{" data-live" if live else ""} data-back="{escape(back)}">'
        f"<header><h1>{told}</h1>{_controls()}</header>\n<main>\n{body}</main>\n"
        f'<article id="detail" hidden tabindex="-1"></article>\n'
        f"<footer>Made {escape(made_at)} from stored records. <kbd>/</kbd> filters, <kbd>j</kbd> "
        "<kbd>k</kbd> move, <kbd>Enter</kbd> opens, <kbd>Esc</kbd> goes back.</footer>\n"
        f'<script type="text/plain" id="data">{_packed(json.dumps(data, ensure_ascii=False))}</script>\n'
        f'<script type="text/plain" id="vega">{_library()}</script>\n'
        f'<script type="module">\n{_asset("board.js")}</script></body></html>\n'
    )


def _controls() -> str:
    return (
        '<p class="controls"><label>Filter <input id="filter" type="search" autocomplete="off" '
        'placeholder="alpha 0.25, kernel, ..."></label> <span id="count" role="status"></span> '
        '<button type="button" id="theme">Dark or light</button></p>'
    )


def _asset(name: str) -> str:
    return resources.files("harness.boards").joinpath(name).read_text(encoding="utf-8")


def _packed(text: str) -> str:
    """Text as base64 of gzip: a sixth of its size, and nothing in it can end the script element."""
    # Without a time in the header equal pages are equal byte by byte.
    return base64.b64encode(gzip.compress(text.encode("utf-8", "backslashreplace"), 9, mtime=0)).decode()


def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed, out of the installed `vl_convert`; its bundling takes seconds, once."""
    extras.need("pages")
    import vl_convert as vega

    cached = _kept()
    if cached is not None:
        with suppress(OSError):
            return cached.read_text(encoding="ascii")
    bundle: Any = vega.javascript_bundle  # its type stub asks for a snippet; without one vegaEmbed is global
    text = _packed(bundle())
    if cached is not None:
        with suppress(OSError):
            cached.parent.mkdir(parents=True, exist_ok=True)
            files.replace(cached, text)
    return text


def _kept() -> Path | None:
    """Where the bundle of this version is kept; None for a user without a home."""
    with suppress(RuntimeError):
        return local_data() / f"vega-{metadata.version('vl-convert-python')}.b64"
    return None


def _body(standing: Standing, charts: Sequence[Sequence[Chart]]) -> str:
    parts = []
    for number, section in enumerate(standing.sections):
        parts.append(_section(standing, section, number, charts[number]))
    if not standing.sections:
        nothing = f"No run on {'/'.join(standing.board.benchmarks)}, split {standing.board.split}, yet."
        parts.append(f"<p>{escape(nothing)}</p>")
    parts += [
        f'<section class="published">{plain_table(one)}</section>' for one in published_tables(standing)
    ]
    return "\n".join([*parts, notes_list(standing.board.notes)])


def _section(standing: Standing, section: BoardSection, number: int, charts: Sequence[Chart]) -> str:
    shown = columns(standing.board, section)
    head = "".join(map(_head, shown))
    body = "\n".join(line for row in section.rows for line in _lines(row, shown))
    return (
        f'<section id="s{number}"><h2>{escape(printable(section_title(standing, section)))}</h2>'
        f'<div class="wide"><table class="ranked"><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody>'
        f"</table></div>{notes_list(notes(standing, section))}{figure_places(charts, number)}</section>"
    )


def figure_places(charts: Sequence[Chart], number: int) -> str:
    """Where the charts of section `number` are drawn once they come into view."""
    figures = "".join(
        f'<figure class="chart" id="s{number}-{escape(chart.key)}" role="img" '
        f'aria-label="{escape(printable(chart.title))}"></figure>'
        for chart in charts
    )
    return f'<div class="charts">{figures}</div>'


def _head(column: BoardColumn) -> str:
    kind = ' class="n"' if column.right else ' class="name"' if column.key == "name" else ""
    first = ' data-first="up"' if column.lower or not column.right else ""
    title = escape(printable(column.title))
    return f'<th{kind}{first} scope="col"><button type="button">{title}</button></th>'


def _lines(row: Row, shown: Sequence[BoardColumn]) -> list[str]:
    """The row, and hidden below it the runs that it pools."""
    found = [_line(row, shown, opens=bool(row.members))]
    return found + [_line(member, shown, inside=True) for member in row.members]


def _line(row: Row, shown: Sequence[BoardColumn], opens: bool = False, inside: bool = False) -> str:
    kinds = [
        name for name, holds in (("grey", bool(row.reason)), ("bold", row.chosen), ("seed", inside)) if holds
    ]
    cells = "".join(_cell(row, column, opens) for column in shown)
    reason = f' title="{escape(printable(row.reason))}"' if row.reason else ""
    hidden = " hidden" if inside else ""
    kind = f' class="{" ".join(kinds)}"' if kinds else ""
    return f"<tr{kind}{reason}{hidden}>{cells}</tr>"


def _cell(row: Row, column: BoardColumn, opens: bool) -> str:
    text, value = printable(column.text(row)), column.value(row)
    long = len(text) > LONG and column.key not in ("name", "run")  # as wide as they are: rows of one height
    kind = "n" if column.right else "name" if column.key == "name" else "wrap" if long else ""
    key = f' data-key="{value:.9g}"' if isinstance(value, int | float) else ""
    shown = escape(text)
    if column.key == "name" and opens:
        shown = f'<button type="button" class="open" aria-expanded="false">{shown}</button>'
    elif column.key == "name":
        shown = f'<a href="#run/{escape(_quoted(row.run.name))}">{shown}</a>'
    told = f' class="{kind}"' if kind else ""
    return f"<td{told}{key}>{shown}</td>"


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")


def plain_table(table: Table) -> str:
    """A table as it stands, under its title."""
    # Without buttons: figures of unlike budgets are not put in order.
    head = "".join(
        f'<th{_kind(column.right, "")} scope="col">{escape(printable(column.name))}</th>'
        for column in table.columns
    )
    rows = "\n".join(
        "<tr>"
        + "".join(
            f"<td{_kind(column.right, cell)}>{escape(printable(cell))}</td>"
            for cell, column in zip(row, table.columns, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    return (
        f'<h2>{escape(printable(table.title))}</h2><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table></div>{notes_list(table.notes)}"
    )


def _kind(right: bool, cell: str) -> str:
    return ' class="n"' if right else ' class="wrap"' if len(cell) > LONG else ""


def notes_list(lines: Sequence[str]) -> str:
    """Notes, one a line; nothing without any."""
    items = "".join(f"<li>{escape(printable(line))}</li>" for line in lines)
    return f'<ul class="notes">{items}</ul>' if items else ""


def problem_texts(benchmark: str, split: str) -> Mapping[tuple[str, str], Any]:
    """The problems of a benchmark by id and revision; none where it is not on this machine."""
    from harness.benchmarks.loading import load
    from harness.errors import UserError

    with suppress(UserError):
        return {(one.id, one.revision): one for one in load(benchmark, split or "all")}
    return {}
