"""match."""

from __future__ import annotations

from harness.lean.core import syntax as S
from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab
from harness.lean.core.term import Expr


def elab_match(elab: Elab, node: S.Term, expected: Expr | None) -> Expr:
    """match."""
    raise elab.outside(node, "match")


def intro_pattern(elab: Elab, node: T.Intro, pattern: S.Term, rest: tuple[S.Term, ...]) -> None:
    """intro with a pattern."""
    raise elab.outside(node, "intro with a pattern")
