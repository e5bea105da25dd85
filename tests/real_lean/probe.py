"""Which constants of a Lean shared library are parser descriptions: run as a process of its own, prints JSON.

Compiled Lean keeps every closed definition as an object behind a data symbol. A `ParserDescr` that is a whole
syntax form carries the name of its own kind, so the object tells what the symbol alone does not: that it is a
parser, and for which kind. The library is only read; a symbol whose value is no such object is passed over.
"""

from __future__ import annotations

import ctypes
import json
import sys
from bisect import bisect_right
from pathlib import Path

NODE, TRAILING_NODE, ANTIQUOT_NODE = 3, 4, 9
"""Constructor numbers of `Lean.ParserDescr` that hold a kind."""

FIELDS = {NODE: (3, 0), TRAILING_NODE: (4, 0), ANTIQUOT_NODE: (3, 1)}
"""Constructor -> number of fields, field that is the kind."""

STRING_TAG = 249
NAME_ROOT, NAME_STRING, NAME_NUMBER = 1, 1, 2


class Memory:
    """The readable memory of this process, as a guard against symbols that are no pointers."""

    def __init__(self) -> None:
        spans: list[tuple[int, int]] = []
        for line in Path("/proc/self/maps").read_text().splitlines():
            span, rights = line.split()[:2]
            if rights.startswith("r"):
                start, end = span.split("-")
                spans.append((int(start, 16), int(end, 16)))
        self.spans = sorted(spans)
        self.starts = [start for start, _ in self.spans]

    def word(self, address: int) -> int | None:
        """The eight bytes at an address, or None where nothing can be read."""
        at = bisect_right(self.starts, address) - 1
        if address % 8 or at < 0 or address + 8 > self.spans[at][1]:
            return None
        return ctypes.c_uint64.from_address(address).value

    def head(self, address: int) -> tuple[int, int]:
        """Tag and number of fields of the object at an address; (-1, 0) when there is none."""
        word = self.word(address)
        return (-1, 0) if not word else (word >> 56, word >> 48 & 255)

    def field(self, address: int, index: int) -> int:
        """A field of the object at an address, 0 when it cannot be read."""
        return self.word(address + 8 + 8 * index) or 0

    def text(self, address: int) -> str | None:
        """A Lean string (size, capacity, length, bytes with a final zero)."""
        if self.head(address)[0] != STRING_TAG:
            return None
        return ctypes.string_at(address + 32, self.field(address, 0) - 1).decode()

    def name(self, address: int) -> list[str] | None:
        """A Lean name as its parts, outermost first."""
        if address == NAME_ROOT:
            return []
        tag, fields = self.head(address)
        if tag not in (NAME_STRING, NAME_NUMBER) or fields != 2:
            return None
        prefix = self.name(self.field(address, 0))
        last = self.text(self.field(address, 1)) if tag == NAME_STRING else str(self.field(address, 1) >> 1)
        return None if prefix is None or last is None else [*prefix, last]

    def kind(self, address: int) -> tuple[int, list[str]] | None:
        """Constructor and kind of the parser description at an address."""
        tag, fields = self.head(address)
        if tag not in FIELDS or fields != FIELDS[tag][0]:
            return None
        name = self.name(self.field(address, FIELDS[tag][1]))
        return (tag, name) if name else None


def main() -> None:
    """Symbol names from standard input, one a line; print `[symbol, constructor, [part, ..]]` of hits."""
    library = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
    library.lean_initialize()
    memory = Memory()
    hits = []
    for symbol in sys.stdin.read().split():
        found = memory.kind(ctypes.c_uint64.in_dll(library, symbol).value)
        if found is not None:
            hits.append([symbol, *found])
    json.dump(hits, sys.stdout)


if __name__ == "__main__":
    main()
