"""Files that survive a kill: append-only JSON lines, whole-file replacement, and a lock on a folder.

A row counts once its line and newline are on the disk. What a kill leaves after the last newline was never
acknowledged; opening the journal for writing cuts it off. Every failure is a `StoreError` of one line.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from harness import files
from harness.errors import StoreError
from harness.strict_json import parse, why_not

DROP_LINE = "delete that line and run again: what it held is then owed again"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NEW_OR_BACK = "put it back to go on with it, or give the same command again to begin anew"


class Journal:
    """An append-only JSON-lines file; one writer at a time (see `FolderLock`)."""

    def __init__(self, path: Path) -> None:
        """Open for appending, creating the file if need be; a torn last line is cut off."""
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self._size = _end_of_last_line(self._fd)
            if self._size < os.fstat(self._fd).st_size:
                os.ftruncate(self._fd, self._size)
        except OSError as error:
            raise StoreError(f"{path}: cannot be opened for writing: {error.strerror}") from None

    @property
    def size(self) -> int:
        """Bytes acknowledged so far."""
        return self._size

    def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the rows with one sync. When it returns they are on the disk; when it raises none is.

        Raises StoreError when a row is no JSON, when the disk is full, broken or read-only, and when the file
        is not at its path any more: what is written into a deleted one is lost with this process.
        """
        data = b"".join(encode(row) for row in rows)
        done = False
        try:
            if not self._in_place():
                raise StoreError(f"{self.path}: was moved or deleted while the run worked; {NEW_OR_BACK}")
            _write_all(self._fd, data)
            os.fsync(self._fd)
            done = True
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written: {error.strerror}; {_remedy(error)}") from None
        finally:
            # Also on Ctrl-C: half a line left here would spoil the line appended after it.
            if not done:
                os.ftruncate(self._fd, self._size)
        self._size += len(data)

    def _in_place(self) -> bool:
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._fd))
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Close the file. Calling it again is harmless."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def encode(row: Mapping[str, Any]) -> bytes:
    """One line of JSON, newline included."""
    try:
        try:
            text = json.dumps(row, ensure_ascii=False, allow_nan=False)
            return text.encode() + b"\n"
        except UnicodeEncodeError:  # a lone surrogate in a model's text; the escaped form can hold it
            return json.dumps(row, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise StoreError(f"a row cannot be written as JSON: {error}") from None


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number (from 1) and object of every whole line; a torn last line is passed over.

    Raises StoreError naming file, line and fix for a line that is not a JSON object. No file, no rows.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n"):
                    yield number, _decode(path, number, line)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None


def _decode(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = parse(line)
    except ValueError as error:
        raise StoreError(f"{path}:{number}: {why_not(error)}; {DROP_LINE}") from None
    if not isinstance(row, dict):
        raise StoreError(f"{path}:{number}: a {type(row).__name__}, not an object; {DROP_LINE}")
    return row


def write_json(path: Path, data: Any) -> None:
    """Replace `path` by `data` as JSON: readers see the old file or the new one, never half of one.

    Raises StoreError when it cannot be written; the old file then still stands.
    """
    try:
        text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise StoreError(f"{path}: cannot be written as JSON: {error}") from None
    _replace(path, text.encode("utf-8", "backslashreplace") + b"\n")


def replace_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace `path` by `rows` as JSON lines, whole or not at all. Raises StoreError as `write_json` does."""
    _replace(path, b"".join(encode(row) for row in rows))


def _replace(path: Path, content: bytes) -> None:
    try:
        files.replace(path, content, synced=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}; {_remedy(error)}") from None


def read_json(path: Path) -> Any:
    """The content of a JSON file, None when there is no such file. Raises StoreError when it is broken."""
    try:
        return parse(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise StoreError(f"{path}: {why_not(error)}; restore or delete it") from None


def _remedy(error: OSError) -> str:
    return f"{'make room' if error.errno in _FULL else 'mend that'}, then give the same command again"


def make_folder(path: Path) -> None:
    """Create a folder and its parents. Raises StoreError when that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        room = "make room, or " if error.errno in _FULL else ""
        raise StoreError(
            f"{path}: cannot be created ({error.strerror}); {room}name another folder with --runs"
        ) from None


class FolderLock:
    """The right to write into a folder; freed by the system when the process ends, however it ends."""

    def __init__(self, path: Path, wait: bool = False) -> None:
        """Take the lock file `path`; `wait` blocks until it is free, else a held lock is a StoreError."""
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreError(f"{path}: cannot be opened for writing: {error.strerror}") from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            holder = os.read(self._fd, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise StoreError(
                f"{path.parent}: another process (pid {holder}) is writing here; wait for it or stop it"
            ) from None
        except OSError as error:
            os.close(self._fd)
            raise StoreError(f"{path}: cannot be locked: {error.strerror}") from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Give the lock back. Calling it again is harmless."""
        if self._fd >= 0:
            # A forked child shares the open file: closing alone would leave the lock with it.
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _end_of_last_line(fd: int) -> int:
    """Offset just after the last newline; 0 when there is none."""
    end, chunk = os.fstat(fd).st_size, 1 << 16
    while end > 0:
        start = max(0, end - chunk)
        at = os.pread(fd, end - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0
