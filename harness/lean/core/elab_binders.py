"""Elaboration of what binds variables: ∀, →, ∃, fun."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.lean.core import syntax as S
from harness.lean.core.elab import NAT, Elab, rule
from harness.lean.core.term import (
    PROP,
    Const,
    Expr,
    FVar,
    Lam,
    Pi,
    Sort,
    instantiate,
    mk_app,
)

T = TypeVar("T")
INFO = {
    S.BinderKind.EXPLICIT: "d",
    S.BinderKind.IMPLICIT: "i",
    S.BinderKind.STRICT: "s",
    S.BinderKind.INSTANCE: "c",
}


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
        body = elab.typed(inner, instantiate(pi.body, v)) if pi is not None else elab.term(inner)
    finally:
        elab.lctx = saved
    return elab.bind([v], body, Lam)
