"""The everyday tactics: intro, exact, apply, refine, have, show, constructor and their kin."""

from __future__ import annotations

from harness.lean.core import syntax as S
from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.elab_terms import local_decl, with_binders
from harness.lean.core.tactics.applying import elab_closed, elab_open, exact
from harness.lean.core.tactics.engine import main_goal, tactic
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
)
from harness.lean.core.term import (
    Const,
    Expr,
    FVar,
    Lam,
    MVar,
    Pi,
    mk_apps,
)


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
                    f"Type mismatch\n  {v.name}\nhas type\n  {elab.show(v.type)}\nbut is expected to have type\n  {elab.show(want)}",  # noqa: E501
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


def find_local(elab: Elab, name: str, node: S.SyntaxNode) -> FVar:
    """A variable of the context by name."""
    v = elab.local(name)
    if v is None:
        raise elab.fail(node, f"Unknown identifier `{name}`")
    return v


@tactic("exists", "use", "existsi")
def _exists(elab: Elab, node: T.WithTerms) -> None:
    goal = main_goal(elab)
    tail = S.SyntheticHole(node.end, node.end, None)
    items = (*node.terms, tail)
    e, holes = elab_open(elab, S.AnonymousCtor(node.start, node.end, items), goal.type)
    elab.no_holes(e, node)
    elab.set(goal, e)
    holes = [_retagged(elab, h, append_tag(goal, "h") if node.name == "use" else goal.name) for h in holes]
    replace_main(elab, holes)
    from harness.lean.core.tactics.logic import quick_close

    for h in holes:
        if h.id not in elab.assign:
            quick_close(elab, h)


def _retagged(elab: Elab, hole: MVar, name: str) -> MVar:
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
        from harness.lean.core.tactics.patterns import have_pattern

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
        _v, new = assert_have(elab, goal, name, type_, first)
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
        return replace_main(elab, _after_have(elab, goal, holes, new))
    _, new = assert_have(elab, goal, name, head_beta(elab.inst(type_)), value)
    return replace_main(elab, _after_have(elab, goal, holes, new))


def _after_have(elab: Elab, goal: MVar, holes: list[MVar], new: MVar) -> list[MVar]:
    """Lean elaborates `have .. := e; ?_` and puts the last goal first."""
    from harness.lean.core.tactics.applying import tagged

    unnamed = sum([not h.name for h in holes])
    if unnamed:
        last = MVar(new.type, new.lctx, new.kind, append_tag(goal, f"refine_{unnamed + 1}"))
        elab.set(new, last)
        new = last
    return [new, *tagged(elab, goal, holes, more=1)]


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
        f"'show' tactic failed, pattern\n  {elab.show(type_)}\nis not definitionally equal to target\n  {elab.show(goal.type)}"  # noqa: E501
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
        f"'change' tactic failed, pattern\n  {elab.show(a)}\nis not definitionally equal to target\n  {elab.show(b)}"  # noqa: E501
    )


@tactic(T.SufficesTactic)
def _suffices(elab: Elab, node: T.SufficesTactic) -> None:
    goal = main_goal(elab)
    type_ = elab.finish(elab.type_(node.type))
    first = MVar(type_, goal.lctx, "g")
    _v, new = assert_have(elab, goal, node.name or "this", type_, first)
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
    _v, new = assert_have(elab, goal, h.name, type_, e)
    from harness.lean.core.tactics.goals import try_clear

    replace_main(elab, [try_clear(elab, new, h)])


@tactic(T.CalcTactic)
def _calc(elab: Elab, node: T.CalcTactic) -> None:
    # Not through `run_tactic`: the step is recorded already, as `calc`.
    exact(elab, T.WithTerms(node.start, node.end, "exact", (node.calc,)))
