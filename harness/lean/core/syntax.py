"""Syntax trees of Lean terms: frozen, slotted, every node with its source span.

`start` and `end` are code-point offsets into the text that was parsed (`end` exclusive). The trees of
tactics and of commands stand in `syntax_tactics` and `syntax_commands`; all three are plain data with no
meaning of their own, made by the parser and read by the elaborator.

Parentheses leave no node. Sections `(· + 1)` arrive as `Fun` over names that no source can spell (`x✝1`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from harness.lean.core.syntax_base import LevelAdd, LevelExpr, LevelMax, LevelName, LevelNum, SyntaxNode, Term

# The base is part of this module's face; everything else below is exported by being here.
__all__ = ["LevelAdd", "LevelExpr", "LevelMax", "LevelName", "LevelNum", "SyntaxNode", "Term"]

# --- binders -----------------------------------------------------------------------------------


class BinderKind(Enum):
    """How an argument is supplied."""

    EXPLICIT = "()"
    IMPLICIT = "{}"
    STRICT = "⦃⦄"
    INSTANCE = "[]"


@dataclass(frozen=True, slots=True)
class BinderPred(SyntaxNode):
    """The bound of `∀ x ∈ l, p` or `∃ n > 0, p`: `op` is one of ∈ ∉ < ≤ > ≥ ≠ ⊆, `bound` its right side."""

    op: str
    bound: Term


@dataclass(frozen=True, slots=True)
class Binder(SyntaxNode):
    """One bound variable; a group `(a b : T)` arrives as one `Binder` per name, in order.

    `name` is `_` for an anonymous one. `pattern` is set for `fun ⟨a, b⟩ => ..` (then `name` is `_`).
    `default` is the value of `(x : T := v)`.
    """

    name: str
    type: Term | None
    kind: BinderKind = BinderKind.EXPLICIT
    pattern: Term | None = None
    pred: BinderPred | None = None
    default: Term | None = None


# --- atoms -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ident(Term):
    """A name with its dots, unresolved: `h.left` may be a constant or a projection of the local `h`.

    `explicit` for `@name`; `levels` for `name.{u, v}`. Name parts lose the quotes «» unless they hold a dot.
    """

    name: str
    explicit: bool = False
    levels: tuple[LevelExpr, ...] | None = None


@dataclass(frozen=True, slots=True)
class DotIdent(Term):
    """`.name`: resolved in the namespace of the expected type."""

    name: str


@dataclass(frozen=True, slots=True)
class Hole(Term):
    """`_`: to be found by unification."""


@dataclass(frozen=True, slots=True)
class SyntheticHole(Term):
    """`?_` (`name` None) or `?x`: becomes a new goal under `refine` and `apply`."""

    name: str | None


@dataclass(frozen=True, slots=True)
class NumLit(Term):
    """A natural number literal."""

    value: int


@dataclass(frozen=True, slots=True)
class StrLit(Term):
    """A string literal, decoded."""

    value: str


@dataclass(frozen=True, slots=True)
class CharLit(Term):
    """A character literal, decoded."""

    value: str


@dataclass(frozen=True, slots=True)
class SortTerm(Term):
    """`Prop`, `Type`, `Type u`, `Sort u`: `kind` is the keyword, `level` what follows it."""

    kind: str
    level: LevelExpr | None


@dataclass(frozen=True, slots=True)
class SorryTerm(Term):
    """`sorry` as a term."""


@dataclass(frozen=True, slots=True)
class TermOther(Term):
    """Syntax outside of the fragment: `what` is the word or symbol that says so, `text` its source."""

    what: str
    text: str


# --- application and operators -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NamedArg(SyntaxNode):
    """`(name := value)` in an application."""

    name: str
    value: Term


@dataclass(frozen=True, slots=True)
class App(Term):
    """`fn a b (n := c) ..`: `args` in source order, `ellipsis` when it ends in `..`."""

    fn: Term
    args: tuple[Term | NamedArg, ...]
    ellipsis: bool = False


@dataclass(frozen=True, slots=True)
class Proj(Term):
    """`target.field`, also after `|>.`: `field` is a number (`"1"`) or a name (`"left"`).

    Only where `target` is no plain identifier or `field` is a number; `h.left` is an `Ident`.
    """

    target: Term
    field: str


@dataclass(frozen=True, slots=True)
class BinOp(Term):
    """`lhs op rhs` for a notation of the table in `operators`; `f <| x`, `x |> f`, `f $ x` are `App`."""

    op: str
    lhs: Term
    rhs: Term


@dataclass(frozen=True, slots=True)
class PrefixOp(Term):
    """`¬ p`, `-x`, `!b`, `↑x`, ..."""

    op: str
    arg: Term


@dataclass(frozen=True, slots=True)
class PostfixOp(Term):
    """`x⁻¹`, `n !`, ..."""

    op: str
    arg: Term


@dataclass(frozen=True, slots=True)
class Arrow(Term):
    """`domain → codomain`, not dependent."""

    domain: Term
    codomain: Term


@dataclass(frozen=True, slots=True)
class Pi(Term):
    """`∀ binders, body` and `(x : A) → body`."""

    binders: tuple[Binder, ...]
    body: Term


@dataclass(frozen=True, slots=True)
class BinderOp(Term):
    """`∃ binders, body`; also `∃!` and whatever else binds this way: see `op`."""

    op: str
    binders: tuple[Binder, ...]
    body: Term


# --- structured terms --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fun(Term):
    """`fun binders => body`."""

    binders: tuple[Binder, ...]
    body: Term


@dataclass(frozen=True, slots=True)
class MatchAlt(SyntaxNode):
    """`| p, q | p', q' => rhs`: `patterns` holds the alternatives, each with one pattern per scrutinee."""

    patterns: tuple[tuple[Term, ...], ...]
    rhs: Term


@dataclass(frozen=True, slots=True)
class FunMatch(Term):
    """`fun | p => e | ...`."""

    alts: tuple[MatchAlt, ...]


@dataclass(frozen=True, slots=True)
class Discr(SyntaxNode):
    """A scrutinee of `match` or a target of `cases`: `name : term`."""

    name: str | None
    term: Term


@dataclass(frozen=True, slots=True)
class Match(Term):
    """`match discrs with alts`."""

    discrs: tuple[Discr, ...]
    alts: tuple[MatchAlt, ...]
    motive: Term | None = None


@dataclass(frozen=True, slots=True)
class LocalDecl(SyntaxNode):
    """What `let` and `have` bind: `name binders : type := value`, or `pattern := value`.

    `name` None in `have : T := v` means `this`. `value` is None where a tactic `have` leaves a goal.
    `alts` instead of `value` for `have f : T | p => e`.
    """

    name: str | None
    binders: tuple[Binder, ...]
    type: Term | None
    value: Term | None
    pattern: Term | None = None
    alts: tuple[MatchAlt, ...] = ()


@dataclass(frozen=True, slots=True)
class Let(Term):
    """`let decl; body`."""

    decl: LocalDecl
    body: Term


@dataclass(frozen=True, slots=True)
class Have(Term):
    """`have decl; body`."""

    decl: LocalDecl
    body: Term


@dataclass(frozen=True, slots=True)
class Suffices(Term):
    """`suffices name : type from value; body` (`value` a `By` for `by`); `value` proves the expected type."""

    name: str | None
    type: Term
    value: Term
    body: Term


@dataclass(frozen=True, slots=True)
class Show(Term):
    """`show type from value`, `show type by ..`."""

    type: Term
    value: Term


@dataclass(frozen=True, slots=True)
class If(Term):
    """`if name : cond then yes else no`."""

    name: str | None
    cond: Term
    yes: Term
    no: Term


@dataclass(frozen=True, slots=True)
class AnonymousCtor(Term):
    """`⟨a, b, ..⟩`."""

    items: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class StructInst(Term):
    """`{ left := a, right := b }`."""

    fields: tuple[NamedArg, ...]


@dataclass(frozen=True, slots=True)
class ListLit(Term):
    """`[a, b, ..]`."""

    items: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class TupleTerm(Term):
    """`(a, b, ..)`, and `()` with no items."""

    items: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Ascription(Term):
    """`(term : type)`; `type` None for `(term :)`."""

    term: Term
    type: Term | None


@dataclass(frozen=True, slots=True)
class TypeOf(Term):
    """`type_of% term`."""

    term: Term


@dataclass(frozen=True, slots=True)
class AssumptionTerm(Term):
    """`‹type›`: a hypothesis of that type."""

    type: Term


@dataclass(frozen=True, slots=True)
class NoMatch(Term):
    """`nomatch a, b`; `nofun` has no arguments."""

    args: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class CalcStep(SyntaxNode):
    """One step `relation := proof`; the first may lack its proof (`calc a` followed by `_ = b := ..`)."""

    relation: Term
    proof: Term | None


@dataclass(frozen=True, slots=True)
class Calc(Term):
    """`calc` with its steps."""

    steps: tuple[CalcStep, ...]


@dataclass(frozen=True, slots=True)
class By(Term):
    """`by tactics`; `body` is a `syntax_tactics.TacticSeq`, typed as its base to keep this module a leaf."""

    body: SyntaxNode
