"""Case analysis by recursors, and the equations between constructors that it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.elab_terms import equation_parts
from harness.lean.core.rewriting import abstract_occurrences
from harness.lean.core.tactics.constructors import (
    _apply_motive,
    _hypotheses,
    as_constructor,
    family,
    injections,
    no_confusion,
)
from harness.lean.core.tactics.goals import (
    append_tag,
    dependents,
    intro_many,
    new_goal,
    substitute,
    tactic_error,
    try_clear,
    without,
)
from harness.lean.core.term import (
    ZERO,
    App,
    Const,
    Expr,
    FVar,
    Lam,
    Lit,
    MVar,
    Pi,
    abstract,
    bind_lam,
    bind_pi,
    head_args,
    instantiate,
    instantiate_rev,
    mk_app,
    mk_apps,
    same,
    subst_params,
)
from harness.lean.core.unify import occurs

NAT_ADD = Const("Nat.add")


@dataclass(frozen=True, slots=True)
class Branch:
    """One constructor's goal: its type still binds the fields, then hypotheses of induction, then what was reverted."""

    ctor: str
    nfields: int
    nhyps: int
    moved: tuple[str, ...]
    goal: MVar
    kinds: str = ""
    """For each field of the constructor: `x` explicit, `h` implicit (takes no name), `g` gone (takes a name for nothing)."""


def tidy(e: Expr) -> Expr:
    """Constructors of Nat as numerals and sums, as Lean shows them."""
    if isinstance(e, Const) and e.name == "Nat.zero":
        return Lit(0)
    if isinstance(e, App) and isinstance(e.fn, Const) and e.fn.name == "Nat.succ":
        return mk_app(NAT_ADD, e.arg, Lit(1))
    return e


def split(
    elab: Elab,
    goal: MVar,
    target: Expr,
    induct: bool = False,
    extra: Sequence[FVar] = (),
    eq_name: str | None = None,
    name: str = "cases",
) -> list[Branch]:
    """Case analysis of `target` (a variable goes, a term is generalised); `induct` adds hypotheses of induction.

    `extra` are variables to generalise over. `eq_name` keeps `eq_name : target = constructor`.
    """
    found = family(elab, elab.infer(target))
    if found is None:
        raise tactic_error(
            elab,
            goal,
            name,
            f"target is not an inductive datatype\n  {elab.show(target)} : {elab.show(elab.infer(target))}"
            if False
            else "major premise type is not an inductive type\n  " + elab.show(elab.infer(target)),
        )
    c, levels, args = found
    params, indices = args[: c.nparams], args[c.nparams :]
    rec = elab.kenv.get(f"{c.name}.rec")
    assert rec is not None
    var = target if isinstance(target, FVar) and any([v is target for v in goal.lctx]) else None
    roots: list[FVar] = ([var] if var is not None else []) + list(extra)
    index_vars = [i for i in indices if isinstance(i, FVar) and any([v is i for v in goal.lctx])]
    generalise = (
        induct and len(index_vars) == len(indices) and len({v.id for v in index_vars}) == len(indices)
    )
    if generalise:
        roots += index_vars
    ids = {v.id for v in dependents(elab, goal, roots)} | {v.id for v in extra}
    ids -= {v.id for v in roots if v not in extra}
    moved = [v for v in goal.lctx if v.id in ids]
    body = elab.bind(moved, goal.type, Pi) if moved else elab.inst(goal.type)
    gone = [*moved, *([var] if var is not None else [])]
    t = FVar(var.name if var is not None else "t", elab.inst(elab.infer(target)))
    if var is not None:
        body_t = body
        holes: list[Expr] = [var]
    else:
        body_t = abstract_occurrences(elab, body, target, t) if not elab.is_proof(target) else body
        holes = [t]
    eqs: list[tuple[FVar, Expr]] = []
    index_names: list[FVar] = []
    if indices and not generalise:
        if induct:
            raise tactic_error(
                elab,
                goal,
                "induction",
                "index in target's type is not a variable (consider using the `cases` tactic instead)",
            )
        index_names = [FVar(f"i{k}", elab.inst(elab.infer(i))) for k, i in enumerate(indices)]
        for i, j in zip(indices, index_names, strict=True):
            level = elab.sort_of(j.type)
            eqs.append(
                (
                    FVar("h✝", mk_app(Const("Eq", (level,)), j.type, i, j)),
                    mk_app(Const("Eq.refl", (level,)), j.type, i),
                )
            )
        if occurs(t if var is None else var, body_t):
            raise LeanError("dependent elimination failed: the goal depends on the proof")
        body_t = bind_pi([e for e, _ in eqs], body_t)
        major_type = mk_apps(Const(c.name, levels), [*params, *index_names])
        major = FVar("t", major_type)
        motive = bind_lam([*index_names, major], body_t)
    else:
        if eq_name is not None:
            level = elab.sort_of(t.type)
            left = target
            eq = FVar(eq_name, mk_app(Const("Eq", (level,)), t.type, left, t))
            if var is not None:
                body_t = _swap(body_t, var, t)
                holes = [t]
                gone = moved
            body_t = bind_pi([eq], body_t)
            eqs.append((eq, mk_app(Const("Eq.refl", (level,)), t.type, left)))
        binders = [FVar(v.name, v.type) for v in index_vars] if generalise else []
        major_type = mk_apps(Const(c.name, levels), [*params, *binders])
        inner = abstract(body_t, [*(index_vars if generalise else []), *holes])
        motive = _lambdas(binders, FVar(t.name, major_type), inner)
    return _branches(
        elab,
        goal,
        c,
        rec,
        levels,
        params,
        indices,
        motive,
        target,
        gone if not generalise else [*gone, *index_vars],
        moved,
        eqs,
        induct,
        name,
    )


