"""Parsing of tactics and of tactic blocks.

A block is a column: each tactic after the first stands in the first one's column on a new line, or after `;`.
A word that names no tactic of the fragment gives `TacticOther` with its extent, if Mathlib or core Lean has
such a tactic, and Lean's "unknown tactic" otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.lean.core import syntax as s
from harness.lean.core import syntax_tactics as t
from harness.lean.core.parse_base import MAX_DEPTH, OPENERS, clean_name
from harness.lean.core.parse_patterns import PatternParser
from harness.lean.core.tactic_names import BLOCKS, ONE_TERM, OTHERS, SIMPLE, SOME_NAMES, TERM_LIST
from harness.lean.text.lexer import TokenKind


class TacticParser(PatternParser):
    """Tactics."""

    # --- blocks --------------------------------------------------------------------------------

    def tactic_block(self) -> t.TacticSeq:
        """`{ tacs }`, or tactics in a column; empty when none starts here."""
        start = self.start
        found: list[t.Tactic] = []
        saved, self.column = self.column, self.columns[self.at]
        sections, self._sections = self._sections, None
        while self.starts_tactic():
            found.append(self.tactic())
            if self.accept(";"):
                if self.on_new_line() and self.columns[self.at] != self.column:
                    break
            elif not (self.on_new_line() and self.columns[self.at] == self.column):
                break
        self.column, self._sections = saved, sections
        return t.TacticSeq(start if found else self.last_end, self.last_end, tuple(found))

    def starts_tactic(self) -> bool:
        """Whether a tactic can start here."""
        text = self.texts[self.at]
        if self.kinds[self.at] is TokenKind.IDENT:
            return text != "_"
        return text in _PARSERS and text not in ("<;>", "<|>")

    def tactic(self) -> t.Tactic:
        """One tactic with its `<;>` and `<|>`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("maximum recursion depth has been reached")
        start = self.start
        tactic = self._plain()
        while True:
            if self.accept("<;>"):
                second = self._plain()
                tactic = t.AndThen(start, self.last_end, tactic, second)
            elif self.is_symbol("<|>"):
                self.at += 1
                other = self.tactic()
                left = t.TacticSeq(tactic.start, tactic.end, (tactic,))
                right = t.TacticSeq(other.start, other.end, (other,))
                tactic = t.First(start, self.last_end, (left, right))
            else:
                break
        self.depth -= 1
        return tactic

    def _plain(self) -> t.Tactic:
        start, word = self.start, self.text
        parse = _PARSERS.get(word)
        if parse is not None:
            return parse(self, start, word)
        if self.kinds[self.at] is TokenKind.IDENT and word != "_":
            if word in OTHERS or word.endswith(("?", "!")):
                return self._other(start, word)
            # Lean counts columns from 1 in this message alone, and so puts it behind the first letter.
            raise self.fail("unknown tactic", start)
        raise self.unexpected("tactic")

    def _other(self, start: int, word: str) -> t.Tactic:
        """Step over a foreign tactic: to the end of its line's block, or to a bracket that is not its own."""
        self.at += 1
        while self.kinds[self.at] is not None:
            text = self.texts[self.at]
            if text in OPENERS:
                close = self.closing(self.at)
                if close is None:
                    break
                self.at = close + 1
                continue
            ends = text in (")", "]", "}", "⟩", ";", "<;>", "<|>", "|") or (
                text == "," and word != "norm_num"
            )
            if ends or self.columns[self.at] <= self.column:
                break
            self.at += 1
        return t.TacticOther(start, self.last_end, word, self.source[start : self.last_end])

    # --- shapes --------------------------------------------------------------------------------

    def _simple(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        if word in ("decide", "omega", "rfl", "trivial", "infer_instance"):
            self.skip_config()
        elif self.is_symbol("at") and word in ("symm", "split", "subst_vars"):
            return self._other_from(start, word)
        return t.Simple(start, self.last_end, word)

    def _one_term(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        if word == "apply":
            self.skip_config()
        term = self.term()
        if word == "apply" and self.is_symbol("at"):
            return self._other_from(start, word)
        return t.WithTerms(start, self.last_end, word, (term,))

    def _other_from(self, start: int, word: str) -> t.Tactic:
        rest = self._other(start, word)
        return t.TacticOther(
            start, rest.end, f"{word} .. {self.source[self.last_end : rest.end]}".strip(), ""
        )

    def _term_list(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        if word == "subst":
            terms: list[s.Term] = []
            while self.columns[self.at] > self.column and self._starts_argument():
                terms.append(self.term(1024))
            if not terms:
                raise self.unexpected("term")
            return t.WithTerms(start, self.last_end, word, tuple(terms))
        return t.WithTerms(start, self.last_end, word, self.terms())

    def _some_names(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        names = self.names()
        if not names and word not in ("intros", "ext", "funext", "subst_vars", "rename_i"):
            raise self.unexpected("identifier")
        return t.WithNames(start, self.last_end, word, names)

    def _block(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        if word == "iterate" and self.kinds[self.at] is TokenKind.NUMBER:
            self.at += 1
        body = self.tactic_block()
        return t.Block(start, max(self.last_end, start + 1), "·" if word == "." else word, body)

    def _brackets(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        saved, self.column = self.column, -1
        body = self.tactic_block()
        self.expect(OPENERS[word])
        self.column = saved
        return t.Block(start, self.last_end, "(" if word == "(" else "{", body)

    def _first(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        saved, self.column = self.column, self.columns[self.at]
        alts: list[t.TacticSeq] = []
        while self.is_symbol("|") and self.columns[self.at] >= self.column:
            self.at += 1
            alts.append(self.tactic_block())
        self.column = saved
        if not alts:
            raise self.unexpected("'|'")
        return t.First(start, self.last_end, tuple(alts))

    def _case(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        tags: list[tuple[str, tuple[str, ...]]] = []
        if word == "next":
            tags.append(("_", self.names()))
        else:
            while True:
                tag = clean_name(self.binder_name())
                tags.append((tag, self.names()))
                if not self.accept("|"):
                    break
        self.expect("=>")
        body = self.tactic_block()
        return t.Case(start, self.last_end, word, tuple(tags), body)

    # --- introduction and case analysis --------------------------------------------------------

    def _intro(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        if self.is_symbol("|"):
            return t.IntroMatch(start, self.last_end, self.match_alts(tactics=True))
        patterns: list[s.Term] = []
        while self.columns[self.at] > self.column and self._starts_argument():
            patterns.append(self.intro_pattern())
        return t.Intro(start, self.last_end, tuple(patterns))

    def _rintro(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        patterns = self.patterns()
        if not patterns:
            raise self.unexpected("rintro pattern")
        return t.Rintro(start, self.last_end, patterns)

    def _cases(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        targets = self.discrs()
        using = self.term(1024) if self.accept("using") else None
        generalizing: tuple[str, ...] = ()
        if word == "induction" and self.accept("generalizing"):
            generalizing = self.names()
        alts: tuple[t.CaseAlt, ...] | None = None
        before: t.Tactic | None = None
        if self.is_symbol("with") or (self.is_symbol("|") and self.right_of_position()):
            self.accept("with")
            if not self.is_symbol("|") and self.starts_tactic():
                before = self.tactic()
            alts = self.case_alts()
        end = self.last_end
        if word == "cases":
            return t.Cases(start, end, targets, using, alts, before)
        return t.Induction(start, end, targets, using, generalizing, alts, before)

    def _cases_old(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        targets = self.discrs()
        names: tuple[str, ...] = ()
        generalizing: tuple[str, ...] = ()
        if self.accept("with"):
            names = self.names()
        if self.accept("generalizing"):
            generalizing = self.names()
        return t.CasesOld(start, self.last_end, word, targets, names, generalizing)

    def _rcases(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        targets = self.discrs()
        pattern = self.typed_pattern() if self.accept("with") else None
        return t.Rcases(start, self.last_end, targets, pattern)

    def _obtain(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        pattern = None if self.text in (":", ":=") else self.pattern()
        type_ = self.term() if self.accept(":") else None
        values = self.terms() if self.accept(":=") else ()
        if type_ is None and not values:
            raise self.unexpected("':' or ':='")
        return t.Obtain(start, self.last_end, pattern, type_, values)

    def _by_cases(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        name, prop = self.suffices_head()
        return t.ByCases(start, self.last_end, name, prop)

    def _by_contra(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        name = None
        if self.at_binder_name() and self.right_of_position():
            name = clean_name(self.binder_name())
        type_ = self.term() if self.accept(":") else None
        return t.ByContra(start, self.last_end, name, type_)

    def _match(self, start: int, word: str) -> t.Tactic:
        _, discrs = self.match_head()
        alts = self.match_alts(tactics=True)
        return t.MatchTactic(start, self.last_end, discrs, alts)

    # --- rewriting -----------------------------------------------------------------------------

    def _rw(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        self.skip_config()
        rules = self.rw_rules()
        location = self.location()
        return t.Rw(start, self.last_end, word, rules, location)

    def _simp(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        self.accept("!")
        self.skip_config()
        only = self.text == "only" and self.accept_word("only")
        args = self.simp_args()
        location = self.location()
        using = self.term() if word == "simpa" and self.accept("using") else None
        return t.Simp(start, self.last_end, word, only, args, location, using)

    def _unfold(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        names = self.names()
        if not names:
            raise self.unexpected("identifier")
        location = self.location()
        return t.Unfold(start, self.last_end, word, names, location)

    def _change(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        type_ = self.term()
        if self.accept("with"):
            return self._other_from(start, "change .. with")
        location = self.location()
        return t.Change(start, self.last_end, type_, location)

    # --- hypotheses ----------------------------------------------------------------------------

    def _have(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        if self.text == "rec":
            raise self.fail("not in the embedded fragment: let rec")
        decl = self.local_decl(need_value=word == "let")
        if word == "set" and self.accept("with"):
            return self._other_from(start, "set .. with")
        return t.HaveTactic(start, self.last_end, word, decl)

    def _calc(self, start: int, word: str) -> t.Tactic:
        calc = self.calc()
        return t.CalcTactic(start, self.last_end, calc)

    def _option_in(self, start: int, word: str) -> t.Tactic:
        self.at += 1
        first = self.at
        while not self.is_symbol("in"):
            if self.kinds[self.at] is None or (self.on_new_line() and self.columns[self.at] <= self.column):
                raise self.unexpected("'in'")
            self.at += 1
        text = self.source[self.starts[first] : self.last_end]
        self.at += 1
        body = self.tactic_block()
        return t.OptionIn(start, self.last_end, word, text, body)


_Parse = Callable[[TacticParser, int, str], t.Tactic]
_PARSERS: dict[str, _Parse] = {
    **dict.fromkeys(SIMPLE, TacticParser._simple),
    **dict.fromkeys(ONE_TERM, TacticParser._one_term),
    **dict.fromkeys(TERM_LIST, TacticParser._term_list),
    **dict.fromkeys(SOME_NAMES, TacticParser._some_names),
    **dict.fromkeys(BLOCKS, TacticParser._block),
    **dict.fromkeys(("(", "{"), TacticParser._brackets),
    **dict.fromkeys(("rw", "rewrite", "rwa", "erw"), TacticParser._rw),
    **dict.fromkeys(("simp", "simpa", "simp_all", "dsimp"), TacticParser._simp),
    **dict.fromkeys(("have", "let", "set", "haveI", "letI"), TacticParser._have),
    **dict.fromkeys(("cases", "induction"), TacticParser._cases),
    **dict.fromkeys(("cases'", "induction'"), TacticParser._cases_old),
    **dict.fromkeys(("case", "case'", "next"), TacticParser._case),
    **dict.fromkeys(("unfold", "delta"), TacticParser._unfold),
    **dict.fromkeys(("set_option", "open"), TacticParser._option_in),
    "intro": TacticParser._intro,
    "rintro": TacticParser._rintro,
    "rcases": TacticParser._rcases,
    "obtain": TacticParser._obtain,
    "by_cases": TacticParser._by_cases,
    "by_contra": TacticParser._by_contra,
    "match": TacticParser._match,
    "change": TacticParser._change,
    "suffices": TacticParser._suffices,
    "show": TacticParser._show,
    "generalize": TacticParser._generalize,
    "injection": TacticParser._injection,
    "rename": TacticParser._rename,
    "calc": TacticParser._calc,
    "first": TacticParser._first,
    "fail": TacticParser._fail,
}
