# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""cases and injection; with patterns, see `patterns`."""

from __future__ import annotations

from collections.abc import Sequence

from harness.lean.core import syntax as S
from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab
from harness.lean.core.elab_terms import equation_parts
from harness.lean.core.tactics.applying import elab_closed
from harness.lean.core.tactics.constructors import as_constructor, injections, no_confusion
from harness.lean.core.tactics.engine import main_goal, run_focused, run_tactic, tactic
from harness.lean.core.tactics.goals import (
    assert_have,
    intro_many,
    replace_main,
    substitute,
    tactic_error,
    try_clear,
)
from harness.lean.core.tactics.logic import close_by_assumption
from harness.lean.core.tactics.splitting import (
    ConstructorGoal,
    SplitRequest,
    solve_equations,
    split,
)
from harness.lean.core.term import Const, Expr, FVar, MVar, bind_pi, mk_apps


def target_term(elab: Elab, node: S.Term) -> Expr:
    """A local variable as itself, else a closed term."""
    if isinstance(node, S.Ident) and (v := elab.local(node.name)) is not None:
        return v
    return elab_closed(elab, node, None)


def visible_names(
    b: ConstructorGoal, names: Sequence[str | None], explicit: bool = False
) -> list[str | None]:
    """One name (or None) for every field and hypothesis; implicit fields take none unless after `@ctor`."""
    left = list(names)
    out: list[str | None] = []
    for kind in b.kinds + "x" * b.nhyps:
        if kind == "h" and not explicit:
            out.append(None)
            continue
        name = left.pop(0) if left else None
        if kind != "g":
            out.append(None if name == "_" else name)
    return out


def enter(elab: Elab, b: ConstructorGoal, names: Sequence[str | None], explicit: bool = False) -> MVar:
    """Introduce a branch's fields (named as far as names go), then what had been reverted."""
    total = b.nfields + b.nhyps
    given = visible_names(b, names, explicit)
    goal = intro_many(elab, b.goal, given)[1] if total else b.goal
    if b.moved:
        goal = intro_many(elab, goal, list(b.moved))[1]
    return goal


@tactic(T.Cases)
def _cases(elab: Elab, node: T.Cases) -> None:
    goal = main_goal(elab)
    if node.using is not None or len(node.targets) != 1:
        raise elab.outside(node, "cases with several targets or `using`")
    d = node.targets[0]
    target = target_term(elab, d.term)
    branches = case_split(elab, goal, target, d.name)
    run_alts(elab, node, branches, node.alts, node.before_alts)


def case_split(elab: Elab, goal: MVar, target: Expr, eq_name: str | None = None) -> list[ConstructorGoal]:
    """Branches of `cases`; equations are solved at once."""
    parts = equation_parts(elab, elab.infer(target))
    if parts is not None:
        return cases_equation(elab, goal, target)
    branches = split(elab, goal, target, SplitRequest(eq_name=eq_name))
    if eq_name is not None:
        branches = [
            ConstructorGoal(b.ctor, b.nfields, b.nhyps, (eq_name, *b.moved), b.goal, b.kinds)
            for b in branches
        ]
    return branches


def cases_equation(elab: Elab, goal: MVar, target: Expr) -> list[ConstructorGoal]:
    """The one case of an equation, its sides made equal; none where they never are."""
    type_ = elab.inst(elab.infer(target))
    from harness.lean.core.tactics.goals import append_tag, new_goal, without
    from harness.lean.core.term import App

    parts = equation_parts(elab, type_)
    assert parts is not None
    if isinstance(target, FVar):
        new = substitute(elab, goal, target)
        if new is not None:
            return [ConstructorGoal("refl", 0, 0, (), _retag(elab, new, append_tag(goal, "refl")))]
        gone = without(goal.lctx, [target])
    else:
        gone = goal.lctx
    v = FVar("h✝", type_)
    sub = new_goal(goal, bind_pi([v], elab.inst(goal.type)), gone, append_tag(goal, "refl"))
    elab.set(goal, App(sub, target))
    out = solve_equations(elab, sub, 1)
    return [] if out is None else [ConstructorGoal("refl", 0, 0, (), out)]


def _retag(elab: Elab, goal: MVar, name: str) -> MVar:
    out = MVar(goal.type, goal.lctx, "g", name)
    elab.set(goal, out)
    return out


