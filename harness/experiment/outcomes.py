"""What became of the points of a sweep, kept in a journal of its own.

    runs/sweeps/<name>-<digest8>/
        sweep.yaml      the file as it was
        points.jsonl    a line when a point begins and one when it ends; the last of this machine counts
        point-N.json    the experiment of a point that runs in a process of its own
        logs/           what such points printed

The records are elsewhere and say all that counts: this says what was tried, what failed and why.
"""

from __future__ import annotations

import dataclasses
import platform
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from harness.errors import StoreError
from harness.nested import digest
from harness.records.journal import FolderLock, Journal, make_folder, read_rows
from harness.records.provenance import now

State = Literal["running", "finished", "failed", "stopped", "interrupted"]
"""`stopped` early, as the sweep asked; `interrupted` by the user or a kill."""
SETTLED = ("finished", "stopped", "failed")


@dataclass(frozen=True, slots=True)
class PointEntry:
    """One point of a sweep."""

    number: int
    """From 0, in the order in which points are chosen."""
    label: str
    parameters: Mapping[str, Any]
    state: State
    value: float | None = None
    """Of the sweep's metric."""
    seconds: float = 0.0
    error: str = ""
    """Why it failed: one line."""
    runs: tuple[str, ...] = ()
    """Folders of its evaluations."""

    @property
    def id(self) -> str:
        """What the point is: the digest of its parameters."""
        return digest(self.parameters)


def sweep_folder(root: Path, name: str, what: Any) -> Path:
    """Where the journal of a sweep lies; `what` is all that makes it another sweep."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-") or "sweep"
    return root / "sweeps" / f"{safe}-{digest(what)[:8]}"


class SweepJournal:
    """The journal of one sweep, opened for writing by one process at a time. Use as a context manager."""

    def __init__(self, folder: Path, file: Path) -> None:
        """`file` is the sweep's. Raises StoreError when another process runs it, or the disk fails."""
        self.folder = folder
        make_folder(folder / "logs")
        self._lock = FolderLock(folder / ".lock")
        try:
            shutil.copyfile(file, folder / "sweep.yaml")
            self.known, self.foreign = _read(folder / "points.jsonl")
            self._journal = Journal(folder / "points.jsonl")
        except OSError as error:
            self._lock.release()
            raise StoreError(f"{folder}: cannot be written: {error.strerror}") from None
        except StoreError:
            self._lock.release()
            raise

    def note(self, outcome: PointEntry) -> None:
        """Keep what a point is doing now. Raises StoreError when the disk refuses."""
        self._journal.append([{**dataclasses.asdict(outcome), "at": now(), "host": platform.node()}])
        self.known[outcome.id] = outcome

    def __enter__(self) -> SweepJournal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journal.close()
        self._lock.release()


def _read(path: Path) -> tuple[dict[str, PointEntry], dict[str, int]]:
    """What became of the points here, and how many of them the journals of other machines, which were merged
    into this folder, tell of: their weights, and so their records, may be others."""
    found: dict[str, PointEntry] = {}
    foreign: dict[str, set[str]] = {}
    for number, row in read_rows(path):
        try:
            fields = {key: value for key, value in row.items() if key not in ("at", "host")}
            outcome = PointEntry(**{**fields, "runs": tuple(fields["runs"])})
        except (KeyError, TypeError):
            raise StoreError(f"{path}:{number}: not a point; delete that line and run again") from None
        host = row.get("host", platform.node())  # Older lines do not say.
        if host == platform.node():
            found[outcome.id] = outcome
        else:
            foreign.setdefault(str(host), set()).add(outcome.id)
    return found, {host: len(points) for host, points in foreign.items()}