def _swap(e: Expr, old: FVar, new: FVar) -> Expr:
    return instantiate(abstract(e, [old]), new)


def _lambdas(binders: list[FVar], major: FVar, inner: Expr) -> Expr:
    out = Lam(major.name, abstract(major.type, binders), inner)
    for k in range(len(binders) - 1, -1, -1):
        out = Lam(binders[k].name, abstract(binders[k].type, binders[:k]), out)
    return out


def _branches(elab, goal, c, rec, levels, params, indices, motive, target, gone, moved, eqs, induct, name):  # type: ignore[no-untyped-def]
    large = len(rec.params) > len(levels)
    sort = elab.sort_of(goal.type)
    if not large and elab.inst_level(sort) != ZERO:
        raise tactic_error(elab, goal, name, f"recursor `{c.name}.casesOn` can only eliminate into `Prop`")
    level = elab.sort_of(bind_pi([e for e, _ in eqs], goal.type)) if eqs else sort
    rec_const = Const(rec.name, (level, *levels) if large else levels)
    out: list[Branch] = []
    value = mk_apps(rec_const, [*params, motive])
    lctx = without(goal.lctx, gone)
    moved_names = tuple([v.name for v in moved])
    for ctor_name in c.ctors:
        ctor = elab.kenv.get(ctor_name)
        type_ = subst_params(ctor.type, dict(zip(ctor.params, levels, strict=True)))
        for p in params:
            type_ = instantiate(type_.body, p)
        fields: list[FVar] = []
        while isinstance(type_, Pi):
            fields.append(FVar(type_.name.removesuffix("✝"), type_.type, None, type_.info))
            type_ = instantiate(type_.body, fields[-1])
        kinds = "".join(["x" if f.info == "d" else "h" for f in fields])
        plain = _explicit(fields)
        type_ = instantiate_rev(abstract(type_, fields), plain)
        fields = plain
        result_indices = head_args(type_)[1][c.nparams :]
        hyps = _hypotheses(elab, c, ctor_name, motive, fields)
        made = tidy(mk_apps(mk_apps(Const(ctor_name, levels), params), fields))
        concl = _apply_motive(motive, [*[tidy(i) for i in result_indices], made])
        shown = bind_pi([*fields, *(hyps if induct else [])], concl)
        short = ctor_name.rpartition(".")[2]
        sub = new_goal(goal, shown, lctx, append_tag(goal, short))
        out.append(Branch(short, len(fields), len(hyps) if induct else 0, moved_names, sub, kinds))
        minor: Expr = sub if induct or not hyps else bind_lam([*fields, *hyps], mk_apps(sub, fields))
        value = App(value, minor)
    value = mk_apps(value, [*indices, target, *[p for _, p in eqs], *[v for v in moved if v.value is None]])
    elab.set(goal, value)
    if eqs and indices:
        solved: list[Branch] = []
        for b in out:
            keep = len(b.goal.lctx)
            vs, g = intro_many(elab, b.goal, [None] * b.nfields)
            marks = [f"{v.name}{k}" for k, v in enumerate(vs)]
            g = _marked(elab, g, vs, marks)
            g2 = solve_equations(elab, g, len(eqs))
            if g2 is not None:
                solved.append(_revert_fields(elab, b, g2, marks))
            del keep
        return solved
    return out


