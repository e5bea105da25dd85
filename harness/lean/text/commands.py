"""Where commands begin and end in Lean source, by tokens alone. Pure.

`code` is always a list of significant tokens (`harness.lean.text.lexer.significant`), spans are pairs of
indices into it, the second one exclusive.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from harness.lean.text.lexer import Token, TokenKind, lex, significant

THEOREMS = frozenset({"theorem", "lemma", "example"})

_DECLARATIONS_TEXT = """
def abbrev instance structure inductive class axiom opaque mutual namespace section end variable
universe attribute include omit macro macro_rules syntax notation infix infixl infixr prefix postfix
elab elab_rules initialize export noncomputable private protected unsafe partial nonrec import
"""
DECLARATIONS = THEOREMS | frozenset(_DECLARATIONS_TEXT.split())
"""Words that begin a command and occur in no term or tactic at the start of a line."""

MODIFIERS = frozenset({"private", "protected", "noncomputable", "nonrec", "public", "scoped", "local"})
"""Dropped with the model's statement; `unsafe` and `partial` stay for the screen to refuse."""

_OPEN = frozenset({"(", "[", "{", "⟨", "⦃", "#[", ".{", "⟪", "⟦", "%[", "@[", "‹"})
_CLOSE = frozenset({")", "]", "}", "⟩", "⦄", "⟫", "⟧", "›"})

Span = tuple[int, int]


@lru_cache(maxsize=1024)
def code_of(text: str) -> tuple[Token, ...]:
    """The significant tokens of `text`, kept: header and statement are asked for with every answer."""
    return tuple(significant(lex(text)))


def token_depths(code: Sequence[Token]) -> list[int]:
    """Bracket depth before each token; a closing bracket has the depth of its opening one."""
    depths, depth = [], 0
    for token in code:
        if token.text in _CLOSE:
            depth = max(0, depth - 1)
        depths.append(depth)
        if token.text in _OPEN:
            depth += 1
    return depths


def is_balanced(code: Sequence[Token]) -> bool:
    """Whether brackets pair up, kind by kind."""
    pairs = {")": "(", "]": "[", "}": "{", "⟩": "⟨", "⦄": "⦃", "⟫": "⟪", "⟧": "⟦", "›": "‹"}
    alike = {"#[": "[", "%[": "[", "@[": "[", ".{": "{"}
    stack: list[str] = []
    for token in code:
        if token.text in _OPEN:
            stack.append(alike.get(token.text, token.text))
        elif token.text in pairs and (not stack or stack.pop() != pairs[token.text]):
            return False
    return not stack


def plain_name(name: str) -> str:
    """A declared name without quotes and without `_root_.`."""
    return name.replace("«", "").replace("»", "").removeprefix("_root_.")


def opened_names(code: Sequence[Token]) -> frozenset[str]:
    """What the `open` commands among `code` open, `scoped` ones included."""
    names: set[str] = set()
    opening = False
    for token in code:
        if token.text == "open":
            opening = True
        elif opening and token.kind is TokenKind.IDENT:
            names.add(token.text)
        elif token.text != "scoped":
            opening = False
    return frozenset(names)


def begins_command(token: Token) -> bool:
    """Whether an answer that begins with this token is a file, not a bare proof."""
    return (
        token.text in DECLARATIONS
        or token.kind is TokenKind.DOC_COMMENT
        or token.text in ("@[", "open", "set_option", "scoped", "local", "alias")
        or (token.text[0] == "#" and len(token.text) > 1)
    )


def declaration_front(code: Sequence[Token], keyword: int) -> int:
    """Index where the declaration at `keyword` begins: its doc comment, attributes and modifiers."""
    at = keyword
    while at > 0:
        before = code[at - 1]
        if before.text in MODIFIERS or before.kind is TokenKind.DOC_COMMENT:
            at -= 1
        elif before.text == "]":
            opening = _opening(code, at - 1)
            if opening is None or code[opening].text != "@[":
                return at
            at = opening
        else:
            return at
    return at


def _opening(code: Sequence[Token], closing: int) -> int | None:
    """Index of the square bracket that the one at `closing` closes: `[`, `@[`, `#[` or `%[`."""
    depth = 0
    for index in range(closing, -1, -1):
        if code[index].text == "]":
            depth += 1
        elif code[index].text in ("[", "@[", "#[", "%["):
            depth -= 1
            if depth == 0:
                return index
    return None


def words_of(code: Sequence[Token], span: Span) -> tuple[str, ...]:
    """The texts of the tokens in `span`."""
    return tuple(token.text for token in code[span[0] : span[1]])


def commands(code: Sequence[Token], start: int = 0, stop: int | None = None) -> list[Span]:
    """Index spans of the commands in `code[start:stop]`; what precedes the first one belongs to it."""
    stop = len(code) if stop is None else stop
    starts = [i for i in range(start + 1, stop) if ends_value(code, i) and not _continues(code, i)]
    bounds = [start, *starts, stop]
    return [(a, b) for a, b in pairwise(bounds) if a < b]


def _continues(code: Sequence[Token], index: int) -> bool:
    """Whether the token belongs to the command before it: after a modifier, an attribute, prose, `in`."""
    before = code[index - 1]
    if before.text in MODIFIERS or before.text in ("in", "unsafe", "partial", "mutual"):
        return True
    if before.kind is TokenKind.DOC_COMMENT:
        return True
    return before.text == "]" and code[declaration_front(code, index)].text == "@["


def ends_value(code: Sequence[Token], index: int) -> bool:
    """Whether the token begins the next command, so that a declaration's value ends before it."""
    token = code[index]
    if token.kind in (TokenKind.DOC_COMMENT, TokenKind.MODULE_DOC):
        return True
    return token.text in DECLARATIONS or token.text in ("@[", "open", "set_option")
