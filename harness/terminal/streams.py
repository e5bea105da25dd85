"""Standard output and error as a person's terminal, a pipe or a file may have them: full, closed, narrow.

Nothing that cannot be printed ends a piece of work. Messages on the way (standard error) are dropped where
nobody can read them; results (standard output) that could not be written are told when the work is done. Both
print what the encoding lacks as an escape, and control characters of somebody's text as text.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and newline, and those that turn the direction of writing."""


def printable(text: str) -> str:
    """`text` with control characters written out, so that it moves no cursor and hides nothing.

    They become `\\u001b`, the form that JSON reads back too.
    """
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


class Guarded:
    """A text stream whose faults are kept and not raised; everything else is the stream's own."""

    def __init__(self, stream: TextIO, fault: list[OSError] | None = None, styled: bool = False) -> None:
        """`styled` passes control characters on, for a writer of colours that has cleaned its texts."""
        self._stream = stream
        self._faults: list[OSError] = [] if fault is None else fault
        self._styled = styled
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write `text`; once writing has failed nothing more is written."""
        self._try(lambda: self._stream.write(text if self._styled else printable(text)))
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        self._try(self._stream.flush)

    def styled(self) -> Guarded:
        """The same stream for a writer of colours."""
        return Guarded(self._stream, self._faults, styled=True)

    def finish(self) -> str | None:
        """Hand on the last of it; why something could not be written, None when all was, or when whoever
        read it has gone, as `| head` does, and wants no more."""
        self.flush()
        if not self._faults:
            return None
        with suppress(OSError, ValueError):  # Python flushes once more at its end, and would complain
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        fault = self._faults[0]
        return None if isinstance(fault, BrokenPipeError) else (fault.strerror or str(fault))

    def _try(self, call: Callable[[], object]) -> None:
        if self._faults:
            return
        try:
            call()
        except OSError as fault:
            self._faults.append(fault)


def styled(stream: TextIO) -> TextIO:
    """`stream` for a writer of colours, whose texts are `printable` already."""
    return cast(TextIO, stream.styled()) if isinstance(stream, Guarded) else stream


@contextmanager
def guarded_streams() -> Iterator[Guarded | None]:
    """Standard output and error guarded for as long as the block runs; None when standard output is closed.

    What is closed becomes /dev/null: the next file opened would take its number, and a child's chatter would
    end in a file of records.
    """
    out, err = sys.stdout, sys.stderr
    for number in range(3):
        _hold(number)
    results = None if out is None else Guarded(out)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        sys.stdout = cast(TextIO, results or nowhere)
        sys.stderr = cast(TextIO, Guarded(err or nowhere))
        try:
            yield results
        finally:
            sys.stdout, sys.stderr = out, err


def _hold(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
