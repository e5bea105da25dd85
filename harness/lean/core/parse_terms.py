"""Parsing of terms: operators with Lean's precedences, application, atoms."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from harness.lean.core import syntax as s
from harness.lean.core.parse_atoms import ATOMS, FOREIGN_ATOMS, LEAD, MAX, AtomParser
from harness.lean.core.parse_base import MAX_DEPTH, clean_name
from harness.lean.core.parse_binders import BRACKETS
from harness.lean.core.work import look
from harness.lean.text.lexer import TokenKind


class Infix(NamedTuple):
    """A binary notation: its level, and the least levels of its sides."""

    level: int
    lhs: int
    rhs: int
    op: str


def _table() -> dict[str, Infix]:
    table: dict[str, Infix] = {}
    left = {65: "+ - ++ ∪", 70: "* / % ∩ \\ ∖", 30: "||", 35: "&&", 55: "|||", 60: "&&&", 68: "⊔", 69: "⊓"}
    right = {25: "→", 30: "∨ ⊕", 35: "∧ ×", 67: "::", 73: "•", 75: "^ ▸", 90: "∘", 20: "<|>", 80: "''"}
    none = {20: "↔", 25: "≃", 50: "= ≠ < ≤ > ≥ == != ∈ ∉ ∣ ∤ ⊆ ⊂ ⊇ ⊃ ≈ ≡ ~ <+ <+: <:+ <:+: ≪ ≫ ≺ ≼"}
    for level, ops in left.items():
        table.update({op: Infix(level, level, level + 1, op) for op in ops.split()})
    for level, ops in right.items():
        table.update({op: Infix(level, level + 1, level, op) for op in ops.split()})
    for level, ops in none.items():
        table.update({op: Infix(level, level + 1, level + 1, op) for op in ops.split()})
    spelt = {"->": "→", "<->": "↔", "<=": "≤", ">=": "≥", "/\\": "∧", "\\/": "∨"}
    table.update({ascii_: table[op] for ascii_, op in spelt.items()})
    for pipe in ("<|", "$"):
        table[pipe] = Infix(10, 11, 10, "<|")
    table["|>"] = Infix(10, 10, 11, "|>")
    table["|>."] = Infix(10, 10, 0, "|>.")
    return table


ARROW = 25
INFIX = _table()
"""Binary notation of core Lean, and of Mathlib what a statement may hold (the elaborator refuses it)."""

_ATOM_KINDS = frozenset(
    {
        TokenKind.IDENT,
        TokenKind.NUMBER,
        TokenKind.STRING,
        TokenKind.CHAR,
        TokenKind.RAW_STRING,
        TokenKind.INTERPOLATED_STRING,
    }
)


class TermParser(AtomParser):
    """Terms."""

    def term(self, level: int = 0) -> s.Term:
        """A term whose outermost notation binds at least as tightly as `level`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("maximum recursion depth has been reached")
        if not self.at & 15:
            look()
        start = self.starts[self.at]
        text = self.texts[self.at]
        lead = None if self.kinds[self.at] is TokenKind.IDENT else _LEADING.get(text)
        if text in BRACKETS and level <= ARROW and self._opens_dependent_arrow():
            lhs, lhs_level = self._dependent_arrow(), ARROW
        elif lead is not None:
            parse, own = lead
            if own < level:
                raise self.unexpected("term")
            lhs, lhs_level = parse(self), own
        else:
            lhs, lhs_level = self._application(level)
        texts = self.texts
        while True:
            infix = INFIX.get(texts[self.at])
            if infix is None or infix.level < level or lhs_level < infix.lhs:
                break
            if self.kinds[self.at] is not TokenKind.SYMBOL:
                break
            self.at += 1
            lhs = self._infix(start, lhs, infix)
            lhs_level = infix.level
        self.depth -= 1
        return lhs

    def _infix(self, start: int, lhs: s.Term, infix: Infix) -> s.Term:
        op = infix.op
        if op == "|>.":
            return self._pipe_projection(start, lhs)
        rhs = self.term(infix.rhs)
        end = self.last_end
        if op == "→":
            return s.Arrow(start, end, lhs, rhs)
        if op == "<|":
            return s.App(start, end, lhs, (rhs,))
        if op == "|>":
            return s.App(start, end, rhs, (lhs,))
        return s.BinOp(start, end, op, lhs, rhs)

    def _pipe_projection(self, start: int, lhs: s.Term) -> s.Term:
        if self.kinds[self.at] not in (TokenKind.IDENT, TokenKind.NUMBER):
            raise self.unexpected("identifier or numeral")
        lhs = self._field(start, lhs)
        while self.text == "." and self.adjacent():
            self.at += 1
            lhs = self._field(start, lhs)
        args, ellipsis = self._arguments()
        return s.App(start, self.last_end, lhs, args, ellipsis) if args or ellipsis else lhs

    def _field(self, start: int, target: s.Term) -> s.Term:
        """A projection by the field at the cursor: a number, or a name, each part one projection."""
        if self.kinds[self.at] not in (TokenKind.IDENT, TokenKind.NUMBER):
            raise self.unexpected("identifier or numeral")
        text, end = self.text, self.ends[self.at]
        self.at += 1
        for part in text.split(".") if "«" not in text else [clean_name(text)]:
            target = s.Proj(start, end, target, part)
        return target

    # --- application ---------------------------------------------------------------------------

    def starts_term(self) -> bool:
        """Whether a term can start here."""
        kind, text = self.kinds[self.at], self.texts[self.at]
        return kind in _ATOM_KINDS or text in _LEADING or text in ATOMS

    def _starts_argument(self) -> bool:
        kind, at = self.kinds[self.at], self.at
        if kind in _ATOM_KINDS:
            return True
        text = self.texts[at]
        if text == ".":
            return self.kinds[at + 1] is TokenKind.IDENT and self.ends[at] == self.starts[at + 1]
        if text == "·":
            return self._sections is not None
        return (text in ATOMS and kind in (TokenKind.SYMBOL, TokenKind.KEYWORD)) or text in FOREIGN_ATOMS

    def _application(self, level: int) -> tuple[s.Term, int]:
        start = self.starts[self.at]
        head = self._postfix(start, self.atom())
        if level > LEAD:
            return head, MAX
        args, ellipsis = self._arguments()
        if not args and not ellipsis:
            return head, MAX
        return s.App(start, self.ends[self.at - 1], head, args, ellipsis), LEAD

    def _arguments(self) -> tuple[tuple[s.Term | s.NamedArg, ...], bool]:
        args: list[s.Term | s.NamedArg] = []
        while self.columns[self.at] > self.column:
            if self._starts_argument():
                args.append(self._argument())
            elif self.texts[self.at] == ".." and self.kinds[self.at] is TokenKind.SYMBOL:
                self.at += 1
                return tuple(args), True
            else:
                break
        return tuple(args), False

    def _argument(self) -> s.Term | s.NamedArg:
        at = self.at
        if self.texts[at] == "(" and self.texts[at + 2] == ":=" and self.kinds[at + 1] is TokenKind.IDENT:
            start, name = self.start, clean_name(self.texts[at + 1])
            self.at += 3
            saved, self.column = self.column, -1
            value = self.term()
            self.column = saved
            self.expect(")")
            return s.NamedArg(start, self.last_end, name, value)
        return self.term(MAX)

    def _postfix(self, start: int, head: s.Term) -> s.Term:
        """Projections and postfix notation directly behind `head`."""
        while self.starts[self.at] == self.ends[self.at - 1]:
            text = self.texts[self.at]
            if text == "." and self.starts[self.at + 1] == self.ends[self.at]:
                if self.kinds[self.at + 1] not in (TokenKind.IDENT, TokenKind.NUMBER):
                    break
                self.at += 1
                head = self._field(start, head)
            elif text == "[" and self.kinds[self.at] is TokenKind.SYMBOL:
                close = self.closing(self.at)
                if close is None:
                    raise self.unexpected("term")
                self.at = close + 1
                head = s.TermOther(start, self.last_end, "xs[i]", self.source[start : self.last_end])
            elif text in ("⁻¹", "!", "ᶜ", "ᵀ", "ˣ", "²", "³"):
                self.at += 1
                head = s.PostfixOp(start, self.last_end, text, head)
            else:
                break
        return head

    # --- quantifiers and dependent arrows ------------------------------------------------------

    def _opens_dependent_arrow(self) -> bool:
        if not self.opens_binder():
            return False
        close = self.closing(self.at)
        return close is not None and self.texts[close + 1] in ("→", "->")

    def _dependent_arrow(self) -> s.Term:
        start = self.start
        binders = self.bracketed_binder()
        self.at += 1
        body = self.term(ARROW)
        return s.Pi(start, self.last_end, tuple(binders), body)

    def _quantifier(self) -> s.Term:
        start, word = self.start, self.text
        self.at += 1
        binders = self.binders()
        self.expect(",")
        body = self.term()
        if word in ("∀", "forall"):
            return s.Pi(start, self.last_end, binders, body)
        return s.BinderOp(start, self.last_end, word, binders, body)

    def _nomatch(self) -> s.Term:
        start = self.start
        self.at += 1
        args = self.terms()
        return s.NoMatch(start, self.last_end, args)


_LEADING: dict[str, tuple[Callable[[TermParser], s.Term], int]] = {
    "∀": (TermParser._quantifier, LEAD),
    "forall": (TermParser._quantifier, LEAD),
    "∃": (TermParser._quantifier, LEAD),
    "∃!": (TermParser._quantifier, LEAD),
    "-": (lambda parser: parser._prefix("-", 75), 75),
    "!": (lambda parser: parser._prefix("!", 40), MAX),
    "let": (TermParser.let_or_have, LEAD),
    "have": (TermParser.let_or_have, LEAD),
    "show": (TermParser.show, LEAD),
    "suffices": (TermParser.suffices, LEAD),
    "match": (TermParser.match, LEAD),
    "if": (TermParser.if_then_else, LEAD),
    "by": (TermParser.by, LEAD),
    "calc": (TermParser.calc, LEAD),
    "nomatch": (TermParser._nomatch, LEAD),
}
