"""Elaboration of every form of term but application."""

from __future__ import annotations

from typing import Any

from harness.lean.core import syntax as S
from harness.lean.core.elab import NAT, Call, Elab, rule
from harness.lean.core.elab_binders import with_binders
from harness.lean.core.elab_operators import equation_parts, transport
from harness.lean.core.kernel import MAX_BITS
from harness.lean.core.term import (
    ONE,
    PROP,
    ZERO,
    App,
    BVar,
    Const,
    Expr,
    FVar,
    Lam,
    Level,
    Lit,
    MVar,
    Pi,
    Sort,
    head,
    head_args,
    level_of,
    limax,
    lmax,
    lsucc,
    mk_app,
    mk_apps,
)


# ---------------------------------------------------------------- levels and sorts
def elab_level(elab: Elab, node: S.LevelExpr | None) -> Level:
    """A universe level; `_` and nothing are levels to be found."""
    if node is None:
        return elab.fresh_level()
    if isinstance(node, S.LevelNum):
        if node.value > 64:
            raise elab.outside(node, f"universe level {node.value}")
        return level_of(node.value)
    if isinstance(node, S.LevelName):
        if node.name == "_":
            return elab.fresh_level()
        if node.name not in elab.level_names and node.name not in elab.env.scope.universes:
            raise elab.fail(node, f"unknown universe level `{node.name}`")
        return ("p", node.name)
    if isinstance(node, S.LevelAdd):
        out = elab_level(elab, node.base)
        if node.offset > 64:
            raise elab.outside(node, f"universe level + {node.offset}")
        for _ in range(node.offset):
            out = lsucc(out)
        return out
    assert isinstance(node, S.LevelMax)
    parts = [elab_level(elab, x) for x in node.args]
    out = parts[-1]
    for p in reversed(parts[:-1]):
        out = limax(p, out) if node.impredicative else lmax(p, out)
    return out


@rule(S.SortTerm)
def _sort(elab: Elab, node: S.SortTerm, expected: Expr | None) -> Expr:
    if node.kind == "Prop":
        return PROP
    if node.kind in ("Type*", "Sort*"):
        level = elab.fresh_level()
        return Sort(lsucc(level) if node.kind == "Type*" else level)
    if node.kind == "Type":
        return Sort(ONE if node.level is None else lsucc(elab_level(elab, node.level)))
    return Sort(ZERO if node.level is None else elab_level(elab, node.level))


# ---------------------------------------------------------------- names and atoms
@rule(S.Ident)
def _ident(elab: Elab, node: S.Ident, expected: Expr | None) -> Expr:
    return elab.call_ident(node, Call([], node=node), expected)


@rule(S.App)
def _app(elab: Elab, node: S.App, expected: Expr | None) -> Expr:
    call = Call([], node=node, ellipsis=node.ellipsis)
    for a in node.args:
        if isinstance(a, S.NamedArg):
            call.named[a.name] = a.value
        else:
            call.args.append(a)
    fn = node.fn
    if isinstance(fn, S.Ident):
        return elab.call_ident(fn, call, expected)
    if isinstance(fn, S.Proj):
        return elab.call_fields(elab.finish(elab.term(fn.target)), [fn.field], call, expected)
    if isinstance(fn, S.DotIdent):
        return elab.call(_dot_head(elab, fn, expected), call, expected)
    return elab.call(elab.term(fn), call, expected)


@rule(S.Proj)
def _proj(elab: Elab, node: S.Proj, expected: Expr | None) -> Expr:
    target = elab.finish(elab.term(node.target))
    return elab.call_fields(target, [node.field], Call([], node=node), expected)


def _dot_head(elab: Elab, node: S.DotIdent, expected: Expr | None) -> Expr:
    if expected is None:
        raise elab.fail(
            node,
            f"Invalid dotted identifier notation: The expected type of `.{node.name}` could not be determined",  # noqa: E501
        )
    type_ = elab.inst(expected)
    while isinstance(type_, Pi):
        type_ = type_.body
    while True:
        type_ = elab.whnf_core(type_)
        fn = head(type_)
        if isinstance(fn, Const) and elab.env.contains(f"{fn.name}.{node.name}"):
            return elab.const(f"{fn.name}.{node.name}")
        new = elab.unfold(type_)
        if new is None:
            break
        type_ = new
    if isinstance(head(type_), MVar):
        raise elab.fail(
            node,
            f"Invalid dotted identifier notation: The expected type of `.{node.name}` could not be determined",  # noqa: E501
        )
    raise elab.fail(node, f"Unknown constant `{head(type_)!r}.{node.name}`")


@rule(S.DotIdent)
def _dot(elab: Elab, node: S.DotIdent, expected: Expr | None) -> Expr:
    return elab.call(_dot_head(elab, node, expected), Call([], node=node), expected)


@rule(S.Hole)
def _hole(elab: Elab, node: S.Hole, expected: Expr | None) -> Expr:
    return elab.hole(expected if expected is not None else elab.hole(Sort(elab.fresh_level())))


