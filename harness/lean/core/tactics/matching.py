# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""match, fun with alternatives, nomatch: compiled to case analysis, which the kernel then checks.

Alternatives are tried in order: the first column that some alternative takes apart is split by `cases`, and
what remains of each alternative goes on in each branch. Recursive calls are outside of the fragment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.lean.core import syntax as S
from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.rewriting import abstract_occurrences
from harness.lean.core.tactics.casework import case_split, target_term
from harness.lean.core.tactics.constructors import family
from harness.lean.core.tactics.engine import main_goal, run_focused, tactic
from harness.lean.core.tactics.goals import intro_many, new_goal, rename, substitute
from harness.lean.core.term import Const, Expr, FVar, MVar, Pi, Sort, bind_pi, mk_app, mk_apps


@dataclass(frozen=True, slots=True)
class MatchRow:
    """One alternative: patterns still to be met (None once met), names already bound, its right side."""

    patterns: tuple[S.Term | None, ...]
    rhs: S.Term


def elab_match(elab: Elab, node: S.Term, expected: Expr | None) -> Expr:
    """A match as a term: a goal for the expected type, closed by case analysis."""
    want = expected if expected is not None else elab.hole(Sort(elab.fresh_level()))
    goal = elab.hole(want, "g")
    saved = (elab.lctx, elab.goals)
    try:
        if isinstance(node, S.NoMatch) and not node.args:
            _nofun(elab, goal, node)
        elif isinstance(node, S.NoMatch):
            for a in node.args:
                if case_split(elab, goal, target_term(elab, a)):
                    raise elab.fail(node, "missing cases")
        elif isinstance(node, S.FunMatch):
            _fun_match(elab, goal, node)
        else:
            assert isinstance(node, S.Match)
            if node.motive is not None:
                raise elab.outside(node, "match with a motive")
            match_goal(elab, goal, node.discrs, node.alts, node)
    finally:
        elab.lctx, elab.goals = saved
    return elab.inst(goal)


def _nofun(elab: Elab, goal: MVar, node: S.SyntaxNode) -> None:
    from harness.lean.core.tactics.engine import TACTICS

    elab.goals = [goal]
    TACTICS["nofun"](elab, T.Simple(node.start, node.end, "nofun"))


def _fun_match(elab: Elab, goal: MVar, node: S.FunMatch) -> None:
    n = len(node.alts[0].patterns[0]) if node.alts else 1
    vs, goal = intro_many(elab, goal, [None] * n)
    rows = _rows(node.alts, n, elab)
    _compile(elab, goal, list(vs), rows, node)


def _rows(alts: Sequence[S.MatchAlt], n: int, elab: Elab) -> list[MatchRow]:
    out = []
    for a in alts:
        for patterns in a.patterns:
            if len(patterns) != n:
                raise elab.fail(a, "Incorrect number of patterns")
            out.append(MatchRow(tuple(patterns), a.rhs))
    return out


def match_goal(
    elab: Elab, goal: MVar, discrs: Sequence[S.Discr], alts: Sequence[S.MatchAlt], node: S.SyntaxNode
) -> None:
    """Close a goal by `match discrs with alts`."""
    elab.lctx = goal.lctx
    vs: list[FVar] = []
    for d in discrs:
        elab.lctx = goal.lctx
        e = target_term(elab, d.term)
        type_ = elab.inst(elab.infer(e))
        x = FVar("x✝", type_)
        body = elab.inst(goal.type) if elab.is_prop(type_) else abstract_occurrences(elab, goal.type, e, x)
        binders = [x]
        values: list[Expr] = [e]
        names: list[str | None] = [None]
        if d.name is not None and d.name != "_":
            level = elab.sort_of(type_)
            binders.append(FVar(d.name, mk_app(Const("Eq", (level,)), type_, e, x)))
            values.append(mk_app(Const("Eq.refl", (level,)), type_, e))
            names.append(d.name)
        sub = new_goal(goal, bind_pi(binders, body))
        elab.set(goal, mk_apps(sub, values))
        new, goal = intro_many(elab, sub, names)
        vs.append(new[0])
    _compile(elab, goal, vs, _rows(alts, len(discrs), elab), node)


