"""The screen: which text of a model may be sent to Lean. Pure, and Lean-aware.

Commands that run code while Lean elaborates could change the checker itself, so the checks that follow say
nothing about them. Such text is *refused* (not run, not judged wrong) with the token and its line named.

What is screened is what is sent: comments are out before (`comments`). `surface` refuses what two readers of
Lean could take for code or for no code; here the tokens are looked at.
Whether the theorem stays the stated one is not asked here but of Lean, see `harness.lean.verdicts.audit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.lean.text.attributes import aesop_weight, refused_attribute
from harness.lean.text.comments import without_comments
from harness.lean.text.forbidden import (
    COMMAND_PREFIXES,
    COMMANDS,
    FIRST_PARTS,
    HASH_COMMANDS,
    NAMESPACES,
    OPTIONS,
    PARTS,
    SORRY,
)
from harness.lean.text.lexer import TRIVIA, LineMap, Token, TokenKind, lex
from harness.lean.text.surface import refused_characters, refused_surface


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a text is not run. `reason` is `refused` or `sorry`."""

    reason: str
    token: str
    line: int
    """1-based, in the screened text."""

    @property
    def detail(self) -> str:
        """For people: the token and where it stands."""
        return f"{self.token} (line {self.line})"


def screen(text: str) -> Refusal | None:
    """The first thing in `text` that is not allowed, or None. Total: never raises.

    Comments are looked over, so it must be `without_comments(text)` that is sent.
    """
    sent = without_comments(text)
    lines = LineMap(sent)
    found = refused_characters(sent)
    if found is not None:
        return Refusal("refused", found[1], lines.position(found[0])[0])
    tokens = lex(sent)
    code = [token for token in tokens if token.kind not in TRIVIA]
    # A sorry is told before a refusal: an unfinished proof is wrong whatever else it holds.
    for token in code:
        if _is_sorry(token):
            return Refusal("sorry", token.text, lines.position(token.start)[0])
    bare = sent
    for index, token in enumerate(code):
        if token.text == "unsafe" and aesop_weight(code, index):
            bare = bare[: token.start] + " " * len(token.text) + bare[token.end :]
            continue
        what = _refused(code, index)
        if what is not None:
            return Refusal("refused", what, lines.position(token.start)[0])
    found = refused_surface(bare, tokens)
    return None if found is None else Refusal("refused", found[1], lines.position(found[0])[0])


def option_allowed(name: str) -> bool:
    """Whether a candidate may set the option `name`."""
    return any(name == entry or name.startswith(entry.rstrip(".") + ".") for entry in OPTIONS)


def _is_sorry(token: Token) -> bool:
    if token.kind not in (TokenKind.IDENT, TokenKind.KEYWORD, TokenKind.NAME_LITERAL):
        return False
    return token.text in SORRY or "sorryAx" in _parts(token.text)


def _parts(name: str) -> list[str]:
    return name.lstrip("`").replace("«", "").replace("»", "").split(".")


def _refused(code: Sequence[Token], index: int) -> str | None:
    """What is wrong with the token at `index`, in words, or None."""
    token = code[index]
    if token.kind.value.startswith("unterminated"):
        return token.kind.value
    if token.kind in (TokenKind.IDENT, TokenKind.KEYWORD, TokenKind.NAME_LITERAL):
        return _refused_word(code, index)
    if token.kind is TokenKind.SYMBOL:
        if token.text in COMMANDS or (token.text[0] == "#" and token.text not in HASH_COMMANDS):
            return token.text
        if token.text == "@[":
            return refused_attribute(code, index + 1)
    return None


def _refused_word(code: Sequence[Token], index: int) -> str | None:
    text = code[index].text
    if text in COMMANDS or text.startswith(COMMAND_PREFIXES):
        return text
    if _refused_name(code, index):
        return text
    before = code[index - 1].text if index else ""
    following = code[index + 1].text if index + 1 < len(code) else ""
    if text == "native" and (before == "+" or (before in ("(", "{", ",") and following == ":=")):
        return "+native" if before == "+" else "native := .."
    if text in ("open", "namespace"):
        return _refused_opening(code, index)
    if text == "set_option" and not option_allowed(following):
        return f"set_option {following}"
    if text == "attribute" and following == "[":
        return refused_attribute(code, index + 2)
    if text == "config" and following == ":=":
        return _refused_config(code, index + 2)
    if text.rstrip("?") == "aesop" and following == "(":
        return _refused_rules(code, index + 1)
    return None


def _refused_name(code: Sequence[Token], index: int) -> bool:
    parts = _parts(code[index].text)
    if any(part in PARTS for part in parts):
        return True
    if len(parts) > 1 and parts[0] == "_root_":
        parts = parts[1:]
    if len(parts) > 1:
        return parts[0] in FIRST_PARTS or any(part in NAMESPACES for part in parts)
    if parts[0] not in FIRST_PARTS:
        return False
    # `IO Unit` is a type, and with it `.println` is a program; `IO` alone is the name of a segment.
    follows = code[index + 1] if index + 1 < len(code) else None
    applied = follows is not None and (follows.kind is TokenKind.IDENT or follows.text in ("(", "_"))
    return applied or (index > 0 and code[index - 1].text == ":=")


def _refused_opening(code: Sequence[Token], index: int) -> str | None:
    """The namespaces behind `open` and `namespace`: those whose names are programs, and `open private`."""
    for token in code[index + 1 :]:
        if token.text == "private":
            return f"{code[index].text} private"
        if token.kind is not TokenKind.IDENT and token.text != "scoped":
            return None
        parts = _parts(token.text)
        if any(part in NAMESPACES | FIRST_PARTS | {"FS", "Process"} for part in parts):
            return f"{code[index].text} {token.text}"
    return None


_LITERALS = frozenset([*"{}()[],.", ":=", "..", "true", "false", "some", "none"])


def _refused_config(code: Sequence[Token], start: int) -> str | None:
    """A tactic's configuration is code that Lean runs: only literals may stand in it."""
    depth = 0
    for index in range(start, len(code)):
        token = code[index]
        depth += token.text in ("{", "(", "[")
        depth -= token.text in ("}", ")", "]")
        if depth < 0 or (depth == 0 and index > start and token.text not in _LITERALS):
            return None
        field = index + 1 < len(code) and code[index + 1].text == ":="
        if token.text in _LITERALS or token.kind is TokenKind.NUMBER or field or code[index - 1].text == ".":
            continue
        return f"config := .. {token.text}: only literals may stand in a configuration"
    return None


def _refused_rules(code: Sequence[Token], start: int) -> str | None:
    """Rules that a call of aesop brings along: none that is a program, none in a string."""
    depth = 0
    for token in code[start:]:
        depth += token.text in ("(", "[", "{", "⟨")
        depth -= token.text in (")", "]", "}", "⟩")
        if token.text == "tactic" or token.kind is TokenKind.STRING:
            return "a tactic rule of aesop"
        if depth <= 0:
            return None
    return None
