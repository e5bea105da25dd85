"""Elaboration of operators: connectives, relations, arithmetic, lists, `▸`."""

from __future__ import annotations

from harness.lean.core import syntax as S
from harness.lean.core.elab import NAT, Call, Elab, LeanError, rule
from harness.lean.core.rewriting import abstract_occurrences
from harness.lean.core.term import (
    PROP,
    App,
    BVar,
    Const,
    Expr,
    FVar,
    Lam,
    Level,
    MVar,
    Sort,
    head,
    head_args,
    instantiate,
    lift,
    lsucc,
    mk_app,
)
from harness.lean.core.unify import occurs

RELATIONS = {"<": "Nat.lt", "≤": "Nat.le", ">": "GT.gt", "≥": "GE.ge", "∣": "Dvd.dvd"}


ARITHMETIC = {"+": "Nat.add", "*": "Nat.mul", "-": "Nat.sub", "^": "Nat.pow"}


CONNECTIVES = {"∧": "And", "∨": "Or", "↔": "Iff"}


# ---------------------------------------------------------------- operators
def _mismatch(elab: Elab, node: S.SyntaxNode, e: Expr, want: Expr) -> Exception:
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
    if len(node.items) == 2:
        return elab.call(elab.const("Prod.mk"), Call(list(node.items), node=node), expected)
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
            if body is want or not occurs(x, body):
                continue
            motive = elab.bind([x], body, Lam)
            proof = eq if eq is not None else elab.make("Eq.symm", h)
            mark = elab.mark()
            try:
                inner = elab.typed(
                    node.rhs, elab.inst(instantiate(motive.body, dst)) if isinstance(motive, Lam) else want
                )
            except LeanError:
                elab.undo(mark)
                continue
            return transport(elab, motive, proof, inner)
    inner = elab.finish(elab.term(node.rhs))
    got = elab.inst(elab.infer(inner))
    x = FVar("x", type_)
    for src, dst, eq2 in ((a, b, h), (b, a, elab.make("Eq.symm", h))):
        body = abstract_occurrences(elab, got, src, x)
        if not occurs(x, body):
            continue
        motive = elab.bind([x], body, Lam)
        if want is not None and not elab.unify(elab.inst(instantiate(motive.body, dst)), want):  # type: ignore[attr-defined]
            continue
        return transport(elab, motive, eq2, inner)
    raise elab.fail(node, "invalid `▸` notation, failed to compute motive for the substitution")


def _iff_parts(elab: Elab, type_: Expr) -> tuple[Expr, Expr] | None:
    fn, args = head_args(elab.whnf_reducible(elab.inst(type_)))
    return (args[0], args[1]) if isinstance(fn, Const) and fn.name == "Iff" and len(args) == 2 else None


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
        Lam("h", mk_app(Const("Eq", (elab.sort_of(type_),)), type_, a, BVar(0)), lift(motive.body, 1)),
    )
    rec = Const("Eq.rec", (target, elab.sort_of(type_)))
    return mk_app(rec, type_, a, full, value, b, eq)
