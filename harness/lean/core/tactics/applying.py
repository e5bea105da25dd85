# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""exact, refine, apply and the constructors."""

from __future__ import annotations

from functools import partial

from harness.lean.core import syntax as S
from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.kernel import Constant
from harness.lean.core.level import Level
from harness.lean.core.tactics.engine import attempt, main_goal, tactic
from harness.lean.core.tactics.goals import (
    append_tag,
    head_beta,
    replace_main,
    tactic_error,
)
from harness.lean.core.term import (
    App,
    Const,
    Expr,
    FVar,
    MVar,
    Pi,
    head,
    head_args,
    instantiate,
    mk_apps,
)
from harness.lean.core.unify import occurs


# ---------------------------------------------------------------- terms
def _term(elab: Elab, node: S.SyntaxNode, expected: Expr | None, at_tactic: bool) -> Expr:
    """The term, of the expected type; `at_tactic`: a mismatch is told where the tactic stands."""
    e = elab.term(node, expected)
    return e if expected is None else elab.ensure(e, expected, None if at_tactic else node)


def elab_closed(elab: Elab, node: S.SyntaxNode, expected: Expr | None, at_tactic: bool = False) -> Expr:
    """A term without anything left to find."""
    holes, elab.new_holes = elab.new_holes, []
    e = _term(elab, node, expected, at_tactic)
    e = elab.no_holes(elab.finish(e), node)
    left = [m for m in elab.new_holes if m.id not in elab.assign]
    elab.new_holes = holes
    if left:
        raise elab.fail(
            node,
            "don't know how to synthesize placeholder\ncontext:\n"
            + elab.goal_text(MVar(left[0].type, left[0].lctx)),
        )
    return e


def elab_open(
    elab: Elab, node: S.SyntaxNode, expected: Expr | None, at_tactic: bool = False
) -> tuple[Expr, list[MVar]]:
    """A term and its `?_` holes."""
    elab.new_holes = []
    e = _term(elab, node, expected, at_tactic)
    e = elab.finish(e)
    holes, elab.new_holes = elab.new_holes, []
    return e, [h for h in holes if h.id not in elab.assign]


@tactic("exact")
def exact(elab: Elab, node: T.WithTerms) -> None:
    """Close the goal with a term that leaves nothing open."""
    goal = main_goal(elab)
    e = elab_closed(elab, node.terms[0], goal.type, at_tactic=True)
    elab.set(goal, e)


@tactic("refine", "refine'")
def _refine(elab: Elab, node: T.WithTerms) -> None:
    goal = main_goal(elab)
    e, holes = elab_open(elab, node.terms[0], goal.type, at_tactic=True)
    if node.name == "refine":
        elab.no_holes(e, node.terms[0])
    else:
        holes = elab.holes(elab.inst(e), [])
    if occurs(goal, e):
        raise LeanError("the goal occurs in the term")
    elab.set(goal, e)
    replace_main(elab, tagged(elab, goal, holes))


def tagged(elab: Elab, goal: MVar, holes: list[MVar], more: int = 0) -> list[MVar]:
    """New goals with Lean's tags: a single unnamed one has the goal's, several are `refine_1` and so on.

    `more`: unnamed goals that follow these.
    """
    unnamed = [h for h in holes if not h.name]
    if len(unnamed) + more == 1:
        return [h if h.name else _retag(elab, h, goal.name) for h in holes]
    names = {h.id: append_tag(goal, f"refine_{k}") for k, h in enumerate(unnamed, 1)}
    return [_retag(elab, h, names[h.id]) if h.id in names else h for h in holes]


def _retag(elab: Elab, hole: MVar, name: str) -> MVar:
    if hole.name == name and hole.kind == "g":
        return hole
    out = MVar(hole.type, hole.lctx, hole.kind, name)
    elab.set(hole, out)
    return out


@tactic("apply")
def _apply(elab: Elab, node: T.WithTerms) -> None:
    goal = main_goal(elab)
    # As in Lean the goal is no expected type yet: `apply ⟨a, b⟩` and `apply .inl` are errors.
    e, holes = elab_open(elab, node.terms[0], None)
    apply_term(elab, goal, e, holes)


def arity(elab: Elab, type_: Expr) -> int:
    """How many arguments a term of this type takes."""
    n = 0
    type_ = elab.inst(type_)
    while True:
        if not isinstance(type_, Pi):
            type_ = elab.whnf(type_)
            if not isinstance(type_, Pi):
                return n
        n += 1
        type_ = type_.body if not type_.body.lb else instantiate(type_.body, FVar(type_.name, type_.type))


