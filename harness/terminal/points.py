"""The points of a sweep while they run: a table that moves on a terminal, a line a change elsewhere."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from harness.terminal.progress import Display, Terminal, duration

ROWS = 16
"""Points that the table shows at once: those that run or failed, then the latest."""
INSTANT_S = 2.0
"""A point that took less came from the cache; how long others take does not follow from it."""
STYLES = {"running": "bold", "failed": "red", "finished": "", "stopped": "yellow", "interrupted": "yellow"}


@dataclass(frozen=True, slots=True)
class PointLine:
    """One point as it stands."""

    number: int
    """From 0."""
    label: str
    state: str
    value: float | None
    """Of the sweep's metric."""
    seconds: float
    """What it took; of a running one 0."""
    error: str = ""


Show = Callable[[Sequence[PointLine]], None]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the table needs to know of the sweep as a whole."""

    metric: str
    total: int | None
    """Points in all; None when nobody knows."""
    at_once: int = 1

    def eta(self, lines: Sequence[PointLine]) -> float | None:
        """Seconds until all points are done, if they take what the finished ones took; None when unknown."""
        took = [line.seconds for line in lines if line.state != "running" and line.seconds >= INSTANT_S]
        if not took or self.total is None:
            return None
        left = self.total - sum(line.state != "running" for line in lines)
        return statistics.fmean(took) * left / self.at_once


@contextmanager
def live_points(display: Display, outlook: Outlook) -> Iterator[Show]:
    """What shows the points for as long as the block runs."""
    if not isinstance(display, Terminal):
        yield _Lines(display.note, outlook).show
        return
    from rich.live import Live

    with Live(console=display.console, refresh_per_second=4, transient=True) as live:
        began: dict[int, float] = {}

        def show(lines: Sequence[PointLine]) -> None:
            for line in lines:
                began.setdefault(line.number, time.monotonic())
            live.update(_grid(lines, outlook, began))

        yield show


class _Lines:
    """One line for each change of a point."""

    def __init__(self, note: Callable[[str], None], outlook: Outlook) -> None:
        self._note = note
        self._outlook = outlook
        self._told: dict[int, str] = {}

    def show(self, lines: Sequence[PointLine]) -> None:
        """Print what changed since the last time."""
        for line in lines:
            if self._told.get(line.number) != line.state:
                self._told[line.number] = line.state
                self._note(self._text(line, lines))

    def _text(self, line: PointLine, lines: Sequence[PointLine]) -> str:
        total = "" if self._outlook.total is None else f"/{self._outlook.total:,}"
        head = f"point {line.number + 1:,}{total}: {line.label}".rstrip(": ")
        if line.state == "running":
            return head
        words = [f"{head}: {line.state}", figure(line.value, self._outlook.metric), duration(line.seconds)]
        left = self._outlook.eta(lines)
        words.append(line.error or (f"ETA {duration(left)}" if left else ""))
        return ", ".join(word for word in words if word)


def figure(value: float | None, metric: str) -> str:
    """`eval/search_test/pass_at_1 0.8725`; nothing without a value."""
    return "" if value is None else f"{metric} {value:.4g}"


def chosen(lines: Sequence[PointLine]) -> list[PointLine]:
    """The points that the table has room for, in their order."""
    urgent = [line for line in lines if line.state in ("running", "failed")]
    others = [line for line in lines if line not in urgent]
    kept = {line.number for line in [*urgent, *reversed(others)][:ROWS]}
    return [line for line in lines if line.number in kept]


def _grid(lines: Sequence[PointLine], outlook: Outlook, began: dict[int, float]) -> Any:
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False)
    for name in ("point", "settings", "state", outlook.metric or "metric", "took"):
        grid.add_column(Text(name), header_style="dim", overflow="fold")
    for line in chosen(lines):
        took = time.monotonic() - began[line.number] if line.state == "running" else line.seconds
        value = "" if line.value is None else f"{line.value:.4g}"
        cells = [str(line.number + 1), line.label, line.state, value, duration(took)]
        grid.add_row(*map(Text, cells), style=STYLES[line.state])
    done = sum(line.state != "running" for line in lines)
    left = outlook.eta(lines)
    total = "" if outlook.total is None else f" of {outlook.total:,}"
    eta = "" if left is None else f", ETA {duration(left)}"
    hidden = len(lines) - len(chosen(lines))
    more = f", {hidden:,} not shown" if hidden else ""
    grid.caption = Text(f"{done:,}{total} done{eta}{more}", style="dim")
    return grid
