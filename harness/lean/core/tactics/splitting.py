# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""Case analysis by recursors, and the equations between constructors that it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.elab_terms import equation_parts
from harness.lean.core.kernel import Constant
from harness.lean.core.level import Level
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
class ConstructorGoal:
    """One constructor's goal: its type still binds fields, induction hypotheses, and what was reverted."""

    ctor: str
    nfields: int
    nhyps: int
    moved: tuple[str, ...]
    goal: MVar
    kinds: str = ""
    """For each field: `x` explicit, `h` implicit (takes no name), `g` gone (takes a name for nothing)."""


def tidy(e: Expr) -> Expr:
    """Constructors of Nat as numerals and sums, as Lean shows them."""
    if isinstance(e, Const) and e.name == "Nat.zero":
        return Lit(0)
    if isinstance(e, App) and isinstance(e.fn, Const) and e.fn.name == "Nat.succ":
        return mk_app(NAT_ADD, e.arg, Lit(1))
    return e


@dataclass(slots=True)
class Split:
    """One case analysis on the way: what is split, what moves into the goal, what the motive is."""

    goal: MVar
    target: Expr
    name: str
    induct: bool
    family: Constant
    levels: tuple[Level, ...]
    params: list[Expr]
    indices: list[Expr]
    moved: list[FVar]
    """Variables reverted into the goal, to come back in each branch."""
    gone: list[FVar]
    """Variables that the branches do not see."""
    eqs: list[tuple[FVar, Expr]]
    """Equations the motive asks for, each with its proof here."""
    motive: Expr


@dataclass(frozen=True, slots=True)
class SplitRequest:
    """What a tactic asks of `split`: induction hypotheses, variables to generalise, a kept equation."""

    induct: bool = False
    extra: tuple[FVar, ...] = ()
    eq_name: str | None = None
    name: str = "cases"


def split(
    elab: Elab, goal: MVar, target: Expr, request: SplitRequest = SplitRequest()
) -> list[ConstructorGoal]:
    """Case analysis of `target`: a variable goes, a term is generalised."""
    type_ = elab.inst(elab.infer(target))
    found = family(elab, type_)
    if found is None:
        why = f"major premise type is not an inductive type\n  {elab.show(type_)}"
        raise tactic_error(elab, goal, request.name, why)
    c, levels, args = found
    params, indices = args[: c.nparams], args[c.nparams :]
    var = target if isinstance(target, FVar) and _in(target, goal.lctx) else None
    index_vars = [i for i in indices if isinstance(i, FVar) and _in(i, goal.lctx)]
    free = len({v.id for v in index_vars}) == len(indices)
    if not (request.induct and free):
        index_vars = []
    roots = [*([var] if var is not None else []), *request.extra, *index_vars]
    ids = {v.id for v in dependents(elab, goal, roots)}
    ids = (ids - {v.id for v in roots}) | {v.id for v in request.extra}
    moved = [v for v in goal.lctx if v.id in ids]
    body = elab.bind(moved, goal.type, Pi) if moved else elab.inst(goal.type)
    gone = [*moved, *([var] if var is not None else []), *index_vars]
    work = Split(
        goal, target, request.name, request.induct, c, levels, params, indices, moved, gone, [], body
    )
    t = FVar(var.name if var is not None else "t", type_)
    if var is not None:
        body = _swap(body, var, t)
    elif not elab.is_proof(target):
        body = abstract_occurrences(elab, body, target, t)
    if indices and not (request.induct and free):
        _index_motive(elab, work, body, t)
    else:
        _plain_motive(elab, work, body, t, index_vars, request.eq_name)
    return _branches(elab, work)


def _in(v: FVar, lctx: Sequence[FVar]) -> bool:
    return any([w is v for w in lctx])


def _equation(elab: Elab, name: str, a: Expr, b: Expr) -> tuple[FVar, Expr]:
    """A variable for a = b, and the proof of a = a."""
    type_ = elab.inst(elab.infer(a))
    level = elab.sort_of(type_)
    eq = FVar(name, mk_app(Const("Eq", (level,)), type_, a, b))
    return eq, mk_app(Const("Eq.refl", (level,)), type_, a)


def _index_motive(elab: Elab, work: Split, body: Expr, t: FVar) -> None:
    """fun indices' t => indices = indices' → body: for an indexed family whose indices are not variables."""
    if work.induct:
        why = "index in target's type is not a variable (consider using the `cases` tactic instead)"
        raise tactic_error(elab, work.goal, "induction", why)
    if occurs(t, body):
        raise LeanError("Dependent elimination failed: the goal depends on the proof")
    names = [FVar(f"i{k}", elab.inst(elab.infer(i))) for k, i in enumerate(work.indices)]
    work.eqs = [_equation(elab, "h✝", i, j) for i, j in zip(work.indices, names, strict=True)]
    major = FVar("t", mk_apps(Const(work.family.name, work.levels), [*work.params, *names]))
    work.motive = bind_lam([*names, major], bind_pi([e for e, _ in work.eqs], body))


def _plain_motive(
    elab: Elab, work: Split, body: Expr, t: FVar, index_vars: list[FVar], eq_name: str | None
) -> None:
    """fun indices t => body, with `eq_name : target = t →` before it when asked for."""
    if eq_name is not None:
        work.eqs = [_equation(elab, eq_name, work.target, t)]
        body = bind_pi([e for e, _ in work.eqs], body)
        work.gone = [v for v in work.gone if v is not work.target]
    binders = [FVar(v.name, v.type) for v in index_vars]
    major = FVar(t.name, mk_apps(Const(work.family.name, work.levels), [*work.params, *binders]))
    work.motive = _lambdas(binders, major, abstract(body, [*index_vars, t]))


