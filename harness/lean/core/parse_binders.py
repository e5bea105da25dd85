"""Parsing of binders and of the terms that open with a keyword."""

from __future__ import annotations

from abc import ABC, abstractmethod

from harness.lean.core import syntax as s
from harness.lean.core.parse_base import Cursor, clean_name
from harness.lean.core.syntax_tactics import TacticSeq
from harness.lean.text.lexer import TokenKind

BRACKETS = {
    "(": (s.BinderKind.EXPLICIT, ")"),
    "{": (s.BinderKind.IMPLICIT, "}"),
    "⦃": (s.BinderKind.STRICT, "⦄"),
    "[": (s.BinderKind.INSTANCE, "]"),
}
_BOUND_OPS = {
    "∈": "∈",
    "∉": "∉",
    "<": "<",
    "≤": "≤",
    "<=": "≤",
    ">": ">",
    "≥": "≥",
    ">=": "≥",
    "≠": "≠",
    "⊆": "⊆",
}


class BinderParser(Cursor, ABC):
    """Binders and keyword terms, given how terms and tactic blocks are parsed."""

    @abstractmethod
    def term(self, level: int = 0) -> s.Term:
        """A term whose outermost notation binds at least as tightly as `level`."""

    @abstractmethod
    def tactic_block(self) -> TacticSeq:
        """A tactic sequence, perhaps empty."""

    # --- binders -------------------------------------------------------------------------------

    def opens_binder(self) -> bool:
        """Whether a bracket here holds `x y : T` (or, in `{ }`, bare names), and so is a binder."""
        text, at = self.texts[self.at], self.at + 1
        if text not in BRACKETS:
            return False
        if text == "[":
            return True
        kinds, texts = self.kinds, self.texts
        while kinds[at] is TokenKind.IDENT:
            at += 1
        return at > self.at + 1 and (texts[at] == ":" or (text != "(" and texts[at] == BRACKETS[text][1]))

    def bracketed_binder(self) -> list[s.Binder]:
        """`(x y : T := v)`, `{x y : T}`, `⦃x⦄`, `[inst : C]`, `[C]`: one `Binder` per name."""
        start = self.start
        kind, close = BRACKETS[self.text]
        self.at += 1
        saved, self.column = self.column, -1
        names: list[tuple[int, int, str]] = []
        if kind is s.BinderKind.INSTANCE:
            if self.at_binder_name() and self.texts[self.at + 1] == ":":
                names.append((self.start, self.ends[self.at], clean_name(self.binder_name())))
                self.at += 1
            else:
                names.append((start, start + 1, "_"))
            type_: s.Term | None = self.term()
        else:
            while self.at_binder_name():
                names.append((self.start, self.ends[self.at], clean_name(self.text)))
                self.at += 1
            if not names:
                raise self.unexpected("'_' or identifier")
            type_ = self.term() if self.accept(":") else None
        default = self.term() if self.accept(":=") else None
        self.expect(close)
        self.column = saved
        return [s.Binder(a, b, name, type_, kind, None, None, default) for a, b, name in names]

    def simple_binders(self) -> list[s.Binder]:
        """`x y : T` up to a `,` or `=>`: names share the type, or the bound of `x ∈ S` and `n > 0`."""
        names: list[tuple[int, int, str]] = []
        while self.at_binder_name():
            names.append((self.start, self.ends[self.at], clean_name(self.text)))
            self.at += 1
        pred: s.BinderPred | None = None
        type_: s.Term | None = None
        if self.accept(":"):
            type_ = self.term()
        elif self.text in _BOUND_OPS and self.kinds[self.at] is TokenKind.SYMBOL:
            op_start, op = self.start, _BOUND_OPS[self.text]
            self.at += 1
            bound = self.term(51)
            pred = s.BinderPred(op_start, self.last_end, op, bound)
        return [s.Binder(a, b, name, type_, pred=pred) for a, b, name in names]

    def binders(self) -> tuple[s.Binder, ...]:
        """One or more binders of `∀`, `∃`: bracketed ones, or names with a shared type."""
        found: list[s.Binder] = []
        while True:
            if self.text in BRACKETS:
                found.extend(self.bracketed_binder())
            elif self.at_binder_name():
                found.extend(self.simple_binders())
            else:
                break
        if not found:
            raise self.unexpected("binder")
        return tuple(found)

    def declaration_binders(self) -> tuple[s.Binder, ...]:
        """The binders of a declaration or a local definition, perhaps none: brackets and bare names."""
        found: list[s.Binder] = []
        while True:
            if self.text in BRACKETS:
                found.extend(self.bracketed_binder())
            elif self.at_binder_name() and self.right_of_position():
                found.append(s.Binder(self.start, self.ends[self.at], clean_name(self.text), None))
                self.at += 1
            else:
                return tuple(found)

    def fun_binders(self) -> tuple[s.Binder, ...]:
        """The binders of `fun`: names, brackets, patterns; a final `x y : T` types all bare names."""
        found: list[s.Binder] = []
        while not self.is_symbol("=>") and not self.is_symbol("↦"):
            start = self.start
            if self.at_binder_name() and self.texts[self.at + 1] != "@":
                name = clean_name(self.text)
                self.at += 1
                found.append(s.Binder(start, self.last_end, name, None))
            elif self.opens_binder():
                found.extend(self.bracketed_binder())
            elif self.is_symbol(":") and found:
                self.at += 1
                type_ = self.term()
                found = [b if b.type or b.pattern else s.Binder(b.start, b.end, b.name, type_) for b in found]
                break
            elif self.text in ("(", "⟨", "{"):
                pattern = self.term(1024)
                found.append(s.Binder(start, self.last_end, "_", None, pattern=pattern))
            else:
                raise self.unexpected("'=>'" if found else "binder")
        if not found:
            raise self.unexpected("binder")
        return tuple(found)

    # --- terms that open with a keyword --------------------------------------------------------

    def fun(self) -> s.Term:
        """`fun x => e`, `fun | p => e | q => e`."""
        start = self.start
        self.at += 1
        if self.is_symbol("|"):
            alts = self.match_alts(tactics=False)
            return s.FunMatch(start, self.last_end, alts)
        binders = self.fun_binders()
        self.arrow()
        body = self.term()
        return s.Fun(start, self.last_end, binders, body)

    def arrow(self) -> None:
        """`=>` or `↦`."""
        if not self.accept("=>") and not self.accept("↦"):
            raise self.unexpected("'=>'")

    def match_alts(self, tactics: bool) -> tuple[s.MatchAlt, ...]:
        """`| p, q => e` alternatives, none left of the first; `tactics`: right sides are tactic blocks."""
        alts: list[s.MatchAlt] = []
        saved, self.column = self.column, self.columns[self.at]
        while self.is_symbol("|") and self.columns[self.at] >= self.column:
            start = self.start
            patterns: list[tuple[s.Term, ...]] = []
            while self.accept("|"):
                patterns.append(self.terms())
            self.arrow()
            rhs = self.alt_tactics() if tactics else self.term()
            alts.append(s.MatchAlt(start, self.last_end, tuple(patterns), rhs))
        self.column = saved
        return tuple(alts)

    def alt_tactics(self) -> s.Term:
        """The right side of an alternative of the tactic `match`: a hole, or tactics as a `By`."""
        start = self.start
        if self.text in ("_", "?"):
            return self.term(1024)
        block = self.tactic_block()
        return s.By(start, max(start, self.last_end), block)

    def terms(self) -> tuple[s.Term, ...]:
        """Terms separated by commas."""
        found = [self.term()]
        while self.accept(","):
            found.append(self.term())
        return tuple(found)

    def discrs(self) -> tuple[s.Discr, ...]:
        """Scrutinees `h : e, ..`."""
        found = []
        while True:
            start, name = self.start, None
            if self.at_binder_name() and self.texts[self.at + 1] == ":":
                name = clean_name(self.text)
                self.at += 2
            term = self.term()
            found.append(s.Discr(start, self.last_end, name, term))
            if not self.accept(","):
                return tuple(found)

    def match_head(self) -> tuple[s.Term | None, tuple[s.Discr, ...]]:
        """`match (motive := m) e, h : e' with`, up to and with `with`."""
        self.at += 1
        motive = None
        if self.text == "(" and self.texts[self.at + 1] == "motive" and self.texts[self.at + 2] == ":=":
            self.at += 3
            motive = self.term()
            self.expect(")")
        discrs = self.discrs()
        self.expect("with")
        return motive, discrs

    def match(self) -> s.Term:
        """`match e with | p => r`."""
        start = self.start
        motive, discrs = self.match_head()
        alts = self.match_alts(tactics=False)
        return s.Match(start, self.last_end, discrs, alts, motive)

    def local_decl(self, need_value: bool) -> s.LocalDecl:
        """What follows `let` or `have`; without `need_value` the `:= value` may be missing."""
        start = self.start
        name: str | None = None
        pattern: s.Term | None = None
        binders: tuple[s.Binder, ...] = ()
        if self.at_binder_name() and self.texts[self.at + 1] != "@":
            name = clean_name(self.text)
            self.at += 1
            binders = self.declaration_binders()
        elif self.text not in (":", ":="):
            pattern = self.term(1024)
        type_ = self.term() if self.accept(":") else None
        if self.is_symbol("|") and type_ is not None:
            alts = self.match_alts(tactics=False)
            return s.LocalDecl(start, self.last_end, name, binders, type_, None, pattern, alts)
        value: s.Term | None = None
        if self.accept(":="):
            value = self.term()
        elif need_value or type_ is None:
            raise self.unexpected("':='")
        return s.LocalDecl(start, self.last_end, name, binders, type_, value, pattern)

    def let_or_have(self) -> s.Term:
        """`let decl; body`, `have decl; body` as terms."""
        start, word = self.start, self.text
        saved, self.column = self.column, self.columns[self.at]
        self.at += 1
        if self.text in ("rec", "mut"):
            raise self.fail(f"not in the embedded fragment: let {self.text}")
        decl = self.local_decl(need_value=True)
        self.column = saved
        self.semicolon()
        body = self.term()
        make = s.Let if word.startswith("let") else s.Have
        return make(start, self.last_end, decl, body)

    def semicolon(self) -> None:
        """`;` or a line break."""
        if not self.accept(";") and not (self.on_new_line() and self.kinds[self.at] is not None):
            raise self.unexpected("';' or line break")

    def show(self) -> s.Term:
        """`show T from e`, `show T by tac`."""
        start = self.start
        self.at += 1
        type_ = self.term()
        return s.Show(start, self.last_end, type_, self.from_or_by())

    def from_or_by(self) -> s.Term:
        """`from e` or `by tac`."""
        if self.accept("from"):
            return self.term()
        if self.is_symbol("by"):
            return self.by()
        raise self.unexpected("'from' or 'by'")

    def suffices_head(self) -> tuple[str | None, s.Term]:
        """`h : T` or `T` after `suffices`."""
        name = None
        if self.at_binder_name() and self.texts[self.at + 1] == ":":
            name = clean_name(self.text)
            self.at += 2
        return name, self.term()

    def suffices(self) -> s.Term:
        """`suffices h : T from e; body` as a term."""
        start = self.start
        saved, self.column = self.column, self.columns[self.at]
        self.at += 1
        name, type_ = self.suffices_head()
        value = self.from_or_by()
        self.column = saved
        self.semicolon()
        body = self.term()
        return s.Suffices(start, self.last_end, name, type_, value, body)

    def if_then_else(self) -> s.Term:
        """`if h : c then a else b`."""
        start = self.start
        self.at += 1
        name = None
        if self.at_binder_name() and self.texts[self.at + 1] == ":":
            name = clean_name(self.text)
            self.at += 2
        cond = self.term()
        self.expect("then")
        yes = self.term()
        self.expect("else")
        return s.If(start, self.last_end, name, cond, yes, self.term())

    def by(self) -> s.By:
        """`by` and its block: strictly right of the saved position, else the block is empty."""
        start = self.start
        self.at += 1
        if self.right_of_position() or self.column < 0 or not self.on_new_line():
            block = self.tactic_block()
        else:
            block = TacticSeq(self.last_end, self.last_end, ())
        return s.By(start, self.last_end, block)

    def calc(self) -> s.Calc:
        """`calc` steps `a R b := proof`, `_ R c := proof`, .. in one column; the first may lack a proof."""
        start = self.start
        self.at += 1
        saved, first_column = self.column, self.columns[self.at] if self.on_new_line() else -1
        steps: list[s.CalcStep] = []
        self.column = self.columns[self.at]
        while not steps or (
            self.columns[self.at] == self.column and self.on_new_line() and self.starts_term()
        ):
            step_start = self.start
            relation = self.term()
            proof = None
            if self.accept(":="):
                proof = self.term()
            elif steps:
                raise self.unexpected("':='")
            steps.append(s.CalcStep(step_start, self.last_end, relation, proof))
            if len(steps) == 1:
                # Lean takes further steps in any column; a line to the left is more likely the next tactic.
                self.column = self.columns[self.at]
                if self.column <= saved and self.column != first_column and self.text != "_":
                    break
        self.column = saved
        return s.Calc(start, self.last_end, tuple(steps))

    @abstractmethod
    def starts_term(self) -> bool:
        """Whether a term can start here."""
