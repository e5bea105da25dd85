"""The charts of a board as Vega-Lite specifications: plain data, drawn in the page, or here as SVG and PNG.

One specification serves all three, so what a paper prints is what the page shows. Pure apart from `drawn`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import extras
from harness.analysis.curves import MEASURES
from harness.analysis.pooling import pass_values
from harness.analysis.settings import TRAINING, setting
from harness.boards.rows import BoardSection, Row
from harness.boards.ties import counted
from harness.errors import InfraError, UserError, boundary
from harness.records.journal import make_folder
from harness.terminal.streams import printable
from harness.types import Estimate

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""A name that Vega-Lite asks for, not an address: nothing is fetched."""
LINES = 8
"""Rows in one chart, best first; more lines could not be told apart."""
VALUES = 3
"""Distinct values of a setting from which a response to it is drawn; of rounds two are several."""
AS_MEASURED = ["as measured: loads of machines differ, and", "later rows may find answers remembered"]
ROUNDS = "generator.rounds"
SWEPT = {
    "search.alpha": "alpha",
    "value.gamma": "gamma",
    "grpo.kl": "KL coefficient",
    "grpo.samples": "GRPO samples",
    "evaluation.samples": "samples",
    ROUNDS: "co-training round",
}
"""Settings whose response is drawn, with the name of the axis."""
LOG = {"type": "log", "base": 2, "nice": False}
LOG_LABELS = {"labelExpr": "format(datum.value, datum.value < 1 ? '.2~r' : ',~r')"}
"""0.016, not 0.015625, and 2,048, which two digits would make 2,000."""
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7f5af0", "#8c564b")
_DARK_PALETTE = ("#5aa9e6", "#ff8c5a", "#4fd1a5", "#e29ac7", "#f0c14b", "#9bd3f7", "#b39dff", "#c9a08e")


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: a name for its file, what it shows in words, and its specification."""

    key: str
    title: str
    spec: Mapping[str, Any] = field(hash=False)


def section_charts(section: BoardSection) -> list[Chart]:
    """Every chart for which the ranked rows of a section have figures."""
    rows = [row for row in section.rows if row.rank is not None]
    shown = rows[:LINES]
    found = [_pass_curves(shown), _solved("expansions", [(row.name, row.summary.curve) for row in shown])]
    for measure in MEASURES:
        found.append(_solved(measure, [(row.name, row.summary.curves.get(measure, ())) for row in shown]))
    found += [_nodes(shown), *_responses(rows)]
    return [chart for chart in found if chart is not None]


def config(dark: bool = False) -> dict[str, Any]:
    """Fonts and colours of every chart."""
    ink, faint = ("#e6e6e6", "#3a3f47") if dark else ("#1b1b1b", "#dddddd")
    text = {"labelColor": ink, "titleColor": ink, "labelFontSize": 12, "titleFontSize": 12}
    axis = {**text, "gridColor": faint, "domainColor": ink, "tickColor": ink, "titleFontWeight": "normal"}
    return {
        "background": "transparent" if dark else "white",
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "axis": axis,
        "legend": {
            **text,
            "labelLimit": {"expr": "max(160, width - 24)"},
            "orient": "bottom",
            "columns": 1,
            "title": None,
        },
        "title": {"color": ink, "subtitleColor": ink, "anchor": "start", "fontSize": 13},
        "range": {"category": list(_DARK_PALETTE if dark else PALETTE)},
    }


def _spec(
    title: str, values: Sequence[Mapping[str, Any]], layers: Sequence[Any], **more: Any
) -> dict[str, Any]:
    return {
        "$schema": SCHEMA,
        "title": printable(title),
        "width": "container",
        "height": 240,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": list(values)},
        "layer": list(layers),
        **more,
    }


def _axis(name: str, title: str, log: bool = False, **scaled: Any) -> dict[str, Any]:
    scale = LOG if log else {"zero": False, **scaled}
    shown = LOG_LABELS if log else {}
    return {
        "field": name,
        "type": "quantitative",
        "title": title,
        "scale": scale,
        "axis": {"tickCount": 6, **shown},
    }


def _share(title: str, values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The axis of shares `y`, from 0 to the next tenth above the highest."""
    top = min(1.0, math.ceil(10 * max(one["y"] for one in values) + 1e-9) / 10)
    axis = _axis("y", title, domain=[0, max(top, 0.1)])
    return {**axis, "axis": {**axis["axis"], "format": "~%"}}


