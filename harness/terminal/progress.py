"""What a person sees while work goes on: bars with ETA on a terminal, plain lines everywhere else.

Everything is written to standard error, so that standard output holds results alone.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TextIO

from harness.terminal.streams import printable, styled
from harness.types import Record, Status

PLAIN_EVERY_S = 10.0
"""Plain mode reports a running task this often."""


def duration(seconds: float) -> str:
    """`41s`, `3m05s`, `2h07m`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def remaining(elapsed: float, done: float, left: float) -> float | None:
    """Seconds until `left` is done as fast as `done` was; None as long as nothing is."""
    return elapsed / done * left if done > 0 else None


def figures(values: Mapping[str, float]) -> str:
    """`loss 0.31 reward 0.2`."""
    return " ".join(f"{name} {value:.4g}" for name, value in values.items())


@dataclass(slots=True)
class Task:
    """One piece of work that has a known end."""

    title: str
    show: Callable[[Task], None]
    total: int = 0
    done: int = 0
    note: str = ""
    started: float = field(default_factory=time.monotonic)
    first: tuple[float, int] | None = None
    """When something was first done, and how much: before that comes what is only paid once."""
    told: float = field(default_factory=time.monotonic)
    """When a line was last printed of it."""

    def update(self, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Tell how far the work is; the shape in which trainers report."""
        self.done, self.total = done, total
        if self.first is None:
            self.first = (time.monotonic(), done)
        if values:
            self.note = figures(values)
        self.show(self)

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.started

    @property
    def eta(self) -> str:
        """`ETA 41s`, or nothing as long as that is unknown: it goes by what was done after the first."""
        if self.first is None:
            return ""
        since, before = self.first
        left = remaining(time.monotonic() - since, self.done - before, self.total - self.done)
        return "" if left is None else f"ETA {duration(left)}"


class Plain:
    """Lines on a stream: one when a task begins and ends, and one now and then between."""

    def __init__(self, stream: TextIO | None = None, every_s: float = PLAIN_EVERY_S) -> None:
        self._stream = stream
        self._every_s = every_s

    def note(self, text: str) -> None:
        """Print one line."""
        print(text, file=self._stream or sys.stderr, flush=True)

    @contextmanager
    def task(self, title: str) -> Iterator[Task]:
        """A task for as long as the block runs."""
        self.note(f"{title} ...")
        task = Task(title, self._show)
        yield task
        self.note(f"{title}: {duration(task.elapsed)}{f', {task.note}' if task.note else ''}")

    def _show(self, task: Task) -> None:
        if time.monotonic() - task.told >= self._every_s and task.done < task.total:
            task.told = time.monotonic()
            words = [f"  {task.title}: {task.done}/{task.total}", task.eta, task.note]
            self.note(" ".join(word for word in words if word))


class Terminal:
    """Bars that move; finished ones leave one line behind."""

    def __init__(self) -> None:
        from rich.console import Console

        plain: Any = {"color_system": None} if os.environ.get("NO_COLOR") else {}
        self.console: Any = Console(file=styled(sys.stderr), highlight=False, **plain)
        self._bars: Any = None
        """Those of all running tasks; None without any."""
        self._lock = threading.RLock()

    def note(self, text: str) -> None:
        """Print one line above the bars."""
        self.console.print(printable(text), markup=False, soft_wrap=True)

    @contextmanager
    def task(self, title: str) -> Iterator[Task]:
        """A bar for as long as the block runs."""
        with self._lock:
            bars = self._bars = self._bars or self._started()
            bar = bars.add_task(title, total=None, note="", count="")

        def update(t: Task) -> None:
            count = f"{t.done}/{t.total}" if t.total else ""
            bars.update(bar, completed=t.done, total=t.total or None, note=t.note, count=count)

        task = Task(title, update)
        try:
            yield task
        finally:
            with self._lock:
                bars.remove_task(bar)
                if not bars.tasks:
                    bars.stop()
                    self._bars = None
        self.note(f"{title}: {duration(task.elapsed)}{f', {task.note}' if task.note else ''}")

    def _started(self) -> Any:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        # One for all: a console has one live display at a time.
        bars = Progress(*columns, console=self.console, transient=True)
        bars.start()
        return bars


@dataclass(slots=True)
class RunningTally:
    """Counts attempts as they come in, for a line of progress."""

    made: int = 0
    proved: int = 0
    unscored: int = 0
    tokens: int = 0
    """Generated by the policy."""
    lean_s: float = 0.0
    """Seconds of Lean, those of searches and those of verdicts."""

    def add(self, record: Record) -> str | None:
        """Take in one record; the line to print when the machine failed it, else None."""
        self.made += 1
        self.proved += record.verdict.status is Status.PROVED
        self.tokens += record.attempt.usage.completion_tokens
        search = record.attempt.search
        self.lean_s += record.verdict.seconds + (0.0 if search is None else search.lean_s)
        if record.verdict.status is not Status.INFRA:
            return None
        self.unscored += 1
        return f"{record.problem_id} #{record.attempt.index}: unscored: {record.verdict.detail}"

    @property
    def figures(self) -> Mapping[str, float]:
        """What a line of progress tells: results, and what they cost so far."""
        cost = {"ktokens": self.tokens / 1000, "lean_s": round(self.lean_s)}
        told = {"proved": self.proved, "unscored": self.unscored, **cost}
        return {name: value for name, value in told.items() if value or name == "proved"}


Display = Plain | Terminal


def display(plain: bool = False) -> Display:
    """Bars when standard error is a terminal and `plain` was not asked for, else plain lines."""
    return Plain() if plain or not sys.stderr.isatty() else Terminal()
