# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""rw and its kin, subst, unfold, generalize, funext."""

from __future__ import annotations

from harness.lean.core import syntax as S
from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.elab_terms import transport
from harness.lean.core.rewriting import abstract_occurrences
from harness.lean.core.tactics.applying import elab_closed
from harness.lean.core.tactics.basic import find_local
from harness.lean.core.tactics.engine import attempt, main_goal, tactic
from harness.lean.core.tactics.goals import (
    change_local,
    head_beta,
    intro_many,
    new_goal,
    replace_main,
    substitute,
    tactic_error,
)
from harness.lean.core.tactics.logic import close_by_assumption, close_by_rfl
from harness.lean.core.term import (
    PROP,
    Const,
    Expr,
    FVar,
    Lam,
    MVar,
    Pi,
    head_args,
    instantiate,
    mk_app,
    mk_apps,
)
from harness.lean.core.unify import occurs


def as_equation(elab: Elab, proof: Expr, type_: Expr) -> tuple[Expr, Expr, Expr, Expr] | None:
    """(proof of the equation, type, left, right) for an equation or an equivalence."""
    t = elab.whnf_reducible(elab.inst(type_))
    fn, args = head_args(t)
    if isinstance(fn, Const):
        if fn.name == "Eq" and len(args) == 3:
            return proof, args[0], args[1], args[2]
        if fn.name == "Iff" and len(args) == 2:
            return mk_app(Const("propext"), args[0], args[1], proof), PROP, args[0], args[1]
    return None


def telescope(elab: Elab, e: Expr, type_: Expr) -> tuple[Expr, Expr, list[MVar]]:
    """e applied to as many new holes as its type takes before an equation shows."""
    holes: list[MVar] = []
    while True:
        type_ = elab.whnf_reducible(elab.inst(type_))
        if not isinstance(type_, Pi):
            fn, _args = head_args(type_)
            if isinstance(fn, Const) and fn.name in ("Eq", "Iff", "Not"):
                return e, type_, holes
            new = elab.whnf(type_)
            if not isinstance(new, Pi):
                return e, type_, holes
            type_ = new
        m = MVar(type_.type, elab.lctx, "n", type_.name.removesuffix("✝"))
        holes.append(m)
        e = mk_app(e, m)
        type_ = instantiate(type_.body, m)


def rewrite_once(
    elab: Elab, goal: MVar, rule: T.RwRule, hyp: FVar | None
) -> tuple[MVar, FVar | None, list[MVar]]:
    """One rule at the goal (or a hypothesis): the new goal, the new hypothesis, the side goals."""
    elab.lctx = goal.lctx
    target = elab.inst(goal.type if hyp is None else hyp.type)
    unfolded = _definition(elab, rule.term)
    elab.new_holes = []
    e = elab.finish(elab.term(rule.term)) if unfolded is None else elab.const(unfolded)
    holes = elab.new_holes
    elab.new_holes = []
    type_ = elab.inst(elab.infer(e))
    e, type_, args = telescope(elab, e, type_)
    eq = as_equation(elab, e, type_)
    if eq is None:
        if unfolded is not None:
            return _unfold_at(elab, goal, hyp, unfolded)
        fn, parts = head_args(type_)
        if not (isinstance(fn, Const) and fn.name == "Not"):
            raise elab.fail(
                rule,
                f"Invalid rewrite argument: Expected an equality or iff proof or definition name, but `{elab.show(e)}` is a proof of\n  {elab.show(type_)}"  # noqa: E501
                if elab.is_prop(type_)
                else f"Invalid rewrite argument: Expected an equality or iff proof or definition name, but `{elab.show(e)}` is a value of type\n  {elab.show(type_)}",  # noqa: E501
            )
        eq = (mk_app(elab.const("eq_false"), parts[0], e), PROP, parts[0], Const("False"))
    proof, dom, a, b = eq
    if rule.symm:
        a, b = b, a
        proof = mk_app(Const("Eq.symm", (elab.sort_of(dom),)), dom, b, a, proof)
    pattern = elab.inst(a)
    if isinstance(pattern, MVar) and pattern.id not in elab.assign:
        raise elab.fail(rule, "Invalid rewrite argument: The pattern to be substituted is a metavariable")
    x = FVar("_a", dom)
    body = abstract_occurrences(elab, target, pattern, x)
    if not occurs(x, body):
        raise elab.fail(
            rule,
            "Tactic `rewrite` failed: Did not find an occurrence of the pattern\n  "
            f"{elab.show(pattern)}\nin the target expression\n  {elab.show(target)}\n\n{elab.goal_text(goal)}",  # noqa: E501
        )
    motive = elab.bind([x], body, Lam)
    assert isinstance(motive, Lam)
    a, b, proof = elab.inst(a), elab.inst(b), elab.inst(proof)
    new_type = head_beta(elab.inst(instantiate(motive.body, b)))
    side = [m for m in [*args, *holes] if m.id not in elab.assign]
    side = [_side(elab, m) for m in side]
    if hyp is None:
        new = new_goal(goal, new_type)
        back = mk_app(Const("Eq.symm", (elab.sort_of(dom),)), dom, a, b, proof)
        elab.set(goal, transport(elab, motive, back, new))
        return new, None, side
    moved = transport(elab, motive, proof, hyp)
    w, new = change_local(elab, goal, hyp, new_type, moved)
    return new, w, side


