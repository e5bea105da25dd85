"""Files that are replaced whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def draft_of(path: Path, synced: bool = False, swept: bool = True) -> Iterator[Path]:
    """Where to write what shall stand at `path`: it takes that place when the block ends, and only then.

    Readers see the old file or the new one. `synced` also outlives a power cut. Drafts that killed processes
    of this machine left of the same file are deleted first; not so without `swept`, for the looking takes as
    long as the folder is full. Raises OSError; no draft is left then.
    """
    if swept:
        _sweep(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        if synced:
            _sync(draft)
        draft.replace(path)
        if synced:
            _sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)  # there only if something went wrong


def replace(path: Path, content: str | bytes, synced: bool = False, swept: bool = True) -> None:
    """Put `content` at `path`, text as UTF-8; see `draft_of`."""
    with draft_of(path, synced, swept) as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)


def _sweep(path: Path) -> None:
    with suppress(OSError):
        for left in path.parent.glob(f".{path.name}.*"):
            pid = left.name.rpartition(".")[2]
            if pid.isdecimal() and not _lives(int(pid)):
                left.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # somebody else's process; or no number that a process can have
        return True
    return True


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
