"""The older export formats, one declaration or part of a term a line as words (`7 #EA 3 4`), as today's.

`lean4export` wrote them until the end of 2025, Lean 3 before it: without a first line of its own (families
with their constructors, no recursors), as 0.1.2 and as 2.0.0 (a line for each part of a family). Terms are
numbered alike in all of them, so each line here becomes one of the format that `exported` reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.lean.compiled.stated import BadFile, UnknownFormat

Line = dict[str, Any]
BARE = ""
"""The format whose first line is no version."""
VERSIONS = (BARE, "0.1.2", "2.0.0")
_BINDERS = {"#BD": "default", "#BI": "implicit", "#BS": "strictImplicit", "#BC": "instImplicit"}
_NOTATION = ("#PREFIX", "#INFIX", "#POSTFIX")
_HINTS = {"A": "abbrev", "O": "opaque"}


class TextExport:
    """Reads the lines of one file in order. Families come at its end, their parts lie apart in it."""

    def __init__(self) -> None:
        self.version: str | None = None
        self.rules: dict[int, Line] = {}
        self.families: dict[int, Line] = {}
        self.ctors: dict[int, Line] = {}
        self.recursors: dict[tuple[int, ...], list[Line]] = {}
        """By the families that they are of."""

    def line(self, line: str) -> Iterator[Line]:
        """What the line says, in today's format. Raises `BadFile` and what wrong words make Python raise."""
        words = line.split()
        if self.version is None:
            self.version = line.strip() if len(words) == 1 and "#" not in line else BARE
            if self.version not in VERSIONS:
                raise UnknownFormat(f"format {self.version}; of the older ones this reads {VERSIONS[1:]}")
            yield {"meta": {"format": {"version": "3.0.0"}}}
            if self.version != BARE:
                return
        if words[0].startswith("#"):
            yield from self._declared(words[0], words[1:])
        elif words[1] == "#RR":
            ctor, fields, value = _numbers(words[2:])
            _new(self.rules, int(words[0]), {"ctor": ctor, "nfields": fields, "rhs": value})
        else:
            yield _part(int(words[0]), words[1], words[2:], line)

    def end(self) -> Iterator[Line]:
        """The families, with all that belongs to them. Raises `BadFile` when one lacks a constructor."""
        groups = {tuple(family["all"]): family["all"] for family in self.families.values()}
        for together, names in groups.items():
            types = [self.families[name] for name in names if name in self.families]
            ctors = [name for family in types for name in family["ctors"]]
            if len(types) < len(names) or not self.ctors.keys() >= set(ctors):
                raise BadFile("the file ends before all constructors of a family have come")
            recs = self.recursors.pop(together, [])
            yield {"inductive": {"types": types, "ctors": [self.ctors.pop(n) for n in ctors], "recs": recs}}
        if self.ctors or self.recursors:
            raise BadFile("a constructor or a recursor without its family")

    # ------------------------------------------------------------ declarations
    def _declared(self, kind: str, words: list[str]) -> Iterator[Line]:
        if kind in _NOTATION:
            return
        if kind == "#QUOT" and not words:
            yield {"quotients": {}}
        elif kind == "#DEF" and self.version != BARE:
            hint = words[3]
            at = 5 if hint == "R" else 4
            hints = {"regular": int(words[4])} if hint == "R" else _HINTS[hint]
            yield {"def": {**_constant(words[:2], words[at:]), "value": int(words[2]), "hints": hints}}
        elif kind in ("#DEF", "#THM", "#OPAQ"):
            key = {"#DEF": "def", "#THM": "thm", "#OPAQ": "opaque"}[kind]
            yield {key: {**_constant(words[:2], words[3:]), "value": int(words[2])}}
        elif kind in ("#AX", "#QUOT"):
            yield {"axiom" if kind == "#AX" else "quot": _constant(words[:2], words[2:])}
        elif kind == "#IND" and self.version == BARE:
            yield {"inductive": _whole_family(_numbers(words))}
        elif kind == "#IND":
            self._header(_numbers(words))
        elif kind == "#CTOR":
            name, type_, family, _, params, fields, *levels = _numbers(words)
            counts = {"induct": family, "numParams": params, "numFields": fields}
            _new(self.ctors, name, {"name": name, "type": type_, "levelParams": levels, **counts})
        elif kind == "#REC":
            self._recursor(_numbers(words))
        else:
            raise BadFile(f"{kind} is no declaration")

    def _header(self, words: list[int]) -> None:
        name, type_ = words[:2]
        at = 4 if self.version == "0.1.2" else 5  # flags, and how many uses of it are nested
        params, indices, *rest = words[at:]
        together, rest = _counted(rest)
        ctors, levels = _counted(rest)
        counts = {"numParams": params, "numIndices": indices, "ctors": ctors, "all": together}
        _new(self.families, name, {"name": name, "type": type_, "levelParams": levels, **counts})

    def _recursor(self, words: list[int]) -> None:
        name, type_, *rest = words
        together, rest = _counted(rest)
        params, indices, motives, minors, *rest = rest
        rules, (k, *levels) = _counted(rest)
        counts = {"numParams": params, "numIndices": indices, "numMotives": motives, "numMinors": minors}
        body = {"name": name, "type": type_, "levelParams": levels, "k": k == 1, **counts}
        made = {**body, "rules": [self.rules[rule] for rule in rules]}
        self.recursors.setdefault(tuple(together), []).append(made)


