"""The log of a run: what a person saw of it, with times, and why it ended, in a file of the run's folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from harness.terminal.progress import Display, Plain, Task


class _Stamped:
    """A text file that begins every line with the time. A disk that refuses costs lines, never a run."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, text: str) -> int:
        lines = [f"{_now():%Y-%m-%dT%H:%M:%SZ} {line}\n" for line in text.splitlines() if line]
        with suppress(OSError), self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write("".join(lines))
        return len(text)

    def flush(self) -> None:
        """Every line is written at once."""


class Logged:
    """A display that keeps a log of what it shows."""

    def __init__(self, shown: Display | Logged, folder: Path) -> None:
        """`folder` is there; the file in it is named by the time."""
        self.path = folder / f"{_now():%Y-%m-%dT%H-%M-%SZ}.log"
        self._shown = shown
        self._log = Plain(_Stamped(self.path))  # type: ignore[arg-type]

    def note(self, text: str) -> None:
        """Show one line."""
        self._shown.note(text)
        self._log.note(text)

    @contextmanager
    def task(self, title: str) -> Iterator[Task]:
        """A task for as long as the block runs; how it fares is also written now and then."""
        with self._shown.task(title) as shown, self._log.task(title) as logged:

            def show(task: Task) -> None:
                shown.note, logged.note = task.note, task.note
                shown.update(task.done, task.total)
                logged.update(task.done, task.total)

            yield Task(title, show)

    def __enter__(self) -> Logged:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write why it ended."""
        if kind is not None:
            self._log.note(f"ended by {kind.__name__}: {error}")


def _now() -> datetime:
    return datetime.now(UTC)