def run_alts(
    elab: Elab,
    node: S.SyntaxNode,
    branches: list[ConstructorGoal],
    alts: tuple[T.CaseAlt, ...] | None,
    before: T.Tactic | None = None,
) -> None:
    """Without `with`: every branch becomes a goal. With it: each alternative closes its branches."""
    rest = elab.goals[1:]
    if alts is None:
        elab.goals = [*[enter(elab, b, ()) for b in branches], *rest]
        return
    todo = list(branches)
    left: list[MVar] = []
    _check_alternatives(elab, alts)
    for alt in alts:
        for name, explicit, names in alt.ctors:
            short = name.rpartition(".")[2]
            mine = [b for b in todo if b.ctor == short or name == "_"]
            if not mine and not any([b.ctor == short for b in branches]) and name != "_":
                known = ", ".join([f"`{b.ctor}`" for b in branches])
                raise elab.fail(
                    alt,
                    f"Invalid alternative name `{name}`: "
                    + (f"Expected {known}" if known else "There are no unhandled alternatives"),
                )
            todo = [b for b in todo if b not in mine]
            for b in mine:
                room = sum([k != "h" or explicit for k in b.kinds]) + b.nhyps
                if len(names) > room:
                    text = f"Too many variable names provided at alternative `{b.ctor}`: {len(names)} provided, but {room} expected"  # noqa: E501
                    raise elab.fail(alt, text)
                goal = enter(elab, b, names, explicit)
                if before is not None:
                    elab.goals = [goal]
                    run_tactic(elab, before)
                    if not elab.goals:
                        continue
                    goal = elab.goals[0]
                if alt.rhs is None:
                    left.append(goal)
                    continue
                bare = MVar(goal.type, goal.lctx, "g", goal.name)
                elab.set(goal, bare)
                elab.lctx = bare.lctx
                run_focused(elab, [bare], alt.rhs, alt)
    if before is not None:
        for b in list(todo):
            goal = enter(elab, b, ())
            elab.goals = [goal]
            run_tactic(elab, before)
            if not elab.goals:
                todo.remove(b)
    if todo:
        raise elab.fail(node, f"Alternative `{todo[0].ctor}` has not been provided")
    elab.goals = [*left, *rest]


@tactic(T.CasesOld)
def _cases_old(elab: Elab, node: T.CasesOld) -> None:
    if node.name == "induction'":
        from harness.lean.core.tactics.induct import induction_branches

        branches = induction_branches(elab, node.targets, node.generalizing, node)
    else:
        goal = main_goal(elab)
        branches = case_split(elab, goal, target_term(elab, node.targets[0].term), node.targets[0].name)
    names = list(node.names)
    rest = elab.goals[1:]
    out: list[MVar] = []
    for b in branches:
        n = b.nfields + b.nhyps
        out.append(enter(elab, b, names[:n]))
        names = names[n:]
    elab.goals = [*out, *rest]


def _check_alternatives(elab: Elab, alts: tuple[T.CaseAlt, ...]) -> None:
    """Each name once, `_` only at the end."""
    seen: set[str] = set()
    for alt in alts:
        for name, _, _ in alt.ctors:
            if "_" in seen:
                text = "Invalid occurrence of the wildcard alternative `| _ => ...`: It must be the last"
                raise elab.fail(alt, f"{text} alternative")
            if name in seen:
                raise elab.fail(alt, f"Duplicate alternative name `{name}`")
            seen.add(name)


@tactic(T.Injection)
def _injection(elab: Elab, node: T.Injection) -> None:
    goal = main_goal(elab)
    h = target_term(elab, node.term)
    parts = equation_parts(elab, elab.infer(h))
    if parts is None:
        raise tactic_error(elab, goal, "injection", "equality expected")
    type_, a, b = parts
    ca, cb = as_constructor(elab, a), as_constructor(elab, b)
    if ca is None or cb is None:
        raise tactic_error(elab, goal, "injection", "equality of constructor applications expected")
    if ca[0].name != cb[0].name:
        false = no_confusion(elab, h, type_, a, b)
        elab.set(goal, mk_apps(Const("False.elim", (elab.sort_of(goal.type),)), [goal.type, false]))
        return
    names = list(node.names)
    for eq, proof in injections(elab, h, type_, a, b):
        name = names.pop(0) if names else "h✝"
        _, goal = assert_have(elab, goal, name, elab.inst(eq), proof)
    if isinstance(h, FVar):
        goal = try_clear(elab, goal, h)
    replace_main(elab, [goal])
    close_by_assumption(elab, goal)