def _compile(elab: Elab, goal: MVar, vs: list[FVar], rows: list[MatchRow], node: S.SyntaxNode) -> None:
    elab.tick()
    if not rows:
        for v in vs:
            if family(elab, v.type) is not None and _impossible(elab, goal, v):
                return
        raise elab.fail(node, "Missing cases")
    first = rows[0]
    for k, p in enumerate(first.patterns):
        if p is None:
            continue
        if _is_variable(elab, p):
            continue
        _split_column(elab, goal, vs, rows, k, node)
        return
    _leaf(elab, goal, vs, first)


def _impossible(elab: Elab, goal: MVar, v: FVar) -> bool:
    from harness.lean.core.tactics.engine import attempt

    def run() -> None:
        if case_split(elab, goal, v):
            raise LeanError("missing cases")

    return attempt(elab, run) is None


def _leaf(elab: Elab, goal: MVar, vs: list[FVar], row: MatchRow) -> None:
    pairs = [
        (v, p.name)
        for v, p in zip(vs, row.patterns, strict=True)
        if isinstance(p, S.Ident) and v is not None and p.name != "_"
    ]
    if pairs:
        goal = rename(elab, goal, pairs)
    elab.lctx = goal.lctx
    rhs = row.rhs
    if isinstance(rhs, S.By):
        run_focused(elab, [goal], rhs.body, rhs)
        return
    value = elab.finish(elab.typed(rhs, goal.type))
    elab.set(goal, value)


def _is_variable(elab: Elab, p: S.Term) -> bool:
    if isinstance(p, S.Hole):
        return True
    if isinstance(p, S.Ident) and "." not in p.name and p.name != "rfl":
        full = elab.resolve(p.name)
        c = elab.kenv.get(full) if full is not None else None
        return c is None or c.kind != "ctor"
    return False


def _split_column(
    elab: Elab, goal: MVar, vs: list[FVar], rows: list[MatchRow], k: int, node: S.SyntaxNode
) -> None:
    v = vs[k]
    elab.lctx = goal.lctx
    if isinstance(rows[0].patterns[k], S.Ident) and rows[0].patterns[k].name == "rfl":  # type: ignore[union-attr]
        new = substitute(elab, goal, v)
        if new is None:
            raise elab.fail(node, "this `rfl` pattern cannot be used up")
        rest = [MatchRow(r.patterns[:k] + r.patterns[k + 1 :], r.rhs) for r in rows]
        _compile(elab, new, _found(new, vs[:k] + vs[k + 1 :]), rest, node)
        return
    marks = [f"✝{i}" for i in range(len(vs))]
    goal = rename(elab, goal, [(w, marks[i]) for i, w in enumerate(vs)])
    named = {w.name: w for w in goal.lctx}
    branches = case_split(elab, goal, named[marks[k]])
    for b in branches:
        field_marks = [f"✝{k}.{j}" for j in range(b.nfields)]
        _, g = intro_many(elab, b.goal, [*field_marks, *b.moved])
        found = {w.name: w for w in g.lctx}
        columns: list[FVar] = []
        keep: list[int] = []
        for i, m in enumerate(marks):
            if i == k:
                columns += [found[f] for f in field_marks]
                keep.append(i)
            elif m in found:
                columns.append(found[m])
                keep.append(i)
        kept: list[MatchRow] = []
        for r in rows:
            parts = _match_ctor(elab, r.patterns[k], b.ctor, b.kinds)
            if parts is None:
                continue
            new_patterns: list[S.Term | None] = []
            for i in keep:
                new_patterns += parts if i == k else [r.patterns[i]]
            bound = r.patterns[k]
            if isinstance(bound, S.Ident) and _is_variable(elab, bound) and bound.name != "_":
                raise elab.outside(bound, "a match where a name stands beside constructors")
            kept.append(MatchRow(tuple(new_patterns), r.rhs))
        _compile(elab, g, columns, kept, node)


