"""The cursor under the parser: significant tokens, columns, brackets, errors in Lean's wording.

Column rules are Lean's. `column` is the column of the innermost saved position (start of the tactic block,
of the `let`, ...; -1 inside brackets, where none holds): arguments of an application and nested `by` blocks
must stand to the right of it.
"""

from __future__ import annotations

import sys

from harness.lean.core.syntax import LevelAdd, LevelExpr, LevelMax, LevelName, LevelNum
from harness.lean.core.syntax_commands import ParseError
from harness.lean.core.work import look
from harness.lean.text.lexer import TRIVIA, TokenKind, lex
from harness.lean.text.scopes import name_parts

# Nesting is bounded by MAX_DEPTH, which takes about ten Python frames a level: more than the interpreter's
# default limit allows. Pure Python frames cost no C stack since 3.11, so a higher limit is safe.
MAX_DEPTH = 400
if sys.getrecursionlimit() < 20_000:
    sys.setrecursionlimit(20_000)

OPENERS = {
    "(": ")",
    "[": "]",
    "{": "}",
    "⟨": "⟩",
    "⦃": "⦄",
    "‹": "›",
    "#[": "]",
    "@[": "]",
    ".{": "}",
    "`(": ")",
}
_CLOSERS = frozenset(OPENERS.values())
_ATOMS = frozenset({TokenKind.SYMBOL, TokenKind.KEYWORD})
_TOKEN_ERRORS = {
    TokenKind.UNTERMINATED_COMMENT: "unterminated comment",
    TokenKind.UNTERMINATED_STRING: "unterminated string literal",
    TokenKind.UNTERMINATED_NAME: "unterminated identifier escape",
}


def clean_name(text: str) -> str:
    """A name without the quotes «» that it does not need: those around a dot or nothing stay."""
    if "«" not in text:
        return text
    bare = [part.removeprefix("«").removesuffix("»") for part in name_parts(text)]
    return ".".join(part if part and "." not in part else f"«{part}»" for part in bare)


class SyntaxFailure(Exception):
    """The text is not in the grammar; `error` says where and why."""

    def __init__(self, error: ParseError) -> None:
        super().__init__(error.message)
        self.error = error


