"""Closing tactics and classical reasoning: rfl, assumption, contradiction, trivial, by_contra, by_cases."""

from __future__ import annotations

from functools import partial

from harness.lean.core import syntax as S
from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.elab_terms import equation_parts
from harness.lean.core.level import Level
from harness.lean.core.tactics.applying import apply_term, elab_closed, inductive_target
from harness.lean.core.tactics.constructors import as_constructor, no_confusion
from harness.lean.core.tactics.engine import attempt, main_goal, tactic
from harness.lean.core.tactics.goals import intro_binder, intro_many, new_goal, replace_main, tactic_error
from harness.lean.core.term import (
    HAS_MVAR,
    PROP,
    App,
    Const,
    Expr,
    FVar,
    Lam,
    MVar,
    Pi,
    head,
    head_args,
    mk_app,
    mk_apps,
    same,
)


# ---------------------------------------------------------------- rfl
def relation(elab: Elab, type_: Expr) -> tuple[str, list[Expr], tuple[Level, ...]] | None:
    """Head constant, arguments and levels of a relation, reducible definitions unfolded."""
    fn, args = head_args(elab.whnf_reducible(elab.inst(type_)))
    return (fn.name, args, fn.levels) if isinstance(fn, Const) else None


def close_by_rfl(elab: Elab, goal: MVar) -> bool:
    """Close `a = a`, `p ↔ p`, `n ≤ n` and what is so by computation."""
    rel = relation(elab, goal.type)
    if rel is None:
        return False
    name, args, levels = rel
    if name == "Eq" and len(args) == 3:
        if elab.unify(args[1], args[2]):
            elab.set(goal, mk_app(Const("Eq.refl", levels), args[0], args[1]))
            return True
    elif name == "Iff" and len(args) == 2:
        if elab.unify(args[0], args[1]):
            elab.set(goal, App(Const("Iff.refl"), args[0]))
            return True
    elif name == "Nat.le" and len(args) == 2 and elab.unify(args[0], args[1]):
        elab.set(goal, App(Const("Nat.le.refl"), args[0]))
        return True
    return False


@tactic("rfl", "eq_refl")
def _rfl(elab: Elab, node: T.Simple) -> None:
    goal = main_goal(elab)
    if close_by_rfl(elab, goal):
        return
    rel = relation(elab, goal.type)
    if rel is not None and rel[0] in ("Eq", "Iff", "Nat.le"):
        a, b = rel[1][-2], rel[1][-1]
        raise tactic_error(
            elab,
            goal,
            "rfl",
            f"The left-hand side\n  {elab.show(a)}\nis not definitionally equal to the right-hand side\n  {elab.show(b)}",  # noqa: E501
        )
    raise tactic_error(elab, goal, "rfl", "Expected the goal to be a binary relation")


@tactic("symm")
def _symm(elab: Elab, node: T.Simple) -> None:
    goal = main_goal(elab)
    rel = relation(elab, goal.type)
    lemma = {"Eq": "Eq.symm", "Iff": "Iff.symm", "Ne": "Ne.symm"}.get(rel[0] if rel else "")
    fn = head(elab.inst(goal.type))
    if isinstance(fn, Const) and fn.name == "Ne":
        lemma = "Ne.symm"
    if lemma is None:
        raise tactic_error(elab, goal, "symm", "target is not a symmetric relation")
    apply_term(elab, goal, elab.const(lemma), [])
    for g in elab.goals[:1]:
        replace_main(elab, [MVar(g.type, g.lctx, "g", goal.name)])
        elab.set(g, elab.goals[0])


# ---------------------------------------------------------------- from the context
def close_by_assumption(elab: Elab, goal: MVar) -> bool:
    """Close the goal with a hypothesis, the last first."""
    target = elab.inst(goal.type)
    rigid = not target.fl & HAS_MVAR
    for v in reversed(goal.lctx):
        if rigid and same(elab.inst(v.type), target):
            elab.set(goal, v)
            return True
    for v in reversed(goal.lctx):
        if _maybe(v.type, target) and elab.unify(v.type, target):
            elab.set(goal, v)
            return True
    return False


def _maybe(a: Expr, b: Expr) -> bool:
    """A cheap look whether two types could be one: data and propositions seldom are."""
    ha, hb = head(a), head(b)
    if isinstance(ha, FVar) and isinstance(hb, FVar) and ha.value is None and hb.value is None:
        return ha is hb
    return True


@tactic("assumption")
def _assumption(elab: Elab, node: T.Simple) -> None:
    goal = main_goal(elab)
    if not close_by_assumption(elab, goal):
        raise LeanError(f"Tactic `assumption` failed\n\n{elab.goal_text(goal)}")