_COLOUR = {"field": "row", "type": "nominal", "sort": None}
_PICK = {"name": "pick", "select": {"type": "point", "fields": ["row"]}, "bind": "legend"}
_FADED = {"condition": {"param": "pick", "value": 1}, "value": 0.12}


def _line(
    x: Mapping[str, Any], y: Mapping[str, Any], steps: bool = False, points: bool = False
) -> dict[str, Any]:
    mark: dict[str, Any] = {"type": "line", "strokeWidth": 2}
    if steps:
        mark["interpolate"] = "step-after"
    if points:
        mark["point"] = {"size": 35}
    tooltip = [
        {"field": "row", "title": "row"},
        *({"field": a["field"], "title": a["title"]} for a in (x, y)),
    ]
    return {
        "mark": mark,
        "params": [_PICK],
        "encoding": {"x": x, "y": y, "color": _COLOUR, "opacity": _FADED, "tooltip": tooltip},
    }


def _bars(x: Mapping[str, Any], y: Mapping[str, Any]) -> dict[str, Any]:
    """The 95 % intervals of the points."""
    ends = {"y": {**y, "field": "low"}, "y2": {"field": "high"}}
    return {
        "mark": {"type": "rule", "strokeWidth": 1.4},
        "encoding": {"x": x, **ends, "color": _COLOUR, "opacity": _FADED},
    }


def _point(row: str, x: float, estimate: Estimate) -> dict[str, Any]:
    value = estimate.value
    low, high = (value if end is None else end for end in (estimate.low, estimate.high))
    return {"row": printable(row), "x": x, "y": value, "low": low, "high": high}


def _pass_curves(rows: Sequence[Row]) -> Chart | None:
    """pass@k for k = 1, 2, 4, ... up to the samples that were made."""
    values = []
    for row in rows:
        n = row.budget.samples
        for k in sorted({min(n, 2**power) for power in range(n.bit_length() + 1)}):
            parts = [pass_values(part.summary, k) for part in counted(row)]
            shares = [sum(values) / len(values) for values in parts if values]
            if n > 1 and shares:
                values.append({"row": printable(row.name), "x": k, "y": sum(shares) / len(shares)})
    if not values:
        return None
    x, y = _axis("x", "k (samples)", log=True), _share("problems solved", values)
    title = "pass@k"
    return Chart("pass-at-k", title, _spec(title, values, [_line(x, y, points=True)]))


