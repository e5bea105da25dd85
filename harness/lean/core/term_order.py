# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""The order that permuting rewrites go down by, and beta inside a term."""

from __future__ import annotations

from harness.lean.core.term import (
    App,
    Const,
    Expr,
    FVar,
    Lam,
    Lit,
    MVar,
    Pi,
    beta,
    head_args,
    mk_apps,
    same,
)


def _beta_all(e: Expr) -> Expr:
    """Contract redexes that instantiating a pattern variable by a function has left."""
    if isinstance(e, App):
        fn, args = head_args(e)
        if isinstance(fn, Lam):
            return _beta_all(beta(fn, args))
        new = [_beta_all(a) for a in args]
        return e if all([x is y for x, y in zip(args, new, strict=True)]) else mk_apps(fn, new)
    if isinstance(e, (Lam, Pi)):
        t, b = _beta_all(e.type), _beta_all(e.body)
        return e if t is e.type and b is e.body else e.__class__(e.name, t, b, e.info)
    return e


def smaller(a: Expr, b: Expr) -> bool:
    """A total order on terms that ordered rewriting goes down by."""
    return _compare(a, b) < 0


RANK = {Lit: 0, FVar: 1, Const: 2, MVar: 3, App: 4, Lam: 5, Pi: 6}


def _compare(a: Expr, b: Expr) -> int:
    if same(a, b):
        return 0
    fa, xs = head_args(a)
    fb, ys = head_args(b)
    wa, wb = len(xs) > 0, len(ys) > 0
    if wa != wb:
        return -1 if wb else 1
    if wa:
        if len(xs) != len(ys):
            return -1 if len(xs) < len(ys) else 1
        c = _compare(fa, fb)
        if c:
            return c
        for x, y in zip(xs, ys, strict=True):
            c = _compare(x, y)
            if c:
                return c
        return 0
    ra, rb = RANK.get(type(a), 9), RANK.get(type(b), 9)
    if ra != rb:
        return -1 if ra < rb else 1
    if isinstance(a, Lit) and isinstance(b, Lit):
        return a.n - b.n
    if isinstance(a, (FVar, MVar)) and isinstance(b, (FVar, MVar)):
        return a.id - b.id
    if isinstance(a, Const) and isinstance(b, Const):
        return -1 if a.name < b.name else 1
    return -1 if a.sz < b.sz else 1