@rule(S.SyntheticHole)
def _synthetic(elab: Elab, node: S.SyntheticHole, expected: Expr | None) -> Expr:
    if node.name is not None:
        for g in [*elab.new_holes, *elab.goals]:
            if g.name == node.name:
                return g
    m = elab.hole(
        expected if expected is not None else elab.hole(Sort(elab.fresh_level())), "g", node.name or ""
    )
    elab.new_holes.append(m)
    return m


@rule(S.NumLit)
def _num(elab: Elab, node: S.NumLit, expected: Expr | None) -> Expr:
    if expected is not None:
        t = elab.whnf_core(elab.inst(expected))
        fn = head(t)
        if isinstance(fn, (Const, FVar, Sort, Pi)) and fn != NAT and elab.whnf(t) != NAT:
            raise elab.fail(
                node,
                f"failed to synthesize\n  OfNat {elab.printer().text(t, 1024)} {node.value}\n"
                "numerals are polymorphic in Lean, but the numeral "
                f"`{node.value}` cannot be used in a context where the expected type is\n  {elab.show(t)}\n"
                "due to the absence of the instance above",
            )
    if node.value.bit_length() > MAX_BITS:
        raise elab.outside(node, f"numerals of more than {MAX_BITS} bits")
    return Lit(node.value)


@rule(S.StrLit, S.CharLit)
def _text(elab: Elab, node: S.Term, expected: Expr | None) -> Expr:
    raise elab.outside(node, "strings and characters")


@rule(S.SorryTerm)
def _sorry(elab: Elab, node: S.SorryTerm, expected: Expr | None) -> Expr:
    type_ = expected if expected is not None else elab.hole(Sort(elab.fresh_level()))
    goal = elab.hole(type_, "g")
    elab.log.sorries.append((node.start, node.end, goal, snapshot(elab)))
    return sorry_term(elab, type_)


def sorry_term(elab: Elab, type_: Expr) -> Expr:
    """`sorryAx type false`, with which nothing counts as proved."""
    return mk_app(Const("sorryAx", (elab.sort_of(type_),)), type_, Const("Bool.false"))


def snapshot(elab: Elab) -> Any:
    """The state of all holes, to go on from later."""
    return (dict(elab.assign), dict(elab.lassign), dict(elab.delayed), tuple(elab.level_names))


@rule(S.TermOther)
def _other(elab: Elab, node: S.TermOther, expected: Expr | None) -> Expr:
    raise elab.outside(node, node.what)


# ---------------------------------------------------------------- structured terms
@rule(S.Ascription)
def _ascription(elab: Elab, node: S.Ascription, expected: Expr | None) -> Expr:
    if node.type is None:
        return elab.finish(elab.term(node.term))
    return elab.typed(node.term, elab.type_(node.type))


@rule(S.Show)
def _show(elab: Elab, node: S.Show, expected: Expr | None) -> Expr:
    type_ = elab.type_(node.type)
    if expected is not None:
        elab.unify(type_, expected)
    e = elab.typed(node.value, type_)
    return mk_app(Lam("this", type_, BVar(0)), e)


@rule(S.AssumptionTerm)
def _assumption(elab: Elab, node: S.AssumptionTerm, expected: Expr | None) -> Expr:
    type_ = elab.type_(node.type)
    for v in reversed(elab.lctx):
        if elab.unify(v.type, type_):
            return v
    raise elab.fail(node, f"Tactic `assumption` failed\n\n{elab.goal_text(MVar(type_, elab.lctx))}")


@rule(S.AnonymousCtor)
def _anonymous(elab: Elab, node: S.AnonymousCtor, expected: Expr | None) -> Expr:
    if expected is None:
        raise elab.fail(
            node, "Invalid `⟨...⟩` notation: The expected type of this term could not be determined"
        )
    type_ = elab.whnf(elab.inst(expected))
    fn, args = head_args(type_)
    if isinstance(fn, MVar):
        raise elab.fail(
            node, "Invalid `⟨...⟩` notation: The expected type of this term could not be determined"
        )
    c = elab.kenv.get(fn.name) if isinstance(fn, Const) else None
    if c is None or c.kind != "inductive" or len(c.ctors) != 1:
        raise elab.fail(
            node,
            f"Invalid `⟨...⟩` notation: The expected type `{elab.show(elab.inst(expected))}` "
            "does not have exactly one constructor"
            if c is not None and c.kind == "inductive"
            else f"Invalid `⟨...⟩` notation: The expected type `{elab.show(elab.inst(expected))}` is not an inductive type",  # noqa: E501
        )
    ctor = elab.kenv.get(c.ctors[0])
    assert ctor is not None and isinstance(fn, Const)
    items = list(node.items)
    n = ctor.nfields
    if len(items) < n or (n == 0 and items):
        raise elab.fail(
            node,
            f"Insufficient number of fields for `⟨...⟩` constructor: Constructor `{ctor.name}` has {n} "
            f"explicit field{'s' if n != 1 else ''}, but only {len(items)} {'was' if len(items) == 1 else 'were'} provided",  # noqa: E501
        )
    if len(items) > n:
        rest = S.AnonymousCtor(items[n - 1].start, node.end, tuple(items[n - 1 :]))
        items = [*items[: n - 1], rest]
    base = mk_apps(Const(ctor.name, fn.levels), args[: c.nparams])
    return elab.call(base, Call(list(items), node=node, explicit=False), expected)


