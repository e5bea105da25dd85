"""A comparison as one self-contained HTML page: sentence, tables, forest plot, names that open proofs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from harness.analysis.compare import Comparison, headline
from harness.analysis.comparison_tables import comparison_tables
from harness.analysis.figures import Figure
from harness.analysis.naming import names
from harness.analysis.runs import RunView
from harness.analysis.scored import MEASURES
from harness.boards.charts import LOG, LOG_LABELS, SCHEMA, Chart, config
from harness.boards.details import ATTEMPTS, Statements, run_details, texts
from harness.boards.page import document, figure_places, notes_list, plain_table
from harness.terminal.streams import printable


@dataclass(frozen=True, slots=True)
class ShownComparison:
    """One comparison with the runs of both sides."""

    found: Comparison
    a: Sequence[RunView]
    b: Sequence[RunView]


def comparison_page(
    shown: Sequence[ShownComparison],
    margin: float | None,
    made_at: str,
    statements: Statements,
    links: Mapping[str, str],
) -> str:
    """The page of one or more comparisons; `links` holds the W&B page of each run that has one."""
    runs = {run.name: run for one in shown for run in (*one.a, *one.b)}
    called = dict(zip(runs, names([run.spec for run in runs.values()], [1] * len(runs)), strict=True))
    details: dict[str, Any] = {}
    room = ATTEMPTS
    for name, run in runs.items():
        room -= len(run.records)
        if room >= 0:
            details[name] = run_details(run, called[name], links.get(name))
    charts = [_charts(one.found) for one in shown]
    data = {
        "runs": details,
        "left_out": [name for name in runs if name not in details],
        "texts": texts([runs[name] for name in details], statements),
        "charts": {f"s{n}-{chart.key}": chart.spec for n, group in enumerate(charts) for chart in group},
        "themes": {"light": config(), "dark": config(dark=True)},
    }
    body = "\n".join(
        _section(one, number, charts[number], margin, set(details)) for number, one in enumerate(shown)
    )
    return document("Comparison", body, data, made_at, back="the comparison")


def _section(
    shown: ShownComparison, number: int, charts: Sequence[Chart], margin: float | None, open_runs: set[str]
) -> str:
    found = shown.found
    solved, *tables = comparison_tables(found, margin)
    sides = "".join(f"<p>{escape(printable(line))}</p>" for line in solved.title.splitlines())
    return (
        f'<section id="s{number}"><h2>{escape(printable(headline(found, margin)))}</h2>{sides}'
        f"{notes_list(solved.notes)}{_lists(found, open_runs)}"
        f"{figure_places(charts, number)}"
        f"{''.join(plain_table(table) for table in tables)}</section>"
    )


def _lists(found: Comparison, open_runs: set[str]) -> str:
    """Who solves what, each problem a link to its attempts; those that only one side solves stand open."""
    parts = []
    for name, ids, run in (
        ("A alone", found.only_a, found.a[0]),
        ("B alone", found.only_b, found.b[0]),
        ("both", found.both, found.b[0]),
        ("neither", found.neither, found.b[0]),
        ("unscored", found.unscored, found.b[0]),
    ):
        if ids:
            told = ", ".join(
                _problem(run, one) if run in open_runs else escape(printable(one)) for one in ids
            )
            opened = " open" if name.endswith("alone") else ""
            parts.append(
                f"<details{opened}><summary>Solved by {name}: {len(ids)}</summary><p>{told}</p></details>"
            )
    return "".join(part.replace("Solved by unscored", "Unscored on a side") for part in parts)


def _problem(run: str, problem: str) -> str:
    return f'<a href="#run/{quote(run, safe="")}/{quote(problem, safe="")}">{escape(printable(problem))}</a>'


def _charts(found: Comparison) -> list[Chart]:
    shares = [one for one in found.figures if one.name.startswith("pass@")]
    ratios = [one for one in found.figures if one.kind == "ratio"]
    made = [
        _forest("pass", "pass@k, B - A in points", shares, 100.0, None),
        _forest("ratios", "B / A: left of the line B needs less", ratios, 1.0, "log"),
        *(_within(found, measure) for measure in MEASURES),
    ]
    return [chart for chart in made if chart is not None]


def _forest(
    key: str, title: str, figures: Sequence[Figure], factor: float, scale: str | None
) -> Chart | None:
    """Each figure with its interval, and the line of no difference."""
    rows = [
        {
            "figure": printable(one.name),
            "value": factor * one.estimate.value,
            "low": factor * (one.estimate.value if one.estimate.low is None else one.estimate.low),
            "high": factor * (one.estimate.value if one.estimate.high is None else one.estimate.high),
        }
        for one in figures
        if one.estimate.value is not None
    ]
    if not rows:
        return None
    # Off the edges, where a line of no difference could be taken for the axis.
    axis: dict[str, Any] = {"type": "quantitative", "title": None}
    least = {"zero": False} if scale is None else {"type": scale}  # a log scale has no zero to leave out
    axis |= {"scale": {**least, "nice": False, "padding": 12}, "axis": {"format": "~g", "tickCount": 6}}
    y = {"field": "figure", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 240}}
    tooltip = [{"field": name, "format": ".3g"} for name in ("value", "low", "high")]
    neutral = 0.0 if scale is None else 1.0
    layers = [
        {
            "data": {"values": [{"neutral": neutral}]},
            "mark": {"type": "rule", "strokeDash": [4, 4], "color": "#888"},
            "encoding": {"x": {"field": "neutral", **axis}},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 2, "color": "#4a90d9"},
            "encoding": {"y": y, "x": {"field": "low", **axis}, "x2": {"field": "high"}, "tooltip": tooltip},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 70, "color": "#4a90d9"},
            "encoding": {"y": y, "x": {"field": "value", **axis}, "tooltip": tooltip},
        },
    ]
    return Chart(f"forest-{key}", title, _spec(title, rows, layers, 34 * len(rows)))


def _within(found: Comparison, measure: str) -> Chart | None:
    rows: list[dict[str, Any]] = [
        {"side": side, "budget": one.budget, "solved": value}
        for one in found.equal
        if one.measure == measure
        for side, value in (("A", one.a), ("B", one.b))
    ]
    if not rows:
        return None
    x: dict[str, Any] = {"field": "budget", "type": "quantitative", "title": f"{measure} of one attempt"}
    x |= {
        "scale": LOG,
        "axis": {**LOG_LABELS, "values": sorted({row["budget"] for row in rows})},
    }
    y: dict[str, Any] = {
        "field": "solved",
        "type": "quantitative",
        "title": "problems solved",
        "axis": {"format": "~%"},
    }
    colour = {"field": "side", "type": "nominal", "sort": None}
    line = {"mark": {"type": "line", "point": True}, "encoding": {"x": x, "y": y, "color": colour}}
    title = f"Solved within the same {measure}"
    return Chart(f"within-{measure}", title, _spec(title, rows, [line], 200))


def _spec(
    title: str, rows: Sequence[Mapping[str, Any]], layers: Sequence[Any], height: int
) -> dict[str, Any]:
    fit = {"type": "fit-x", "contains": "padding"}
    shape = {"width": "container", "height": height, "autosize": fit}
    return {"$schema": SCHEMA, "title": title, **shape, "data": {"values": list(rows)}, "layer": list(layers)}