def _marked(elab: Elab, goal: MVar, vs: list[FVar], marks: list[str]) -> MVar:
    from harness.lean.core.tactics.goals import rename

    return rename(elab, goal, list(zip(vs, marks, strict=True))) if vs else goal


def _revert_fields(elab: Elab, b: Branch, goal: MVar, marks: list[str]) -> Branch:
    """Bind the fields that the equations left again, so that names can be given to them."""
    from harness.lean.core.tactics.goals import revert

    left = [v for v in goal.lctx if v.name in marks]
    names_left = [v.name for v in left]
    kinds = "".join(
        [k if m in names_left else "g" if k == "x" else "" for k, m in zip(b.kinds, marks, strict=True)]
    )
    if not left:
        return Branch(b.ctor, 0, 0, b.moved, goal, kinds)
    moved, new = revert(elab, goal, left)
    type_ = _unmark(elab.inst(new.type), len(left))
    fresh = new_goal(new, type_)
    elab.set(new, fresh)
    extra = tuple([v.name for v in moved][len(left) :])
    return Branch(b.ctor, len(left), 0, (*extra, *b.moved), fresh, kinds)


def _unmark(type_: Expr, n: int) -> Expr:
    if n == 0 or not isinstance(type_, Pi):
        return type_
    name = type_.name.rstrip("0123456789").removesuffix("✝")
    return Pi(name, type_.type, _unmark(type_.body, n - 1), type_.info)


def _explicit(fields: list[FVar]) -> list[FVar]:
    """The same telescope with plain binders."""
    if all([f.info == "d" for f in fields]):
        return fields
    out: list[FVar] = []
    for k, f in enumerate(fields):
        out.append(FVar(f.name, instantiate_rev(abstract(f.type, fields[:k]), out)))
    return out


def solve_equations(elab: Elab, goal: MVar, n: int) -> MVar | None:
    """Introduce n equations and use them up: substitute, take apart, or close the goal (then None)."""
    while n:
        n -= 1
        (h,), goal = intro_many(elab, goal, [None])
        parts = equation_parts(elab, h.type)
        assert parts is not None
        type_, a, b = parts
        a, b = elab.inst(a), elab.inst(b)
        if same(a, b) or _same_quiet(elab, a, b):
            goal = try_clear(elab, goal, h)
            continue
        new = substitute(elab, goal, h)
        if new is not None:
            goal = new
            continue
        ca, cb = as_constructor(elab, a), as_constructor(elab, b)
        if ca is None or cb is None:
            raise LeanError(
                f"Dependent elimination failed: Failed to solve equation\n  {elab.show(a)} = {elab.show(b)}"
            )
        if ca[0].name != cb[0].name:
            elab.lctx = goal.lctx
            false = no_confusion(elab, h, type_, a, b)
            elab.set(goal, mk_apps(Const("False.elim", (elab.sort_of(goal.type),)), [goal.type, false]))
            return None
        eqs = injections(elab, h, type_, a, b)
        vs = [FVar("h✝", e) for e, _ in eqs]
        sub = new_goal(goal, bind_pi(vs, elab.inst(goal.type)), without(goal.lctx, [h]))
        elab.set(goal, mk_apps(sub, [p for _, p in eqs]))
        goal = sub
        n += len(eqs)
    return goal


def _same_quiet(elab: Elab, a: Expr, b: Expr) -> bool:
    mark = elab.mark()
    out = elab.unify(a, b)
    if out and elab.mark() != mark:
        elab.undo(mark)
        return False
    return out
