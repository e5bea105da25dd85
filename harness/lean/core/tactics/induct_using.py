"""induction by a stated principle: `using Nat.strong_induction_on`, `using Nat.le_induction`, ..."""

from __future__ import annotations

from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab
from harness.lean.core.rewriting import abstract_occurrences
from harness.lean.core.tactics.basic import find_local
from harness.lean.core.tactics.casework import run_alts, target_term
from harness.lean.core.tactics.engine import main_goal
from harness.lean.core.tactics.goals import append_tag, dependents, head_beta, new_goal, tactic_error, without
from harness.lean.core.tactics.splitting import ConstructorGoal
from harness.lean.core.term import Expr, FVar, Lam, MVar, Pi, head_args, instantiate, mk_apps


def induction_using(elab: Elab, node: T.Induction) -> None:
    """Apply a principle whose conclusion is `motive x₁ .. xₙ`; its premises become the branches."""
    goal = main_goal(elab)
    assert node.using is not None
    targets = [target_term(elab, d.term) for d in node.targets]
    principle = elab.finish(elab.term(node.using))
    extra = [find_local(elab, n, node) for n in node.generalizing]
    roots = [t for t in targets if isinstance(t, FVar)]
    ids = {v.id for v in dependents(elab, goal, [*roots, *extra])} | {v.id for v in extra}
    moved = [v for v in goal.lctx if v.id in ids and not any(v is r for r in roots)]
    body = elab.bind(moved, goal.type, Pi)
    holes, type_ = _telescope(elab, goal, elab.inst(elab.infer(principle)))
    motive, at = head_args(type_)
    if not isinstance(motive, MVar) or len(at) != len(targets):
        raise tactic_error(elab, goal, "induction", "unexpected eliminator resulting type")
    for hole, target in zip(at, targets, strict=True):
        if not elab.unify(hole, target):
            raise tactic_error(elab, goal, "induction", "the target does not fit the principle")
    vars_: list[FVar] = []
    for t in targets:
        v = FVar(t.name if isinstance(t, FVar) else "x", elab.inst(elab.infer(t)))
        body = abstract_occurrences(elab, body, t, v)
        vars_.append(v)
    if not elab.unify(motive, elab.bind(vars_, body, Lam)):
        raise tactic_error(elab, goal, "induction", "the motive does not fit the principle")
    names = tuple([v.name for v in moved])
    lctx = without(goal.lctx, [*moved, *[r for r in roots if r.value is None]])
    branches: list[ConstructorGoal] = []
    for h in holes:
        if h.id in elab.assign or not elab.is_prop(h.type):
            continue
        premise, binders = _normal(elab, elab.inst(h.type))
        sub = new_goal(goal, premise, lctx, append_tag(goal, h.name))
        elab.set(h, sub)
        moves = names if len(binders) >= len(names) else ()
        count = len(binders) - len(moves)
        branches.append(ConstructorGoal(h.name, count, 0, moves, sub, "x" * count))
    value = mk_apps(mk_apps(principle, holes), [v for v in moved if v.value is None])
    elab.set(goal, elab.inst(value))
    run_alts(elab, node, branches, node.alts, node.before_alts)


def _telescope(elab: Elab, goal: MVar, type_: Expr) -> tuple[list[MVar], Expr]:
    holes: list[MVar] = []
    while isinstance(type_, Pi):
        m = MVar(type_.type, goal.lctx, "n", type_.name.removesuffix("✝"))
        holes.append(m)
        type_ = instantiate(type_.body, m)
    return holes, type_


def _normal(elab: Elab, type_: Expr) -> tuple[Expr, list[str]]:
    """The premise with its motive applied away, and the names it binds."""
    names: list[str] = []
    vs: list[FVar] = []
    type_ = head_beta(type_)
    while isinstance(type_, Pi):
        dom = type_.type
        v = FVar(type_.name, _normal(elab, dom)[0] if isinstance(dom, Pi) else head_beta(dom))
        vs.append(v)
        names.append(v.name)
        type_ = head_beta(instantiate(type_.body, v))
    return elab.bind(vs, type_, Pi), names
