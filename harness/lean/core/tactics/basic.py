"""The everyday tactics: intro, exact, apply, refine, have, show, constructor and their kin."""

from __future__ import annotations

from harness.lean.core import syntax as S
from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.elab_terms import local_decl, with_binders
from harness.lean.core.tactics.engine import attempt, main_goal, run_tactic, tactic
from harness.lean.core.tactics.goals import (
    append_tag,
    assert_have,
    change_local,
    clear,
    head_beta,
    intro_binder,
    intro_many,
    new_goal,
    rename,
    replace_main,
    revert,
    tactic_error,
)
from harness.lean.core.term import (
    App,
    Const,
    Expr,
    FVar,
    Lam,
    MVar,
    Pi,
    head,
    head_args,
    instantiate,
    mk_apps,
)
from harness.lean.core.unify import occurs


# ---------------------------------------------------------------- introduction
@tactic(T.Intro)
def _intro(elab: Elab, node: T.Intro) -> None:
    goal = main_goal(elab)
    if not node.patterns:
        _, goal = intro_many(elab, goal, [None])
        return replace_main(elab, [goal])
    for k, p in enumerate(node.patterns):
        if isinstance(p, S.Ident) and "." not in p.name:
            goal = intro_many(elab, goal, [p.name])[1]
        elif isinstance(p, S.Hole):
            goal = intro_many(elab, goal, [None])[1]
        elif isinstance(p, S.Ascription) and p.type is not None:
            name = p.term.name if isinstance(p.term, S.Ident) else None
            (v,), goal = intro_many(elab, goal, [name])
            elab.lctx = goal.lctx[:-1]
            want = elab.type_(p.type)
            if not elab.unify(v.type, want):
                raise elab.fail(
                    p,
                    f"Type mismatch\n  {v.name}\nhas type\n  {elab.show(v.type)}\nbut is expected to have type\n  {elab.show(want)}",
                )
            _, goal = change_local(elab, goal, v, elab.inst(want), None)
        else:
            from harness.lean.core.tactics.matching import intro_pattern

            replace_main(elab, [goal])
            intro_pattern(elab, node, p, node.patterns[k + 1 :])
            return None
    replace_main(elab, [goal])
    return None


@tactic("intros")
def _intros(elab: Elab, node: T.WithNames) -> None:
    goal = main_goal(elab)
    if node.names:
        _, goal = intro_many(elab, goal, [None if n == "_" else n for n in node.names])
    else:
        while isinstance(elab.whnf_core(elab.inst(goal.type)), Pi):
            step = intro_binder(elab, goal, None)
            assert step is not None
            goal = step[1]
    replace_main(elab, [goal])


@tactic("revert")
def _revert(elab: Elab, node: T.WithNames) -> None:
    goal = main_goal(elab)
    vars_ = [find_local(elab, n, node) for n in node.names]
    replace_main(elab, [revert(elab, goal, vars_)[1]])


@tactic("clear")
def _clear(elab: Elab, node: T.WithNames) -> None:
    goal = main_goal(elab)
    replace_main(elab, [clear(elab, goal, [find_local(elab, n, node) for n in node.names])])


@tactic("rename_i")
def _rename_i(elab: Elab, node: T.WithNames) -> None:
    goal = main_goal(elab)
    seen: set[str] = set()
    hidden: list[FVar] = []
    for v in reversed(goal.lctx):
        if v.name.endswith("✝") or v.name in seen:
            hidden.append(v)
        seen.add(v.name)
    if len(node.names) > len(hidden):
        raise LeanError("too many variable names provided")
    pairs = list(zip(reversed(hidden[: len(node.names)]), node.names, strict=True))
    replace_main(elab, [rename(elab, goal, [(v, n) for v, n in pairs if n != "_"])])


@tactic(T.Rename)
def _rename(elab: Elab, node: T.Rename) -> None:
    goal = main_goal(elab)
    type_ = elab.type_(node.type)
    for v in reversed(goal.lctx):
        if elab.unify(v.type, type_):
            return replace_main(elab, [rename(elab, goal, [(v, node.new)])])
    raise LeanError("Failed to find a hypothesis with the given type")


def find_local(elab: Elab, name: str, node: S.Node) -> FVar:
    """A variable of the context by name."""
    v = elab.local(name)
    if v is None:
        raise elab.fail(node, f"Unknown identifier `{name}`")
    return v


