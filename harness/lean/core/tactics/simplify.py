# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""simp, simpa, simp_all, dsimp."""

from __future__ import annotations

from harness.lean.core import syntax as S
from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.elab_terms import equation_parts
from harness.lean.core.level import Level
from harness.lean.core.simp import Result, Simplifier
from harness.lean.core.simpset import FALSE, TRUE, SimpSet, compile_lemma, constant_lemmas, default_set
from harness.lean.core.tactics.applying import elab_closed
from harness.lean.core.tactics.basic import find_local
from harness.lean.core.tactics.engine import main_goal, tactic
from harness.lean.core.tactics.goals import change_local, new_goal, replace_main, try_clear
from harness.lean.core.tactics.logic import close_by_assumption, close_by_rfl, close_false
from harness.lean.core.term import (
    ZERO,
    Const,
    Expr,
    FVar,
    Lam,
    MVar,
    head,
    mk_app,
    mk_apps,
    same,
)

ALWAYS = ("eq_self", "iff_self")
"""What `simp only` uses besides its arguments."""


def build_sets(elab: Elab, node: T.Simp) -> list[SimpSet]:
    """The sets a call uses, the given lemmas first."""
    own = SimpSet()
    unfold: set[str] = set()
    erased: set[str] = set()
    for arg in node.args:
        if arg.term is None:
            for v in elab.lctx:
                if elab.is_prop(v.type):
                    add_proof(elab, own, v, elab.inst(v.type), False)
            continue
        name = arg.term.name if isinstance(arg.term, S.Ident) else None
        if arg.erase:
            full = elab.resolve(name) if name else None
            if full is None:
                raise elab.fail(arg, f"Unknown identifier `{name}`")
            erased.add(full)
            continue
        full = None if name is None or elab.local(name.split(".")[0]) else elab.resolve(name)
        c = elab.kenv.get(full) if full is not None else None
        if c is not None and full is not None and c.kind == "def":
            unfold.add(full)
        elif c is not None and full is not None and c.kind in ("theorem", "axiom"):
            for lemma in constant_lemmas(elab.kenv, full, arg.symm):
                own.add(lemma)
        else:
            e = elab.finish(elab.term(arg.term))
            if elab.holes(e, []):
                e = _generalised(elab, e)
            type_ = elab.inst(elab.infer(e))
            if not elab.is_prop(type_):
                if isinstance(e, FVar) and e.value is not None:
                    continue
                raise elab.fail(arg, "Invalid `simp` argument: it is not a proposition")
            add_proof(elab, own, e, type_, arg.symm)
    own.unfold, own.erased = frozenset(unfold), frozenset(erased)
    if node.only:
        base = SimpSet()
        for name in ALWAYS:
            for lemma in constant_lemmas(elab.kenv, name):
                base.add(lemma)
        return [own, base]
    return [own, default_set(elab.env)]


def _generalised(elab: Elab, e: Expr) -> Expr:
    """A term with holes as a function of them."""
    from harness.lean.core.term import abstract, instantiate_rev

    holes = elab.holes(elab.inst(e), [])
    vs = [FVar(m.name or "x", elab.inst(m.type)) for m in holes]
    return elab.bind(vs, instantiate_rev(abstract(elab.inst(e), holes), vs), Lam)


def add_proof(elab: Elab, to: SimpSet, e: Expr, type_: Expr, symm: bool) -> None:
    """Add what a proof term says."""
    fn = head(type_)
    if isinstance(fn, Const) and fn.name == "True":
        return

    def proof(values: list[Expr], levels: tuple[Level, ...]) -> Expr:
        return mk_apps(e, values)

    for lemma in compile_lemma(repr(e), type_, (), proof, symm):
        if same(lemma.lhs, lemma.rhs) or isinstance(lemma.lhs, MVar):
            continue
        to.add(lemma)


# ---------------------------------------------------------------- places
def simp_goal(elab: Elab, goal: MVar, sets: list[SimpSet]) -> MVar | None:
    """The goal simplified; None when that closed it. Raises when nothing changes."""
    elab.lctx = goal.lctx
    old = elab.inst(goal.type)
    new, proof = Simplifier(elab, sets).simp(old)
    if new is old or same(new, old):
        raise LeanError("`simp` made no progress")
    if same(new, TRUE):
        value = Const("True.intro") if proof is None else mk_app(Const("of_eq_true"), old, proof)
        elab.set(goal, value)
        return None
    sub = new_goal(goal, new)
    elab.set(goal, sub if proof is None else mk_app(Const("Eq.mpr", (ZERO,)), old, new, proof, sub))
    return sub


def transported(old: Expr, result: Result, h: Expr) -> Expr:
    """h : old as a proof of the simplified proposition."""
    new, proof = result
    return h if proof is None else mk_app(Const("Eq.mp", (ZERO,)), old, new, proof, h)


def simp_hyp(elab: Elab, goal: MVar, h: FVar, sets: list[SimpSet]) -> MVar | None:
    """A hypothesis simplified; None when it is False then and closed the goal."""
    elab.lctx = goal.lctx
    old = elab.inst(h.type)
    result = Simplifier(elab, _without(sets, h)).simp(old)
    new, proof = result
    if same(new, FALSE):
        close_false(elab, goal, transported(old, result, h))
        return None
    if same(new, old):
        raise LeanError("`simp` made no progress")
    if same(new, TRUE):
        return try_clear(elab, goal, h)
    return change_local(elab, goal, h, new, None if proof is None else transported(old, result, h))[1]


