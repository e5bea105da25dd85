"""Lists of attributes in a candidate: only those that are known to run nothing. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.lean.text.forbidden import ATTRIBUTES
from harness.lean.text.lexer import Token, TokenKind

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
        elif entry == "aesop" and (token.text == "tactic" or token.kind is TokenKind.STRING):
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


def aesop_weight(code: Sequence[Token], index: int) -> bool:
    """Whether `code[index]` is the `unsafe` of a weighted rule of aesop, `unsafe 50%`: no code, but a number.

    Such a rule stands in an attribute or in a clause of a call; what it may name is looked at with the rest.
    """
    following = code[index + 1 : index + 3]
    if [token.text for token in following[1:]] != ["%"] or following[0].kind is not TokenKind.NUMBER:
        return False
    depth = 0
    for before in reversed(range(index)):
        token = code[before]
        if token.text in (*_OPEN, "@["):
            if depth == 0:
                return _opens_rules(code, before)
            depth -= 1
        elif token.text in _CLOSE:
            depth += 1
    return False


def _opens_rules(code: Sequence[Token], bracket: int) -> bool:
    """Whether a bracket opens a list of attributes that begins with aesop, or `(add ..)` of a call of it."""
    after = code[bracket + 1].text
    if code[bracket].text == "@[" or (code[bracket].text == "[" and code[bracket - 1].text == "attribute"):
        return after == "aesop" or (after in ("local", "scoped") and code[bracket + 2].text == "aesop")
    if code[bracket].text != "(" or after != "add":
        return False
    at = bracket - 1
    while at > 0 and code[at].text == ")":  # clauses before this one
        depth = 1
        while depth and at:
            at -= 1
            depth += (code[at].text in _CLOSE) - (code[at].text in _OPEN)
        at -= 1
    return at >= 0 and code[at].text.rstrip("?") == "aesop"
