"""Line charts as inline SVG: no library, no network, colours from the page's style sheet. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 560, 320, 56, 16, 14, 44
COLOURS = 6
_MARGIN = 0.04
"""Share of an axis left free at both ends, so that no point or interval lies on the frame."""
_VALUES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Point:
    """One point, with its interval where it has one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One line. At most `COLOURS` of them can be told apart."""

    label: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Axes:
    """What a chart's axes say."""

    title: str
    x: str
    y: str
    log_x: bool = False
    steps: bool = False
    """Draw a step function: the value holds until the next point."""
    y_limits: tuple[float, float] | None = None


def chart(axes: Axes, series: Sequence[Series]) -> str:
    """A figure with its legend; empty text when there is no point."""
    shown = [one for one in series if one.points][:COLOURS]
    if not shown:
        return ""
    xs = [point.x for one in shown for point in one.points]
    ys = [
        y for one in shown for point in one.points for y in (point.y, point.low, point.high) if y is not None
    ]
    across = _Scale(*_apart(xs, 0.0 if axes.log_x else _MARGIN), LEFT, WIDTH - RIGHT, axes.log_x)
    up = _Scale(*(axes.y_limits or _apart(ys, _MARGIN)), HEIGHT - BOTTOM, TOP)
    parts = [_frame(axes, up, [(across.at(tick), tick) for tick in _values(xs, across)])]
    parts += [_line(one, number, across, up, axes.steps) for number, one in enumerate(shown)]
    keys = "".join(
        f'<span class="key s{number}"><i></i>{escape(one.label)}</span>' for number, one in enumerate(shown)
    )
    title = escape(axes.title)
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{"".join(parts)}</svg>'
    return f"<figure><figcaption>{title}</figcaption>{svg}{keys}</figure>"


def _apart(values: Sequence[float], margin: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    free = margin * (high - low)
    return low - free, high + free


def _values(xs: Sequence[float], across: _Scale) -> list[float]:
    """Where the x axis is labelled: at the values themselves when they are few and not crowded."""
    values = sorted(set(xs))
    gaps = [right - left for left, right in pairwise(values)]
    few = not across.log and len(values) <= _VALUES_SHOWN
    return values if few and (not gaps or min(gaps) > 0.07 * (values[-1] - values[0])) else across.ticks()


@dataclass(frozen=True, slots=True)
class _Scale:
    """From data to pixels."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        low, high, value = (math.log(max(x, 1e-9)) if self.log else x for x in (self.low, self.high, value))
        share = 0.5 if high == low else (value - low) / (high - low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        if self.log:
            powers = range(
                math.ceil(math.log2(max(self.low, 1))), math.floor(math.log2(max(self.high, 1))) + 1
            )
            return [2.0**power for power in powers]
        if self.high == self.low:
            return [self.low]
        raw = (self.high - self.low) / 5
        size = 10 ** math.floor(math.log10(raw))
        step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw)
        first = math.ceil(self.low / step)
        return [round(i * step, 10) for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _frame(axes: Axes, up: _Scale, across: Sequence[tuple[float, float]]) -> str:
    """Axes, grid and labels; `across` holds pixel and value of each label of the x axis."""
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for tick in up.ticks():
        y = up.at(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{tick:g}</text>')
    parts += [f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{value:g}</text>' for x, value in across]
    parts.append(f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>')
    middle = (LEFT + right) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(axes.x)}</text>')
    turn = f'transform="rotate(-90 12 {HEIGHT / 2})"'
    parts.append(f'<text x="12" y="{HEIGHT / 2}" text-anchor="middle" {turn}>{escape(axes.y)}</text>')
    return "".join(parts)


def _line(one: Series, number: int, across: _Scale, up: _Scale, steps: bool) -> str:
    pixels = [(across.at(point.x), up.at(point.y)) for point in one.points]
    path = f"M{pixels[0][0]} {pixels[0][1]}"
    for x, y in pixels[1:]:
        path += f"H{x}V{y}" if steps else f"L{x} {y}"
    if steps:
        path += f"H{WIDTH - RIGHT}"
    parts = [f'<path class="series s{number}" d="{path}"/>']
    for point, (x, _) in zip(one.points, pixels, strict=True):
        if point.low is not None and point.high is not None:
            ends = f'y1="{up.at(point.low)}" y2="{up.at(point.high)}"'
            parts.append(f'<line class="bar s{number}" x1="{x}" x2="{x}" {ends}/>')
    return "".join(parts)