@rule(S.StructInst)
def _struct(elab: Elab, node: S.StructInst, expected: Expr | None) -> Expr:
    type_ = elab.whnf(elab.inst(expected)) if expected is not None else None
    fn = head(type_) if type_ is not None else None
    c = elab.kenv.get(fn.name) if isinstance(fn, Const) else None
    if c is None or len(c.ctors) != 1:
        raise elab.fail(node, "invalid {...} notation, structure type expected")
    ctor = elab.kenv.get(c.ctors[0])
    assert ctor is not None
    given = {f.name: f.value for f in node.fields}
    missing = [f for f in ctor.field_names if f not in given]
    if missing:
        raise elab.fail(node, "Fields missing: " + ", ".join([f"`{f}`" for f in missing]))
    items = tuple([given[f] for f in ctor.field_names])
    return _anonymous(elab, S.AnonymousCtor(node.start, node.end, items), expected)


@rule(S.Let, S.Have)
def _let(elab: Elab, node: S.Let | S.Have, expected: Expr | None) -> Expr:
    d = node.decl
    opaque = isinstance(node, S.Have)
    if d.pattern is not None:
        if d.value is None:
            raise elab.fail(d, "a value is missing")
        alt = S.MatchAlt(d.start, node.end, ((d.pattern,),), node.body)
        value_node = d.value if d.type is None else S.Ascription(d.start, d.end, d.value, d.type)
        discr = S.Discr(d.start, d.end, None, value_node)
        return elab.term(S.Match(node.start, node.end, (discr,), (alt,)), expected)
    type_, value = local_decl(elab, d)
    name = d.name or "this"
    v = FVar(name, type_, None if opaque else value)
    saved = elab.lctx
    elab.lctx = (*saved, v)
    try:
        body = elab.typed(node.body, expected) if expected is not None else elab.term(node.body)
        if elab.pending:
            body = elab.finish(body)
    finally:
        elab.lctx = saved
    if opaque:
        return App(elab.bind([v], body, Lam), value)
    return elab.bind([v], body, Lam)


def local_decl(elab: Elab, d: S.LocalDecl) -> tuple[Expr, Expr]:
    """Type and value of a `have` or `let`, everything put off already run."""
    if d.alts:
        raise elab.outside(d, "`have` with equations")
    value_node = d.value
    if value_node is None:
        raise elab.fail(d, "a value is missing")

    def inside(vs: list[FVar]) -> tuple[Expr, Expr]:
        if d.type is not None:
            type_ = elab.type_(d.type)
            value = elab.finish(elab.typed(value_node, type_))
        else:
            value = elab.finish(elab.term(value_node))
            type_ = elab.inst(elab.infer(value))
        type_ = elab.inst(type_)
        return elab.bind(vs, type_, Pi), elab.bind(vs, value, Lam)

    return with_binders(elab, d.binders, inside)


@rule(S.Suffices)
def _suffices(elab: Elab, node: S.Suffices, expected: Expr | None) -> Expr:
    type_ = elab.type_(node.type)
    v = FVar(node.name or "this", type_)
    saved = elab.lctx
    elab.lctx = (*saved, v)
    try:
        want = expected if expected is not None else elab.hole(Sort(elab.fresh_level()))
        first = elab.finish(elab.typed(node.value, want))
    finally:
        elab.lctx = saved
    return App(elab.bind([v], first, Lam), elab.typed(node.body, type_))


@rule(S.If)
def _if(elab: Elab, node: S.If, expected: Expr | None) -> Expr:
    raise elab.outside(node, "if-then-else")


@rule(S.TypeOf)
def _type_of(elab: Elab, node: S.TypeOf, expected: Expr | None) -> Expr:
    return elab.inst(elab.infer(elab.finish(elab.term(node.term))))


@rule(S.By)
def _by(elab: Elab, node: S.By, expected: Expr | None) -> Expr:
    goal = elab.hole(expected if expected is not None else elab.hole(Sort(elab.fresh_level())), "g")
    elab.pending.append((goal, node))
    return goal


@rule(S.Match, S.FunMatch, S.NoMatch)
def _match(elab: Elab, node: S.Term, expected: Expr | None) -> Expr:
    from harness.lean.core.tactics.matching import elab_match

    return elab_match(elab, node, expected)


@rule(S.Calc)
def _calc(elab: Elab, node: S.Calc, expected: Expr | None) -> Expr:
    from harness.lean.core.calc import elab_calc

    return elab_calc(elab, node, expected)


__all__ = [
    "elab_level",
    "equation_parts",
    "local_decl",
    "snapshot",
    "sorry_term",
    "transport",
    "with_binders",
]
