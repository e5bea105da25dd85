# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""cases, rcases, obtain, rintro, injection."""

from __future__ import annotations

from collections.abc import Sequence

from harness.lean.core import syntax as S
from harness.lean.core import syntax_tactics as T
from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.elab_terms import equation_parts
from harness.lean.core.tactics.applying import elab_closed
from harness.lean.core.tactics.constructors import as_constructor, family, injections, no_confusion
from harness.lean.core.tactics.engine import main_goal, run_focused, run_tactic, tactic
from harness.lean.core.tactics.goals import (
    assert_have,
    change_local,
    intro_many,
    rename,
    replace_main,
    substitute,
    tactic_error,
    try_clear,
)
from harness.lean.core.tactics.logic import close_by_assumption
from harness.lean.core.tactics.splitting import (
    Branch,
    Request,
    solve_equations,
    split,
)
from harness.lean.core.term import Const, Expr, FVar, MVar, bind_pi, mk_apps


def target_term(elab: Elab, node: S.Term) -> Expr:
    """A local variable as itself, else a closed term."""
    if isinstance(node, S.Ident) and (v := elab.local(node.name)) is not None:
        return v
    return elab_closed(elab, node, None)


def visible_names(b: Branch, names: Sequence[str | None], explicit: bool = False) -> list[str | None]:
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


def enter(elab: Elab, b: Branch, names: Sequence[str | None], explicit: bool = False) -> MVar:
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


def case_split(elab: Elab, goal: MVar, target: Expr, eq_name: str | None = None) -> list[Branch]:
    """Branches of `cases`; equations are solved at once."""
    parts = equation_parts(elab, elab.infer(target))
    if parts is not None:
        return _cases_equation(elab, goal, target)
    branches = split(elab, goal, target, Request(eq_name=eq_name))
    if eq_name is not None:
        branches = [
            Branch(b.ctor, b.nfields, b.nhyps, (eq_name, *b.moved), b.goal, b.kinds) for b in branches
        ]
    return branches


def _cases_equation(elab: Elab, goal: MVar, target: Expr) -> list[Branch]:
    type_ = elab.inst(elab.infer(target))
    from harness.lean.core.tactics.goals import append_tag, new_goal, without
    from harness.lean.core.term import App

    parts = equation_parts(elab, type_)
    assert parts is not None
    if isinstance(target, FVar):
        new = substitute(elab, goal, target)
        if new is not None:
            return [Branch("refl", 0, 0, (), _retag(elab, new, append_tag(goal, "refl")))]
        gone = without(goal.lctx, [target])
    else:
        gone = goal.lctx
    v = FVar("h✝", type_)
    sub = new_goal(goal, bind_pi([v], elab.inst(goal.type)), gone, append_tag(goal, "refl"))
    elab.set(goal, App(sub, target))
    out = solve_equations(elab, sub, 1)
    return [] if out is None else [Branch("refl", 0, 0, (), out)]


def _retag(elab: Elab, goal: MVar, name: str) -> MVar:
    out = MVar(goal.type, goal.lctx, "g", name)
    elab.set(goal, out)
    return out