def _side(elab: Elab, m: MVar) -> MVar:
    out = MVar(elab.inst(m.type), m.lctx, "n", m.name)
    elab.set(m, out)
    return out


def _definition(elab: Elab, node: S.Term) -> str | None:
    if not isinstance(node, S.Ident) or elab.local(node.name.split(".")[0]) is not None:
        return None
    full = elab.resolve(node.name)
    c = elab.kenv.get(full) if full is not None else None
    if c is None or c.kind != "def":
        return None
    return full


def _unfold_at(elab: Elab, goal: MVar, hyp: FVar | None, name: str) -> tuple[MVar, FVar | None, list[MVar]]:
    target = elab.inst(goal.type if hyp is None else hyp.type)
    new_type = unfold_in(elab, target, name)
    if new_type is target:
        raise LeanError(
            f"Tactic `rewrite` failed: Did not find an occurrence of the pattern\n  {name}\nin the target expression\n  {elab.show(target)}\n\n{elab.goal_text(goal)}"  # noqa: E501
        )
    if hyp is None:
        new = new_goal(goal, new_type)
        elab.set(goal, new)
        return new, None, []
    w, new = change_local(elab, goal, hyp, new_type, None)
    return new, w, []


def unfold_in(elab: Elab, e: Expr, name: str) -> Expr:
    """e with every application of a definition unfolded (a recursion where it acts)."""
    from harness.lean.core.term import App, Let

    if isinstance(e, (App, Const)):
        fn, args = head_args(e)
        new_args = [unfold_in(elab, a, name) for a in args]
        changed = any([x is not y for x, y in zip(args, new_args, strict=True)])
        out = mk_apps(fn, new_args) if changed else e
        if isinstance(fn, Const) and fn.name == name and not out.lb:
            new = elab.unfold(out)
            if new is not None:
                return new
        return out
    if isinstance(e, (Lam, Pi)):
        v = FVar(e.name, unfold_in(elab, e.type, name), None, e.info)
        inner = instantiate(e.body, v)
        body = unfold_in(elab, inner, name)
        if body is inner and v.type is e.type:
            return e
        from harness.lean.core.term import abstract

        return e.__class__(e.name, v.type, abstract(body, [v]), e.info)
    if isinstance(e, Let):
        return e
    return e