class Cursor:
    """Tokens without trivia, and a place among them. Past the last stands an empty token at the end."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.texts: list[str] = []
        self.kinds: list[TokenKind | None] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.columns: list[int] = []
        self.lines: list[int] = []
        line_start, line = 0, 0
        for kind, text, start, end in lex(source):
            if kind not in TRIVIA:
                if not len(self.texts) & 255:
                    look()
                self.texts.append(text)
                self.kinds.append(kind)
                self.starts.append(start)
                self.ends.append(end)
                self.columns.append(start - line_start)
                self.lines.append(line)
            if "\n" in text:
                line += text.count("\n")
                line_start = start + text.rindex("\n") + 1
        self.size = len(self.texts)
        for _ in range(3):  # the empty token at the end, and two more for looking ahead of it
            self.texts.append("")
            self.kinds.append(None)
            self.starts.append(len(source))
            self.ends.append(len(source))
            self.columns.append(len(source) - line_start)
            self.lines.append(line)
        self.at = 0
        self.column = -1
        self.depth = 0
        self._closing: dict[int, int] | None = None

    # --- looking -------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The text of the current token; empty at the end."""
        return self.texts[self.at]

    @property
    def start(self) -> int:
        """Where the current token starts."""
        return self.starts[self.at]

    @property
    def last_end(self) -> int:
        """Where the token before the current one ends."""
        return self.ends[self.at - 1] if self.at else 0

    def is_symbol(self, text: str) -> bool:
        """Whether the current token is this symbol or keyword."""
        return self.texts[self.at] == text and self.kinds[self.at] in _ATOMS

    def is_ident(self) -> bool:
        """Whether the current token is an identifier (`_` is none)."""
        return self.kinds[self.at] is TokenKind.IDENT and self.texts[self.at] != "_"

    def adjacent(self) -> bool:
        """Whether no space stands before the current token."""
        return self.at > 0 and self.ends[self.at - 1] == self.starts[self.at]

    def right_of_position(self) -> bool:
        """Lean's `checkColGt`."""
        return self.columns[self.at] > self.column

    def on_new_line(self) -> bool:
        """Whether a line break stands between the token before and the current one."""
        return self.at == 0 or self.lines[self.at] > self.lines[self.at - 1]

    def closing(self, opener: int) -> int | None:
        """The index of the bracket that closes the one at index `opener`."""
        if self._closing is None:
            self._closing = {}
            stack: list[int] = []
            for i, text in enumerate(self.texts):
                if text in OPENERS:
                    stack.append(i)
                elif text in _CLOSERS:
                    while stack and OPENERS[self.texts[stack[-1]]] != text:
                        stack.pop()
                    if stack:
                        self._closing[stack.pop()] = i
        return self._closing.get(opener)

    # --- moving --------------------------------------------------------------------------------

    def accept(self, text: str) -> bool:
        """Step over this symbol or keyword if it is there."""
        if self.texts[self.at] == text and self.kinds[self.at] in _ATOMS:
            self.at += 1
            return True
        return False

    def accept_word(self, text: str) -> bool:
        """Step over this word, keyword or identifier, if it is there."""
        if self.texts[self.at] == text:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Step over this symbol or keyword, or fail."""
        if not self.accept(text):
            raise self.unexpected(f"'{text}'")

    def ident(self, expected: str = "identifier") -> str:
        """Step over an identifier and give its text, or fail."""
        if not self.is_ident():
            raise self.unexpected(expected)
        self.at += 1
        return self.texts[self.at - 1]

    def binder_name(self) -> str:
        """An identifier or `_`."""
        if self.kinds[self.at] is not TokenKind.IDENT:
            raise self.unexpected("'_' or identifier")
        self.at += 1
        return self.texts[self.at - 1]

    def at_binder_name(self) -> bool:
        """Whether an identifier or `_` is next."""
        return self.kinds[self.at] is TokenKind.IDENT

    def enter(self) -> None:
        """Count one level of nesting; the caller lowers `depth` again, but not after a failure."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("maximum recursion depth has been reached")

    # --- universe levels -----------------------------------------------------------------------

    def level(self, atom_only: bool = False) -> LevelExpr:
        """A universe level: numeral, name, `l + n`, `max a b`, parenthesised."""
        start = self.start
        if self.text in ("max", "imax") and not atom_only:
            word = self.text
            self.at += 1
            args = [self.level(atom_only=True)]
            while self.text == "(" or self.kinds[self.at] in (TokenKind.IDENT, TokenKind.NUMBER):
                args.append(self.level(atom_only=True))
            base: LevelExpr = LevelMax(start, self.last_end, tuple(args), word == "imax")
        elif self.accept("("):
            self.enter()
            base = self.level()
            self.depth -= 1
            self.expect(")")
        elif self.kinds[self.at] is TokenKind.NUMBER:
            base = LevelNum(start, self.ends[self.at], self.natural())
        else:
            base = LevelName(start, self.ends[self.at], self.binder_name())
        if not atom_only:
            while self.accept("+"):
                offset = self.natural()
                base = LevelAdd(start, self.last_end, base, offset)
        return base

    def natural(self) -> int:
        """A numeral, decimal or `0x`, `0b`, `0o`."""
        text = self.text
        if self.kinds[self.at] is not TokenKind.NUMBER:
            raise self.unexpected("numeral")
        digits = text.replace("_", "").lower()
        if len(digits) > 4000:
            raise self.fail(f"not in the embedded fragment: a numeral of {len(digits)} digits")
        base = {"0x": 16, "0b": 2, "0o": 8}.get(digits[:2], 10)
        if base == 10 and not (digits.isascii() and digits.isdigit()):
            raise self.fail(f"not in the embedded fragment: the decimal number {text}")
        self.at += 1
        return int(digits, base)

    # --- failing -------------------------------------------------------------------------------

    def fail(self, message: str, start: int | None = None) -> SyntaxFailure:
        """A failure at the current token."""
        where = self.start if start is None else start
        return SyntaxFailure(ParseError(where, max(where, self.ends[self.at]), message))

    def unexpected(self, expected: str) -> SyntaxFailure:
        """Lean's message about the current token where `expected` (`term`, `'=>'`, ...) should stand."""
        kind = self.kinds[self.at]
        if kind is None:
            what = "unexpected end of input"
        elif kind in _TOKEN_ERRORS:
            return self.fail(_TOKEN_ERRORS[kind])
        elif kind is TokenKind.UNKNOWN:
            if self.text == "\t":
                return self.fail("tabs are not allowed; please configure your editor to expand them")
            return self.fail("expected token")
        elif kind is TokenKind.IDENT and self.text != "_":
            what = "unexpected identifier"
        elif kind in _ATOMS or kind is TokenKind.IDENT:
            what = f"unexpected token '{self.text}'"
        elif kind is TokenKind.DOC_COMMENT or kind is TokenKind.MODULE_DOC:
            what = f"unexpected token '{self.text[:3]}'"
        elif kind is TokenKind.NUMBER:
            what = "unexpected token"
        else:
            what = f"unexpected {kind.value} literal" if kind is TokenKind.STRING else "unexpected token"
        return self.fail(f"{what}; expected {expected}" if expected else what)