def _found(goal: MVar, vs: Sequence[FVar]) -> list[FVar]:
    names = {w.name: w for w in goal.lctx}
    return [w if any([w is x for x in goal.lctx]) else names[w.name] for w in vs]


def _match_ctor(elab: Elab, p: S.Term | None, ctor: str, kinds: str) -> list[S.Term | None] | None:
    """The patterns for the fields of `ctor`, or None when p excludes it."""
    n = sum([k != "g" for k in kinds])
    if p is None or _is_variable(elab, p):
        return [None] * n
    if isinstance(p, S.NumLit):
        if ctor == "zero":
            return [] if p.value == 0 else None
        return [S.NumLit(p.start, p.end, p.value - 1)] if p.value else None
    if isinstance(p, S.AnonymousCtor):
        items: list[S.Term | None] = list(p.items)
        shown = sum([k != "h" for k in kinds])
        if len(items) > shown > 0:
            items = [*items[: shown - 1], S.AnonymousCtor(p.start, p.end, tuple(p.items[shown - 1 :]))]
        return _spread(items, kinds)
    if isinstance(p, S.ListLit):
        if not p.items:
            return [] if ctor == "nil" else None
        rest = S.ListLit(p.start, p.end, p.items[1:])
        return [p.items[0], rest] if ctor == "cons" else None
    if isinstance(p, S.TupleTerm) and len(p.items) == 2:
        return [p.items[0], p.items[1]]
    if isinstance(p, S.BinOp):
        if p.op == "::":
            return [p.lhs, p.rhs] if ctor == "cons" else None
        if p.op == "+" and isinstance(p.rhs, S.NumLit) and p.rhs.value > 0:
            if ctor != "succ":
                return None
            less = p.rhs.value - 1
            return [
                p.lhs
                if less == 0
                else S.BinOp(p.start, p.end, "+", p.lhs, S.NumLit(p.rhs.start, p.rhs.end, less))
            ]
    if isinstance(p, S.Ascription):
        return _match_ctor(elab, p.term, ctor, kinds)
    fn, args = (p.fn, list(p.args)) if isinstance(p, S.App) else (p, [])
    name = fn.name if isinstance(fn, (S.Ident, S.DotIdent)) else None
    if name is None:
        raise elab.outside(p, "this pattern")
    if name.rpartition(".")[2] != ctor:
        return None
    if any([isinstance(a, S.NamedArg) for a in args]):
        raise elab.outside(p, "named arguments in patterns")
    return _spread([a for a in args if isinstance(a, S.Term)], kinds)


def _spread(items: Sequence[S.Term | None], kinds: str) -> list[S.Term | None]:
    left = list(items)
    out: list[S.Term | None] = []
    for kind in kinds:
        if kind == "h":
            out.append(None)
            continue
        item = left.pop(0) if left else None
        if kind != "g":
            out.append(item)
    return out


@tactic(T.MatchTactic)
def _match_tactic(elab: Elab, node: T.MatchTactic) -> None:
    goal = main_goal(elab)
    rest = elab.goals[1:]
    match_goal(elab, goal, node.discrs, node.alts, node)
    elab.goals = rest


@tactic(T.IntroMatch)
def _intro_match(elab: Elab, node: T.IntroMatch) -> None:
    goal = main_goal(elab)
    rest = elab.goals[1:]
    _fun_match(elab, goal, S.FunMatch(node.start, node.end, node.alts))
    elab.goals = rest


def intro_pattern(elab: Elab, node: T.Intro, pattern: S.Term, rest: tuple[S.Term, ...]) -> None:
    """`intro ⟨a, b⟩ ...`: by the patterns of rcases."""
    from harness.lean.core.tactics.patterns import apply_patterns, term_pattern

    goal = main_goal(elab)
    others = elab.goals[1:]
    goals = apply_patterns(elab, goal, [term_pattern(elab, p) for p in (pattern, *rest)])
    elab.goals = [*goals, *others]


__all__ = ["Pi", "elab_match", "intro_pattern", "match_goal"]