def apply_term(elab: Elab, goal: MVar, e: Expr, holes: list[MVar]) -> None:
    """Apply e to as many new holes as make its type fit; the unsolved ones become goals."""
    type_ = elab.inst(elab.infer(e))
    target = elab.inst(goal.type)
    most = arity(elab, type_)
    least = max(0, most - arity(elab, target))
    for n in range(least, most + 1):
        mark = elab.mark()
        args, left = _telescope(elab, goal, type_, n)
        if elab.unify(left, target):
            return _finish_apply(elab, goal, mk_apps(e, args), args, holes)
        elab.undo(mark)
    _, left = _telescope(elab, goal, type_, least)
    shown = "`" + elab.show(head(e) if isinstance(e, App) else e) + "`"
    if isinstance(head(e), Const):
        shown = "`" + ("@" if _has_implicit(elab, head(e)) else "") + shown[1:]
    what = "conclusion" if most else "type"
    note = f"\n\nNote: The full type of {shown} is\n  {elab.show(type_)}" if most else ""
    raise tactic_error(
        elab,
        goal,
        "apply",
        f"could not unify the {what} of {shown}\n  {elab.show(left)}\nwith the goal\n  {elab.show(target)}{note}",  # noqa: E501
    )


def _has_implicit(elab: Elab, fn: Expr) -> bool:
    t = elab.infer(fn)
    return isinstance(t, Pi) and t.info != "d"


def _telescope(elab: Elab, goal: MVar, type_: Expr, n: int) -> tuple[list[MVar], Expr]:
    args: list[MVar] = []
    for _ in range(n):
        if not isinstance(type_, Pi):
            type_ = elab.whnf(type_)
            assert isinstance(type_, Pi)
        m = MVar(type_.type, goal.lctx, "n", type_.name.removesuffix("✝"))
        args.append(m)
        type_ = instantiate(type_.body, m) if type_.body.lb else type_.body
    return args, type_


def _finish_apply(elab: Elab, goal: MVar, e: Expr, args: list[MVar], holes: list[MVar]) -> None:
    value = elab.inst(e)
    if occurs(goal, value):
        raise LeanError("the goal occurs in the term")
    elab.set(goal, value)
    open_ = [m for m in args if m.id not in elab.assign]
    types = [elab.inst(m.type) for m in open_]
    dependent = [any([occurs(m, t) for t in types]) for m in open_]
    ordered = [m for m, d in zip(open_, dependent, strict=True) if not d]
    ordered += [m for m, d in zip(open_, dependent, strict=True) if d]
    ids = {m.id for m in ordered}
    ids |= {g.id for g in elab.goals}
    extra = [m for m in elab.holes(value, []) if m.id not in ids and m not in holes]
    if len(ordered) == 1:
        ordered = [_renamed(elab, ordered[0], goal.name)]
    else:
        ordered = [_renamed(elab, m, append_tag(goal, m.name)) for m in ordered]
    replace_main(elab, [*ordered, *holes, *[m for m in extra if m.id not in elab.assign]])


def _renamed(elab: Elab, m: MVar, name: str) -> MVar:
    """The hole as a goal with a tag; one that other goals mention stays open to unification."""
    t = head_beta(elab.inst(m.type))
    out = MVar(t, m.lctx, "n", name)
    elab.set(m, out)
    return out


# ---------------------------------------------------------------- constructors
@tactic("constructor")
def _constructor(elab: Elab, node: T.Simple) -> None:
    goal = main_goal(elab)
    c, levels, params = inductive_target(elab, goal, "constructor")
    last: LeanError | None = None
    for name in c.ctors:
        ctor = mk_apps(Const(name, levels), params)
        last = attempt(elab, partial(apply_term, elab, goal, ctor, []))
        if last is None:
            return
    raise last or tactic_error(elab, goal, "constructor", "no applicable constructors found")


def inductive_target(elab: Elab, goal: MVar, name: str) -> tuple[Constant, tuple[Level, ...], list[Expr]]:
    """The inductive type of the goal: constant, levels, parameters."""
    type_ = elab.whnf(elab.inst(goal.type))
    fn, args = head_args(type_)
    c = elab.kenv.get(fn.name) if isinstance(fn, Const) else None
    if c is None or c.kind != "inductive":
        raise tactic_error(elab, goal, name, "target is not an inductive datatype")
    assert isinstance(fn, Const)
    return c, fn.levels, args[: c.nparams]


@tactic("left", "right")
def _side(elab: Elab, node: T.Simple) -> None:
    goal = main_goal(elab)
    c, levels, params = inductive_target(elab, goal, node.name)
    if len(c.ctors) != 2:
        raise tactic_error(
            elab, goal, node.name, f"{node.name} tactic works for inductive types with exactly 2 constructors"
        )
    apply_term(elab, goal, mk_apps(Const(c.ctors[node.name == "right"], levels), params), [])