def _part(number: int, kind: str, words: list[str], line: str) -> Line:
    """A name, a level or a part of a term."""
    if kind == "#NS":
        text = line.rstrip("\n").split(" ", 3)[3]
        return {"in": number, "str": {"pre": int(words[0]), "str": text}}
    if kind == "#NI":
        return {"in": number, "num": {"pre": int(words[0]), "i": int(words[1])}}
    if kind == "#ELS":
        return {"ie": number, "strVal": bytes.fromhex("".join(words)).decode("utf-8")}
    if kind == "#ELN":
        return {"ie": number, "natVal": words[0]}
    if kind in ("#EP", "#EL"):
        name, type_, body = _numbers(words[1:])
        node = {"name": name, "type": type_, "body": body, "binderInfo": _BINDERS[words[0]]}
        return {"ie": number, "forallE" if kind == "#EP" else "lam": node}
    a, *rest = _numbers(words)
    if kind in ("#US", "#UP"):
        return {"il": number, "succ" if kind == "#US" else "param": a}
    if kind in ("#UM", "#UIM"):
        return {"il": number, "max" if kind == "#UM" else "imax": [a, *rest]}
    if kind in ("#EV", "#ES"):
        return {"ie": number, "bvar" if kind == "#EV" else "sort": a}
    if kind == "#EC":
        return {"ie": number, "const": {"name": a, "us": rest}}
    if kind == "#EA":
        return {"ie": number, "app": {"fn": a, "arg": rest[0]}}
    if kind == "#EJ":
        return {"ie": number, "proj": {"typeName": a, "idx": rest[0], "struct": rest[1]}}
    if kind == "#EZ":
        return {"ie": number, "letE": {"name": a, "type": rest[0], "value": rest[1], "body": rest[2]}}
    raise BadFile(f"{kind} is no part of a term")


def _new(table: dict[int, Line], number: int, line: Line) -> None:
    if number in table:
        raise BadFile(f"{number} is given twice")
    table[number] = line


def _numbers(words: list[str]) -> list[int]:
    return [int(word) for word in words]


def _counted(words: list[int]) -> tuple[list[int], list[int]]:
    """As many as the first says, and the rest."""
    n = words[0]
    if not 0 <= n < len(words):
        raise BadFile("a line is too short")
    return words[1 : n + 1], words[n + 1 :]


def _constant(words: list[str], levels: list[str]) -> Line:
    name, type_ = _numbers(words)
    return {"name": name, "type": type_, "levelParams": _numbers(levels)}


def _whole_family(words: list[int]) -> Line:
    """A family with its constructors in one line. Numbers of indices and fields are not told."""
    params, name, type_, n, *rest = words
    if not 0 <= 2 * n <= len(rest):
        raise BadFile("a line is too short")
    levels = rest[2 * n :]
    base = {"levelParams": levels, "numParams": params}
    ctors = [
        {**base, "name": rest[k], "type": rest[k + 1], "induct": name, "numFields": None}
        for k in range(0, 2 * n, 2)
    ]
    family = {**base, "name": name, "type": type_, "numIndices": None, "ctors": [c["name"] for c in ctors]}
    return {"types": [family], "ctors": ctors, "recs": []}
