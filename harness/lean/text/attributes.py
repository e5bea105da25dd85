"""Lists of attributes in a candidate: only those that are known to run nothing. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.lean.text.forbidden import ATTRIBUTES
from harness.lean.text.lexer import Kind, Token

_OPEN = ("(", "[", "{", "⟨", "#[")
_CLOSE = (")", "]", "}", "⟩")


def refused_attribute(code: Sequence[Token], start: int) -> str | None:
    """What is wrong with the attribute list whose first token is `code[start]`, or None.

    `(attr := ..)` inside an attribute, as in `to_additive (attr := simp)`, holds another such list.
    """
    lists = [0]  # bracket depths at which entries are told apart by commas, innermost last
    depth, at_entry, entry = 0, True, ""
    for index in range(start, len(code)):
        token = code[index]
        if at_entry and token.text not in ("local", "scoped", "-"):
            entry = token.text.rstrip("!?")
            if entry not in ATTRIBUTES:
                return f"attribute {token.text}"
            at_entry = False
        elif at_entry:
            at_entry = token.text != "-"  # `-simp` takes an attribute away
        elif token.text in ("@[", "attribute"):
            return "attribute within an attribute"
        elif token.text in _OPEN:
            depth += 1
        elif token.text in _CLOSE:
            if depth == 0:
                return _aesop_on_program(code, index) if _names_aesop(code, start, index) else None
            depth -= 1
            while lists[-1] > depth:
                lists.pop()
        elif token.text == "," and depth == lists[-1]:
            at_entry = True
        elif token.text == ":=" and code[index - 1].text == "attr":
            lists.append(depth)
            at_entry = True
        elif entry == "aesop" and (token.text == "tactic" or token.kind is Kind.STRING):
            return "a tactic rule of aesop"
    return None


def _names_aesop(code: Sequence[Token], start: int, end: int) -> bool:
    return any(token.text == "aesop" for token in code[start:end])


def _aesop_on_program(code: Sequence[Token], close: int) -> str | None:
    """aesop takes a definition for a tactic when its type is one."""
    for token in code[close + 1 :]:
        if token.text in ("def", "abbrev"):
            return "attribute aesop on a definition"
        if token.text not in ("private", "protected", "noncomputable", "local", "scoped", "nonrec"):
            return None
    return None