@tactic(T.Rw)
def _rw(elab: Elab, node: T.Rw) -> None:
    main_goal(elab)
    loc = node.location
    side: list[MVar] = []
    if loc is None or (loc.goal and not loc.hyps and not loc.wildcard):
        side = _rw_at(elab, node, None)
    elif loc.wildcard:
        _rw_everywhere(elab, node)
    else:
        for name in loc.hyps:
            side += _rw_at(elab, node, name)
        if loc.goal:
            side += _rw_at(elab, node, None)
    if node.name == "rwa":
        goal = main_goal(elab)
        if not close_by_assumption(elab, goal):
            raise LeanError(f"Tactic `assumption` failed\n\n{elab.goal_text(goal)}")
    elif node.name in ("rw", "erw") and elab.goals:
        goal = elab.goals[0]
        mark = elab.mark()
        if not _cheap_rfl(elab, goal):
            elab.undo(mark)
    first = [g for g in elab.goals if g.id not in elab.assign]
    elab.goals = [*first[:1], *side, *first[1:]] if first and first[0] is elab.goals[0] else [*side, *first]


def _cheap_rfl(elab: Elab, goal: MVar) -> bool:
    """`rfl` after `rw` unfolds nothing but reducible definitions."""
    from harness.lean.core.tactics.logic import relation

    elab.lctx = goal.lctx
    rel = relation(elab, goal.type)
    if rel is None or rel[0] not in ("Eq", "Iff", "Nat.le"):
        return False
    a, b = rel[1][-2], rel[1][-1]
    if not _alike(elab, a, b):
        return False
    return close_by_rfl(elab, goal)


def _alike(elab: Elab, a: Expr, b: Expr) -> bool:
    """Equal up to numerals, successors and holes: no definition of the library is unfolded."""
    a, b = elab.inst(a), elab.inst(b)
    from harness.lean.core.term import App, Lit, same

    if same(a, b):
        return True
    oa, ka = elab.offset(a)
    ob, kb = elab.offset(b)
    if ka or kb or oa is not a or ob is not b:
        if ka != kb:
            fa, fb = elab.nat_fold(a), elab.nat_fold(b)
            return isinstance(fa or a, Lit) and isinstance(fb or b, Lit) and same(fa or a, fb or b)
        if oa is None or ob is None:
            return oa is ob
        if oa is not a or ob is not b:
            return _alike(elab, oa, ob)
    fa, xs = head_args(a)
    fb, ys = head_args(b)
    if isinstance(fa, MVar) or isinstance(fb, MVar):
        return elab.unify(a, b)
    if isinstance(a, App) and isinstance(b, App) and len(xs) == len(ys) and same(fa, fb):
        return all([_alike(elab, x, y) for x, y in zip(xs, ys, strict=True)])
    if isinstance(a, (Lam, Pi)) and a.__class__ is b.__class__ and isinstance(b, (Lam, Pi)):
        v = FVar(a.name, a.type)
        return _alike(elab, a.type, b.type) and _alike(elab, instantiate(a.body, v), instantiate(b.body, v))
    ra, rb = elab.whnf_reducible(a), elab.whnf_reducible(b)
    if ra is not a or rb is not b:
        return _alike(elab, ra, rb)
    return False


def _rw_at(elab: Elab, node: T.Rw, name: str | None) -> list[MVar]:
    goal = main_goal(elab)
    hyp = find_local(elab, name, node) if name is not None else None
    side: list[MVar] = []
    for rule in node.rules:
        try:
            goal, hyp, more = rewrite_once(elab, goal, rule, hyp)
        except LeanError as error:
            if error.start < 0:
                error.start, error.end = rule.start, rule.end
            raise
        side += more
    replace_main(elab, [goal])
    return side


def _rw_everywhere(elab: Elab, node: T.Rw) -> None:
    goal = main_goal(elab)
    hit = False
    for name in [v.name for v in goal.lctx if elab.is_prop(v.type)]:
        if attempt(elab, lambda n=name: elab.goals.extend(_rw_at(elab, node, n))) is None:  # type: ignore[misc]
            hit = True
    if attempt(elab, lambda: elab.goals.extend(_rw_at(elab, node, None))) is None:
        hit = True
    if not hit:
        raise LeanError("did not find instance of the pattern in the current goal")


