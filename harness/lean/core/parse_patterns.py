"""Parsing of what tactics take: patterns, locations, rewrite rules, simp arguments, alternatives."""

from __future__ import annotations

from harness.lean.core import syntax as s
from harness.lean.core import syntax_tactics as t
from harness.lean.core.parse_base import clean_name
from harness.lean.core.parse_terms import TermParser
from harness.lean.text.lexer import TokenKind


class PatternParser(TermParser):
    """Parts of tactics."""

    def names(self) -> tuple[str, ...]:
        """Names and `_` right of the saved position, perhaps none."""
        found: list[str] = []
        while self.kinds[self.at] is TokenKind.IDENT and self.columns[self.at] > self.column:
            found.append(clean_name(self.texts[self.at]))
            self.at += 1
        return tuple(found)

    def location(self) -> t.Location | None:
        """`at h₁ h₂ ⊢`, `at *`, or nothing."""
        if not self.is_symbol("at"):
            return None
        start = self.start
        self.at += 1
        if self.accept("*"):
            return t.Location(start, self.last_end, (), True, True)
        hyps: list[str] = []
        goal = False
        while self.columns[self.at] > self.column:
            if self.is_ident():
                hyps.append(clean_name(self.text))
            elif self.text in ("⊢", "|-"):
                goal = True
            else:
                break
            self.at += 1
        if not hyps and not goal:
            raise self.unexpected("'*', '⊢' or identifier")
        return t.Location(start, self.last_end, tuple(hyps), goal)

    def skip_config(self) -> None:
        """Options such as `(config := {..})`, `+decide`, `-zeta`: accepted, they change nothing here."""
        while True:
            if (
                self.text == "("
                and self.kinds[self.at + 1] is TokenKind.IDENT
                and self.texts[self.at + 2] == ":="
            ):
                close = self.closing(self.at)
                if close is None:
                    raise self.unexpected("term")
                self.at = close + 1
            elif self.text in ("+", "-") and self.kinds[self.at + 1] is TokenKind.IDENT:
                self.at += 2
            else:
                return

    def rw_rules(self) -> tuple[t.RwRule, ...]:
        """`[e, ← e, ..]`."""
        self.expect("[")
        saved, self.column = self.column, -1
        rules: list[t.RwRule] = []
        while not self.accept("]"):
            if rules and not self.accept(","):
                raise self.unexpected("']' or ','")
            if rules and self.accept("]"):
                break
            start = self.start
            symm = self.accept("←") or self.accept("<-")
            term = self.term()
            rules.append(t.RwRule(start, self.last_end, term, symm))
        self.column = saved
        return tuple(rules)

    def simp_args(self) -> tuple[t.SimpArg, ...]:
        """`[h, ← h, - h, *]`, or nothing."""
        if self.text != "[" or not self.right_of_position():
            return ()
        self.at += 1
        saved, self.column = self.column, -1
        args: list[t.SimpArg] = []
        while not self.accept("]"):
            if args and not self.accept(","):
                raise self.unexpected("']' or ','")
            if args and self.accept("]"):
                break
            args.append(self._simp_arg())
        self.column = saved
        return tuple(args)

    def _simp_arg(self) -> t.SimpArg:
        start = self.start
        if self.accept("*"):
            return t.SimpArg(start, self.last_end, None)
        if self.accept("-"):
            return t.SimpArg(start, self.ends[self.at], self.term(1024), erase=True)
        if self.text in ("↓", "↑") and self.kinds[self.at + 1] is TokenKind.IDENT:
            self.at += 1
        symm = self.accept("←") or self.accept("<-")
        term = self.term()
        return t.SimpArg(start, self.last_end, term, symm=symm)

    # --- rcases patterns -----------------------------------------------------------------------

    def pattern(self) -> t.RcasesPat:
        """`p | q | ..` without a type."""
        start = self.start
        first = self.pattern_atom()
        if not self.is_symbol("|"):
            return first
        items = [first]
        while self.accept("|"):
            items.append(self.pattern_atom())
        return t.PatAlts(start, self.last_end, tuple(items))

    def typed_pattern(self) -> t.RcasesPat:
        """`p | q : type`, as inside brackets."""
        start = self.start
        pattern = self.pattern()
        if not self.accept(":"):
            return pattern
        type_ = self.term()
        return t.PatTyped(start, self.last_end, pattern, type_)

    def pattern_atom(self) -> t.RcasesPat:
        """A name, `_`, `rfl`, `-`, `⟨..⟩`, `(..)` or `@name`."""
        start = self.start
        self.accept("@")
        if self.kinds[self.at] is TokenKind.IDENT:
            self.at += 1
            return t.PatName(start, self.last_end, clean_name(self.texts[self.at - 1]))
        if self.accept("-"):
            return t.PatName(start, self.last_end, "-")
        if self.text not in ("⟨", "("):
            raise self.unexpected("rcases pattern")
        self.enter()
        saved, self.column = self.column, -1
        if self.accept("("):
            inner = self.typed_pattern()
            self.expect(")")
        else:
            self.at += 1
            items: list[t.RcasesPat] = []
            while not self.accept("⟩"):
                if items and not self.accept(","):
                    raise self.unexpected("'⟩' or ','")
                items.append(self.typed_pattern())
            inner = t.PatTuple(start, self.last_end, tuple(items))
        self.column = saved
        self.depth -= 1
        return inner

    def patterns(self) -> tuple[t.RcasesPat, ...]:
        """Pattern atoms one after the other, as of `rintro`."""
        found: list[t.RcasesPat] = []
        while self.columns[self.at] > self.column and (
            self.kinds[self.at] is TokenKind.IDENT or self.texts[self.at] in ("⟨", "(", "-", "@")
        ):
            found.append(self.pattern_atom())
        return tuple(found)

    # --- alternatives of cases and induction ---------------------------------------------------

    def case_alts(self) -> tuple[t.CaseAlt, ...]:
        """`| ctor x y => tacs` alternatives, none left of the first."""
        alts: list[t.CaseAlt] = []
        saved, self.column = self.column, self.columns[self.at]
        while self.is_symbol("|") and self.columns[self.at] >= self.column:
            start = self.start
            ctors: list[tuple[str, bool, tuple[str, ...]]] = []
            while self.accept("|"):
                explicit = self.accept("@")
                self.accept(".")
                ctors.append((clean_name(self.binder_name()), explicit, self._alt_names()))
            if self.accept("=>"):
                alts.append(self._case_alt(start, tuple(ctors)))
            else:
                raise self.unexpected("'=>'")
        self.column = saved
        if not alts:
            raise self.unexpected("'|'")
        return tuple(alts)

    def _alt_names(self) -> tuple[str, ...]:
        found: list[str] = []
        while self.kinds[self.at] is TokenKind.IDENT:
            found.append(clean_name(self.texts[self.at]))
            self.at += 1
        return tuple(found)

    def _case_alt(self, start: int, ctors: tuple[tuple[str, bool, tuple[str, ...]], ...]) -> t.CaseAlt:
        if self.text in ("_", "?"):
            hole = self.term(1024)
            return t.CaseAlt(start, self.last_end, ctors, None, hole)
        block = self.tactic_block()
        return t.CaseAlt(start, max(self.last_end, start), ctors, block)

    def intro_pattern(self) -> s.Term:
        """One argument of `intro`: a name, `_`, or a pattern as a term."""
        return self.term(1024)

    # --- tactics without blocks ----------------------------------------------------------------

    def _suffices(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        name, type_ = self.suffices_head()
        value = self.from_or_by() if self.text in ("from", "by") else None
        return t.SufficesTactic(start, self.last_end, name, type_, value)

    def _show(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        type_ = self.term()
        if self.text in ("from", "by"):
            value = self.from_or_by()
            end = self.last_end
            return t.WithTerms(start, end, "exact", (s.Show(start, end, type_, value),))
        return t.WithTerms(start, self.last_end, word, (type_,))

    def _generalize(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        items: list[tuple[str | None, s.Term, str]] = []
        while True:
            name = None
            if self.at_binder_name() and self.texts[self.at + 1] == ":":
                name = clean_name(self.text)
                self.at += 2
            term = self.term(51)
            self.expect("=")
            items.append((name, term, clean_name(self.binder_name())))
            if not self.accept(","):
                break
        location = self.location()
        return t.Generalize(start, self.last_end, tuple(items), location)

    def _injection(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        term = self.term()
        names = self.names() if self.accept("with") else ()
        return t.Injection(start, self.last_end, term, names)

    def _rename(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        type_ = self.term()
        self.expect("=>")
        return t.Rename(start, self.last_end, type_, clean_name(self.ident()))

    def _fail(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        message = None
        if self.kinds[self.at] is TokenKind.STRING:
            message = self.text[1:-1]
            self.at += 1
        return t.Fail(start, self.last_end, message)