def _without(sets: list[SimpSet], h: FVar) -> list[SimpSet]:
    """The sets less what came from h itself."""
    name = repr(h)
    own = sets[0]
    if not any([x.name == name for row in own.index.values() for x in row]):
        return sets
    kept = SimpSet(
        {k: [x for x in row if x.name != name] for k, row in own.index.items()}, own.unfold, own.erased
    )
    return [kept, *sets[1:]]


@tactic(T.Simp)
def _simp(elab: Elab, node: T.Simp) -> None:
    goal = main_goal(elab)
    if node.name == "simpa":
        return _simpa(elab, goal, node)
    if node.name == "simp_all":
        return _simp_all(elab, goal, node)
    sets = build_sets(elab, node)
    if node.name == "dsimp":
        sets = [_rfl_only(s) for s in sets]
    loc = node.location
    if loc is None:
        new = simp_goal(elab, goal, sets)
        return replace_main(elab, [new] if new is not None else [])
    return _simp_at(elab, goal, node, loc, sets)


def _simp_at(elab: Elab, goal: MVar, node: T.Simp, loc: T.Location, sets: list[SimpSet]) -> None:
    names = list(loc.hyps)
    if loc.wildcard:
        names = [v.name for v in goal.lctx if elab.is_prop(v.type) and not v.name.endswith("✝")]
    hit = False
    current: MVar | None = goal
    for name in names:
        assert current is not None
        elab.lctx = current.lctx
        h = find_local(elab, name, node)
        try:
            current = simp_hyp(elab, current, h, sets)
            hit = True
        except LeanError:
            if not loc.wildcard:
                raise
        if current is None:
            return replace_main(elab, [])
    if loc.goal or loc.wildcard:
        assert current is not None
        try:
            current = simp_goal(elab, current, sets)
            hit = True
        except LeanError:
            if not loc.wildcard:
                raise
    if not hit:
        raise LeanError("`simp` made no progress")
    return replace_main(elab, [current] if current is not None else [])


def _rfl_only(s: SimpSet) -> SimpSet:
    """The lemmas whose two sides are convertible as they stand: none of the library's; definitions stay."""
    return SimpSet({}, s.unfold, s.erased)


def _simpa(elab: Elab, goal: MVar, node: T.Simp) -> None:
    sets = build_sets(elab, node)
    try:
        current = simp_goal(elab, goal, sets)
    except LeanError as error:
        if "no progress" not in error.message:
            raise
        current = goal
    if node.using is None:
        if current is None:
            return replace_main(elab, [])
        elab.lctx = current.lctx
        this = elab.local("this")
        if this is not None and _close_with(elab, current, this, sets):
            return replace_main(elab, [])
        if close_by_assumption(elab, current):
            return replace_main(elab, [])
        raise LeanError(f"Tactic `assumption` failed\n\n{elab.goal_text(current)}")
    elab.lctx = goal.lctx
    try:
        e = elab_closed(elab, node.using, None)
    except LeanError:
        e = elab_closed(elab, node.using, (current or goal).type)
    if current is None:
        return replace_main(elab, [])
    if _close_with(elab, current, e, sets):
        return replace_main(elab, [])
    new, _ = Simplifier(elab, sets).simp(elab.inst(elab.infer(e)))
    raise LeanError(
        f"Type mismatch: After simplification, term\n  {elab.show(e)}\n has type\n  {elab.show(new)}\n"
        f"but is expected to have type\n  {elab.show(current.type)}"
    )


def _close_with(elab: Elab, goal: MVar, e: Expr, sets: list[SimpSet]) -> bool:
    old = elab.inst(elab.infer(e))
    result = Simplifier(elab, sets if not isinstance(e, FVar) else _without(sets, e)).simp(old)
    if same(result[0], FALSE):
        close_false(elab, goal, transported(old, result, e))
        return True
    if elab.unify(result[0], goal.type):
        elab.set(goal, transported(old, result, e))
        return True
    if elab.unify(old, goal.type):
        elab.set(goal, e)
        return True
    return False


def _simp_all(elab: Elab, goal: MVar, node: T.Simp) -> None:
    base = build_sets(elab, node)
    hit = False
    current: MVar | None = goal
    for _ in range(8):
        changed = False
        for k in range(len(current.lctx) if current is not None else 0):
            assert current is not None
            if k >= len(current.lctx):
                break
            h = current.lctx[k]
            elab.lctx = current.lctx
            if not elab.is_prop(h.type):
                continue
            if same(elab.inst(h.type), FALSE):
                close_false(elab, current, h)
                return replace_main(elab, [])
            sets = [_context_set(elab, current, h), *base]
            try:
                current = simp_hyp(elab, current, h, sets)
            except LeanError as error:
                if "no progress" not in error.message:
                    raise
                continue
            hit = changed = True
            if current is None:
                return replace_main(elab, [])
        if not changed:
            break
    assert current is not None
    try:
        current = simp_goal(elab, current, [_context_set(elab, current, None), *base])
        hit = True
    except LeanError as error:
        if "no progress" not in error.message:
            raise
    if not hit:
        raise LeanError("`simp_all` made no progress")
    return replace_main(elab, [current] if current is not None else [])


def _context_set(elab: Elab, goal: MVar, but: FVar | None) -> SimpSet:
    out = SimpSet()
    for v in goal.lctx:
        if v is not but and elab.is_prop(v.type):
            add_proof(elab, out, v, elab.inst(v.type), False)
    return out


__all__ = ["build_sets", "close_by_rfl", "equation_parts", "simp_goal"]
