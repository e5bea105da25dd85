"""What elaboration carries besides terms: what it reports, and one application on its way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.lean.core import syntax as S
from harness.lean.core.term import HAS_MVAR, Const, Expr, Level, MVar, Sort


@dataclass(slots=True)
class Log:
    """What elaboration reports besides its result."""

    messages: list[tuple[str, int, int, str]] = field(default_factory=list)
    """(severity, start, end, text)"""
    sorries: list[tuple[int, int, MVar, Any]] = field(default_factory=list)
    """(start, end, goal, saved context)"""
    steps: list[Any] | None = None
    """Tactic steps, when they are asked for."""
    recover: bool = False
    """Report an error inside a block and go on, as Lean does for files."""


@dataclass(slots=True)
class Call:
    """One application being elaborated."""

    args: list[S.Term | Expr]
    named: dict[str, S.Term] = field(default_factory=dict)
    explicit: bool = False
    ellipsis: bool = False
    target: tuple[Expr, str] | None = None
    """For `h.f`: h, and the type name that marks its argument place."""
    node: S.SyntaxNode | None = None


def levels_in(e: Expr) -> list[Level]:
    """Every level in e."""
    out: list[Level] = []
    stack = [e]
    while stack:
        x = stack.pop()
        if not x.fl & HAS_MVAR:
            continue
        if isinstance(x, Const):
            out += x.levels
        elif isinstance(x, Sort):
            out.append(x.level)
        else:
            stack += [
                getattr(x, k)
                for k in ("fn", "arg", "type", "body", "value")
                if isinstance(getattr(x, k, None), Expr)
            ]
    return out
