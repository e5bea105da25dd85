"""Parsing of atoms: names, literals, holes, sorts, and everything in brackets."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.lean.core import syntax as s
from harness.lean.core.parse_base import clean_name
from harness.lean.core.parse_binders import BinderParser
from harness.lean.text.lexer import TokenKind


def _words(text: str) -> list[str]:
    return text.split()


MAX = 1024  # atoms, and what may be an argument
LEAD = 1023  # applications and terms that open with a keyword

FOREIGN_ATOMS = frozenset("∅⊤⊥‖⌊⌈√∛∞⟦⟪")
"""Notation of Mathlib that can stand as an argument."""
_FOREIGN = FOREIGN_ATOMS.union(_words("∑ ∑' ∏ ∏' ∫ ∫⁻ ∮ ⋃ ⋂ ⨆ ⨅ ∂ 𝓝 Σ Σ' Π ∄ ∐ ∡ ∠ ⅟ # | do ``( `( .( %[ #["))
_ESCAPE = re.compile(r'\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|\n\s*|([\\"\'rnt])|)')
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def decode_string(text: str) -> str:
    """The value of a string or character literal without its quotes."""

    def value(m: re.Match[str]) -> str:
        if m.group(1) or m.group(2):
            return chr(int(m.group(1) or m.group(2), 16))
        return _PLAIN_ESCAPES.get(m.group(3), m.group(3)) if m.group(3) else ""

    return _ESCAPE.sub(value, text) if "\\" in text else text


class AtomParser(BinderParser):
    """Terms of the highest level, but for projections behind them."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._sections: list[str] | None = None  # names for the `·` of the innermost parentheses

    # --- atoms ---------------------------------------------------------------------------------

    def atom(self) -> s.Term:
        """A term of the highest level, without what may follow it directly."""
        kind, start, end = self.kinds[self.at], self.starts[self.at], self.ends[self.at]
        text = self.texts[self.at]
        if kind is TokenKind.IDENT:
            self.at += 1
            if text == "_":
                return s.Hole(start, end)
            return self._identifier(start, end, text)
        if kind is TokenKind.NUMBER:
            return s.NumLit(start, end, self.natural())
        if kind is TokenKind.STRING or kind is TokenKind.CHAR:
            self.at += 1
            value = decode_string(text[1:-1])
            return s.StrLit(start, end, value) if kind is TokenKind.STRING else s.CharLit(start, end, value)
        if (
            kind is TokenKind.RAW_STRING
            or kind is TokenKind.INTERPOLATED_STRING
            or kind is TokenKind.NAME_LITERAL
        ):
            self.at += 1
            return s.TermOther(start, end, text.split('"')[0] + '"..."', text)
        parse = ATOMS.get(text) if kind is TokenKind.SYMBOL or kind is TokenKind.KEYWORD else None
        if parse is None:
            if kind is not None and text in _FOREIGN:
                raise self.fail(f"not in the embedded fragment: `{text}`")
            raise self.unexpected("term")
        return parse(self)

    def _identifier(self, start: int, end: int, text: str, explicit: bool = False) -> s.Term:
        levels: tuple[s.LevelExpr, ...] | None = None
        if self.texts[self.at] == ".{" and self.starts[self.at] == end:
            self.at += 1
            found = [self.level()]
            while self.accept(","):
                found.append(self.level())
            self.expect("}")
            levels, end = tuple(found), self.last_end
        if self.texts[self.at] == "@" and self.starts[self.at] == end and not explicit:
            raise self.fail("not in the embedded fragment: `x@p` patterns")
        name = "Nat" if text == "ℕ" else clean_name(text)
        return s.Ident(start, end, name, explicit, levels)

    def _explicit(self) -> s.Term:
        start = self.start
        self.at += 1
        if not self.is_ident() or not self.adjacent():
            raise self.unexpected("identifier")
        self.at += 1
        return self._identifier(start, self.last_end, self.texts[self.at - 1], explicit=True)

    def _synthetic_hole(self) -> s.Term:
        start = self.start
        self.at += 1
        if self.kinds[self.at] is not TokenKind.IDENT or not self.adjacent():
            raise self.unexpected("'_' or identifier")
        text = self.text
        self.at += 1
        return s.SyntheticHole(start, self.last_end, None if text == "_" else clean_name(text))

    def _dot_identifier(self) -> s.Term:
        start = self.start
        self.at += 1
        if not self.is_ident() or not self.adjacent():
            raise self.unexpected("identifier")
        self.at += 1
        return s.DotIdent(start, self.last_end, clean_name(self.texts[self.at - 1]))

    def _sort(self) -> s.Term:
        start, kind = self.start, self.text
        self.at += 1
        level = None
        named = self.kinds[self.at] is TokenKind.IDENT and self.text.islower() and "." not in self.text
        if kind != "Prop" and self.right_of_position() and not self.adjacent():
            opens = (
                self.text == "(" and self.texts[self.at + 1] in ("max", "imax")
            ) or self._level_in_parentheses()
            if self.kinds[self.at] is TokenKind.NUMBER or named or self.text == "_" or opens:
                level = self.level(atom_only=True)
        elif kind != "Prop" and self.text == "*" and self.adjacent():
            self.at += 1
            level = s.LevelName(self.last_end - 1, self.last_end, "_")
        return s.SortTerm(start, self.last_end, kind, level)

    def _level_in_parentheses(self) -> bool:
        if self.text != "(":
            return False
        return self.kinds[self.at + 1] in (TokenKind.IDENT, TokenKind.NUMBER) and self.texts[self.at + 2] in (
            "+",
            ")",
        )

    def _prefix(self, op: str, level: int) -> s.Term:
        start = self.start
        self.at += 1
        arg = self.term(level)
        return s.PrefixOp(start, self.last_end, op, arg)

    def _word(self, make: Callable[[int, int], s.Term]) -> s.Term:
        self.at += 1
        return make(self.starts[self.at - 1], self.ends[self.at - 1])

    def _type_of(self) -> s.Term:
        start = self.start
        self.at += 1
        return s.TypeOf(start, self.last_end, self.term(MAX))

    # --- brackets ------------------------------------------------------------------------------

    def _open(self) -> tuple[int, int]:
        """Step over a bracket, forgetting the saved position: (start, the position to restore)."""
        start, saved = self.start, self.column
        self.at += 1
        self.column = -1
        return start, saved

    def _items(self, close: str) -> tuple[s.Term, ...]:
        items: list[s.Term] = []
        while not self.accept(close):
            if items and not self.accept(","):
                raise self.unexpected(f"'{close}' or ','" if close != ")" else "')', ',' or ':'")
            if items and self.accept(close):
                break
            items.append(self.term())
        return tuple(items)

    def _parenthesised(self) -> s.Term:
        """`()`, `(e)`, `(e : T)`, `(a, b)`; sections `(· + 1)` become functions."""
        outer, self._sections = self._sections, []
        start, saved = self._open()
        inner: s.Term
        if self.accept(")"):
            inner = s.TupleTerm(start, self.last_end, ())
        else:
            inner = self.term()
            if self.accept(":"):
                type_ = None if self.is_symbol(")") else self.term()
                self.expect(")")
                inner = s.Ascription(start, self.last_end, inner, type_)
            elif self.is_symbol(","):
                self.at += 1
                rest = self._items(")")
                inner = s.TupleTerm(start, self.last_end, (inner, *rest))
            elif not self.accept(")"):
                raise self.unexpected("')', ',' or ':'")
        names, self._sections = self._sections, outer
        self.column = saved
        if names:
            binders = tuple(s.Binder(start, self.last_end, name, None) for name in names)
            return s.Fun(start, self.last_end, binders, inner)
        return inner

    def _section(self) -> s.Term:
        if self._sections is None:
            raise self.unexpected("term")
        self.at += 1
        self._sections.append(f"x✝{len(self._sections) + 1}")
        return s.Ident(self.starts[self.at - 1], self.last_end, self._sections[-1])

    def _anonymous(self) -> s.Term:
        start, saved = self._open()
        items = self._items("⟩")
        self.column = saved
        return s.AnonymousCtor(start, self.last_end, items)

    def _list(self) -> s.Term:
        start, saved = self._open()
        items = self._items("]")
        self.column = saved
        return s.ListLit(start, self.last_end, items)

    def _assumption(self) -> s.Term:
        start, saved = self._open()
        type_ = self.term()
        self.expect("›")
        self.column = saved
        return s.AssumptionTerm(start, self.last_end, type_)

    def _braces(self) -> s.Term:
        """`{ x := a, y := b }`; sets and subtypes are outside of the fragment and skipped whole."""
        close = self.closing(self.at)
        if close is None:
            raise self.unexpected("term")
        if self.kinds[self.at + 1] is not TokenKind.IDENT or self.texts[self.at + 2] != ":=":
            start = self.start
            self.at = close + 1
            return s.TermOther(start, self.last_end, "{ }", self.source[start : self.last_end])
        start, saved = self._open()
        fields: list[s.NamedArg] = []
        while not self.accept("}"):
            if fields and not self.accept(",") and not self.on_new_line():
                raise self.unexpected("'}' or ','")
            if self.accept("}"):
                break
            field_start, name = self.start, clean_name(self.ident())
            self.expect(":=")
            value = self.term()
            fields.append(s.NamedArg(field_start, self.last_end, name, value))
        self.column = saved
        return s.StructInst(start, self.last_end, tuple(fields))


ATOMS: dict[str, Callable[[AtomParser], s.Term]] = {
    "(": AtomParser._parenthesised,
    "⟨": AtomParser._anonymous,
    "[": AtomParser._list,
    "{": AtomParser._braces,
    "‹": AtomParser._assumption,
    "@": AtomParser._explicit,
    "?": AtomParser._synthetic_hole,
    ".": AtomParser._dot_identifier,
    "·": AtomParser._section,
    "Prop": AtomParser._sort,
    "Type": AtomParser._sort,
    "Sort": AtomParser._sort,
    "fun": AtomParser.fun,
    "λ": AtomParser.fun,
    "¬": lambda parser: parser._prefix("¬", 40),
    "↑": lambda parser: parser._prefix("↑", MAX),
    "⇑": lambda parser: parser._prefix("⇑", MAX),
    "↥": lambda parser: parser._prefix("↥", MAX),
    "type_of%": AtomParser._type_of,
    "sorry": lambda parser: parser._word(s.SorryTerm),
    "nofun": lambda parser: parser._word(lambda start, end: s.NoMatch(start, end, ())),
}
"""What an atom can start with, but for identifiers and literals."""
