# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""rcases, obtain, rintro, and `have` with a pattern: a value taken apart as the pattern says."""

from __future__ import annotations

from collections.abc import Sequence

from harness.lean.core import syntax as S
from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.elab_terms import equation_parts
from harness.lean.core.tactics.applying import elab_closed
from harness.lean.core.tactics.casework import case_split, cases_equation, enter, target_term
from harness.lean.core.tactics.constructors import family
from harness.lean.core.tactics.engine import main_goal, tactic
from harness.lean.core.tactics.goals import (
    assert_have,
    change_local,
    intro_many,
    rename,
    substitute,
    tactic_error,
    try_clear,
)
from harness.lean.core.term import Expr, FVar, MVar


def apply_patterns(elab: Elab, goal: MVar, pats: Sequence[T.RcasesPat | str | None]) -> list[MVar]:
    """Introduce one variable per pattern and take it apart; a string names, None hides."""
    if not pats:
        return [goal]
    first, rest = pats[0], pats[1:]
    name = first if isinstance(first, str) else None
    pat = first if isinstance(first, T.RcasesPat) else None
    if isinstance(pat, T.PatName) and pat.name not in ("_", "rfl", "-"):
        name, pat = pat.name, None
    elif isinstance(pat, T.PatName) and pat.name == "_":
        pat = None
    (v,), goal = intro_many(elab, goal, [name])
    if pat is None:
        return apply_patterns(elab, goal, rest)
    out: list[MVar] = []
    for g in destruct(elab, goal, v, pat, len(rest)):
        out += apply_patterns(elab, g, rest)
    return out


def destruct(elab: Elab, goal: MVar, v: FVar, pat: T.RcasesPat, pending: int = 0) -> list[MVar]:
    """Take v apart by a pattern; the goal may still bind `pending` further variables."""
    elab.lctx = goal.lctx
    if isinstance(pat, T.PatTyped):
        want = elab.finish(elab.type_(pat.type))
        if not elab.unify(v.type, want):
            raise elab.fail(
                pat,
                f"Type mismatch\n  {elab.show(v)}\nhas type\n  {elab.show(v.type)}\nbut is expected to have type\n  {elab.show(want)}",  # noqa: E501
            )
        v, goal = change_local(elab, goal, v, elab.inst(want), None)
        return destruct(elab, goal, v, pat.pat, pending)
    if isinstance(pat, T.PatName):
        if pat.name == "_":
            return [goal]
        if pat.name == "-":
            return [try_clear(elab, goal, v)]
        if pat.name == "rfl":
            return _destruct_rfl(elab, goal, v)
        return [rename(elab, goal, [(v, pat.name)])]
    if isinstance(pat, T.PatAlts) and len(pat.items) == 1:
        return destruct(elab, goal, v, pat.items[0], pending)
    if isinstance(pat, T.PatTuple) and len(pat.items) == 1 and not _splits(elab, v):
        return destruct(elab, goal, v, pat.items[0], pending)
    if equation_parts(elab, v.type) is not None and isinstance(pat, T.PatTuple) and not pat.items:
        return _destruct_rfl(elab, goal, v)
    branches = case_split(elab, goal, v)
    alts = list(pat.items) if isinstance(pat, T.PatAlts) else [pat]
    total = len(list(branches))
    out: list[MVar] = []
    for k, b in enumerate(branches):
        mine: T.RcasesPat | None = None
        if k < len(alts):
            mine = alts[k]
            if k == total - 1 and len(alts) > total:
                mine = T.PatAlts(pat.start, pat.end, tuple(alts[k:]))
        given = _field_patterns(mine, sum([kind != "h" for kind in b.kinds]))
        fields: list[T.RcasesPat | None] = []
        for kind in b.kinds:
            pat_k = None if kind == "h" else given.pop(0)
            if kind != "g":
                fields.append(pat_k)
        out += apply_patterns(elab, b.goal, [*fields, *b.moved])
    return out


def _splits(elab: Elab, v: FVar) -> bool:
    found = family(elab, v.type)
    if found is None:
        return False
    ctor = elab.kenv.get(found[0].ctors[0]) if len(found[0].ctors) == 1 else None
    return ctor is not None and ctor.nfields >= 1 and found[0].name != "Eq"


def _destruct_rfl(elab: Elab, goal: MVar, v: FVar) -> list[MVar]:
    new = substitute(elab, goal, v)
    if new is not None:
        return [new]
    if equation_parts(elab, v.type) is None:
        raise tactic_error(elab, goal, "subst", f"`{v.name}` is not an equation")
    return [enter(elab, b, ()) for b in cases_equation(elab, goal, v)]


