"""The constants of a compiled module, decoded one by one when asked for.

Caches and hashes of the file are not read. Terms are decoded with a stack, one node per object, so sharing in
the file stays sharing in memory. Whatever is off raises `BadFile`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from harness.lean.compiled.olean import Cell, Space
from harness.lean.compiled.stated import BadFile, Stated, name_text
from harness.lean.core.declarations import Constant, RecRule
from harness.lean.core.level import ZERO, Level
from harness.lean.core.nodes import proj, reserved, string
from harness.lean.core.term import App, BVar, Const, Expr, Lam, Let, Lit, Pi, Sort

NAME = {1: 2, 2: 2}
LEVEL = {1: 1, 2: 2, 3: 2, 4: 1}
TERM = {0: 1, 3: 1, 4: 2, 5: 2, 6: 3, 7: 3, 8: 4, 9: 1, 10: 2, 11: 3}
"""Tags of terms with their fields. Free and metavariables (1, 2) may not stand in a file."""
KINDS = ("axiom", "def", "theorem", "opaque", "quot", "inductive", "ctor", "rec")
FIELDS = {"axiom": 1, "def": 4, "theorem": 3, "opaque": 3, "quot": 1, "inductive": 6, "ctor": 5, "rec": 7}
STYLES = "disc"
"""Binders: plain, implicit, strict implicit, instance."""
MAX_NAME_PARTS = 200
MAX_LEVEL_DEPTH = 400
MAX_LIST = 10_000
_STEP_TERMS = {5: (0, 1), 6: (1, 2), 7: (1, 2), 8: (1, 2, 3), 10: (1,), 11: (2,)}
"""Which fields of a term are terms."""


@dataclass(frozen=True, slots=True)
class ImportedModule:
    """A module that this one imports; `whole`: with what that one keeps private."""

    module: str
    whole: bool
    exported: bool
    meta: bool


class Module:
    """One module's declarations by name. Not thread-safe: decoding fills caches."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._root = space.cell(space.root, space.end, {0: 5})
        self._names: dict[int, str] = {}
        self._levels: dict[int, tuple[Level, int]] = {}
        self._terms: dict[int, Expr] = {}

    @property
    def version(self) -> str:
        """Lean's version and commit."""
        part = self._space.parts[-1]
        return f"{part.version} {part.commit}"

    @cached_property
    def imports(self) -> tuple[ImportedModule, ...]:
        """What it imports, in order."""
        found = self._space.array(self._root.fields[0], self._root.address)
        out = []
        for k in range(found.count):
            cell = self._space.cell(found.at(k), found.address, {0: 1})
            flags = [byte != 0 for byte in cell.scalars[:3]]
            out.append(ImportedModule(self._name(cell.fields[0], cell.address), *flags))
        return tuple(out)

    @cached_property
    def positions(self) -> dict[str, int]:
        """The position of each constant. Raises `BadFile` when two have one name."""
        names = self._space.array(self._root.fields[1], self._root.address)
        infos = self._space.array(self._root.fields[2], self._root.address)
        if names.count != infos.count:
            raise BadFile("as many constants as names must stand in the file")
        out: dict[str, int] = {}
        for k in range(names.count):
            name = self._name(names.at(k), names.address)
            if name in out or not name or reserved(name):
                raise BadFile(f"constant '{name}' twice or without a name")
            out[name] = k
        return out

    def get(self, name: str) -> Stated | None:
        """The constant of this name as the file states it, or None."""
        position = self.positions.get(name)
        return None if position is None else self.at(position, name)

    def at(self, position: int, name: str, proofs: bool = True) -> Stated:
        """The constant at a position; it must bear the name under which it is filed.

        `proofs`: decode the values of theorems too.
        """
        infos = self._space.array(self._root.fields[2], self._root.address)
        stated = self._constant(infos.at(position), infos.address, proofs)
        if stated.constant.name != name:
            raise BadFile(f"'{stated.constant.name}' is filed as '{name}'")
        return stated

    # ------------------------------------------------------------ names and levels
    def _name(self, pointer: int, above: int) -> str:
        cells: list[tuple[int, str | int]] = []
        text = ""
        while pointer != 1:
            known = self._names.get(pointer)
            if known is not None and pointer < above:
                text = known
                break
            if len(cells) >= MAX_NAME_PARTS:
                raise BadFile("name too long")
            cell = self._space.cell(pointer, above, NAME)
            read = self._space.text if cell.tag == 1 else self._space.number
            cells.append((pointer, read(cell.fields[1], pointer)))
            pointer, above = cell.fields[0], pointer
        for address, part in reversed(cells):
            text = self._names[address] = name_text(text, part)
        return text

    def _level(self, pointer: int, above: int, depth: int = 0) -> Level:
        return self._deep_level(pointer, above, depth)[0]

    def _deep_level(self, pointer: int, above: int, depth: int) -> tuple[Level, int]:
        if pointer == 1:
            return ZERO, 0
        known = self._levels.get(pointer) if pointer < above else None
        if depth + (known[1] if known else 0) > MAX_LEVEL_DEPTH:
            raise BadFile("level too deep")
        if known is not None:
            return known
        cell = self._space.cell(pointer, above, LEVEL)
        height = 0
        if cell.tag == 4:
            level: Level = ("p", self._param(cell.fields[0], pointer))
        else:
            parts = [self._deep_level(field, pointer, depth + 1) for field in cell.fields]
            level = ("smi"[cell.tag - 1], *[part for part, _ in parts])
            height = 1 + max(below for _, below in parts)
        self._levels[pointer] = level, height
        return level, height

    def _param(self, pointer: int, above: int) -> str:
        name = self._name(pointer, above)
        if not name:
            raise BadFile("level parameter without a name")
        return name

    # ------------------------------------------------------------ terms
    def _term(self, pointer: int, above: int) -> Expr:
        """Decode without recursion: a node is made once all below it are."""
        terms, space = self._terms, self._space
        stack: list[tuple[int, int, Cell | None]] = [(pointer, above, None)]
        while stack:
            at, over, cell = stack.pop()
            if at in terms:
                if at >= over:
                    raise BadFile("pointer does not go back")
                continue
            if cell is None:
                cell = space.cell(at, over, TERM)
                below = _STEP_TERMS.get(cell.tag, ())
                if below:
                    stack.append((at, over, cell))
                    stack += [(cell.fields[k], at, None) for k in below]
                    continue
            terms[at] = self._node(cell)
        return terms[pointer]

    def _node(self, cell: Cell) -> Expr:
        f, at, terms = cell.fields, cell.address, self._terms
        if cell.tag == 5:
            return App(terms[f[0]], terms[f[1]])
        if cell.tag in (6, 7):
            make = Lam if cell.tag == 6 else Pi
            style = cell.scalars[8] if len(cell.scalars) > 8 else 0
            if style > 3:
                raise BadFile("unknown binder")
            return make(self._name(f[0], at), terms[f[1]], terms[f[2]], STYLES[style])
        if cell.tag == 4:
            levels = [self._level(p, above) for p, above in self._space.list(f[1], at, MAX_LIST)]
            return Const(self._declared(f[0], at), tuple(levels))
        if cell.tag == 0:
            return BVar(self._count(f[0], at))
        if cell.tag == 3:
            return Sort(self._level(f[0], at))
        if cell.tag == 8:
            return Let(self._name(f[0], at), terms[f[1]], terms[f[2]], terms[f[3]])
        if cell.tag == 9:
            literal = self._space.cell(f[0], at, {0: 1, 1: 1})
            if literal.tag == 0:
                return Lit(self._space.number(literal.fields[0], literal.address))
            return string(self._space.text(literal.fields[0], literal.address))
        if cell.tag == 10:
            return terms[f[1]]
        return App(proj(self._declared(f[0], at), self._count(f[1], at)), terms[f[2]])

    def _declared(self, pointer: int, above: int) -> str:
        name = self._name(pointer, above)
        if not name or reserved(name):
            raise BadFile("constant without a name")
        return name

    def _count(self, pointer: int, above: int) -> int:
        number = self._space.number(pointer, above)
        if number >= 1 << 32:
            raise BadFile("count out of range")
        return number

    # ------------------------------------------------------------ constants
    def _constant(self, pointer: int, above: int, proofs: bool) -> Stated:
        info = self._space.cell(pointer, above, dict.fromkeys(range(len(KINDS)), 1))
        kind = KINDS[info.tag]
        body = self._space.cell(info.fields[0], info.address, {0: FIELDS[kind]})
        base = self._space.cell(body.fields[0], body.address, {0: 3})
        name = self._declared(base.fields[0], base.address)
        params = tuple(self._text_list(base.fields[1], base.address))
        type_ = self._term(base.fields[2], base.address)
        c = Constant(name, kind, params, type_)
        if kind in ("inductive", "ctor", "rec"):
            return self._of_family(c, body)
        if kind == "theorem" and not proofs:
            return Stated(c)
        return self._of_value(c, body)

    def _of_value(self, c: Constant, body: Cell) -> Stated:
        """Axiom, definition, theorem, opaque constant or part of `Quot`."""
        kind, f, at = c.kind, body.fields, body.address
        flag = body.scalars[0] if body.scalars else 0
        if kind in ("axiom", "quot"):
            return Stated(c, unchecked="unsafe" if kind == "axiom" and flag else "")
        group = tuple(self._text_list(f[-1], at))
        value = self._term(f[1], at)
        if kind == "def":
            unchecked = {1: ""}.get(flag, "unsafe or partial")
            height, reducible = self._hints(f[2], at)
            return Stated(replace(c, value=value, height=height, reducible=reducible), group, unchecked)
        return Stated(replace(c, value=value), group, "unsafe" if kind == "opaque" and flag else "")

    def _hints(self, pointer: int, above: int) -> tuple[int, bool]:
        """How high a definition stands, and whether it is an abbreviation: advice for conversion only."""
        if pointer & 1:
            return 1, pointer == 3
        cell = self._space.cell(pointer, above, {2: 0})
        return 1 + int.from_bytes(cell.scalars[:4], "little"), False

    def _of_family(self, c: Constant, body: Cell) -> Stated:
        f, at, flags = body.fields, body.address, [byte != 0 for byte in body.scalars]
        if len(flags) < 3:
            raise BadFile("family without its flags")
        if c.kind == "inductive":
            group, ctors = tuple(self._text_list(f[3], at)), tuple(self._text_list(f[4], at))
            c = replace(c, ctors=ctors, recursive=flags[0], nindices=self._count(f[2], at))
            return Stated(replace(c, nparams=self._count(f[1], at)), group, "unsafe" if flags[1] else "")
        if c.kind == "ctor":
            counts = [self._count(pointer, at) for pointer in f[2:]]
            c = replace(c, induct=self._declared(f[1], at), nparams=counts[1], nfields=counts[2])
            return Stated(c, unchecked="unsafe" if flags[0] else "")
        counts = [self._count(pointer, at) for pointer in f[2:6]]
        rules = tuple([self._rule(item, above) for item, above in self._space.list(f[6], at, MAX_LIST)])
        group = tuple(self._text_list(f[1], at))
        c = replace(c, nparams=counts[0], nindices=counts[1], nmotives=counts[2], nminors=counts[3])
        c = replace(c, rules=rules, k=flags[0], induct=group[0] if group else "")
        return Stated(c, group, "unsafe" if flags[1] else "")

    def _rule(self, pointer: int, above: int) -> RecRule:
        cell = self._space.cell(pointer, above, {0: 3})
        f, at = cell.fields, cell.address
        return RecRule(self._declared(f[0], at), self._count(f[1], at), self._term(f[2], at))

    def _text_list(self, pointer: int, above: int) -> Iterator[str]:
        for item, over in self._space.list(pointer, above, MAX_LIST):
            yield self._declared(item, over)
