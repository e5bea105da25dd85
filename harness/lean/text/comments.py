"""Comments taken out of what is sent to Lean, each replaced by blanks. Pure.

Whatever this project takes for a comment never reaches Lean, so a wrong opinion about where one ends can only
lose text: what is left is read as code here and there. Line breaks stay, so positions do not move.
"""

from __future__ import annotations

import re

from harness.lean.text.lexer import TokenKind, lex

COMMENTS = frozenset(
    {TokenKind.LINE_COMMENT, TokenKind.BLOCK_COMMENT, TokenKind.DOC_COMMENT, TokenKind.MODULE_DOC}
)
EDGES = ("--", "/-", "-/")
"""Nothing of this may be left in a text that goes to Lean."""

_VISIBLE = re.compile(r"[^\n]")


def without_comments(source: str) -> str:
    """`source` with blanks for its comments, doc comments too; of the same length, with the same lines."""
    if not any(edge in source for edge in EDGES):
        return source
    return "".join(
        _VISIBLE.sub(" ", token.text) if token.kind in COMMENTS else token.text for token in lex(source)
    )