def _swap(e: Expr, old: FVar, new: FVar) -> Expr:
    return instantiate(abstract(e, [old]), new)


def _lambdas(binders: list[FVar], major: FVar, inner: Expr) -> Expr:
    out = Lam(major.name, abstract(major.type, binders), inner)
    for k in range(len(binders) - 1, -1, -1):
        out = Lam(binders[k].name, abstract(binders[k].type, binders[:k]), out)
    return out


def _branches(elab: Elab, work: Split) -> list[ConstructorGoal]:
    """Assign the goal a recursor application; its minor premises are the branches."""
    goal, c, levels = work.goal, work.family, work.levels
    rec = elab.kenv.get(f"{c.name}.rec")
    assert rec is not None
    large = len(rec.params) > len(levels)
    sort = elab.sort_of(goal.type)
    if not large and elab.inst_level(sort) != ZERO:
        raise tactic_error(
            elab, goal, work.name, f"recursor `{c.name}.casesOn` can only eliminate into `Prop`"
        )
    level = elab.sort_of(bind_pi([e for e, _ in work.eqs], goal.type)) if work.eqs else sort
    value = mk_apps(Const(rec.name, (level, *levels) if large else levels), [*work.params, work.motive])
    lctx = without(goal.lctx, work.gone)
    out: list[ConstructorGoal] = []
    for ctor_name in c.ctors:
        branch, minor = _branch(elab, work, ctor_name, lctx)
        out.append(branch)
        value = App(value, minor)
    proofs = [p for _, p in work.eqs]
    value = mk_apps(value, [*work.indices, work.target, *proofs, *[v for v in work.moved if v.value is None]])
    elab.set(goal, value)
    return _solved(elab, work, out) if work.eqs and work.indices else out


def _branch(elab: Elab, work: Split, ctor_name: str, lctx: tuple[FVar, ...]) -> tuple[ConstructorGoal, Expr]:
    """One constructor's goal and the minor premise it stands for."""
    c = work.family
    ctor = elab.kenv.get(ctor_name)
    assert ctor is not None
    type_ = subst_params(ctor.type, dict(zip(ctor.params, work.levels, strict=True)))
    for p in work.params:
        assert isinstance(type_, Pi)
        type_ = instantiate(type_.body, p)
    fields: list[FVar] = []
    while isinstance(type_, Pi):
        fields.append(FVar(type_.name.removesuffix("✝"), type_.type, None, type_.info))
        type_ = instantiate(type_.body, fields[-1])
    kinds = "".join(["x" if f.info == "d" else "h" for f in fields])
    plain = _explicit(fields)
    result_indices = head_args(instantiate_rev(abstract(type_, fields), plain))[1][c.nparams :]
    hyps = _hypotheses(elab, c, ctor_name, work.motive, plain)
    made = tidy(mk_apps(mk_apps(Const(ctor_name, work.levels), work.params), plain))
    concl = _apply_motive(work.motive, [*[tidy(i) for i in result_indices], made])
    short = ctor_name.rpartition(".")[2]
    given = hyps if work.induct else []
    sub = new_goal(work.goal, bind_pi([*plain, *given], concl), lctx, append_tag(work.goal, short))
    moved = tuple([v.name for v in work.moved])
    minor: Expr = sub if work.induct or not hyps else bind_lam([*plain, *hyps], mk_apps(sub, plain))
    return ConstructorGoal(short, len(plain), len(given), moved, sub, kinds), minor


def _solved(elab: Elab, work: Split, out: list[ConstructorGoal]) -> list[ConstructorGoal]:
    """The branches left once the equations between indices are used up."""
    solved: list[ConstructorGoal] = []
    for b in out:
        vs, goal = intro_many(elab, b.goal, [None] * b.nfields)
        marks = [f"{v.name}{k}" for k, v in enumerate(vs)]
        left = solve_equations(elab, _marked(elab, goal, vs, marks), len(work.eqs))
        if left is not None:
            solved.append(_revert_fields(elab, b, left, marks))
    return solved


def _marked(elab: Elab, goal: MVar, vs: list[FVar], marks: list[str]) -> MVar:
    from harness.lean.core.tactics.goals import rename

    return rename(elab, goal, list(zip(vs, marks, strict=True))) if vs else goal


def _revert_fields(elab: Elab, b: ConstructorGoal, goal: MVar, marks: list[str]) -> ConstructorGoal:
    """Bind the fields that the equations left again, so that names can be given to them."""
    from harness.lean.core.tactics.goals import revert

    left = [v for v in goal.lctx if v.name in marks]
    names_left = [v.name for v in left]
    kinds = "".join(
        [k if m in names_left else "g" if k == "x" else "" for k, m in zip(b.kinds, marks, strict=True)]
    )
    if not left:
        return ConstructorGoal(b.ctor, 0, 0, b.moved, goal, kinds)
    moved, new = revert(elab, goal, left)
    type_ = _unmark(elab.inst(new.type), len(left))
    fresh = new_goal(new, type_)
    elab.set(new, fresh)
    extra = tuple([v.name for v in moved][len(left) :])
    return ConstructorGoal(b.ctor, len(left), 0, (*extra, *b.moved), fresh, kinds)


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
