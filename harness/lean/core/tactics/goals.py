# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""Moves on goals that tactics are made of: assign, introduce, revert, clear, substitute."""

from __future__ import annotations

from collections.abc import Sequence

from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.elab_terms import equation_parts
from harness.lean.core.term import (
    HAS_FVAR,
    App,
    Const,
    Expr,
    FVar,
    Lam,
    Let,
    MVar,
    Pi,
    abstract,
    beta,
    head_args,
    instantiate,
    lift,
    mk_app,
    mk_apps,
)
from harness.lean.core.unify import occurs


def tactic_error(elab: Elab, goal: MVar, name: str, why: str) -> LeanError:
    """Tactic `name` failed: why, and the goal."""
    return LeanError(f"Tactic `{name}` failed: {why}\n\n{elab.goal_text(goal)}")


def new_goal(goal: MVar, type_: Expr, lctx: tuple[FVar, ...] | None = None, tag: str | None = None) -> MVar:
    """A goal for `type_`, by default in the context and with the tag of `goal`."""
    return MVar(type_, goal.lctx if lctx is None else lctx, "g", goal.name if tag is None else tag)


def append_tag(goal: MVar, tag: str) -> str:
    """The tag of a part of `goal`."""
    tag = tag.removesuffix("✝")
    return f"{goal.name}.{tag}" if goal.name else tag


def replace_main(elab: Elab, goals: Sequence[MVar]) -> None:
    """Put `goals` in the place of the first goal."""
    elab.goals = [*goals, *elab.goals[1:]]


def head_beta(e: Expr) -> Expr:
    """Beta at the head only."""
    if not isinstance(e, App):
        return e
    fn, args = head_args(e)
    while isinstance(fn, Lam) and args:
        e = beta(fn, args)
        fn, args = head_args(e)
    return e


def intro_binder(elab: Elab, goal: MVar, name: str | None) -> tuple[FVar, MVar] | None:
    """Introduce one variable; None when the goal is no function type. No name: the binder's, hidden."""
    type_ = elab.inst(goal.type)
    if not isinstance(type_, (Pi, Let)):
        type_ = elab.whnf_core(type_)
        if not isinstance(type_, (Pi, Let)):
            type_ = elab.whnf(type_)
    if isinstance(type_, Let):
        v = FVar(name or _hidden(type_.name), type_.type, type_.value)
        new = new_goal(goal, instantiate(type_.body, v), (*goal.lctx, v))
        elab.set(goal, elab.bind([v], new, Lam))
        return v, new
    if not isinstance(type_, Pi):
        return None
    v = FVar(name or _hidden(type_.name), head_beta(type_.type))
    body = instantiate(type_.body, v)
    new = new_goal(goal, head_beta(body) if isinstance(body, App) else body, (*goal.lctx, v))
    elab.set(goal, elab.bind([v], new, Lam))
    return v, new


def _hidden(name: str) -> str:
    if name in ("", "_"):
        return "x✝"
    return name if name.endswith("✝") else name + "✝"


def intro_many(elab: Elab, goal: MVar, names: Sequence[str | None]) -> tuple[list[FVar], MVar]:
    """Introduce len(names) variables."""
    out: list[FVar] = []
    for name in names:
        step = intro_binder(elab, goal, name)
        if step is None:
            raise tactic_error(
                elab,
                goal,
                "introN",
                "There are no additional binders or `let` bindings in the goal to introduce",
            )
        out.append(step[0])
        goal = step[1]
    return out, goal


def dependents(elab: Elab, goal: MVar, roots: Sequence[FVar]) -> list[FVar]:
    """Variables of the context whose types or values mention one of `roots`, in order, without the roots."""
    ids = {v.id for v in roots}
    out: list[FVar] = []
    for v in goal.lctx:
        if v.id in ids:
            continue
        type_ = elab.inst(v.type)
        hit = _mentions_any(type_, ids) or (v.value is not None and _mentions_any(elab.inst(v.value), ids))
        if hit:
            ids.add(v.id)
            out.append(v)
    return out


