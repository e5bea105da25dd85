# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""Occurrences: the abstraction behind `rw`, `▸`, recursors and `generalize`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lean.core.term import (
    HAS_MVAR,
    App,
    Const,
    Expr,
    FVar,
    Lam,
    Let,
    MVar,
    Pi,
    head_args,
    same,
)

if TYPE_CHECKING:
    from harness.lean.core.unify import Meta


def _key(e: Expr) -> tuple[object, int]:
    fn, args = head_args(e)
    if isinstance(fn, Const):
        return fn.name, len(args)
    if isinstance(fn, (FVar, MVar)):
        return fn.id, len(args)
    return type(fn), len(args)


def abstract_occurrences(meta: Meta, e: Expr, pattern: Expr, replacement: Expr) -> Expr:
    """e with every instance of `pattern` replaced; the first match fixes the holes of the pattern.

    Instances are found as Lean finds them: same head and number of arguments, then unification.
    """
    pattern = meta.inst(pattern)
    if isinstance(pattern, FVar):
        return replace_exact(e, pattern, replacement)
    key = _key(pattern)
    state: list[Expr] = [pattern]
    closed = [not pattern.fl & HAS_MVAR]

    def match(t: Expr) -> bool:
        if t.lb:
            return False
        pat = state[0]
        if closed[0] and same(t, pat):
            return True
        k = _key(t)
        if k != key:
            return False
        if meta.unify(pat, t):
            state[0] = meta.inst(pat)
            closed[0] = not state[0].fl & HAS_MVAR
            return True
        return False

    def outer(t: Expr) -> Expr:
        if match(t):
            return replacement
        return visit_children(t)

    def visit_children(t: Expr) -> Expr:
        if isinstance(t, App):
            fn, args = head_args(t)
            new_args = [outer(a) for a in args]
            changed = any([x is not y for x, y in zip(args, new_args, strict=True)])
            new_fn = fn if isinstance(fn, (Const, FVar, MVar)) else outer(fn)
            if not changed and new_fn is fn:
                return t
            out = new_fn
            for a in new_args:
                out = App(out, a)
            return out
        if isinstance(t, (Pi, Lam)):
            ty, body = outer(t.type), outer(t.body)
            return t if ty is t.type and body is t.body else t.__class__(t.name, ty, body, t.info)
        if isinstance(t, Let):
            return Let(t.name, outer(t.type), outer(t.value), outer(t.body))
        return t

    return outer(meta.inst(e))


def replace_exact(e: Expr, old: Expr, new: Expr) -> Expr:
    """Replace a closed subterm wherever it stands literally."""
    if old.fl & ~e.fl:
        return e
    if e.sz < old.sz:
        return e
    if same(e, old):
        return new
    if isinstance(e, App):
        fn, arg = replace_exact(e.fn, old, new), replace_exact(e.arg, old, new)
        return e if fn is e.fn and arg is e.arg else App(fn, arg)
    if isinstance(e, (Pi, Lam)):
        t, b = replace_exact(e.type, old, new), replace_exact(e.body, old, new)
        return e if t is e.type and b is e.body else e.__class__(e.name, t, b, e.info)
    if isinstance(e, Let):
        parts = [replace_exact(x, old, new) for x in (e.type, e.value, e.body)]
        return Let(e.name, parts[0], parts[1], parts[2])
    return e
