"""Elaboration of every form of term but application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from harness.lean.core import syntax as S
from harness.lean.core.elab import TERM_RULES, Call, Elab
from harness.lean.core.kernel import MAX_BITS
from harness.lean.core.rewriting import abstract_occurrences
from harness.lean.core.term import (
    ONE,
    PROP,
    ZERO,
    App,
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
    instantiate,
    level_of,
    limax,
    lmax,
    lsucc,
    mk_app,
    mk_apps,
)

T = TypeVar("T")
NAT = Const("Nat")
INFO = {
    S.BinderKind.EXPLICIT: "d",
    S.BinderKind.IMPLICIT: "i",
    S.BinderKind.STRICT: "s",
    S.BinderKind.INSTANCE: "c",
}
RELATIONS = {"<": "Nat.lt", "≤": "Nat.le", ">": "GT.gt", "≥": "GE.ge", "∣": "Dvd.dvd"}
ARITHMETIC = {"+": "Nat.add", "*": "Nat.mul", "-": "Nat.sub", "^": "Nat.pow"}
CONNECTIVES = {"∧": "And", "∨": "Or", "↔": "Iff"}


def rule(*kinds: type) -> Callable[[T], T]:
    """Register a function for syntax nodes."""

    def register(fn: T) -> T:
        for kind in kinds:
            TERM_RULES[kind] = fn  # type: ignore[assignment]
        return fn

    return register


# ---------------------------------------------------------------- levels and sorts
def elab_level(elab: Elab, node: S.Level | None) -> Level:
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
            f"Invalid dotted identifier notation: The expected type of `.{node.name}` could not be determined",
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
            f"Invalid dotted identifier notation: The expected type of `.{node.name}` could not be determined",
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
        if isinstance(fn, (Const, FVar, Sort, Pi)) and not (isinstance(fn, Const) and fn.name == "Nat"):
            if not isinstance(elab.whnf(t), Const) or head(elab.whnf(t)) != NAT:
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
    return mk_app(Const("sorryAx", (elab.sort_of(type_),)), type_)


def snapshot(elab: Elab) -> Any:
    """The state of all holes, to go on from later."""
    return (dict(elab.assign), dict(elab.lassign), dict(elab.delayed), tuple(elab.level_names))


@rule(S.TermOther)
def _other(elab: Elab, node: S.TermOther, expected: Expr | None) -> Expr:
    raise elab.outside(node, node.what)


# ---------------------------------------------------------------- operators
def _mismatch(elab: Elab, node: S.Node, e: Expr, want: Expr) -> Exception:
    return elab.fail(
        node,
        f"Type mismatch\n  {elab.show(e)}\nhas type\n  {elab.show(elab.infer(e))}\n"
        f"but is expected to have type\n  {elab.show(want)}",
    )


@rule(S.BinOp)
def _binop(elab: Elab, node: S.BinOp, expected: Expr | None) -> Expr:
    op = node.op
    if op in CONNECTIVES:
        return mk_app(Const(CONNECTIVES[op]), elab.typed(node.lhs, PROP), elab.typed(node.rhs, PROP))
    if op in ("=", "≠"):
        return _equation(elab, node)
    if op in RELATIONS:
        return mk_app(Const(RELATIONS[op]), _nat(elab, node.lhs, op), _nat(elab, node.rhs, op))
    if op in ARITHMETIC:
        return mk_app(Const(ARITHMETIC[op]), _nat(elab, node.lhs, op), _nat(elab, node.rhs, op))
    if op in ("++", "::"):
        return _list_op(elab, node, expected)
    if op in ("∈", "∉"):
        list_ = elab.term(node.rhs)
        a = elab.hole(Sort(elab.fresh_level()))
        level = _type_level(elab, a)
        if not elab.unify(elab.infer(list_), App(Const("List", (level,)), a)):
            raise elab.outside(node, f"`{op}` of anything but a List")
        out = mk_app(Const("List.Mem", (level,)), a, elab.typed(node.lhs, a), list_)
        return out if op == "∈" else App(Const("Not"), out)
    if op == "×":
        return elab.make("Prod", elab.type_(node.lhs), elab.type_(node.rhs))
    if op == "∘":
        return elab.call(elab.const("Function.comp"), Call([node.lhs, node.rhs], node=node), expected)
    if op == "▸":
        return _substitute(elab, node, expected)
    raise elab.outside(node, f"`{op}`")


def _type_level(elab: Elab, type_: Expr) -> Level:
    level = elab.fresh_level()
    elab.unify(elab.infer(type_), Sort(lsucc(level)))
    return level


def _nat(elab: Elab, node: S.Term, op: str) -> Expr:
    e = elab.term(node, NAT)
    got = elab.infer(e)
    if elab.unify(got, NAT):
        return e
    raise (
        elab.outside(node, f"`{op}` at type {elab.show(got)}")
        if not isinstance(elab.whnf(got), Sort)
        else _mismatch(elab, node, e, NAT)
    )


def _equation(elab: Elab, node: S.BinOp) -> Expr:
    first, second = node.lhs, node.rhs
    late = isinstance(first, (S.AnonymousCtor, S.Fun, S.NumLit, S.DotIdent, S.ListLit))
    if late:
        b = elab.term(second)
        type_ = elab.inst(elab.infer(b))
        a = elab.term(first, type_)
    else:
        a = elab.term(first)
        type_ = elab.inst(elab.infer(a))
        b = elab.term(second, type_)
    got = elab.infer(a if late else b)
    if not elab.unify(got, type_):
        raise _mismatch(elab, first if late else second, a if late else b, type_)
    name = "Eq" if node.op == "=" else "Ne"
    return mk_app(Const(name, (elab.sort_of(type_),)), type_, a, b)


def _list_op(elab: Elab, node: S.BinOp, expected: Expr | None) -> Expr:
    level = elab.fresh_level()
    alpha = elab.hole(Sort(lsucc(level)))
    list_type = App(Const("List", (level,)), alpha)
    if expected is not None:
        elab.unify(list_type, expected)
    if node.op == "::":
        item = elab.term(node.lhs, alpha)
        if not elab.unify(elab.infer(item), alpha):
            raise _mismatch(elab, node.lhs, item, alpha)
        return mk_app(Const("List.cons", (level,)), alpha, item, elab.typed(node.rhs, list_type))
    sides: list[Expr] = []
    for side in (node.lhs, node.rhs):
        e = elab.term(side, list_type)
        if not elab.unify(elab.infer(e), list_type):
            raise elab.outside(side, f"`++` at type {elab.show(elab.infer(e))}")
        sides.append(e)
    return mk_app(Const("List.append", (level,)), alpha, *sides)


@rule(S.ListLit)
def _list(elab: Elab, node: S.ListLit, expected: Expr | None) -> Expr:
    level = elab.fresh_level()
    alpha = elab.hole(Sort(lsucc(level)))
    if expected is not None:
        elab.unify(App(Const("List", (level,)), alpha), elab.whnf_reducible(elab.inst(expected)))
    items = [elab.typed(x, alpha) for x in node.items]
    out: Expr = App(Const("List.nil", (level,)), alpha)
    for x in reversed(items):
        out = mk_app(Const("List.cons", (level,)), alpha, x, out)
    return out


@rule(S.TupleTerm)
def _tuple(elab: Elab, node: S.TupleTerm, expected: Expr | None) -> Expr:
    if not node.items:
        raise elab.outside(node, "`()`")
    call = Call([node.items[-1]], node=node)
    if len(node.items) == 2:
        return elab.call(elab.const("Prod.mk"), Call(list(node.items), node=node), expected)
    del call
    raise elab.outside(node, "tuples of more than two")


@rule(S.PrefixOp)
def _prefix(elab: Elab, node: S.PrefixOp, expected: Expr | None) -> Expr:
    if node.op == "¬":
        return App(Const("Not"), elab.typed(node.arg, PROP))
    if node.op in ("↑", "⇑", "↥"):
        return elab.term(node.arg, expected)
    raise elab.outside(node, f"prefix `{node.op}`")


@rule(S.PostfixOp)
def _postfix(elab: Elab, node: S.PostfixOp, expected: Expr | None) -> Expr:
    raise elab.outside(node, f"postfix `{node.op}`")


def equation_parts(elab: Elab, type_: Expr) -> tuple[Expr, Expr, Expr] | None:
    """Type, left and right of an equation."""
    t = elab.whnf_reducible(elab.inst(type_))
    fn, args = head_args(t)
    if isinstance(fn, Const) and fn.name == "Eq" and len(args) == 3:
        return args[0], args[1], args[2]
    return None


def _substitute(elab: Elab, node: S.BinOp, expected: Expr | None) -> Expr:
    """`h ▸ e`: rewrite the expected type with h (right to left, else left to right), else the type of e."""
    h = elab.finish(elab.term(node.lhs))
    parts = equation_parts(elab, elab.infer(h))
    if parts is None:
        if (iff := _iff_parts(elab, elab.infer(h))) is not None:
            h = mk_app(Const("propext"), iff[0], iff[1], h)
            parts = (PROP, *iff)
        else:
            raise elab.fail(
                node, f"invalid `▸` notation, argument\n  {elab.show(h)}\nmust have equality type"
            )
    type_, a, b = parts
    want = elab.inst(expected) if expected is not None else None
    if want is not None and not isinstance(head(want), MVar):
        for src, dst, eq in ((b, a, h), (a, b, None)):
            x = FVar("x", type_)
            body = abstract_occurrences(elab, want, src, x)
            if body is want or not _mentions(body, x):
                continue
            motive = elab.bind([x], body, Lam)
            proof = eq if eq is not None else elab.make("Eq.symm", h)
            mark = elab.mark()
            try:
                inner = elab.typed(
                    node.rhs, elab.inst(instantiate(motive.body, dst)) if isinstance(motive, Lam) else want
                )
            except Exception as error:
                if error.__class__.__name__ != "LeanError":
                    raise
                elab.undo(mark)
                continue
            return transport(elab, motive, proof, inner)
    inner = elab.finish(elab.term(node.rhs))
    got = elab.inst(elab.infer(inner))
    x = FVar("x", type_)
    for src, dst, eq2 in ((a, b, h), (b, a, elab.make("Eq.symm", h))):
        body = abstract_occurrences(elab, got, src, x)
        if not _mentions(body, x):
            continue
        motive = elab.bind([x], body, Lam)
        if want is not None and not elab.unify(elab.inst(instantiate(motive.body, dst)), want):  # type: ignore[attr-defined]
            continue
        return transport(elab, motive, eq2, inner)
    raise elab.fail(node, "invalid `▸` notation, failed to compute motive for the substitution")


def _iff_parts(elab: Elab, type_: Expr) -> tuple[Expr, Expr] | None:
    fn, args = head_args(elab.whnf_reducible(elab.inst(type_)))
    return (args[0], args[1]) if isinstance(fn, Const) and fn.name == "Iff" and len(args) == 2 else None


def _mentions(e: Expr, v: FVar) -> bool:
    from harness.lean.core.unify import occurs

    return occurs(v, e)


def transport(elab: Elab, motive: Expr, eq: Expr, value: Expr) -> Expr:
    """From `eq : a = b` and `value : motive a` a term of `motive b` (motive into any sort)."""
    parts = equation_parts(elab, elab.infer(eq))
    assert parts is not None and isinstance(motive, Lam)
    type_, a, b = parts
    v = FVar("x", type_)
    target = elab.sort_of(instantiate(motive.body, v))
    full = Lam(
        "x",
        type_,
        Lam(
            "h", mk_app(Const("Eq", (elab.sort_of(type_),)), type_, _shift(a), _bvar0()), _lift1(motive.body)
        ),
    )
    rec = Const("Eq.rec", (target, elab.sort_of(type_)))
    return mk_app(rec, type_, a, full, value, b, eq)


def _bvar0() -> Expr:
    from harness.lean.core.term import BVar

    return BVar(0)


def _shift(e: Expr) -> Expr:
    return e


def _lift1(e: Expr) -> Expr:
    from harness.lean.core.term import lift

    return lift(e, 1)


# ---------------------------------------------------------------- binders
def with_binders(elab: Elab, binders: Sequence[S.Binder], body: Callable[[list[FVar]], T]) -> T:
    """Run `body` with the binders in the context; `pred`s become hypotheses of their own."""
    saved = elab.lctx
    out: list[FVar] = []
    try:
        for b in binders:
            if b.kind is S.BinderKind.INSTANCE:
                raise elab.outside(b, "instance arguments [..]")
            if b.pattern is not None or b.default is not None:
                raise elab.outside(b, "patterns and default values in this place")
            if b.type is not None:
                type_ = elab.type_(b.type)
            else:
                type_ = elab.hole(Sort(elab.fresh_level()))
                if b.pred is not None:
                    type_ = NAT if b.pred.op in ("<", "≤", ">", "≥") else type_
            v = FVar(b.name if b.name != "_" else "x✝", type_, None, INFO[b.kind])
            out.append(v)
            elab.lctx = (*elab.lctx, v)
        return body(out)
    finally:
        elab.lctx = saved


def _pred(elab: Elab, b: S.Binder) -> Expr | None:
    if b.pred is None:
        return None
    name = S.Ident(b.start, b.end, b.name)
    return elab.term(S.BinOp(b.pred.start, b.pred.end, b.pred.op, name, b.pred.bound))


@rule(S.Pi)
def _pi(elab: Elab, node: S.Pi, expected: Expr | None) -> Expr:
    first, rest = node.binders[0], node.binders[1:]

    def inside(vs: list[FVar]) -> Expr:
        v = vs[0]
        pred = _pred(elab, first)
        if pred is None:
            body = (
                _pi(elab, S.Pi(node.start, node.end, rest, node.body), None)
                if rest
                else elab.type_(node.body)
            )
            return elab.bind([v], body, Pi)
        h = FVar("a✝", pred)
        elab.lctx = (*elab.lctx, h)
        body = _pi(elab, S.Pi(node.start, node.end, rest, node.body), None) if rest else elab.type_(node.body)
        return elab.bind([v, h], body, Pi)

    return with_binders(elab, [first], inside)


@rule(S.Arrow)
def _arrow(elab: Elab, node: S.Arrow, expected: Expr | None) -> Expr:
    a = elab.type_(node.domain)
    b = elab.type_(node.codomain)
    return Pi("a✝", a, b)


@rule(S.BinderOp)
def _binder_op(elab: Elab, node: S.BinderOp, expected: Expr | None) -> Expr:
    if node.op not in ("∃", "∃!"):
        raise elab.outside(node, f"`{node.op}`")
    first, rest = node.binders[0], node.binders[1:]

    def inside(vs: list[FVar]) -> Expr:
        v = vs[0]
        pred = _pred(elab, first)
        if rest:
            body: Expr = _binder_op(elab, S.BinderOp(node.start, node.end, node.op, rest, node.body), None)
        else:
            body = elab.typed(node.body, PROP)
        if pred is not None:
            body = mk_app(Const("And"), pred, body)
        if node.op == "∃!":
            y = FVar("y", v.type)
            same = mk_app(Const("Eq", (elab.sort_of(v.type),)), v.type, y, v)
            other = instantiate(elab.bind([v], body, Lam).body, y)  # type: ignore[attr-defined]
            only = elab.bind([y], Pi("a✝", other, same), Pi)
            body = mk_app(Const("And"), body, only)
        return mk_app(Const("Exists", (elab.sort_of(v.type),)), v.type, elab.bind([v], body, Lam))

    return with_binders(elab, [first], inside)


@rule(S.Fun)
def _fun(elab: Elab, node: S.Fun, expected: Expr | None) -> Expr:
    b, rest = node.binders[0], node.binders[1:]
    want = elab.whnf(elab.inst(expected)) if expected is not None else None
    pi = want if isinstance(want, Pi) else None
    inner: S.Term = S.Fun(node.start, node.end, rest, node.body) if rest else node.body
    if b.pattern is not None:
        alt = S.MatchAlt(b.start, node.end, ((b.pattern,),), inner)
        return elab.term(S.FunMatch(node.start, node.end, (alt,)), expected)
    if b.kind is S.BinderKind.INSTANCE:
        raise elab.outside(b, "instance arguments [..]")
    if b.type is not None:
        type_ = elab.type_(b.type)
        if pi is not None and not elab.unify(type_, pi.type):
            raise elab.fail(
                node,
                f"Type mismatch\n  fun {b.name} => ?m\nhas type\n  {elab.show(type_)} → ?m\n"
                f"but is expected to have type\n  {elab.show(pi)}",
            )
    else:
        type_ = pi.type if pi is not None else elab.hole(Sort(elab.fresh_level()))
    v = FVar(b.name if b.name != "_" else "x✝", type_, None, INFO[b.kind])
    saved = elab.lctx
    elab.lctx = (*saved, v)
    try:
        if pi is not None:
            body = elab.typed(inner, instantiate(pi.body, v))
        else:
            body = elab.term(inner)
        if elab.pending and _short(expected):
            body = elab.finish(body)
    finally:
        elab.lctx = saved
    return elab.bind([v], body, Lam)


def _short(expected: Expr | None) -> bool:
    return False


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
    return mk_app(Lam("this", type_, _bvar0()), e)


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
            else f"Invalid `⟨...⟩` notation: The expected type `{elab.show(elab.inst(expected))}` is not an inductive type",
        )
    ctor = elab.kenv.get(c.ctors[0])
    assert ctor is not None and isinstance(fn, Const)
    items = list(node.items)
    n = ctor.nfields
    if len(items) < n or (n == 0 and items):
        raise elab.fail(
            node,
            f"Insufficient number of fields for `⟨...⟩` constructor: Constructor `{ctor.name}` has {n} "
            f"explicit field{'s' if n != 1 else ''}, but only {len(items)} {'was' if len(items) == 1 else 'were'} provided",
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


RELATION_NAMES: dict[str, Any] = {"Eq": None}
