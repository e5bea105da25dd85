"""GraphQL, as much of it as W&B's clients write: a document is parsed and answered field by field.

An object is a dict of its fields; a field may be a function of its arguments. `__typename` may name several
types, the object's own first, and decides which fragments apply. A field that an object lacks is null, and
noted: a client that asks for something new is seen, not refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(
    r"(?P<gap>(?:[\s,\ufeff]|\#[^\n]*)+)"
    r'|(?P<text>"""[\s\S]*?"""|"(?:\\.|[^"\\])*")'
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>\.\.\.|[{}()\[\]:=!$@&|])"
)
WORDS = {"true": True, "false": False, "null": None}


class Refused(Exception):
    """An answer with an error in it."""

    def __init__(self, message: str, status: int = 400) -> None:
        """`status` is that of the HTTP answer."""
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Variable:
    """A place that a variable fills."""

    name: str


@dataclass
class Part:
    """One selection: a field, or (without a name) a fragment."""

    name: str = ""
    alias: str = ""
    fragment: str = ""
    """Name of a fragment that is spread here."""
    on: str = ""
    """The type that an inline fragment is for."""
    arguments: dict[str, Any] = field(default_factory=dict)
    conditions: list[tuple[str, Any]] = field(default_factory=list)
    parts: list[Part] | None = None


@dataclass
class Document:
    """Operations by name, as (kind, default variables, selections), and fragments, as (type, selections)."""

    operations: dict[str, tuple[str, dict[str, Any], list[Part]]] = field(default_factory=dict)
    fragments: dict[str, tuple[str, list[Part]]] = field(default_factory=dict)


class Parser:
    """Reads one document from left to right."""

    def __init__(self, text: str) -> None:
        self.tokens = [m for m in TOKEN.finditer(text) if m.lastgroup != "gap"]
        self.at = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at].group() if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        found = self.next
        if not found or (wanted and found != wanted):
            raise Refused(f"expected {wanted or 'more'}, found {found or 'the end'}")
        self.at += 1
        return found

    def skip(self, wanted: str) -> bool:
        found = self.next == wanted
        self.at += found
        return found

    def until(self, end: str) -> Iterator[None]:
        while not self.skip(end):
            yield

    def document(self) -> Document:
        found = Document()
        while self.next:
            if self.next == "{":
                found.operations[""] = ("query", {}, self.selections())
                continue
            kind = self.take()
            name = "" if self.next in "({@" else self.take()
            if kind == "fragment":
                self.take("on")
                found.fragments[name] = (self.take(), self.selections())
            else:
                found.operations[name] = (kind, self.variables(), self.selections())
        return found

    def variables(self) -> dict[str, Any]:
        defaults: dict[str, Any] = {}
        if self.skip("("):
            for _ in self.until(")"):
                self.take("$")
                name = self.take()
                self.take(":")
                while self.next not in ("$", ")", "="):  # the type: whatever is sent is believed
                    self.take()
                if self.skip("="):
                    defaults[name] = self.value()
        return defaults

    def selections(self) -> list[Part]:
        self.take("{")
        return [self.part() for _ in self.until("}")]

    def part(self) -> Part:
        found = Part()
        if self.skip("..."):
            if self.skip("on"):
                found.on = self.take()
            elif self.next not in ("{", "@"):
                found.fragment = self.take()
        else:
            found.name = found.alias = self.take()
            if self.skip(":"):
                found.name = self.take()
            found.arguments = self.arguments()
        while self.skip("@"):
            found.conditions.append((self.take(), self.arguments().get("if")))
        if self.next == "{":
            found.parts = self.selections()
        return found

    def arguments(self) -> dict[str, Any]:
        return dict(self.pair() for _ in self.until(")")) if self.skip("(") else {}

    def pair(self) -> tuple[str, Any]:
        name = self.take()
        self.take(":")
        return name, self.value()

    def value(self) -> Any:
        if self.skip("$"):
            return Variable(self.take())
        if self.skip("["):
            return [self.value() for _ in self.until("]")]
        if self.skip("{"):
            return dict(self.pair() for _ in self.until("}"))
        kind, text = self.tokens[self.at].lastgroup, self.take()
        if kind == "text":
            return text[3:-3] if text.startswith('"""') else json.loads(text)
        return json.loads(text) if kind == "number" else WORDS.get(text, text)


@dataclass
class Answer:
    """Fills a document's selections from objects."""

    document: Document
    variables: Mapping[str, Any]
    unknown: Callable[[str], None]

    def of(self, value: Any, parts: list[Part] | None) -> Any:
        if parts is None or value is None:
            return value
        if isinstance(value, list):
            return [self.of(item, parts) for item in value]
        types = str(value.get("__typename", "")).split()
        found: dict[str, Any] = {}
        for part in self.fields(parts, types):
            given = {name: self.filled(item) for name, item in part.arguments.items()}
            if part.name == "__typename":
                found[part.alias] = types[0] if types else ""
                continue
            if part.name not in value:
                self.unknown(f"{types[0] if types else '?'}.{part.name}")
            item = value.get(part.name)
            item = self.of(item(given) if callable(item) else item, part.parts)
            found[part.alias] = merged(found.get(part.alias), item)
        return found

    def fields(self, parts: list[Part], types: list[str]) -> Iterator[Part]:
        for part in parts:
            if any(bool(self.filled(x)) == (name == "skip") for name, x in part.conditions):
                continue
            on, inner = self.document.fragments.get(part.fragment, (part.on, part.parts or []))
            if part.name:
                yield part
            elif not on or not types or on in types:
                yield from self.fields(inner, types)

    def filled(self, value: Any) -> Any:
        if isinstance(value, Variable):
            return self.variables.get(value.name)
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, dict):
            absent = [k for k, v in value.items() if isinstance(v, Variable) and v.name not in self.variables]
            return {key: self.filled(item) for key, item in value.items() if key not in absent}
        return value


def merged(old: Any, new: Any) -> Any:
    """One field asked for in two fragments: the union of what was asked."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: merged(old.get(key), item) for key, item in new.items()}}
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [merged(*pair) for pair in zip(old, new, strict=True)]
    return new


def page(items: list[Any], given: Mapping[str, Any], node: Callable[[Any], Any]) -> dict[str, Any]:
    """A page of a list as Relay lays it out; the cursor is the number of the next item."""
    start = int(given.get("after") or given.get("cursor") or 0)
    stop = len(items) if given.get("first") is None else min(len(items), start + int(given["first"]))
    edges = [{"node": node(items[at]), "cursor": str(at + 1)} for at in range(start, stop)]
    info = {"__typename": "PageInfo", "hasNextPage": stop < len(items), "endCursor": str(stop)}
    return {"totalCount": len(items), "edges": edges, "pageInfo": info}