# ---------------------------------------------------------------- terms
def elab_closed(elab: Elab, node: S.Node, expected: Expr | None) -> Expr:
    """A term without anything left to find."""
    holes, elab.new_holes = elab.new_holes, []
    e = elab.typed(node, expected) if expected is not None else elab.term(node)
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


def elab_open(elab: Elab, node: S.Node, expected: Expr | None) -> tuple[Expr, list[MVar]]:
    """A term and its `?_` holes."""
    elab.new_holes = []
    e = elab.typed(node, expected) if expected is not None else elab.term(node)
    e = elab.finish(e)
    holes, elab.new_holes = elab.new_holes, []
    return e, [h for h in holes if h.id not in elab.assign]


@tactic("exact")
def _exact(elab: Elab, node: T.WithTerms) -> None:
    goal = main_goal(elab)
    e = elab_closed(elab, node.terms[0], goal.type)
    elab.set(goal, e)


@tactic("refine", "refine'")
def _refine(elab: Elab, node: T.WithTerms) -> None:
    goal = main_goal(elab)
    e, holes = elab_open(elab, node.terms[0], goal.type)
    if node.name == "refine":
        elab.no_holes(e, node.terms[0])
    else:
        holes = elab.holes(elab.inst(e), [])
    if occurs(goal, e):
        raise LeanError("the goal occurs in the term")
    elab.set(goal, e)
    if len(holes) == 1 and not holes[0].name:
        holes = [_retag(elab, holes[0], goal.name)]
    replace_main(elab, [_as_goal(elab, h) for h in holes])


def _retag(elab: Elab, hole: MVar, name: str) -> MVar:
    if hole.name == name and hole.kind == "g":
        return hole
    out = MVar(hole.type, hole.lctx, hole.kind, name)
    elab.set(hole, out)
    return out


def _as_goal(elab: Elab, hole: MVar) -> MVar:
    return hole


@tactic("apply")
def _apply(elab: Elab, node: T.WithTerms) -> None:
    goal = main_goal(elab)
    term = node.terms[0]
    expected = None
    if isinstance(term, (S.AnonymousCtor, S.Fun, S.DotIdent)) or (
        isinstance(term, S.App) and isinstance(term.fn, S.DotIdent)
    ):
        expected = goal.type
    e, holes = elab_open(elab, term, expected)
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
        f"could not unify the {what} of {shown}\n  {elab.show(left)}\nwith the goal\n  {elab.show(target)}{note}",
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
        last = attempt(elab, lambda e=ctor: apply_term(elab, goal, e, []))  # type: ignore[misc]
        if last is None:
            return
    raise last or tactic_error(elab, goal, "constructor", "no applicable constructors found")


def inductive_target(elab: Elab, goal: MVar, name: str):  # type: ignore[no-untyped-def]
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


@tactic("exists", "use", "existsi")
def _exists(elab: Elab, node: T.WithTerms) -> None:
    goal = main_goal(elab)
    tail = S.SyntheticHole(node.end, node.end, None)
    items = (*node.terms, tail)
    e, holes = elab_open(elab, S.AnonymousCtor(node.start, node.end, items), goal.type)
    elab.no_holes(e, node)
    elab.set(goal, e)
    holes = [MVarRetag(elab, h, append_tag(goal, "h") if node.name == "use" else goal.name) for h in holes]
    replace_main(elab, holes)
    from harness.lean.core.tactics.logic import quick_close

    for h in holes:
        if h.id not in elab.assign:
            quick_close(elab, h)


def MVarRetag(elab: Elab, hole: MVar, name: str) -> MVar:  # noqa: N802
    """The same hole under another tag."""
    out = MVar(hole.type, hole.lctx, "g", name)
    elab.set(hole, out)
    return out


@tactic("exfalso")
def _exfalso(elab: Elab, node: T.Simple) -> None:
    goal = main_goal(elab)
    new = new_goal(goal, Const("False"))
    level = elab.sort_of(goal.type)
    elab.set(goal, mk_apps(Const("False.elim", (level,)), [goal.type, new]))
    replace_main(elab, [new])


