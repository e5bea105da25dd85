"""Compiled modules written by hand: what Lean would leave, and what a forger could put in its place."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.lean.compiled.stated import Stated
from harness.lean.core.kernel import Constant, KernelEnv
from harness.lean.core.level import ZERO, Level
from harness.lean.core.nodes import proj_of, string_of
from harness.lean.core.term import App, BVar, Const, Expr, Lam, Let, Lit, Pi, Sort

VERSION, COMMIT = b"4.35.0", b"0" * 40
BASE = 0x10000
NIL = 1
Name = str | tuple[str | int, ...]


class Writer:
    """Objects appended one after the other; every method gives the pointer to what it wrote."""

    def __init__(self, base: int = BASE) -> None:
        self.base = base
        self.data = bytearray(96)
        self._names: dict[tuple[str | int, ...], int] = {(): NIL}
        self._levels: dict[Level, int] = {ZERO: NIL}
        self._terms: dict[Expr, int] = {}

    # ------------------------------------------------------------ objects
    def cell(self, tag: int, fields: Sequence[int], scalars: bytes = b"") -> int:
        """A constructor object."""
        scalars += b"\0" * (-len(scalars) % 8)
        size = 8 + 8 * len(fields) + len(scalars)
        return self._put(struct.pack("<IHBB", 0, size, len(fields), tag) + _words(fields) + scalars)

    def text(self, text: str) -> int:
        """A string."""
        data = text.encode() + b"\0"
        head = struct.pack("<IHBBQQQ", 0, 1, 0, 249, len(data), len(data), len(text))
        return self._put(head + data)

    def number(self, n: int) -> int:
        """A natural number."""
        if n < 1 << 63:
            return 2 * n + 1
        limbs = -(-n.bit_length() // 64)
        at = self.base + len(self.data)
        head = struct.pack("<IHBBiiQ", 0, 1, 0, 250, limbs, limbs, at + 24)
        return self._put(head + n.to_bytes(8 * limbs, "little"))

    def array(self, items: Sequence[int]) -> int:
        """An array."""
        return self._put(struct.pack("<IHBBQQ", 0, 1, 0, 246, len(items), len(items)) + _words(items))

    def list(self, items: Sequence[int]) -> int:
        """A linked list."""
        out = NIL
        for item in reversed(items):
            out = self.cell(1, [item, out])
        return out

    def _put(self, data: bytes) -> int:
        at = self.base + len(self.data)
        self.data += data + b"\0" * (-len(data) % 8)
        return at

    # ------------------------------------------------------------ names, levels, terms
    def name(self, name: Name) -> int:
        """A name: dotted text of plain parts, or the parts."""
        parts = tuple(name.split(".")) if isinstance(name, str) else name
        if parts not in self._names:
            prefix, last = self.name(parts[:-1]), parts[-1]
            inner = self.text(last) if isinstance(last, str) else self.number(last)
            tag = 1 if isinstance(last, str) else 2
            self._names[parts] = self.cell(tag, [prefix, inner], bytes(8))
        return self._names[parts]

    def level(self, level: Level) -> int:
        """A universe level."""
        if level not in self._levels:
            tag = "zsmipv".index(level[0])
            fields = [self.name(level[1])] if tag == 4 else [self.level(part) for part in level[1:]]
            self._levels[level] = self.cell(tag, fields, bytes(8))
        return self._levels[level]

    def term(self, e: Expr) -> int:
        """A term; equal terms are written once."""
        if e not in self._terms:
            self._terms[e] = self._term(e)
        return self._terms[e]

    def _term(self, e: Expr) -> int:
        if isinstance(e, BVar):
            return self.cell(0, [self.number(e.i)], bytes(8))
        if isinstance(e, Sort):
            return self.cell(3, [self.level(e.level)], bytes(8))
        if isinstance(e, Const):
            text = string_of(e.name)
            if text is not None:
                return self.cell(9, [self.cell(1, [self.text(text)])], bytes(8))
            return self.cell(4, [self.name(e.name), self.list([self.level(u) for u in e.levels])], bytes(8))
        if isinstance(e, App):
            field = proj_of(e.fn.name) if isinstance(e.fn, Const) else None
            if field is not None:
                head = [self.name(field[0]), self.number(field[1])]
                return self.cell(11, [*head, self.term(e.arg)], bytes(8))
            return self.cell(5, [self.term(e.fn), self.term(e.arg)], bytes(8))
        if isinstance(e, (Lam, Pi)):
            fields = [self.name("x"), self.term(e.type), self.term(e.body)]
            return self.cell(6 if isinstance(e, Lam) else 7, fields, bytes(8) + bytes(["disc".index(e.info)]))
        if isinstance(e, Let):
            parts = [self.term(part) for part in (e.type, e.value, e.body)]
            return self.cell(8, [self.name("x"), *parts], bytes(9))
        assert isinstance(e, Lit)
        return self.cell(9, [self.cell(0, [self.number(e.n)])], bytes(8))

    # ------------------------------------------------------------ constants
    def constant(self, stated: Stated, name: Name | None = None) -> int:
        """A constant; `name` where it is more than plain text."""
        c = stated.constant
        params = self.list([self.name(p) for p in c.params])
        own = self.name(c.name if name is None else name)
        base = self.cell(0, [own, params, self.term(c.type)])
        group = self.list([self.name(n) for n in stated.group or (c.name,)])
        unsafe = bytes([stated.unchecked == "unsafe"])
        value = [] if c.value is None else [self.term(c.value)]
        counts = [self.number(n) for n in (c.nparams, c.nindices)]
        if c.kind == "axiom":
            return self.cell(0, [self.cell(0, [base], unsafe)])
        if c.kind == "quot":
            return self.cell(4, [self.cell(0, [base], bytes(1))])
        if c.kind == "def":
            hints = self.cell(2, [], struct.pack("<I", c.height))
            safety = bytes([0 if stated.unchecked else 1])
            return self.cell(1, [self.cell(0, [base, *value, hints, group], safety)])
        if c.kind == "theorem":
            return self.cell(2, [self.cell(0, [base, *value, group])])
        if c.kind == "opaque":
            return self.cell(3, [self.cell(0, [base, *value, group], unsafe)])
        if c.kind == "inductive":
            ctors = self.list([self.name(n) for n in c.ctors])
            flags = bytes([c.recursive]) + unsafe + bytes(1)
            return self.cell(5, [self.cell(0, [base, *counts, group, ctors, NIL], flags)])
        if c.kind == "ctor":
            rest = [NIL, counts[0], self.number(c.nfields)]
            return self.cell(6, [self.cell(0, [base, self.name(c.induct), *rest], unsafe)])
        rules = [self.cell(0, [self.name(r.ctor), self.number(r.nfields), self.term(r.rhs)]) for r in c.rules]
        rest = [*counts, self.number(c.nmotives), self.number(c.nminors), self.list(rules)]
        return self.cell(7, [self.cell(0, [base, group, *rest], bytes([c.k]) + unsafe)])

    def module(self, imports: Iterable[str], constants: Iterable[Stated | tuple[Name, Stated]]) -> bytes:
        """The whole file. A pair files a constant under another name than its own."""
        listed = [self.cell(0, [self.name(n)], bytes([0, 1, 0])) for n in imports]
        names, infos = [], []
        for item in constants:
            filed, stated = item if isinstance(item, tuple) else (item.constant.name, item)
            names.append(self.name(filed))
            infos.append(self.constant(stated))
        arrays = [self.array(part) for part in (listed, names, infos, [], [])]
        return self.finish(self.cell(0, arrays, bytes(8)))

    def finish(self, root: int) -> bytes:
        """The file with its head."""
        head = struct.pack("<5sBB33s40sQQ", b"olean", 2, 1, VERSION, COMMIT, self.base, root)
        return head + bytes(self.data[96:])


def _words(items: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(items)}Q", *items)


def stated_of(env: KernelEnv, names: Iterable[str]) -> list[Stated]:
    """Constants of an environment as a file would state them; recursors name their family."""
    out = []
    for name in names:
        c = env.get(name)
        assert c is not None
        out.append(Stated(c, (c.induct,) if c.kind == "rec" else ()))
    return out


def write_library(folder: Path, env: KernelEnv, module: str = "Init") -> None:
    """All constants of an environment as one module."""
    folder.mkdir(parents=True, exist_ok=True)
    data = Writer().module([], stated_of(env, env.base))
    (folder / f"{module}.olean").write_bytes(data)


def write_module(
    place: Path, constants: Iterable[Stated | tuple[Name, Stated]], imports: Sequence[str] = ("Init",)
) -> Path:
    """A module's file."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(Writer(0x400000).module(imports, constants))
    return place


def theorem(name: str, type_: Expr, value: Expr, params: tuple[str, ...] = ()) -> Stated:
    """A theorem as stated."""
    return Stated(Constant(name, "theorem", params, type_, value))


def axiom(name: str, type_: Expr, params: tuple[str, ...] = ()) -> Stated:
    """An axiom as stated."""
    return Stated(Constant(name, "axiom", params, type_))


def definition(name: str, type_: Expr, value: Expr, params: tuple[str, ...] = ()) -> Stated:
    """A definition as stated."""
    return Stated(Constant(name, "def", params, type_, value))