# ---------------------------------------------------------------- subst, unfold, generalize, funext
@tactic("subst", "subst_vars")
def _subst(elab: Elab, node: T.WithTerms | T.Simple) -> None:
    goal = main_goal(elab)
    if isinstance(node, T.Simple):
        again = True
        while again:
            again = False
            for v in goal.lctx:
                new = substitute(elab, goal, v) if elab.is_prop(v.type) else None
                if new is not None:
                    goal, again = new, True
                    break
        return replace_main(elab, [goal])
    for term in node.terms:
        elab.lctx = goal.lctx
        if not isinstance(term, S.Ident):
            raise elab.outside(term, "subst with a term")
        h = find_local(elab, term.name, term)
        if not elab.is_prop(h.type):
            var = h
            for v in goal.lctx:
                eq = as_equation(elab, v, v.type)
                if eq is not None and (elab.inst(eq[2]) is var or elab.inst(eq[3]) is var):
                    h = v
                    break
        new = substitute(elab, goal, h)
        if new is None:
            raise tactic_error(
                elab,
                goal,
                "subst",
                "invalid equality proof, it is not of the form (x = t) or (t = x)\n  " + elab.show(h.type),
            )
        goal = new
    return replace_main(elab, [goal])


@tactic(T.Unfold)
def _unfold(elab: Elab, node: T.Unfold) -> None:
    for name in node.names:
        full = elab.resolve(name)
        if full is None:
            raise elab.fail(node, f"Unknown identifier `{name}`")
        places: list[str | None] = [None]
        if node.location is not None:
            places = [*node.location.hyps, *([None] if node.location.goal else [])]
        for place in places:
            goal = main_goal(elab)
            hyp = find_local(elab, place, node) if place is not None else None
            type_ = elab.inst(hyp.type if hyp is not None else goal.type)
            new_type = unfold_in(elab, type_, full)
            if new_type is type_:
                raise tactic_error(
                    elab, goal, "unfold", f"failed to unfold `{name}` at\n  {elab.show(type_)}"
                )
            if hyp is not None:
                replace_main(elab, [change_local(elab, goal, hyp, new_type, None)[1]])
            else:
                new = new_goal(goal, new_type)
                elab.set(goal, new)
                replace_main(elab, [new])


@tactic(T.Generalize)
def _generalize(elab: Elab, node: T.Generalize) -> None:
    goal = main_goal(elab)
    if node.location is not None:
        raise elab.outside(node, "generalize at")
    for h, term, x in node.items:
        elab.lctx = goal.lctx
        e = elab_closed(elab, term, None)
        v = FVar(x, elab.inst(elab.infer(e)))
        body = abstract_occurrences(elab, goal.type, e, v)
        binders = [v]
        values = [e]
        if h is not None:
            level = elab.sort_of(v.type)
            binders.append(FVar(h, mk_app(Const("Eq", (level,)), v.type, e, v)))
            values.append(mk_app(Const("Eq.refl", (level,)), v.type, e))
        from harness.lean.core.term import bind_pi

        sub = new_goal(goal, bind_pi(binders, body))
        elab.set(goal, mk_apps(sub, values))
        _, goal = intro_many(elab, sub, [b.name for b in binders])
    replace_main(elab, [goal])


@tactic("funext")
def _funext(elab: Elab, node: T.WithNames) -> None:
    from harness.lean.core.tactics.applying import apply_term

    names: list[str | None] = list(node.names) or [None]
    for name in names:
        goal = main_goal(elab)
        apply_term(elab, goal, elab.const("funext"), [])
        replace_main(elab, [intro_many(elab, elab.goals[0], [name])[1]])