# ---------------------------------------------------------------- have, show, suffices
@tactic(T.HaveTactic)
def _have(elab: Elab, node: T.HaveTactic) -> None:
    goal = main_goal(elab)
    d = node.decl
    if node.name not in ("have", "let", "haveI", "letI", "obtain"):
        raise elab.outside(node, node.name)
    if d.pattern is not None:
        from harness.lean.core.tactics.casework import have_pattern

        return have_pattern(elab, goal, d)
    name = d.name or "this"
    if d.value is None:
        if d.type is None:
            raise LeanError("a type is missing")
        type_node = d.type
        type_ = with_binders(
            elab, d.binders, lambda vs: elab.bind(vs, elab.finish(elab.type_(type_node)), Pi)
        )
        first = MVar(type_, goal.lctx, "g")
        v, new = assert_have(elab, goal, name, type_, first)
        return replace_main(elab, [first, new])
    elab.new_holes = []
    type_, value = local_decl(elab, d)
    elab.no_holes(value, d.value)
    holes = [h for h in elab.new_holes if h.id not in elab.assign]
    elab.new_holes = []
    if node.name in ("let", "letI"):
        w = FVar(name, type_, value)
        new = new_goal(goal, goal.type, (*goal.lctx, w))
        elab.set(goal, elab.bind([w], new, Lam))
        return replace_main(elab, [*holes, new])
    _, new = assert_have(elab, goal, name, head_beta(elab.inst(type_)), value)
    return replace_main(elab, [*holes, new])


@tactic("show")
def _show(elab: Elab, node: T.WithTerms) -> None:
    goal = main_goal(elab)
    for k, g in enumerate(elab.goals):
        elab.lctx = g.lctx
        mark = elab.mark()
        type_ = elab.finish(elab.type_(node.terms[0]))
        if elab.unify(type_, g.type):
            new = new_goal(g, elab.inst(type_))
            elab.set(g, new)
            rest = [x for j, x in enumerate(elab.goals) if j != k]
            elab.goals = [new, *rest]
            return
        elab.undo(mark)
    elab.lctx = goal.lctx
    type_ = elab.type_(node.terms[0])
    raise LeanError(
        f"'show' tactic failed, pattern\n  {elab.show(type_)}\nis not definitionally equal to target\n  {elab.show(goal.type)}"
    )


@tactic(T.Change)
def _change(elab: Elab, node: T.Change) -> None:
    goal = main_goal(elab)
    names = node.location.hyps if node.location is not None else ()
    for name in names:
        goal = main_goal(elab)
        h = find_local(elab, name, node)
        type_ = elab.finish(elab.typed(node.type, elab.infer(h.type)))
        if not elab.unify(type_, h.type):
            raise _not_convertible(elab, type_, h.type)
        replace_main(elab, [change_local(elab, goal, h, elab.inst(type_), None)[1]])
    if node.location is None or node.location.goal:
        goal = main_goal(elab)
        type_ = elab.finish(elab.typed(node.type, elab.infer(goal.type)))
        if not elab.unify(type_, goal.type):
            raise _not_convertible(elab, type_, goal.type)
        new = new_goal(goal, elab.inst(type_))
        elab.set(goal, new)
        replace_main(elab, [new])


def _not_convertible(elab: Elab, a: Expr, b: Expr) -> LeanError:
    return LeanError(
        f"'change' tactic failed, pattern\n  {elab.show(a)}\nis not definitionally equal to target\n  {elab.show(b)}"
    )


@tactic(T.SufficesTactic)
def _suffices(elab: Elab, node: T.SufficesTactic) -> None:
    goal = main_goal(elab)
    type_ = elab.finish(elab.type_(node.type))
    first = MVar(type_, goal.lctx, "g")
    v, new = assert_have(elab, goal, node.name or "this", type_, first)
    if node.value is None:
        return replace_main(elab, [new, first])
    replace_main(elab, [first])
    elab.lctx = new.lctx
    e = elab_closed(elab, node.value, new.type)
    elab.set(new, e)
    return None


@tactic("specialize")
def _specialize(elab: Elab, node: T.WithTerms) -> None:
    goal = main_goal(elab)
    term = node.terms[0]
    fn = term.fn if isinstance(term, S.App) else term
    h = elab.local(fn.name) if isinstance(fn, S.Ident) else None
    if h is None:
        raise LeanError(
            "`specialize` requires a term of the form `h x_1 .. x_n` where `h` appears in the local context"
        )
    e = elab_closed(elab, term, None)
    type_ = head_beta(elab.inst(elab.infer(e)))
    v, new = assert_have(elab, goal, h.name, type_, e)
    from harness.lean.core.tactics.goals import try_clear

    replace_main(elab, [try_clear(elab, new, h)])


@tactic(T.CalcTactic)
def _calc(elab: Elab, node: T.CalcTactic) -> None:
    # Not through `run_tactic`: the step is recorded already, as `calc`.
    _exact(elab, T.WithTerms(node.start, node.end, "exact", (node.calc,)))