def run_alts(
    elab: Elab,
    node: S.Node,
    branches: list[Branch],
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


# ---------------------------------------------------------------- patterns
def apply_patterns(elab: Elab, goal: MVar, pats: Sequence[T.RcasesPat | str | None]) -> list[MVar]:
    """Introduce one variable per pattern and take it apart; a string names, None hides."""
    if not pats:
        return [goal]
    first, rest = pats[0], pats[1:]
    name = first if isinstance(first, str) else None
    pat = first if isinstance(first, T.RcasesPat) else None
    if isinstance(pat, T.PatName) and pat.name not in ("_", "rfl", "-"):
        name, pat = pat.name, None
    elif isinstance(pat, T.PatName) and pat.name == "_":
        pat = None
    (v,), goal = intro_many(elab, goal, [name])
    if pat is None:
        return apply_patterns(elab, goal, rest)
    out: list[MVar] = []
    for g in destruct(elab, goal, v, pat, len(rest)):
        out += apply_patterns(elab, g, rest)
    return out


def destruct(elab: Elab, goal: MVar, v: FVar, pat: T.RcasesPat, pending: int = 0) -> list[MVar]:
    """Take v apart by a pattern; the goal may still bind `pending` further variables."""
    elab.lctx = goal.lctx
    if isinstance(pat, T.PatTyped):
        want = elab.finish(elab.type_(pat.type))
        if not elab.unify(v.type, want):
            raise elab.fail(
                pat,
                f"Type mismatch\n  {elab.show(v)}\nhas type\n  {elab.show(v.type)}\nbut is expected to have type\n  {elab.show(want)}",  # noqa: E501
            )
        v, goal = change_local(elab, goal, v, elab.inst(want), None)
        return destruct(elab, goal, v, pat.pat, pending)
    if isinstance(pat, T.PatName):
        if pat.name == "_":
            return [goal]
        if pat.name == "-":
            return [try_clear(elab, goal, v)]
        if pat.name == "rfl":
            return _destruct_rfl(elab, goal, v)
        return [rename(elab, goal, [(v, pat.name)])]
    if isinstance(pat, T.PatAlts) and len(pat.items) == 1:
        return destruct(elab, goal, v, pat.items[0], pending)
    if isinstance(pat, T.PatTuple) and len(pat.items) == 1 and not _splits(elab, v):
        return destruct(elab, goal, v, pat.items[0], pending)
    if equation_parts(elab, v.type) is not None and isinstance(pat, T.PatTuple) and not pat.items:
        return _destruct_rfl(elab, goal, v)
    branches = case_split(elab, goal, v)
    alts = list(pat.items) if isinstance(pat, T.PatAlts) else [pat]
    total = len(list(branches))
    out: list[MVar] = []
    for k, b in enumerate(branches):
        mine: T.RcasesPat | None = None
        if k < len(alts):
            mine = alts[k]
            if k == total - 1 and len(alts) > total:
                mine = T.PatAlts(pat.start, pat.end, tuple(alts[k:]))
        given = _field_patterns(mine, sum([kind != "h" for kind in b.kinds]))
        fields: list[T.RcasesPat | None] = []
        for kind in b.kinds:
            pat_k = None if kind == "h" else given.pop(0)
            if kind != "g":
                fields.append(pat_k)
        out += apply_patterns(elab, b.goal, [*fields, *b.moved])
    return out


def _splits(elab: Elab, v: FVar) -> bool:
    found = family(elab, v.type)
    if found is None:
        return False
    ctor = elab.kenv.get(found[0].ctors[0]) if len(found[0].ctors) == 1 else None
    return ctor is not None and ctor.nfields >= 1 and found[0].name != "Eq"


def _destruct_rfl(elab: Elab, goal: MVar, v: FVar) -> list[MVar]:
    new = substitute(elab, goal, v)
    if new is not None:
        return [new]
    if equation_parts(elab, v.type) is None:
        raise tactic_error(elab, goal, "subst", f"`{v.name}` is not an equation")
    return [enter(elab, b, ()) for b in _cases_equation(elab, goal, v)]


def _field_patterns(pat: T.RcasesPat | None, n: int) -> list[T.RcasesPat | None]:
    if pat is None or n == 0:
        return [None] * n
    if isinstance(pat, T.PatTuple):
        items: list[T.RcasesPat | None] = list(pat.items)
        if len(items) > n:
            last = T.PatTuple(pat.start, pat.end, tuple(pat.items[n - 1 :]))
            items = [*items[: n - 1], last]
        return items + [None] * (n - len(items))
    return [pat, *[None] * (n - 1)] if n == 1 else [pat] + [None] * (n - 1)


def start_pattern(elab: Elab, goal: MVar, e: Expr, pat: T.RcasesPat | None) -> list[MVar]:
    """rcases on a term: a local variable directly, anything else through a new hypothesis."""
    if isinstance(e, FVar) and any([w is e for w in goal.lctx]):
        v = e
    else:
        v, goal = assert_have(elab, goal, "x✝", elab.inst(elab.infer(e)), e)
    if pat is None:
        pat = T.PatTuple(0, 0, ())
    return destruct(elab, goal, v, pat)


@tactic(T.Rcases)
def _rcases(elab: Elab, node: T.Rcases) -> None:
    goal = main_goal(elab)
    rest = elab.goals[1:]
    if len(node.targets) != 1:
        raise elab.outside(node, "rcases with several targets")
    d = node.targets[0]
    e = target_term(elab, d.term)
    elab.goals = [*start_pattern(elab, goal, e, node.pattern), *rest]


@tactic(T.Obtain)
def _obtain(elab: Elab, node: T.Obtain) -> None:
    goal = main_goal(elab)
    rest = elab.goals[1:]
    type_ = elab.finish(elab.type_(node.type)) if node.type is not None else None
    if not node.values:
        if type_ is None:
            raise LeanError("`obtain` requires either an expected type or a value.")
        first = MVar(type_, goal.lctx, "g")
        elab.goals = [first, *start_pattern(elab, goal, first, node.pattern), *rest]
        return
    if len(node.values) > 1:
        raise elab.outside(node, "obtain with several values")
    value = node.values[0]
    if type_ is None:
        e = target_term(elab, value)
    else:
        e = elab_closed(elab, value, type_)
        v, goal = assert_have(elab, goal, "x✝", type_, e)
        e = v
    elab.goals = [*start_pattern(elab, goal, e, node.pattern or T.PatName(0, 0, "this")), *rest]


@tactic(T.Rintro)
def _rintro(elab: Elab, node: T.Rintro) -> None:
    goal = main_goal(elab)
    rest = elab.goals[1:]
    elab.goals = [*apply_patterns(elab, goal, node.patterns), *rest]


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


def have_pattern(elab: Elab, goal: MVar, d: S.LocalDecl) -> None:
    """`have ⟨x, h⟩ := e`."""
    if d.value is None or d.pattern is None:
        raise LeanError("a value is missing")
    rest = elab.goals[1:]
    expected = elab.finish(elab.type_(d.type)) if d.type is not None else None
    e = elab_closed(elab, d.value, expected)
    v, goal = assert_have(elab, goal, "x✝", elab.inst(elab.infer(e)), e)
    elab.goals = [*destruct(elab, goal, v, term_pattern(elab, d.pattern)), *rest]


def term_pattern(elab: Elab, node: S.Term) -> T.RcasesPat:
    """A pattern written as a term: names (each once, unlike in `obtain`) and ⟨..⟩; `.inl x` is beyond it."""
    names = [name for name in _names_in(node) if name != "_"]
    for name in names:
        if names.count(name) > 1:
            raise elab.fail(node, f"Invalid pattern variable: Variable name `{name}` was already used")
    return _as_rcases(elab, node)


def _names_in(node: S.Term) -> list[str]:
    if isinstance(node, S.Ident):
        return [node.name]
    if isinstance(node, S.AnonymousCtor):
        return [name for item in node.items for name in _names_in(item)]
    return _names_in(node.term) if isinstance(node, S.Ascription) else []


def _as_rcases(elab: Elab, node: S.Term) -> T.RcasesPat:
    if isinstance(node, S.Ident):
        return T.PatName(node.start, node.end, node.name)
    if isinstance(node, S.Hole):
        return T.PatName(node.start, node.end, "_")
    if isinstance(node, S.AnonymousCtor):
        return T.PatTuple(node.start, node.end, tuple([_as_rcases(elab, x) for x in node.items]))
    if isinstance(node, S.Ascription) and node.type is not None:
        return T.PatTyped(node.start, node.end, _as_rcases(elab, node.term), node.type)
    raise elab.outside(node, "this pattern")


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
