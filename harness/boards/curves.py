"""Learning curves of training stages, from the figures that the stage noted itself. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.boards.charts import SCHEMA, Chart
from harness.terminal.streams import printable
from harness.terminal.tables import Column, Table

_BLOCKS = "▁▂▃▄▅▆▇█"
SHAPE = 24
"""Characters in which the shape of a curve is told."""


def series(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """(step, value) of every figure in the rows, in the order in which figures first appear."""
    found: dict[str, list[tuple[float, float]]] = {}
    for number, row in enumerate(rows, 1):
        step = row.get("step", number)
        for name, value in row.items():
            numeric = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if name != "step" and numeric and isinstance(step, int | float):
                found.setdefault(name, []).append((float(step), float(value)))
    return found


def curve_table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Each figure: where it began, where it ended, its extremes, and its shape."""
    columns = [Column("figure"), *(Column(name, True) for name in ("first", "last", "least", "most"))]
    lines = []
    for name, points in series(rows).items():
        values = [value for _, value in points]
        ends = (values[0], values[-1], min(values), max(values))
        lines.append([name, *(f"{value:.4g}" for value in ends), shape(values)])
    steps = [step for points in series(rows).values() for step, _ in points]
    told = f"{title}: steps {min(steps):g} to {max(steps):g}" if steps else f"{title}: no curve was noted"
    return Table(told, [*columns, Column("shape")], lines)


def shape(values: Sequence[float]) -> str:
    """A curve in a line of text: means of equal parts, from its least to its most."""
    parts = min(SHAPE, len(values))
    cut = [values[len(values) * i // parts : len(values) * (i + 1) // parts] for i in range(parts)]
    means = [math.fsum(part) / len(part) for part in cut]
    low, high = min(means), max(means)
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round((mean - low) / (high - low) * top) if high > low else 0] for mean in means)


def curve_charts(title: str, rows: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """One chart a figure, as in `harness.boards.charts`."""
    found = []
    for name, points in series(rows).items():
        said = printable(f"{title}: {name}")
        spec = {
            "$schema": SCHEMA,
            "title": said,
            "width": "container",
            "height": 240,
            "data": {"values": [{"x": step, "y": value} for step, value in points]},
            "mark": {"type": "line", "strokeWidth": 2},
            "encoding": {
                "x": {"field": "x", "type": "quantitative", "title": "step"},
                "y": {
                    "field": "y",
                    "type": "quantitative",
                    "title": printable(name),
                    "scale": {"zero": False},
                },
            },
        }
        found.append(Chart(_file_name(name), said, spec))
    return found


def _file_name(name: str) -> str:
    return "".join(sign if sign.isalnum() else "-" for sign in name)
