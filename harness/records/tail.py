"""A records file that somebody else is writing: what has come since the last look."""

from __future__ import annotations

from pathlib import Path

from harness.errors import StoreError
from harness.strict_json import parse
from harness.types import Record


class Tail:
    """Whole lines only: what a writer has not finished is for the next look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def new(self) -> list[Record]:
        """Records written since the last call, from the first on. Raises StoreError for a broken line."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                data = file.read()
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be read: {error.strerror}") from None
        whole = data[: data.rfind(b"\n") + 1]
        try:
            found = [Record.from_json(parse(line)) for line in whole.splitlines()]
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{self._path}: after byte {self._read}: not a record ({error})") from None
        self._read += len(whole)
        return found