def _solved(measure: str, curves: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> Chart | None:
    known = [(name, curve) for name, curve in curves if curve]
    if len({x for _, curve in known for x, _ in curve}) < 2:  # one step is no curve
        return None
    last = max(curve[-1][0] for _, curve in known)
    values = [
        {"row": printable(name), "x": x, "y": y}
        for name, curve in known
        for x, y in [*curve, (last, curve[-1][1])]
        if x > 0
    ]
    title = f"Solved within a budget of {measure}"
    told = {"text": title, "subtitle": AS_MEASURED} if measure == "seconds" else title
    x, y = _axis("x", f"{measure} of one attempt", log=True), _share("problems solved", values)
    return Chart(
        f"solved-by-{measure}", title, {**_spec(title, values, [_line(x, y, steps=True)]), "title": told}
    )


_QUANTILES = {"p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9}


def _nodes(rows: Sequence[Row]) -> Chart | None:
    """How many expansions a proof took: tenth to ninetieth percentile, the middle half, the median."""
    values = []
    for row in rows:
        curve = row.summary.curve
        if curve:
            reached = {
                name: next(x for x, y in curve if y >= share * curve[-1][1] - 1e-12)
                for name, share in _QUANTILES.items()
            }
            values.append({"row": printable(row.name), **reached})
    if not values:
        return None
    y = {"field": "row", "type": "nominal", "sort": None, "axis": None}  # named below, as in every chart
    x = _axis("p10", "expansions of a proof", log=True)
    tooltip = [{"field": name} for name in ("row", *_QUANTILES)]
    colour: dict[str, Any] = {"color": _COLOUR, "tooltip": tooltip}
    layers = [
        {"mark": {"type": "rule"}, "encoding": {"y": y, "x": x, "x2": {"field": "p90"}, **colour}},
        {
            "mark": {"type": "bar", "height": 10, "opacity": 0.55},
            "encoding": {"y": y, "x": {**x, "field": "p25"}, "x2": {"field": "p75"}, **colour},
        },
        {
            "mark": {"type": "tick", "thickness": 3, "height": 16},
            "encoding": {"y": y, "x": {**x, "field": "p50"}, **colour},
        },
    ]
    title = "Nodes per proof: median, middle half, 10 to 90 %"
    return Chart("nodes-per-proof", title, _spec(title, values, layers, height=26 * len(values)))


def _responses(rows: Sequence[Row]) -> list[Chart]:
    """What each swept setting does to what is solved and to what the search spends."""
    figures: Mapping[str, tuple[str, Callable[[Row], Estimate | None]]] = {
        "solved": ("problems solved", lambda row: row.passed.estimate if row.passed is not None else None),
        "spent": ("mean expansions, unproved = budget", lambda row: row.summary.nodes.censored),
    }
    found = []
    for key, axis in SWEPT.items():
        lines = _lines(rows, key)
        for name, (title, figure) in figures.items():
            values = [
                _point(label, x, estimate)
                for label, points in lines
                for x, row in points
                if (estimate := figure(row)) is not None and estimate.value is not None
            ]
            if values:
                # Away from the edge: the interval of the least value would lie on the axis.
                x, y = _axis("x", axis, nice=False, padding=10), _axis("y", title)
                if key == ROUNDS:
                    x["axis"]["values"] = sorted({point["x"] for point in values})
                if name == "solved":
                    y["axis"]["format"] = "~%"
                said = f"Response to {axis}: {title.split(',')[0]}"  # the axis says the rest
                spec = _spec(said, values, [_bars(x, y), _line(x, y, points=True)])
                found.append(Chart(f"{axis.replace(' ', '-').lower()}-{name}", said, spec))
    return found


def _lines(rows: Sequence[Row], key: str) -> list[tuple[str, list[tuple[float, Row]]]]:
    """Rows that differ in `key` alone, by its value; each line named by what it shares."""
    groups: dict[str, dict[float, Row]] = defaultdict(dict)
    for row in rows:
        value = row.run.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            groups[setting(row.run.spec, (key,))].setdefault(float(value), row)
    least = 2 if key == ROUNDS else VALUES
    several = [members for members in groups.values() if len(members) >= least]
    if key == ROUNDS:
        several = [_from_the_start(members, rows) for members in several]
    lines = [sorted(members.items()) for members in several]
    return [(_label([row for _, row in line], key), line) for line in lines][:LINES]


def _from_the_start(members: Mapping[float, Row], rows: Sequence[Row]) -> dict[float, Row]:
    """The rounds of a training with the warm start that they went on from, where it was measured alike."""
    of_training = (ROUNDS, *TRAINING)
    alike = setting(next(iter(members.values())).run.spec, of_training)
    starts = [row for row in rows if row.run.get(ROUNDS) == 0 and setting(row.run.spec, of_training) == alike]
    return {0.0: starts[0], **members} if starts else dict(members)


def _label(rows: Sequence[Row], key: str) -> str:
    """The parts that the names of all these rows share."""
    parts = [row.name.split(", ") for row in rows]
    shared = [part for part in parts[0] if all(part in other for other in parts)]
    return ", ".join(shared) or str(rows[0].run.get("experiment", key))


def drawn(charts: Sequence[Chart], folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write each chart as `<key>.svg` and so on into `folder`, made if need be.

    Raises UserError for a format that is neither svg nor png, StoreError, InfraError.
    """
    unknown = [name for name in formats if name not in ("svg", "png")]
    if unknown:
        raise UserError(f"--format {unknown[0]}: charts are drawn as svg or png")
    extras.need("pages")
    import vl_convert as vega

    make_folder(folder)
    written = []
    for chart in charts:
        spec = {**chart.spec, "width": 560, "config": config()}
        for name in formats:
            path = folder / f"{chart.key}.{name}"
            with boundary(InfraError, f"{path}: cannot be drawn"):
                if name == "svg":
                    path.write_text(vega.vegalite_to_svg(spec), encoding="utf-8")
                else:
                    path.write_bytes(vega.vegalite_to_png(spec, scale=2))
            written.append(path)
    return written
