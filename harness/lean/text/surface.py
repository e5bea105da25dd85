"""What no two readers of Lean may take differently: characters, strings, primes, and what touches what. Pure.

Whether a piece of text is code or not (a comment, a string, a character) must not depend on which tokens a
version of Lean or of Mathlib knows. After the comments are out, only plain strings and primes inside of names
are left, names touch few symbols, and the worst words are looked for in the text itself, whatever holds them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from harness.lean.text.comments import EDGES
from harness.lean.text.forbidden import (
    ALLOWED_COMMANDS,
    COMMANDS,
    DOORS,
    FIRST_PARTS,
    GLUE,
    INSIDE,
    NOWHERE,
    PARTS,
    PLAIN_GLUE,
    PRIMED,
)
from harness.lean.text.layout import TACTICS
from harness.lean.text.lexer import TRIVIA, Token, TokenKind, lex

Found = tuple[int, str]
"""(offset in the text, what is refused there, in words)."""

_PLAIN_STRING = re.compile(r'"[\w .,:;!?()+*=<>%-]*"')
_QUOTED_NAME = re.compile(r"«([^«»\n\"]*)»")
_WORDS = re.compile(
    r"(?<![^\W\d])(?<!\.)(?:"
    + "|".join(sorted(map(re.escape, COMMANDS), key=len, reverse=True))
    + r")(?![\w'!?])"
)
_NAMES = (TokenKind.IDENT, TokenKind.KEYWORD)
_STRINGS = (TokenKind.STRING, TokenKind.RAW_STRING, TokenKind.INTERPOLATED_STRING)
_ODD_SPACES = {
    "\u00a0": "a no-break space (U+00A0) instead of a space",
    "\u202f": "a no-break space (U+202F) instead of a space",
    "\u3000": "a full-width space (U+3000) instead of a space",
}


def refused_characters(text: str) -> Found | None:
    """Control, zero-width, bidirectional and line-splitting characters, and spaces that are none for Lean.

    Some services split lines at U+2028 and its like where Lean does not.
    """
    for offset, char in enumerate(text):
        if char < "\x7f":
            if char >= " " or char in "\n\t":
                continue
        elif char in _ODD_SPACES:
            return offset, _ODD_SPACES[char]
        elif unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs"):
            continue
        return offset, f"character U+{ord(char):04X}"
    return None


def refused_surface(text: str, tokens: Sequence[Token]) -> Found | None:
    """The first place of `text`, whose `tokens` these are, that could be read in two ways, or None."""
    for edge in EDGES:
        if edge in text:
            return text.index(edge), f"the comment mark {edge}"
    for index, token in enumerate(tokens):
        what = _refused_string(text, token) if token.kind in _STRINGS else _refused_prime(text, token)
        if what is None and token.kind in _NAMES and index:
            what = _refused_glue(tokens[index - 1], token)
        if what is not None:
            return token.start, what
    return _refused_words(text)


_MARGIN = re.compile(r"(?:^|\n)[^\W\d]")


def refused_commands(text: str) -> Found | None:
    """The first word at the margin that begins no allowed command and continues nothing, or None.

    `text` is laid out as it is sent: the tactics of a bare proof do not stand at the margin.
    """
    if _MARGIN.search(text) is None:
        return None
    code = [token for token in lex(text) if token.kind not in TRIVIA]
    for index, token in enumerate(code):
        at_margin = token.start == 0 or text[token.start - 1] == "\n"
        if not at_margin or token.kind not in _NAMES:
            continue
        if (
            token.text in _AT_MARGIN
            or token.text.rstrip("?!") in TACTICS
            or (index and _goes_on(code[index - 1]))
        ):
            continue
        return token.start, f"the command `{token.text}`, which is none that an answer may hold"
    return None


_AT_MARGIN = ALLOWED_COMMANDS | INSIDE
_ENDS = frozenset([*")]}⟩⦄›⌋⌉‖⟫⟧‼!_#·?", "⁻¹", ".."])


def _goes_on(before: Token) -> bool:
    """Whether something has to follow `before`, so that the next word begins no command."""
    if before.kind is TokenKind.SYMBOL:
        return before.text not in _ENDS
    return before.text in INSIDE or before.text in ("in", "open", "theorem", "lemma", "def", "abbrev")


def _refused_string(text: str, token: Token) -> str | None:
    if token.kind is not TokenKind.STRING:
        return (
            f"an {token.kind.value}"
            if token.kind is TokenKind.INTERPOLATED_STRING
            else f"a {token.kind.value}"
        )
    if not _PLAIN_STRING.fullmatch(token.text):
        odd = next(char for char in token.text[1:-1] if not _PLAIN_STRING.fullmatch(f'"{char}"'))
        return f"{odd!r} in a string: only letters, digits, blanks and common signs may stand in one"
    before, after = text[token.start - 1 : token.start], text[token.end : token.end + 1]
    if (not before.strip() or before in "([,⟨") and (not after.strip() or after in ")],⟩;"):
        return None
    return "a string that touches other text"


def _refused_prime(text: str, token: Token) -> str | None:
    if token.kind is TokenKind.CHAR:
        return f"the character literal {token.text}"
    if token.kind in _NAMES or token.kind is TokenKind.NAME_LITERAL:
        odd = "«" in token.text and ("\n" in token.text or '"' in token.text)
        return "a line break or a quote in a quoted name" if odd else None
    if "'" not in token.text:
        return None
    after = text[token.end : token.end + 1]
    if token.text in PRIMED and (not after.strip() or after == "("):
        return None
    return f"{token.text}: a prime that is no part of a name"


_PLAIN_DOORS = tuple(DOORS)
_ALL_DOORS = tuple(DOORS | COMMANDS | PARTS | FIRST_PARTS)


def _refused_glue(before: Token, name: Token) -> str | None:
    """A name that touches what stands before it: Lean may know a longer token than this lexer does."""
    if before.kind is TokenKind.WHITESPACE:
        return None
    if before.kind is not TokenKind.SYMBOL or (before.text not in GLUE and before.text not in PRIMED):
        return f"`{name.text}` touching `{before.text}`"
    first = name.text.split(".")[0]
    ends = _PLAIN_DOORS if before.text in PLAIN_GLUE else _ALL_DOORS
    if not first.endswith(ends):
        return None
    door = max((word for word in ends if first.endswith(word)), key=len)
    return None if first == door else f"`{name.text}`, which ends in `{door}`, touching `{before.text}`"


def _refused_words(text: str) -> Found | None:
    """Forbidden words in the text itself, strings and quoted names included."""
    for part in NOWHERE:
        if part in text:
            return text.index(part), part
    bare = _QUOTED_NAME.sub(lambda m: f" {m[1]} " if " " not in m[1] else " " * len(m[0]), text)
    for part in NOWHERE:
        if part in bare.replace(" ", ""):
            return 0, part
    found = _WORDS.search(bare)
    return None if found is None else (found.start(), found.group())