def _mentions_any(e: Expr, ids: set[int]) -> bool:
    if not e.fl & HAS_FVAR:
        return False
    if isinstance(e, App):
        return _mentions_any(e.fn, ids) or _mentions_any(e.arg, ids)
    if isinstance(e, FVar):
        return e.id in ids
    if isinstance(e, (Lam, Pi)):
        return _mentions_any(e.type, ids) or _mentions_any(e.body, ids)
    if isinstance(e, Let):
        return _mentions_any(e.type, ids) or _mentions_any(e.value, ids) or _mentions_any(e.body, ids)
    return False


def without(lctx: tuple[FVar, ...], gone: Sequence[FVar]) -> tuple[FVar, ...]:
    """The context less some variables."""
    ids = {v.id for v in gone}
    return tuple([v for v in lctx if v.id not in ids])


def revert(elab: Elab, goal: MVar, vars_: Sequence[FVar]) -> tuple[list[FVar], MVar]:
    """Move variables and all that depends on them into the goal; returns them in order."""
    if not vars_:
        return [], goal
    ids = {v.id for v in vars_} | {v.id for v in dependents(elab, goal, vars_)}
    moved = [v for v in goal.lctx if v.id in ids]
    type_ = elab.bind(moved, goal.type, Pi)
    new = new_goal(goal, type_, without(goal.lctx, moved))
    elab.set(goal, mk_apps(new, [v for v in moved if v.value is None]))
    return moved, new


def clear(elab: Elab, goal: MVar, vars_: Sequence[FVar]) -> MVar:
    """Drop variables that nothing depends on."""
    ids = {v.id for v in vars_}
    target = elab.inst(goal.type)
    for v in vars_:
        if occurs(v, target):
            raise tactic_error(elab, goal, "clear", f"variable `{v.name}` occurs in the target")
    for w in goal.lctx:
        if w.id not in ids and _mentions_any(elab.inst(w.type), ids):
            gone = next(v for v in vars_ if occurs(v, elab.inst(w.type)))
            raise tactic_error(elab, goal, "clear", f"hypothesis `{w.name}` depends on `{gone.name}`")
    new = new_goal(goal, target, without(goal.lctx, vars_))
    elab.set(goal, new)
    return new


def try_clear(elab: Elab, goal: MVar, v: FVar) -> MVar:
    """Drop a variable if nothing depends on it."""
    if occurs(v, elab.inst(goal.type)) or dependents(elab, goal, [v]):
        return goal
    return clear(elab, goal, [v])


def rename(elab: Elab, goal: MVar, renames: Sequence[tuple[FVar, str]]) -> MVar:
    """The same goal with some variables named anew."""
    ids = {v.id: name for v, name in renames}
    old: list[FVar] = []
    new: list[FVar] = []
    lctx: list[FVar] = []
    for v in goal.lctx:
        type_ = elab.inst(v.type)
        touched = _mentions_any(type_, {o.id for o in old}) if old else False
        if v.id in ids or touched:
            if touched:
                type_ = _swap(type_, old, new)
            w = FVar(ids.get(v.id, v.name), type_, v.value, v.info)
            old.append(v)
            new.append(w)
            lctx.append(w)
        else:
            lctx.append(v)
    out = new_goal(goal, _swap(elab.inst(goal.type), old, new), tuple(lctx))
    value = elab.bind(new, out, Lam)
    elab.set(goal, beta(value, [o for o in old if o.value is None]))
    return out


def _swap(e: Expr, old: Sequence[FVar], new: Sequence[FVar]) -> Expr:
    from harness.lean.core.term import instantiate_rev

    return instantiate_rev(abstract(e, old), new)


def substitute(elab: Elab, goal: MVar, h: FVar, prefer_right: bool = True) -> MVar | None:
    """Use h : a = b to replace a variable by the other side everywhere; None when neither side is one.

    As in Lean, b goes first if it is a variable (of the context, not occurring in a).
    """
    parts = equation_parts(elab, h.type)
    if parts is None:
        return None
    _, a, b = parts
    a, b = elab.inst(a), elab.inst(b)
    sides = [(b, a, False), (a, b, True)]
    for var, other, flip in sides if prefer_right else reversed(sides):
        if not isinstance(var, FVar) or var.value is not None or occurs(var, other):
            continue
        if any([w is var for w in goal.lctx]):
            return _substitute(elab, goal, h, var, other, flip)
    return None


