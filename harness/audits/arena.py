"""Exports of Lean declarations (`lean4export`) shown to the kernel: a check of the kernel itself.

In folders named `good` and `bad`, as the Lean kernel arena lays its tests out, the outcome is known. A kernel
may decline what it does not do; it may never accept a bad file, and refuses no good one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from harness.errors import UserError
from harness.lean.compiled.exported import Checked, check_export
from harness.lean.compiled.replay import Outcome, OutOfTime
from harness.lean.core.nodes import shared_terms
from harness.lean.core.work import seconds_granted

SUFFIXES = (".ndjson", ".export")
STACK = 20_000
"""Python frames, of which terms take some a level; no C stack is used for them."""


@dataclass(frozen=True, slots=True)
class ArenaRow:
    """One file. `good` is None where its folder does not tell."""

    name: str
    good: bool | None
    found: Checked
    seconds: float

    @property
    def ok(self) -> bool:
        """Nothing bad accepted, nothing good refused."""
        wrong = {True: Outcome.REFUSED, False: Outcome.ACCEPTED}
        return self.good is None or self.found.outcome is not wrong[self.good]


def arena_files(place: Path) -> list[Path]:
    """The exports in a folder, below it too, or the one file. Raises `UserError` when there is none."""
    files = [place] if place.is_file() else sorted(f for f in place.rglob("*") if f.suffix in SUFFIXES)
    if not files:
        raise UserError(f"{place}: no {' or '.join(SUFFIXES)} files; export declarations with lean4export")
    return files


def run_arena(place: Path, timeout_s: float) -> Iterator[ArenaRow]:
    """Check each export from nothing, `timeout_s` seconds for each."""
    sys.setrecursionlimit(max(STACK, sys.getrecursionlimit()))
    for file in arena_files(place):
        started = perf_counter()
        found = _checked(file, timeout_s)
        parents = file.parts[:-1]
        good = True if "good" in parents else False if "bad" in parents else None
        name = file.name if file == place else str(file.relative_to(place))
        yield ArenaRow(name, good, found, perf_counter() - started)


def _checked(file: Path, timeout_s: float) -> Checked:
    try:
        with file.open(encoding="utf-8") as lines, shared_terms(), seconds_granted(timeout_s):
            return check_export(lines)
    except OutOfTime as late:
        return Checked(Outcome.OUT_OF_TIME, str(late))
    except UnicodeDecodeError as wrong:
        return Checked(Outcome.REFUSED, str(wrong))
    except OSError as wrong:
        raise UserError(f"{file}: {wrong.strerror}") from wrong


def arena_summary(rows: list[ArenaRow]) -> dict[str, int]:
    """Counts by what was expected and what came."""
    out = {"files": len(rows), "wrong": sum(not row.ok for row in rows)}
    for label, good in (("good", True), ("bad", False), ("other", None)):
        for outcome in Outcome:
            count = sum(row.good is good and row.found.outcome is outcome for row in rows)
            out[f"{label}_{outcome.name.lower()}"] = count
    return out
