"""Syntax trees of tactics.

Tactics of one shape share a class and are told apart by `name`, so a table from name to function can
dispatch them. `TacticOther` is any word outside of the fragment.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.lean.core.syntax import Calc, Discr, LocalDecl, MatchAlt, SyntaxNode, Term


@dataclass(frozen=True, slots=True)
class Tactic(SyntaxNode):
    """Base of all tactics."""


@dataclass(frozen=True, slots=True)
class TacticSeq(SyntaxNode):
    """Tactics run one after the other."""

    tactics: tuple[Tactic, ...]


# --- parts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Location(SyntaxNode):
    """`at h₁ h₂ ⊢` or `at *`; no `Location` at all means the goal."""

    hyps: tuple[str, ...]
    goal: bool
    wildcard: bool = False


@dataclass(frozen=True, slots=True)
class RwRule(SyntaxNode):
    """`term` or `← term`."""

    term: Term
    symm: bool


@dataclass(frozen=True, slots=True)
class SimpArg(SyntaxNode):
    """`term`, `← term`, `- name` (`erase`) or `*` (`term` None)."""

    term: Term | None
    symm: bool = False
    erase: bool = False


@dataclass(frozen=True, slots=True)
class RcasesPat(SyntaxNode):
    """Base of the patterns of `rcases`, `obtain` and `rintro`."""


@dataclass(frozen=True, slots=True)
class PatName(RcasesPat):
    """A name; `_`, `rfl` (substitute) and `-` (clear) keep their meaning."""

    name: str


@dataclass(frozen=True, slots=True)
class PatTuple(RcasesPat):
    """`⟨p, q, ..⟩`."""

    items: tuple[RcasesPat, ...]


@dataclass(frozen=True, slots=True)
class PatAlts(RcasesPat):
    """`p | q | ..`."""

    items: tuple[RcasesPat, ...]


@dataclass(frozen=True, slots=True)
class PatTyped(RcasesPat):
    """`(p : type)`."""

    pat: RcasesPat
    type: Term


@dataclass(frozen=True, slots=True)
class CaseAlt(SyntaxNode):
    """`| ctor x y => rhs` of `cases` and `induction`: `ctors` has several for `| a | b => rhs`.

    `ctors` holds (constructor name or `_`, whether written `@ctor`, names of its arguments).
    `rhs` is the tactic block; a term hole (`_`, `?_`, `?x`) there leaves a goal and arrives as `hole`.
    """

    ctors: tuple[tuple[str, bool, tuple[str, ...]], ...]
    rhs: TacticSeq | None
    hole: Term | None = None


# --- plain shapes ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Simple(Tactic):
    """A word alone, `name`: assumption constructor left right rfl eq_refl exfalso contradiction trivial
    decide omega done skip sorry admit nofun symm split infer_instance and_intros.
    """

    name: str


@dataclass(frozen=True, slots=True)
class WithTerms(Tactic):
    """`name term, term`: exact apply refine refine' use exists absurd specialize subst show nomatch."""

    name: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class WithNames(Tactic):
    """`name x y ..`: intros clear revert rename_i."""

    name: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Intro(Tactic):
    """`intro p q ..`: identifiers, `_`, and patterns such as `⟨a, b⟩` or `(x : T)` as terms."""

    patterns: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class IntroMatch(Tactic):
    """`intro | p => tac | ...`; right sides are `By` terms."""

    alts: tuple[MatchAlt, ...]


@dataclass(frozen=True, slots=True)
class Rintro(Tactic):
    """`rintro p q ..`."""

    patterns: tuple[RcasesPat, ...]


# --- case analysis -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cases(Tactic):
    """`cases h : e, .. using r with | ctor x => ..`; `alts` None without `with`."""

    targets: tuple[Discr, ...]
    using: Term | None
    alts: tuple[CaseAlt, ...] | None
    before_alts: Tactic | None = None


@dataclass(frozen=True, slots=True)
class Induction(Tactic):
    """`induction x using r generalizing y z with | ctor n ih => ..`."""

    targets: tuple[Discr, ...]
    using: Term | None
    generalizing: tuple[str, ...]
    alts: tuple[CaseAlt, ...] | None
    before_alts: Tactic | None = None


