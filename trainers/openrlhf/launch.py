"""Starts a planned process, watches it, and leaves nothing of it behind.

The process writes straight into its log, so its output is never blocked and never lost; the log is read
from there. A keeper (`harness.processes`) stands between: whatever becomes of this process, it ends the
whole tree.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from harness.errors import InfraError
from harness.processes.kept import Process, exit_file, kept
from harness.records.journal import read_json
from trainers.openrlhf import logs

POLL_S = 0.25
_TAIL_LINES = 400
_LONGEST_LINE = 1 << 20
"""Bytes after which an unfinished line is read as it is."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a process is stopped."""

    start_s: float
    """Seconds to the first step."""
    step_s: float
    """Seconds without a step; three times the longest step, when that is more."""
    grace_s: float = 30.0
    """Seconds between SIGTERM and SIGKILL."""
    free_bytes: int = 1 << 30
    """Bytes that must stay free on the disk of its folder."""
    section: str = "improve.openrlhf"
    """Where `start_timeout_s` and `step_timeout_s` are set."""


class Ended(InfraError):
    """The process failed or was stopped; the message says why and where the log is."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
        """Its exit code; 128 + n for signal n."""


Tell = Callable[[logs.LoggedStep | logs.LoggedEvaluation], None]


@dataclass
class Watch:
    """Reads a log as it grows, and knows how long nothing has happened."""

    limits: Limits
    tell: Tell
    log: BinaryIO
    clock: Callable[[], float] = time.monotonic
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL_LINES))
    steps: int = 0
    _alarm: logs.Alarm = field(default_factory=logs.Alarm)
    _partial: bytes = b""
    _stepped: float = 0.0
    _moved: float = 0.0
    _longest: float = 0.0

    def __post_init__(self) -> None:
        self._stepped = self._moved = self.clock()

    def look(self) -> str | None:
        """Read what is new; why the process should be stopped, or None."""
        return self._take(self._lines()) or self._waited_too_long()

    def finish(self) -> str | None:
        """Read the rest, an unfinished last line too; the alarm that it raises, or None."""
        return self._take([*self._lines(), self._partial.decode("utf-8", "replace")])

    def _take(self, lines: Iterable[str]) -> str | None:
        why = None
        for line in lines:
            self.tail.append(line)
            if logs.busy(line):
                self._moved = self.clock()
            told = logs.read(line)
            if told is None:
                continue
            self.tell(told)
            if isinstance(told, logs.LoggedStep):
                self._step()
                why = why or self._alarm.raised(told)
        return why

    def _step(self) -> None:
        now = self.clock()
        # The first step includes the start, so it says nothing of how long a step takes.
        if self.steps:
            self._longest = max(self._longest, now - self._stepped)
        self.steps += 1
        self._stepped = self._moved = now

    def _waited_too_long(self) -> str | None:
        now = self.clock()
        if not self.steps:
            limit, since, what = self.limits.start_s, self._stepped, "no first step"
        else:
            limit, since, what = (
                max(self.limits.step_s, 3 * self._longest),
                self._moved,
                "no sign of progress",
            )
        if now - since <= limit:
            return None
        return (
            f"{what} for {now - since:.0f} s "
            f"({self.limits.section}.{'step' if self.steps else 'start'}_timeout_s)"
        )

    def _lines(self) -> Iterator[str]:
        while chunk := self.log.read(1 << 16):
            *whole, self._partial = (self._partial + chunk).replace(b"\r", b"\n").split(b"\n")
            if len(self._partial) > _LONGEST_LINE:
                whole, self._partial = [*whole, self._partial], b""
            yield from (line.decode("utf-8", "replace") for line in whole)


def run(process: Process, folder: Path, limits: Limits, tell: Tell) -> None:
    """Run `process` to its end, telling of its steps. Blocks; Ctrl-C ends the whole tree and passes on.

    Raises `Ended` when it fails, hangs, raises an alarm or fills the disk. Nothing of it runs afterwards.
    """
    process.log.touch()
    with process.log.open("rb") as log:
        log.seek(0, os.SEEK_END)  # What an earlier try printed has been told.
        watch = Watch(limits, tell, log)
        with kept(process, folder, limits.grace_s) as keeper:
            why = None
            while why is None and keeper.poll() is None:
                time.sleep(POLL_S)
                why = watch.look() or _full(folder, limits.free_bytes)
        why = watch.finish() or why
    _judge(process, folder, keeper.returncode, why, watch)


def _full(folder: Path, least: int) -> str | None:
    free = shutil.disk_usage(folder).free
    if free >= least:
        return None
    return f"the disk of {folder} is full: {free / 2**30:.1f} GiB are free, {least / 2**30:.1f} must stay"


def _judge(process: Process, folder: Path, keeper_code: int, why: str | None, watch: Watch) -> None:
    told = read_json(exit_file(process, folder)) or {}
    code = int(told.get("code", keeper_code if keeper_code > 0 else 128 - keeper_code))
    if why is None and code == 0:
        return
    if why is None:
        why = f"exit code {code}: {logs.reason(list(watch.tail))}"
    raise Ended(f"{process.name}: {why}; see {process.log}", code or 1)


def shown(argv: Sequence[str]) -> str:
    """An argument list for people, an option and its values on a line."""
    lines: list[str] = []
    for word in argv:
        if word.startswith("--") or not lines:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return "\n".join(lines)
