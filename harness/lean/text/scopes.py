"""Sections and namespaces: which of them a text leaves open, and which `end`s it has too many. Pure.

Counted by tokens. A wrong count is safe: Lean reports an `end` that does not fit, and an error is no proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.lean.text.lexer import Token, TokenKind, lex, significant


@dataclass(frozen=True, slots=True)
class OpenScope:
    """One open scope; `namespace A.B` opens two."""

    kind: str
    """`namespace`, `section` or `mutual`."""
    name: str
    """Its own part of the name, as written; empty where it has none."""


@dataclass(frozen=True, slots=True)
class Scopes:
    """What the scope commands of a text come to."""

    left_open: tuple[OpenScope, ...]
    """Outermost first."""
    stray: tuple[tuple[int, int], ...]
    """(start, end) offsets of `end`s for scopes that the text did not open."""

    @property
    def namespace(self) -> str:
        """The namespace at the text's end, relative to where it began; empty when there is none."""
        return ".".join(scope.name for scope in self.left_open if scope.kind == "namespace")

    @property
    def ends(self) -> str:
        """The commands that close what was left open, innermost first, a line each."""
        return "".join(f"end {scope.name}".rstrip() + "\n" for scope in reversed(self.left_open))


def scopes_of(code: Sequence[Token]) -> Scopes:
    """The scopes of a text, given its significant tokens."""
    open_now: list[OpenScope] = []
    stray: list[tuple[int, int]] = []
    for kind, name, span in _scope_commands(code):
        parts = name_parts(name) or [""]
        if kind == "mutual":
            open_now.append(OpenScope(kind, ""))
        elif kind != "end":
            open_now += [OpenScope(kind, part) for part in parts]
        elif not open_now:
            stray.append(span)
        else:
            # Too short a name or none closes one scope; whether it fits is for Lean to say.
            del open_now[-min(len(parts), len(open_now)) :]
    return Scopes(tuple(open_now), tuple(stray))


def without_stray_ends(text: str) -> str:
    """`text` with blanks for every `end` of a scope that it did not open."""
    if "end" not in text:
        return text
    for start, end in scopes_of(significant(lex(text))).stray:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def name_parts(name: str) -> list[str]:
    """The parts of a dotted name, quotes kept; a dot between « and » parts nothing."""
    if "«" not in name:
        return name.split(".") if name else []
    parts, start, quoted = [], 0, False
    for at, char in enumerate(name):
        if char in "«»":
            quoted = char == "«"
        elif char == "." and not quoted:
            parts.append(name[start:at])
            start = at + 1
    return [*parts, name[start:]]


def plain_parts(name: str) -> tuple[str, ...]:
    """The parts of a name without their quotes and without `_root_`: equal for all spellings of one name."""
    parts = [part.removeprefix("«").removesuffix("»") for part in name_parts(name)]
    return tuple(parts[1:] if parts[:1] == ["_root_"] and len(parts) > 1 else parts)


def _scope_commands(code: Sequence[Token]) -> Iterator[tuple[str, str, tuple[int, int]]]:
    """(keyword, name or empty, offsets) of every scope command."""
    for index, token in enumerate(code):
        if token.kind is not TokenKind.KEYWORD or token.text not in ("namespace", "section", "end", "mutual"):
            continue
        follows = code[index + 1] if index + 1 < len(code) else None
        named = follows is not None and follows.kind is TokenKind.IDENT and token.text != "mutual"
        if named and follows is not None and token.text != "namespace":
            # Lean wants the name to the right of the margin; a blank or two is what everybody writes.
            named = follows.start - token.end <= 2
        name = follows.text if named and follows is not None else ""
        yield token.text, name, (token.start, follows.end if named and follows else token.end)
