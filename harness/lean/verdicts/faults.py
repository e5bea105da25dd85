"""Lean's errors about a candidate, for whoever writes its proof anew. Pure.

Places are counted in the part of the text that comes of the answer, so they are the same over every service;
`harness.lean.text.placing` finds them in the answer itself. Names that were drawn for one check are taken
out: the same answer has the same faults each time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.lean.text.assemble import Assembly
from harness.lean.text.lexer import LineMap
from harness.lean.verdicts.replies import Note
from harness.types import Fault

MOST_FAULTS = 8
"""Errors of one answer that are kept, the first ones; of the others only their number."""
MOST_CHARACTERS = 2000
"""Of one message."""

_DRAWN = re.compile(r"(?:_root_\.)?_audit_[0-9a-f]{16}(?:_target|_check)?")


@dataclass(frozen=True, slots=True)
class Shown:
    """The text that Lean was given."""

    text: str
    written: int
    """Offset in it of `Assembly.written`."""
    shift: int = 0
    """Lines that the service's positions are short of the text's."""
    check: int | None = None
    """The line from which on errors are about the whole theorem: without a place, and told only alone."""


def faults(assembly: Assembly, errors: Sequence[Note], shown: Shown) -> tuple[tuple[Fault, ...], int]:
    """(the first `MOST_FAULTS` errors in the order of the text, how many more there are).

    An error behind the answer's last line is about its end.
    """
    lines = LineMap(shown.text)
    ordered = sorted(errors, key=lambda note: (note.place.line, note.place.column))
    if shown.check is not None:
        before = [note for note in ordered if note.place.line + shown.shift < shown.check]
        ordered = before or ordered
    found = tuple(_fault(assembly, note, shown, lines) for note in ordered[:MOST_FAULTS])
    return found, max(len(ordered) - MOST_FAULTS, 0)


def _fault(assembly: Assembly, note: Note, shown: Shown, lines: LineMap) -> Fault:
    text = _DRAWN.sub(lambda _: assembly.name, note.data) if "_audit_" in note.data else note.data
    if len(text) > MOST_CHARACTERS:
        text = text[: MOST_CHARACTERS - 4] + " ..."
    line = note.place.line + shown.shift
    start = lines.offset(line, note.place.column) - shown.written
    if start < 0 or (shown.check is not None and line >= shown.check):
        return Fault(text)
    length = len(assembly.written.rstrip())
    if note.end is None:
        end = lines.offset(line + 1, 0) - shown.written - 1
    else:
        end = lines.offset(note.end.line + shown.shift, note.end.column) - shown.written
    start = min(start, length)
    return Fault(text, (start, max(start, min(end, length))))