@dataclass(frozen=True, slots=True)
class CasesOld(Tactic):
    """Mathlib's `cases' h with x y` and `induction' n with n ih generalizing ..`."""

    name: str
    targets: tuple[Discr, ...]
    names: tuple[str, ...]
    generalizing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rcases(Tactic):
    """`rcases h : e, .. with pat`; `pat` None without `with`."""

    targets: tuple[Discr, ...]
    pattern: RcasesPat | None


@dataclass(frozen=True, slots=True)
class Obtain(Tactic):
    """`obtain pat : type := values`; any part may be missing."""

    pattern: RcasesPat | None
    type: Term | None
    values: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class ByCases(Tactic):
    """`by_cases name : prop` (`name` None means `h`)."""

    name: str | None
    prop: Term


@dataclass(frozen=True, slots=True)
class ByContra(Tactic):
    """`by_contra name : type`."""

    name: str | None
    type: Term | None


@dataclass(frozen=True, slots=True)
class MatchTactic(Tactic):
    """`match e with | p => tac`; right sides are `By` terms (or holes)."""

    discrs: tuple[Discr, ...]
    alts: tuple[MatchAlt, ...]


# --- rewriting ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rw(Tactic):
    """`rw [..] at ..`; `name` is rw, rewrite (no `rfl` after), rwa (`assumption` after) or erw."""

    name: str
    rules: tuple[RwRule, ...]
    location: Location | None


@dataclass(frozen=True, slots=True)
class Simp(Tactic):
    """`simp only [..] at ..`; `name` is simp, simp_all, dsimp or simpa; `using` for `simpa using e`."""

    name: str
    only: bool
    args: tuple[SimpArg, ...]
    location: Location | None
    using: Term | None = None


@dataclass(frozen=True, slots=True)
class Unfold(Tactic):
    """`unfold f g at ..`, `delta f`."""

    name: str
    names: tuple[str, ...]
    location: Location | None


@dataclass(frozen=True, slots=True)
class Change(Tactic):
    """`change type at ..`."""

    type: Term
    location: Location | None


# --- hypotheses --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HaveTactic(Tactic):
    """`have decl` or (`name` = let, set, haveI ...) `let decl`; without a value the type becomes a goal."""

    name: str
    decl: LocalDecl


@dataclass(frozen=True, slots=True)
class SufficesTactic(Tactic):
    """`suffices name : type from value` (`by` as a `By`); without `value` both goals stay."""

    name: str | None
    type: Term
    value: Term | None


@dataclass(frozen=True, slots=True)
class Generalize(Tactic):
    """`generalize h : e = x`; each item is (h or None, e, x)."""

    items: tuple[tuple[str | None, Term, str], ...]
    location: Location | None


@dataclass(frozen=True, slots=True)
class Injection(Tactic):
    """`injection e with h₁ h₂`."""

    term: Term
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rename(Tactic):
    """`rename type => name`."""

    type: Term
    new: str


# --- combinators -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block(Tactic):
    """`name body`: `·` (also for `.`), `(`, try, repeat, repeat', repeat1, all_goals, any_goals, focus."""

    name: str
    body: TacticSeq


@dataclass(frozen=True, slots=True)
class AndThen(Tactic):
    """`first <;> second`; `first <;> [a; b]` is outside of the fragment."""

    first: Tactic
    second: Tactic


@dataclass(frozen=True, slots=True)
class First(Tactic):
    """`first | a | b`; also `a <|> b`."""

    alts: tuple[TacticSeq, ...]


@dataclass(frozen=True, slots=True)
class Case(Tactic):
    """`case tag x y => tacs`; `next x y => tacs` has no tags; `name` is case, case' or next.

    `tags` holds (tag or `_`, names for its inaccessible hypotheses).
    """

    name: str
    tags: tuple[tuple[str, tuple[str, ...]], ...]
    body: TacticSeq


@dataclass(frozen=True, slots=True)
class CalcTactic(Tactic):
    """`calc` steps as a tactic."""

    calc: Calc


@dataclass(frozen=True, slots=True)
class Fail(Tactic):
    """`fail "message"`."""

    message: str | None


@dataclass(frozen=True, slots=True)
class OptionIn(Tactic):
    """`set_option name value in tacs` and `open Name in tacs`: `name` the first word, `text` what it sets."""

    name: str
    text: str
    body: TacticSeq


@dataclass(frozen=True, slots=True)
class TacticOther(Tactic):
    """A tactic outside of the fragment: `name` its first word, `text` its whole source."""

    name: str
    text: str
