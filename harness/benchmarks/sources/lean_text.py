"""Cutting Lean source into header, statement and what follows, by tokens rather than by patterns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.errors import SpecError
from harness.lean.text.commands import begins_command, ends_value
from harness.lean.text.lexer import LineMap, Token, TokenKind, lex, significant
from harness.nested import BYTE_ORDER_MARK
from harness.types import Hole

THEOREM_WORDS = ("theorem", "lemma")
UNPROVED = frozenset({"sorry", "admit", "sorryAx", "stop"})
"""Words that leave a proof open."""
_OPENING = {"(": ")", "[": "]", "{": "}", "⟨": "⟩", "⦃": "⦄", "⟪": "⟫", "‖": ""}
_CLOSING = frozenset(closing for closing in _OPENING.values() if closing)
_POSTFIX = frozenset({"!", "‼", "⁻¹", "ᵀ", "|", "_", "Prop", "Type", "Sort"})
_BINDING_WORDS = ("let", "have", "letI", "haveI", "let_fun")
_MODIFIERS = ("private", "protected", "noncomputable", "nonrec", "unsafe", "partial")


@dataclass(frozen=True, slots=True)
class Piece:
    """One theorem of a source text; `header + statement + tail` is the text it was cut from."""

    header: str
    statement: str
    tail: str
    """From the end of the statement: `:= by sorry`, a proof, or nothing."""
    name: str
    docstring: str
    """Text of the docstring without its marks; empty when there is none."""
    holes: tuple[Hole, ...]
    """Definitions of the header whose value is `sorry`, with the answer from the comment line after each."""


def cut(text: str, where: str, *, last: bool = False, words: Sequence[str] = THEOREM_WORDS) -> Piece:
    """The single theorem of `text`, or with `last` the last one, earlier ones then belonging to the header.

    `words` are the keywords that start one. Raises `SpecError` naming `where` when there is no theorem, or
    more than one and not `last`.
    """
    text = text.removeprefix(BYTE_ORDER_MARK)
    code = _code(text, where)
    found = _theorems(code, words)
    if not found or (len(found) > 1 and not last):
        remedy = "set source.last_theorem: true to take the last one" if found else "state one"
        raise SpecError(f"{where}: expected exactly one theorem, found {len(found)}; {remedy}")
    place = found[-1]
    start, end = _start(code, place), _statement_end(code, place)
    return _piece(text, (0, start, end, len(text)), code[place + 1].text, _docstring(code, start))


def cut_all(text: str, where: str) -> list[Piece]:
    """Every theorem of a file that holds many; each gets the text before the first theorem as its header.

    `header + statement + tail` of such a piece is a file of its own, not the text it was cut from.
    """
    text = text.removeprefix(BYTE_ORDER_MARK)
    code = _code(text, where)
    found = _theorems(code, THEOREM_WORDS)
    starts = [_start(code, place) for place in found]
    pieces = []
    for place, start, stop in zip(found, starts, [*starts[1:], len(text)], strict=True):
        code_end = max(token.end for token in code if token.start < stop)
        cuts = (0, start, _statement_end(code, place), code_end)
        piece = _piece(text, cuts, code[place + 1].text, _docstring(code, start))
        pieces.append(dataclasses.replace(piece, header=text[: starts[0]]))
    return pieces


def has_theorem(text: str, where: str) -> bool:
    """Whether there is a theorem outside comments and strings."""
    return bool(_theorems(_code(text, where), THEOREM_WORDS))


def _piece(text: str, cuts: tuple[int, int, int, int], name: str, docstring: str) -> Piece:
    begin, start, end, stop = cuts
    header = text[begin:start]
    holes = tuple(_holes(header)) if "sorry" in header else ()
    return Piece(header, text[start:end], text[end:stop], name, docstring, holes)


def _code(text: str, where: str) -> list[Token]:
    tokens = lex(text)
    broken = [token for token in tokens if token.kind.value.startswith("unterminated")]
    if broken:
        raise SpecError(f"{where}: {broken[0].kind.value} at character {broken[0].start}")
    return significant(tokens)


def _theorems(code: Sequence[Token], words: Sequence[str]) -> list[int]:
    """Places of the keywords that start a theorem and are followed by its name."""
    return [
        place
        for place, token in enumerate(code[:-1])
        if token.kind is TokenKind.KEYWORD and token.text in words and code[place + 1].kind is TokenKind.IDENT
    ]


def _docstring(code: Sequence[Token], start: int) -> str:
    first = next((token for token in code if token.start == start), None)
    if first is None or first.kind is not TokenKind.DOC_COMMENT:
        return ""
    return first.text.removeprefix("/--").removesuffix("-/").strip()


def _start(code: Sequence[Token], place: int) -> int:
    """Start of the docstring, attributes and modifiers before the keyword at `place`."""
    while place > 0:
        before = code[place - 1]
        if before.kind is TokenKind.DOC_COMMENT:
            return before.start
        if before.text in _MODIFIERS:
            place -= 1
        elif before.text == "]" and (opening := _attribute(code, place - 1)) is not None:
            place = opening
        else:
            break
    return code[place].start


def _attribute(code: Sequence[Token], closing: int) -> int | None:
    """Place of the `@[` that the `]` at `closing` ends; None when that is another bracket."""
    for place in range(closing, -1, -1):
        if code[place].text == "@[":
            return place
        if code[place].text == "[" and place > 0 and code[place - 1].text == "@":
            return place - 1
        if code[place].kind is TokenKind.KEYWORD and code[place].text in THEOREM_WORDS:
            return None
    return None


def _statement_end(code: Sequence[Token], place: int) -> int:
    """End of the last token before the value of the theorem at `place`, or of its text when it has none.

    A value begins with `:=`, with `where`, or with the `|` of the first equation. A `:=` inside brackets
    (default values), or of a `let` or `have` of the statement itself, begins none; nor does a bar of an
    absolute value, which no `=>` follows, or one of a `match` in the statement.
    """
    depth = bound = functions = 0
    bar: int | None = None
    matching = inside_bars = False
    last = place
    for at in range(place + 1, len(code)):
        token = code[at]
        if depth <= 0 and ends_value(code, at):
            break
        last = at
        if token.text in _OPENING and token.kind is TokenKind.SYMBOL:
            depth += bool(_OPENING[token.text])
        elif token.text in _CLOSING and token.kind is TokenKind.SYMBOL:
            depth -= 1
        elif depth != 0:
            continue
        elif token.text in _BINDING_WORDS:
            bound += 1
        elif token.text in ("fun", "λ"):
            functions += 1
        elif token.text == "match":
            matching = True
        elif token.text == "|" and bar is None and not matching and not functions:
            if inside_bars or not _ends_term(code[at - 1]):
                inside_bars = not inside_bars
            else:
                bar = at
        elif token.text in ("=>", "↦") and functions:
            functions -= 1
        elif token.text == "=>" and bar is not None:
            return code[bar - 1].end
        elif token.text == "where":
            return code[at - 1].end
        elif token.text == ":=":
            if bound == 0:
                return code[at - 1].end
            bound -= 1
    return code[last].end


def _ends_term(token: Token) -> bool:
    """Whether a term can end with the token: a bar after it opens no absolute value."""
    return token.kind in (TokenKind.IDENT, TokenKind.NUMBER) or token.text in _CLOSING | _POSTFIX


def proof_in(tail: str) -> str | None:
    """The proof that a tail holds: what begins with `:=`, without that, or with the `|` or `where` of a proof
    that has none. None where it is missing or left open; commands that follow are no part of it."""
    code = significant(lex(tail))
    lines = LineMap(tail)
    ends = (token.start for token in code[1:] if begins_command(token) and lines.column(token.start) == 0)
    proof = tail[: next(ends, len(tail))].strip().removeprefix(":=").strip()
    words = [token.text for token in significant(lex(proof))]
    return None if words in ([], ["by"]) or UNPROVED.intersection(words) else proof


def _holes(header: str) -> Iterator[Hole]:
    """`abbrev name : type := sorry` with the answer in the line comment that follows."""
    tokens = [token for token in lex(header) if token.kind is not TokenKind.WHITESPACE]
    for place, token in enumerate(tokens):
        if token.kind is not TokenKind.KEYWORD or token.text not in ("abbrev", "def"):
            continue
        stop = _value_start(tokens, place)
        if stop is None or stop + 1 >= len(tokens) or tokens[stop + 1].text != "sorry":
            continue
        name, colon = tokens[place + 1], tokens[place + 2]
        kind = header[colon.end : tokens[stop].start].strip()
        after = tokens[stop + 2] if stop + 2 < len(tokens) else None
        answer = ""
        if after is not None and after.kind is TokenKind.LINE_COMMENT:
            answer = after.text.removeprefix("--").strip()
        yield Hole(name.text, kind, answer)


def _value_start(tokens: Sequence[Token], place: int) -> int | None:
    """Place of the `:=` of the definition at `place`; None when it is one by equations, which has none."""
    for at in range(place + 1, len(tokens)):
        if tokens[at].text == ":=":
            return at
        if ends_value(tokens, at):
            break
    return None
