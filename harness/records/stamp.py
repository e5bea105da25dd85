"""Stored figures, bound to the records that they were computed from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.records.folder import SUMMARY
from harness.records.inputs import INPUTS
from harness.records.journal import read_json, write_json


def content_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; of no bytes when there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return hashlib.sha256().hexdigest()


FRESH_NS = 100_000_000
"""Files changed more lately than this are known by their content alone."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which content of a records file something was computed from."""

    sha256: str
    size: int
    mtime_ns: int
    inputs: str | None = None
    """Digest of what the records depend on (`harness.records.inputs`); None in older summaries."""

    @classmethod
    def of(cls, path: Path, inputs: str | None = None) -> Stamp:
        """The stamp of a file as it is now, of records of these `inputs`.

        Times come first: a change while it is read is then seen.
        """
        size, mtime_ns = _size_and_time(path)
        # A file system's clock ticks in milliseconds: an edit in the tick of the last write would go unseen.
        fresh = time.time_ns() - mtime_ns < FRESH_NS
        return cls(content_of(path), size, 0 if fresh else mtime_ns, inputs)

    @classmethod
    def stored(cls, summary: Mapping[str, Any]) -> Stamp | None:
        """The stamp in a stored summary, None where there is no whole one."""
        found = summary.get("records")
        known = found if isinstance(found, Mapping) else {}
        sha256 = known.get("sha256")
        sized = known.get("size", -1), known.get("mtime_ns", -1)
        return cls(sha256, *sized, known.get(INPUTS)) if sha256 else None

    def in_time(self, path: Path) -> bool:
        """Whether the file is the one stamped, by its size and time, as git knows an unchanged file."""
        return (self.size, self.mtime_ns) == _size_and_time(path)


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)


def attempts_in(folder: Path) -> int:
    """How many attempts, canaries too, the stored summary of a run is of; whoever looks at a run may have
    written one of a part. Raises StoreError for a broken one."""
    stored = read_json(folder / SUMMARY)
    known = stored.get("records") if isinstance(stored, Mapping) else None
    lines = known.get("lines") if isinstance(known, Mapping) else None
    return lines if isinstance(lines, int) else 0


def figures_hash(summary: Mapping[str, Any]) -> str:
    """Digest of a summary's figures, plain JSON with text for keys. Tells one that was edited."""
    return hashlib.sha256(json.dumps(summary, sort_keys=True).encode()).hexdigest()[:12]


def write_summary(folder: Path, summary: Mapping[str, Any], stamp: Stamp, lines: int) -> None:
    """Write `summary.json`, bound to its figures and to the records behind them. Raises StoreError."""
    bound = {"lines": lines, **dataclasses.asdict(stamp), "summary": figures_hash(summary)}
    write_json(folder / SUMMARY, {**summary, "records": bound})