def _field_patterns(pat: T.RcasesPat | None, n: int) -> list[T.RcasesPat | None]:
    if pat is None or n == 0:
        return [None] * n
    if isinstance(pat, T.PatTuple):
        items: list[T.RcasesPat | None] = list(pat.items)
        if len(items) > n:
            last = T.PatTuple(pat.start, pat.end, tuple(pat.items[n - 1 :]))
            items = [*items[: n - 1], last]
        return items + [None] * (n - len(items))
    return [pat, *[None] * (n - 1)] if n == 1 else [pat] + [None] * (n - 1)


def start_pattern(elab: Elab, goal: MVar, e: Expr, pat: T.RcasesPat | None) -> list[MVar]:
    """rcases on a term: a local variable directly, anything else through a new hypothesis."""
    if isinstance(e, FVar) and any([w is e for w in goal.lctx]):
        v = e
    else:
        v, goal = assert_have(elab, goal, "x✝", elab.inst(elab.infer(e)), e)
    if pat is None:
        pat = T.PatTuple(0, 0, ())
    return destruct(elab, goal, v, pat)


@tactic(T.Rcases)
def _rcases(elab: Elab, node: T.Rcases) -> None:
    goal = main_goal(elab)
    rest = elab.goals[1:]
    if len(node.targets) != 1:
        raise elab.outside(node, "rcases with several targets")
    d = node.targets[0]
    e = target_term(elab, d.term)
    elab.goals = [*start_pattern(elab, goal, e, node.pattern), *rest]


@tactic(T.Obtain)
def _obtain(elab: Elab, node: T.Obtain) -> None:
    goal = main_goal(elab)
    rest = elab.goals[1:]
    type_ = elab.finish(elab.type_(node.type)) if node.type is not None else None
    if not node.values:
        if type_ is None:
            raise LeanError("`obtain` requires either an expected type or a value.")
        first = MVar(type_, goal.lctx, "g")
        elab.goals = [first, *start_pattern(elab, goal, first, node.pattern), *rest]
        return
    if len(node.values) > 1:
        raise elab.outside(node, "obtain with several values")
    value = node.values[0]
    if type_ is None:
        e = target_term(elab, value)
    else:
        e = elab_closed(elab, value, type_)
        v, goal = assert_have(elab, goal, "x✝", type_, e)
        e = v
    elab.goals = [*start_pattern(elab, goal, e, node.pattern or T.PatName(0, 0, "this")), *rest]


@tactic(T.Rintro)
def _rintro(elab: Elab, node: T.Rintro) -> None:
    goal = main_goal(elab)
    rest = elab.goals[1:]
    elab.goals = [*apply_patterns(elab, goal, node.patterns), *rest]


def have_pattern(elab: Elab, goal: MVar, d: S.LocalDecl) -> None:
    """`have ⟨x, h⟩ := e`."""
    if d.value is None or d.pattern is None:
        raise LeanError("a value is missing")
    rest = elab.goals[1:]
    expected = elab.finish(elab.type_(d.type)) if d.type is not None else None
    e = elab_closed(elab, d.value, expected)
    v, goal = assert_have(elab, goal, "x✝", elab.inst(elab.infer(e)), e)
    elab.goals = [*destruct(elab, goal, v, term_pattern(elab, d.pattern)), *rest]


def term_pattern(elab: Elab, node: S.Term) -> T.RcasesPat:
    """A pattern written as a term: names (each once, unlike in `obtain`) and ⟨..⟩; `.inl x` is beyond it."""
    names = [name for name in _names_in(node) if name != "_"]
    for name in names:
        if names.count(name) > 1:
            raise elab.fail(node, f"Invalid pattern variable: Variable name `{name}` was already used")
    return _as_rcases(elab, node)


def _names_in(node: S.Term) -> list[str]:
    if isinstance(node, S.Ident):
        return [node.name]
    if isinstance(node, S.AnonymousCtor):
        return [name for item in node.items for name in _names_in(item)]
    return _names_in(node.term) if isinstance(node, S.Ascription) else []


def _as_rcases(elab: Elab, node: S.Term) -> T.RcasesPat:
    if isinstance(node, S.Ident):
        return T.PatName(node.start, node.end, node.name)
    if isinstance(node, S.Hole):
        return T.PatName(node.start, node.end, "_")
    if isinstance(node, S.AnonymousCtor):
        return T.PatTuple(node.start, node.end, tuple([_as_rcases(elab, x) for x in node.items]))
    if isinstance(node, S.Ascription) and node.type is not None:
        return T.PatTyped(node.start, node.end, _as_rcases(elab, node.term), node.type)
    raise elab.outside(node, "this pattern")