def find_contradiction(elab: Elab, goal: MVar) -> Expr | None:
    """A proof of False from the context: False itself, h and ¬h, unequal constructors, a ≠ a."""
    hyps = [(v, elab.inst(v.type)) for v in goal.lctx]
    negated: list[tuple[FVar, Expr]] = []
    for v, t in hyps:
        fn, args = head_args(elab.whnf_reducible(t))
        if isinstance(fn, Const):
            if fn.name == "False":
                return v
            if fn.name == "Not":
                negated.append((v, args[0]))
            if fn.name == "Eq" and len(args) == 3:
                ca, cb = _ctor(elab, args[1]), _ctor(elab, args[2])
                if ca is not None and cb is not None and ca != cb:
                    return no_confusion(elab, v, args[0], args[1], args[2])
            if (
                fn.name == "Nat.le"
                and len(args) == 2
                and _ctor(elab, args[1]) == "Nat.zero"
                and _ctor(elab, args[0]) == "Nat.succ"
            ):
                a = as_constructor(elab, args[0])
                assert a is not None
                return mk_app(Const("Nat.not_succ_le_zero"), a[1][0], v)
            if fn.name == "Nat.lt" and len(args) == 2 and _ctor(elab, args[1]) == "Nat.zero":
                return mk_app(Const("Nat.not_lt_zero"), args[0], v)
        elif isinstance(fn, Pi) and isinstance(fn.body, Const) and fn.body.name == "False":
            negated.append((v, fn.type))
    for n, p in negated:
        for v, t in hyps:
            if v is not n and (same(t, p) or (_maybe(t, p) and elab.unify(t, p))):
                return App(n, v)
        parts = equation_parts(elab, p)
        if parts is not None and elab.unify(parts[1], parts[2]):
            return App(n, mk_app(Const("Eq.refl", (elab.sort_of(parts[0]),)), parts[0], parts[1]))
    return None


def _ctor(elab: Elab, e: Expr) -> str | None:
    fn = head(e)
    if isinstance(fn, FVar):
        return None
    c = as_constructor(elab, e)
    return c[0].name if c is not None else None


def close_false(elab: Elab, goal: MVar, false: Expr) -> None:
    """Close any goal from a proof of False."""
    elab.set(goal, mk_apps(Const("False.elim", (elab.sort_of(goal.type),)), [goal.type, false]))


@tactic("contradiction")
def _contradiction(elab: Elab, node: T.Simple) -> None:
    goal = main_goal(elab)
    false = find_contradiction(elab, goal)
    if false is None:
        raise LeanError(f"Tactic `contradiction` failed\n\n{elab.goal_text(goal)}")
    close_false(elab, goal, false)


@tactic("absurd")
def _absurd(elab: Elab, node: T.WithTerms) -> None:
    goal = main_goal(elab)
    h = elab_closed(elab, node.terms[0], None)
    type_ = elab.inst(elab.infer(h))
    new = new_goal(goal, App(Const("Not"), type_))
    elab.set(goal, mk_apps(Const("absurd", (elab.sort_of(goal.type),)), [type_, goal.type, h, new]))
    replace_main(elab, [new])


def quick_close(elab: Elab, goal: MVar) -> bool:
    """What `trivial` tries first: True, rfl, an assumption."""
    elab.lctx = goal.lctx
    mark = elab.mark()
    fn = head(elab.whnf_reducible(elab.inst(goal.type)))
    if isinstance(fn, Const) and fn.name == "True":
        elab.set(goal, Const("True.intro"))
        return True
    if close_by_rfl(elab, goal) or close_by_assumption(elab, goal):
        return True
    elab.undo(mark)
    return False


@tactic("trivial")
def _trivial(elab: Elab, node: T.Simple) -> None:
    goal = main_goal(elab)
    if not _trivially(elab, goal, 8):
        raise LeanError(f"Tactic `trivial` failed\n\n{elab.goal_text(goal)}")


def _trivially(elab: Elab, goal: MVar, depth: int) -> bool:
    if quick_close(elab, goal):
        return True
    elab.lctx = goal.lctx
    false = find_contradiction(elab, goal)
    if false is not None:
        close_false(elab, goal, false)
        return True
    fn, args = head_args(elab.whnf_reducible(elab.inst(goal.type)))
    if depth and isinstance(fn, Const) and fn.name == "And":
        left, right = new_goal(goal, args[0]), new_goal(goal, args[1])
        elab.set(goal, mk_apps(Const("And.intro"), [*args, left, right]))
        return _trivially(elab, left, depth - 1) and _trivially(elab, right, depth - 1)
    from harness.lean.core.tactics.arith import decide_goal

    return decide_goal(elab, goal)