def _substitute(elab: Elab, goal: MVar, h: FVar, var: FVar, other: Expr, flip: bool) -> MVar:
    parts = equation_parts(elab, h.type)
    assert parts is not None
    type_ = elab.inst(parts[0])
    deps = [v for v in dependents(elab, goal, [var]) if v is not h]
    hdeps = [v for v in dependents(elab, goal, [h]) if v not in deps and v is not var]
    if deps or hdeps:
        ids = {v.id for v in deps} | {v.id for v in hdeps}
        moved, goal = _revert_exact(elab, goal, [v for v in goal.lctx if v.id in ids])
    else:
        moved = []
    level = elab.sort_of(type_)
    target = elab.inst(goal.type)
    eq = mk_app(Const("Eq", (level,)), type_, other, var)
    proof: Expr = h
    if flip:
        proof = mk_app(Const("Eq.symm", (level,)), type_, var, other, h)
    hh = FVar(h.name, eq)
    if occurs(h, target):
        target = _swap(target, [h], [hh])
        if flip:
            raise tactic_error(elab, goal, "subst", f"the goal depends on `{h.name}`")
    motive = Lam(var.name, type_, Lam(hh.name, abstract(eq, [var]), abstract(target, [var, hh])))
    refl = mk_app(Const("Eq.refl", (level,)), type_, other)
    made = beta(motive, [other, refl])
    new = new_goal(goal, made, without(goal.lctx, [var, h]))
    rec = Const("Eq.rec", (elab.sort_of(target), level))
    elab.set(goal, mk_app(rec, type_, other, motive, new, var, proof))
    if moved:
        _, new = intro_many(elab, new, [v.name for v in moved])
    return new


def _revert_exact(elab: Elab, goal: MVar, moved: list[FVar]) -> tuple[list[FVar], MVar]:
    type_ = elab.bind(moved, goal.type, Pi)
    new = new_goal(goal, type_, without(goal.lctx, moved))
    elab.set(goal, mk_apps(new, [v for v in moved if v.value is None]))
    return moved, new


def change_local(elab: Elab, goal: MVar, h: FVar, type_: Expr, proof: Expr | None) -> tuple[FVar, MVar]:
    """Replace the type of h: by a convertible one (no proof), or by what `proof` (from h) proves.

    The new hypothesis stands at h's place if nothing depends on h; else at the end, the old one hidden.
    """
    if proof is None:
        moved, reverted = revert(elab, goal, [h])
        assert isinstance(reverted.type, Pi)
        changed = new_goal(reverted, Pi(h.name, type_, reverted.type.body))
        elab.set(reverted, changed)
        vs, out = intro_many(elab, changed, [v.name for v in moved])
        return vs[0], out
    deps = dependents(elab, goal, [h])
    w = FVar(h.name, type_)
    if not deps and not occurs(h, elab.inst(goal.type)):
        at = [v is h for v in goal.lctx].index(True)
        lctx = (*goal.lctx[:at], w, *goal.lctx[at + 1 :])
        needed = _late(elab, goal.lctx, at, type_)
        if needed:
            lctx = (*without(goal.lctx, [h]), w)
    else:
        hidden = goal.lctx
        lctx = (*hidden, w)
    new = new_goal(goal, goal.type, lctx)
    elab.set(goal, App(elab.bind([w], new, Lam), proof))
    return w, new


def _late(elab: Elab, lctx: tuple[FVar, ...], at: int, type_: Expr) -> bool:
    """Whether the type mentions something declared after place `at`."""
    return _mentions_any(elab.inst(type_), {v.id for v in lctx[at + 1 :]})


def assert_have(elab: Elab, goal: MVar, name: str, type_: Expr, value: Expr) -> tuple[FVar, MVar]:
    """Add a hypothesis with its proof."""
    v = FVar(name, type_)
    new = new_goal(goal, goal.type, (*goal.lctx, v))
    elab.set(goal, App(elab.bind([v], new, Lam), value))
    return v, new


__all__ = [
    "append_tag",
    "assert_have",
    "change_local",
    "clear",
    "dependents",
    "head_beta",
    "intro_binder",
    "intro_many",
    "lift",
    "new_goal",
    "rename",
    "replace_main",
    "revert",
    "substitute",
    "tactic_error",
    "try_clear",
    "without",
]
