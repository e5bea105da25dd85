"""What a person sees while work goes on: bars with ETA on a terminal, plain lines everywhere else.

Everything is written to standard error, so that standard output holds results alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TextIO

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


def remaining(elapsed: float, done: float, total: float) -> float | None:
    """Seconds left if the rest goes as fast as what is done; None before anything is done."""
    return elapsed / done * (total - done) if done > 0 and total > 0 else None


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

    def update(self, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Tell how far the work is; the shape in which trainers report."""
        self.done, self.total = done, total
        if values:
            self.note = figures(values)
        self.show(self)

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.started

    @property
    def eta(self) -> str:
        """`ETA 41s`, or nothing as long as that is unknown."""
        left = remaining(self.elapsed, self.done, self.total)
        return "" if left is None else f"ETA {duration(left)}"


class Plain:
    """Lines on a stream: one when a task begins and ends, and one now and then between."""

    def __init__(self, stream: TextIO | None = None, every_s: float = PLAIN_EVERY_S) -> None:
        self._stream = stream
        self._every_s = every_s
        self._last = time.monotonic()

    def note(self, text: str) -> None:
        """Print one line."""
        print(text, file=self._stream or sys.stderr, flush=True)

    @contextmanager
    def task(self, title: str) -> Iterator[Task]:
        """A task for as long as the block runs."""
        self.note(f"{title} ...")
        task = Task(title, self._show)
        self._last = time.monotonic()
        yield task
        self.note(f"{title}: {duration(task.elapsed)}{f', {task.note}' if task.note else ''}")

    def _show(self, task: Task) -> None:
        if time.monotonic() - self._last >= self._every_s and task.done < task.total:
            self._last = time.monotonic()
            words = [f"  {task.title}: {task.done}/{task.total}", task.eta, task.note]
            self.note(" ".join(word for word in words if word))


class Terminal:
    """Bars that move; finished ones leave one line behind."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console: Any = Console(stderr=True, highlight=False)

    def note(self, text: str) -> None:
        """Print one line above the bars."""
        self._console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def task(self, title: str) -> Iterator[Task]:
        """A bar for as long as the block runs."""
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
        with Progress(*columns, console=self._console, transient=True) as bars:
            bar = bars.add_task(title, total=None, note="", count="")

            def update(t: Task) -> None:
                count = f"{t.done}/{t.total}" if t.total else ""
                bars.update(bar, completed=t.done, total=t.total or None, note=t.note, count=count)

            task = Task(title, update)
            yield task
        self.note(f"{title}: {duration(task.elapsed)}{f', {task.note}' if task.note else ''}")


@dataclass(slots=True)
class Tally:
    """Counts attempts as they come in, and tells when a problem is complete."""

    samples: int
    problems: int
    started: float = field(default_factory=time.monotonic)
    finished: int = 0
    _seen: dict[str, list[Status]] = field(default_factory=dict)

    def add(self, record: Record) -> str | None:
        """Take in one record; the line to print when its problem is complete, else None."""
        statuses = self._seen.setdefault(record.problem_id, [])
        statuses.append(record.verdict.status)
        if len(statuses) < self.samples:
            return None
        self.finished += 1
        proved = statuses.count(Status.PROVED)
        unscored = statuses.count(Status.INFRA)
        word = f"proved {proved}/{self.samples}" + (f" ({unscored} unscored)" if unscored else "")
        elapsed = duration(time.monotonic() - self.started)
        return f"[{self.finished}/{self.problems}] {record.problem_id} {word} {elapsed}"


Display = Plain | Terminal


def display(plain: bool = False) -> Display:
    """Bars when standard error is a terminal and `plain` was not asked for, else plain lines."""
    return Plain() if plain or not sys.stderr.isatty() else Terminal()
