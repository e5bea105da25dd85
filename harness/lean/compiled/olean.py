"""`.olean` files of Lean 4 as a tree of objects, mapped and read where asked; nothing in them is believed.

All numbers are little-endian, an object starts on a multiple of eight. The file's head names the version and
the base address; a pointer is an address, of this file or of an earlier part of the same module. Every
pointer goes to an earlier object: whoever follows pointers gets to an end.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from struct import Struct
from struct import error as StructError

from harness.lean.compiled.stated import BadFile

FORMAT = 2
ROOT = 88
FIRST = 96
_HEAD = Struct("<5sBB33s40sQQ")
_OBJECT = Struct("<IHBB")
_WORD = Struct("<Q")
ARRAY, STRING, BIG = 246, 249, 250
_LAST_CTOR = 243
_BIG_HEAD = Struct("<iiQ")
MAX_LIMBS = 10_000
"""64-bit digits of the largest number that is read."""


@dataclass(frozen=True, slots=True)
class Part:
    """One mapped file."""

    data: mmap.mmap | bytes
    base: int
    version: str
    commit: str
    root: int

    @classmethod
    def of(cls, data: mmap.mmap | bytes) -> Part:
        """Check the head. Raises `BadFile`."""
        if len(data) < FIRST:
            raise BadFile("no olean file: too short")
        magic, number, _, version, commit, base, root = _HEAD.unpack_from(data)
        if magic != b"olean" or number != FORMAT:
            raise BadFile(f"no olean file of format {FORMAT}")
        if base % 8 or base + len(data) >= 1 << 63:
            raise BadFile("base address out of range")
        try:
            return cls(data, base, version.rstrip(b"\0").decode(), commit.rstrip(b"\0").decode(), root)
        except UnicodeDecodeError as wrong:
            raise BadFile("version is no text") from wrong


@dataclass(frozen=True, slots=True)
class Cell:
    """A constructor object: its fields as pointers, then its plain bytes."""

    address: int
    tag: int
    fields: tuple[int, ...]
    scalars: bytes


class Space:
    """The parts of one module, in order: `.olean`, then `.olean.server`, `.olean.private` if they exist."""

    def __init__(self, parts: Sequence[Part]) -> None:
        if not parts:
            raise BadFile("no part")
        for a, b in pairwise(parts):
            if a.base + len(a.data) > b.base or (a.version, a.commit) != (b.version, b.commit):
                raise BadFile("parts that do not belong together")
        self.parts = tuple(parts)

    @property
    def root(self) -> int:
        """The root object of the last part, which has all that the module declares."""
        return self.parts[-1].root

    @property
    def end(self) -> int:
        """An address above all objects."""
        return self.parts[-1].base + len(self.parts[-1].data)

    def _place(self, pointer: int, above: int, size: int) -> tuple[mmap.mmap | bytes, int]:
        """Data and offset of `size` bytes at a pointer found in the object at `above`."""
        if pointer >= above or pointer % 8:
            raise BadFile("pointer does not go back")
        for part in self.parts:
            offset = pointer - part.base
            if offset >= FIRST and offset + size <= len(part.data):
                return part.data, offset
        raise BadFile("pointer out of range")

    def cell(self, pointer: int, above: int, tags: dict[int, int]) -> Cell:
        """The constructor object at `pointer`, of one of the tags, which say how many fields each has."""
        data, offset = self._place(pointer, above, 8)
        _, size, count, tag = _OBJECT.unpack_from(data, offset)
        if tags.get(tag) != count or tag > _LAST_CTOR or size % 8 or size < 8 + 8 * count:
            raise BadFile(
                f"object with tag {tag}, {count} fields, {size} bytes where {sorted(tags)} may stand"
            )
        if offset + size > len(data):
            raise BadFile("object runs over the end")
        scalars = offset + 8 + 8 * count
        fields = Struct(f"<{count}Q").unpack_from(data, offset + 8)
        return Cell(pointer, tag, fields, bytes(data[scalars : offset + size]))

    def array(self, pointer: int, above: int) -> Array:
        """The array at `pointer`; its elements are read one by one."""
        data, offset = self._place(pointer, above, 24)
        if data[offset + 7] != ARRAY:
            raise BadFile("no array")
        (count,) = _WORD.unpack_from(data, offset + 8)
        if count > (len(data) - offset - 24) // 8:
            raise BadFile("array runs over the end")
        return Array(pointer, data, offset + 24, count)

    def list(self, pointer: int, above: int, most: int) -> list[tuple[int, int]]:
        """Pointers to the elements of a linked list, each with the address of the cell that holds it."""
        out: list[tuple[int, int]] = []
        while pointer != 1:
            if len(out) >= most:
                raise BadFile("list too long")
            cell = self.cell(pointer, above, {1: 2})
            out.append((cell.fields[0], cell.address))
            pointer, above = cell.fields[1], cell.address
        return out

    def text(self, pointer: int, above: int) -> str:
        """The string at `pointer`."""
        data, offset = self._place(pointer, above, 32)
        if data[offset + 7] != STRING:
            raise BadFile("no string")
        size, _, length = Struct("<QQQ").unpack_from(data, offset + 8)
        start = offset + 32
        if size < 1 or size > len(data) - start or data[start + size - 1] != 0:
            raise BadFile("string runs over the end")
        try:
            text = bytes(data[start : start + size - 1]).decode()
        except UnicodeDecodeError as wrong:
            raise BadFile("string is no UTF-8") from wrong
        if len(text) != length:
            raise BadFile("string of another length")
        return text

    def number(self, pointer: int, above: int) -> int:
        """A natural number, boxed or big."""
        if pointer & 1:
            return pointer >> 1
        data, offset = self._place(pointer, above, 24)
        if data[offset + 7] != BIG:
            raise BadFile("no number")
        _, limbs, address = _BIG_HEAD.unpack_from(data, offset + 8)
        if not 1 <= limbs <= MAX_LIMBS or address != pointer + 24 or limbs * 8 > len(data) - offset - 24:
            raise BadFile("number runs over the end")
        return int.from_bytes(data[offset + 24 : offset + 24 + 8 * limbs], "little")


@dataclass(frozen=True, slots=True)
class Array:
    """An array object: elements by position, with bounds checked when it was found."""

    address: int
    data: mmap.mmap | bytes
    start: int
    count: int

    def at(self, position: int) -> int:
        """The pointer at a position."""
        if not 0 <= position < self.count:
            raise BadFile("position out of range")
        word: int = _WORD.unpack_from(self.data, self.start + 8 * position)[0]
        return word


PARTS = (".olean", ".olean.server", ".olean.private")


def open_module(path: Path) -> Space:
    """Map the parts of the module whose `.olean` file is `path`. Raises `BadFile`, `OSError`."""
    stem = str(path).removesuffix(PARTS[0])
    paths = [Path(stem + end) for end in PARTS]
    found = [p for p in paths if p == path or p.is_file()]
    return Space([Part.of(_mapped(p)) for p in found])


def _mapped(path: Path) -> mmap.mmap | bytes:
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


__all__ = ["PARTS", "Array", "Cell", "Part", "Space", "StructError", "open_module"]