@tactic("nofun")
def _nofun(elab: Elab, node: T.Simple) -> None:

    goal = main_goal(elab)
    vs = []
    while isinstance(elab.whnf(elab.inst(goal.type)), Pi):
        step = intro_binder(elab, goal, None)
        assert step is not None
        vs.append(step[0])
        goal = step[1]
    for v in reversed(vs):
        if attempt(elab, partial(_no_branches, elab, goal, v)) is None:
            return
    raise LeanError("no variable can be eliminated without cases")


def _no_branches(elab: Elab, goal: MVar, v: FVar) -> None:
    from harness.lean.core.tactics.casework import case_split

    if case_split(elab, goal, v):
        raise LeanError("missing cases")


@tactic("nomatch")
def _nomatch(elab: Elab, node: T.WithTerms) -> None:
    from harness.lean.core.tactics.casework import case_split, target_term

    goal = main_goal(elab)
    if case_split(elab, goal, target_term(elab, node.terms[0])):
        raise LeanError("missing cases")


# ---------------------------------------------------------------- classical
@tactic(T.ByContra)
def _by_contra(elab: Elab, node: T.ByContra) -> None:
    goal = main_goal(elab)
    target = elab.inst(goal.type)
    fn, args = head_args(elab.whnf_reducible(target))
    if not elab.is_prop(target):
        raise tactic_error(elab, goal, "by_contra", "the goal is not a proposition")
    name = node.name or "this"
    if isinstance(fn, Const) and fn.name == "Not":
        sub = new_goal(goal, Pi("a✝", args[0], Const("False")))
        elab.set(goal, sub)
    else:
        sub = new_goal(goal, Pi("a✝", App(Const("Not"), target), Const("False")))
        elab.set(goal, mk_app(Const("Classical.byContradiction"), target, sub))
    (v,), new = intro_many(elab, sub, [name])
    if node.type is not None:
        from harness.lean.core.tactics.goals import change_local

        elab.lctx = new.lctx
        want = elab.finish(elab.typed(node.type, PROP))
        if not elab.unify(v.type, want):
            raise LeanError(
                f"Type mismatch\n  {name}\nhas type\n  {elab.show(v.type)}\nbut is expected to have type\n  {elab.show(want)}"  # noqa: E501
            )
        new = change_local(elab, new, v, elab.inst(want), None)[1]
    replace_main(elab, [new])


@tactic(T.ByCases)
def _by_cases(elab: Elab, node: T.ByCases) -> None:
    goal = main_goal(elab)
    prop = elab.finish(elab.typed(node.prop, PROP))
    prop = elab.no_holes(prop, node.prop)
    target = elab.inst(goal.type)
    if not elab.is_prop(target):
        raise elab.outside(node, "by_cases for data")
    name = node.name or "h✝"
    out = []
    branches: list[Expr] = []
    for tag, p in (("pos", prop), ("neg", App(Const("Not"), prop))):
        v = FVar(name, p)
        new = new_goal(goal, target, (*goal.lctx, v), tag)
        out.append(new)
        branches.append(elab.bind([v], new, Lam))
    em = App(Const("Classical.em"), prop)
    elab.set(goal, mk_apps(Const("Or.elim"), [prop, App(Const("Not"), prop), target, em, *branches]))
    replace_main(elab, out)


@tactic("classical")
def _classical(elab: Elab, node: S.SyntaxNode) -> None:
    return


@tactic("and_intros")
def _and_intros(elab: Elab, node: T.Simple) -> None:
    # Lean's is `repeat' refine And.intro ?_ ?_`, and `repeat'` is about every goal.
    todo, out = list(elab.goals), []
    while todo:
        g = todo.pop(0)
        fn, args = head_args(elab.whnf_reducible(elab.inst(g.type)))
        if isinstance(fn, Const) and fn.name == "And":
            left = new_goal(g, args[0], tag=f"{g.name}.refine_1" if g.name else "refine_1")
            right = new_goal(g, args[1], tag=f"{g.name}.refine_2" if g.name else "refine_2")
            elab.set(g, mk_apps(Const("And.intro"), [*args, left, right]))
            todo = [left, right, *todo]
        else:
            out.append(g)
    elab.goals = out


@tactic("infer_instance", "split")
def _absent(elab: Elab, node: T.Simple) -> None:
    raise elab.outside(node, node.name)


__all__ = ["close_by_assumption", "close_by_rfl", "find_contradiction", "inductive_target", "quick_close"]
