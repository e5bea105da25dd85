"""The base of every syntax tree (a place in the source), and universe levels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SyntaxNode:
    """Anything with a place in the source: offsets `start` (inclusive) and `end` (exclusive)."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Term(SyntaxNode):
    """Base of all terms."""


# --- universe levels ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LevelExpr(SyntaxNode):
    """Base of universe level expressions."""


@dataclass(frozen=True, slots=True)
class LevelNum(LevelExpr):
    """A numeral `0`, `1`, ..."""

    value: int


@dataclass(frozen=True, slots=True)
class LevelName(LevelExpr):
    """A universe variable; `_` stands for a level to be inferred."""

    name: str


@dataclass(frozen=True, slots=True)
class LevelAdd(LevelExpr):
    """`base + offset`."""

    base: LevelExpr
    offset: int


@dataclass(frozen=True, slots=True)
class LevelMax(LevelExpr):
    """`max a b ...`, or `imax a b ...` when `impredicative`."""

    args: tuple[LevelExpr, ...]
    impredicative: bool
