"""Terms and the operations on their binders; the face of `nodes` and `level` as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.lean.core.level import (
    ONE,
    ZERO,
    Level,
    TermTooLarge,
    level_eq,
    level_leq,
    level_of,
    level_vars,
    limax,
    lmax,
    lsucc,
    subst_level,
)
from harness.lean.core.nodes import (
    HAS_FVAR,
    HAS_MVAR,
    HAS_PARAM,
    MAX_SIZE,
    PROP,
    SHARED,
    TYPE,
    App,
    BVar,
    Const,
    Expr,
    FVar,
    Lam,
    Let,
    Lit,
    MVar,
    Pi,
    Sort,
    fresh_id,
    head,
    head_args,
    mk_app,
    mk_apps,
    proj_of,
    raw,
    same,
    string_of,
)
from harness.lean.core.work import charge


def arrow(a: Expr, b: Expr) -> Expr:
    """The non-dependent function type (b must be closed at this level)."""
    return Pi("a", a, lift(b, 1) if b.lb else b)


_CHUNK = 256
"""Nodes that are paid for at once."""

Memo = dict[tuple[int, int], Expr]
Leaf = Callable[[BVar, int], Expr]


def _map_loose(e: Expr, depth: int, leaf: Leaf, memo: Memo | None) -> Expr:
    """Rebuild e, replacing loose indices with `leaf(var, depth)`."""
    if e.lb <= depth:
        return e
    if isinstance(e, BVar):
        return leaf(e, depth)
    if memo is not None:
        found = memo.get((id(e), depth))
        if found is not None:
            return found
    out: Expr
    if isinstance(e, App):
        out = App(_map_loose(e.fn, depth, leaf, memo), _map_loose(e.arg, depth, leaf, memo))
    elif isinstance(e, (Pi, Lam)):
        t = _map_loose(e.type, depth, leaf, memo)
        out = e.__class__(e.name, t, _map_loose(e.body, depth + 1, leaf, memo), e.info)
    else:
        assert isinstance(e, Let)
        t, value = _map_loose(e.type, depth, leaf, memo), _map_loose(e.value, depth, leaf, memo)
        out = Let(e.name, t, value, _map_loose(e.body, depth + 1, leaf, memo))
    if memo is not None:
        _remember(memo, e, depth, out)
    return out


def _remember(memo: Memo, e: Expr, depth: int, out: Expr) -> None:
    memo[(id(e), depth)] = out
    if not len(memo) & _CHUNK - 1:
        charge(_CHUNK)


def _memo(e: Expr) -> Memo | None:
    return {} if e.sz > SHARED else None


def lift(e: Expr, by: int) -> Expr:
    """Raise every loose index by `by`."""
    if e.lb == 0 or by == 0:
        return e
    return _map_loose(e, 0, lambda v, d: BVar(v.i + by), _memo(e))


def instantiate(e: Expr, value: Expr) -> Expr:
    """Replace index 0 by `value` (which is lifted when it has loose indices itself)."""
    return instantiate_rev(e, (value,))


def instantiate_rev(e: Expr, values: Sequence[Expr]) -> Expr:
    """Replace the innermost len(values) indices; index 0 becomes the last value."""
    if e.lb == 0 or not values:
        return e
    n = len(values)

    def leaf(v: BVar, d: int) -> Expr:
        k = v.i - d
        if k >= n:
            return BVar(v.i - n)
        value = values[n - 1 - k]
        return lift(value, d) if value.lb else value

    return _map_loose(e, 0, leaf, _memo(e))


def abstract(e: Expr, fvars: Sequence[Expr]) -> Expr:
    """Turn fvars (or mvars) into indices; the last becomes index 0."""
    if not fvars or not e.fl & (HAS_FVAR | HAS_MVAR):
        return e
    n = len(fvars)
    index = {v.id: n - 1 - k for k, v in enumerate(fvars) if isinstance(v, (FVar, MVar))}
    mask = 0
    for v in fvars:
        mask |= v.fl
    return _abstract(e, index, mask, 0, _memo(e))


def _abstract(e: Expr, index: dict[int, int], mask: int, depth: int, memo: Memo | None) -> Expr:
    if not e.fl & mask:
        return e
    if isinstance(e, (FVar, MVar)):
        found = index.get(e.id)
        return e if found is None else BVar(found + depth)
    if memo is not None:
        done = memo.get((id(e), depth))
        if done is not None:
            return done
    out: Expr
    if isinstance(e, App):
        fn = _abstract(e.fn, index, mask, depth, memo)
        arg = _abstract(e.arg, index, mask, depth, memo)
        out = e if fn is e.fn and arg is e.arg else App(fn, arg)
    elif isinstance(e, (Pi, Lam)):
        t = _abstract(e.type, index, mask, depth, memo)
        b = _abstract(e.body, index, mask, depth + 1, memo)
        out = e if t is e.type and b is e.body else e.__class__(e.name, t, b, e.info)
    elif isinstance(e, Let):
        t, value = _abstract(e.type, index, mask, depth, memo), _abstract(e.value, index, mask, depth, memo)
        out = Let(e.name, t, value, _abstract(e.body, index, mask, depth + 1, memo))
    else:
        return e
    if memo is not None:
        _remember(memo, e, depth, out)
    return out


def bind_pi(fvars: Sequence[FVar], body: Expr) -> Expr:
    """∀ fvars, body (let-variables become `let`)."""
    return _bind(fvars, body, Pi)


def bind_lam(fvars: Sequence[FVar], body: Expr) -> Expr:
    """fun fvars => body (let-variables become `let`)."""
    return _bind(fvars, body, Lam)


def _bind(fvars: Sequence[FVar], body: Expr, make: type[Pi] | type[Lam]) -> Expr:
    body = abstract(body, fvars)
    for k in range(len(fvars) - 1, -1, -1):
        v = fvars[k]
        t = abstract(v.type, fvars[:k])
        if v.value is not None:
            body = Let(v.name, t, abstract(v.value, fvars[:k]), body)
        else:
            body = make(v.name, t, body, v.info)
    return body


def subst_params(e: Expr, table: dict[Any, Level]) -> Expr:
    """Replace universe parameters everywhere in e."""
    return e if not table else _subst_levels(e, table, _memo(e))


def _subst_levels(e: Expr, table: dict[Any, Level], memo: Memo | None) -> Expr:
    if not e.fl & HAS_PARAM:
        return e
    if memo is not None:
        done = memo.get((id(e), 0))
        if done is not None:
            return done
    out: Expr
    if isinstance(e, App):
        out = App(_subst_levels(e.fn, table, memo), _subst_levels(e.arg, table, memo))
    elif isinstance(e, Const):
        out = Const(e.name, tuple([subst_level(x, table) for x in e.levels]))
    elif isinstance(e, Sort):
        out = Sort(subst_level(e.level, table))
    elif isinstance(e, (Pi, Lam)):
        t = _subst_levels(e.type, table, memo)
        out = e.__class__(e.name, t, _subst_levels(e.body, table, memo), e.info)
    elif isinstance(e, Let):
        parts = [_subst_levels(x, table, memo) for x in (e.type, e.value, e.body)]
        out = Let(e.name, parts[0], parts[1], parts[2])
    else:
        return e
    if memo is not None:
        _remember(memo, e, 0, out)
    return out


SPELLING = ("String", "String.ofList", "String.mk", "List.nil", "List.cons", "Char", "Char.ofNat", "Nat")
"""Constants that string literals are spelled with, where they exist."""


def replaced(e: Expr, change: Callable[[Expr], Expr | None], memo: dict[int, Expr] | None = None) -> Expr:
    """e with every outermost subterm that `change` answers for replaced; loose indices stay as they are."""
    memo = {} if memo is None else memo
    done = memo.get(id(e))
    if done is not None:
        return done
    out = change(e)
    if out is None:
        out = e
        if isinstance(e, App):
            out = App(replaced(e.fn, change, memo), replaced(e.arg, change, memo))
        elif isinstance(e, (Lam, Pi)):
            t = replaced(e.type, change, memo)
            out = e.__class__(e.name, t, replaced(e.body, change, memo), e.info)
        elif isinstance(e, Let):
            t, value = replaced(e.type, change, memo), replaced(e.value, change, memo)
            out = Let(e.name, t, value, replaced(e.body, change, memo))
    memo[id(e)] = out
    return out


def const_names(e: Expr, out: dict[str, None]) -> dict[str, None]:
    """Names of the constants in e, in order of first appearance; shared nodes are visited once."""
    seen: set[int] = set()
    stack = [e]
    while stack:
        x = stack.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if isinstance(x, App):
            stack += (x.arg, x.fn)
        elif isinstance(x, Const):
            structure = proj_of(x.name)
            if structure is not None:
                out[structure[0]] = None
            elif string_of(x.name) is not None:
                out.update(dict.fromkeys(SPELLING))
            else:
                out[x.name] = None
        elif isinstance(x, (Lam, Pi)):
            stack += (x.body, x.type)
        elif isinstance(x, Let):
            stack += (x.body, x.value, x.type)
        elif isinstance(x, Lit):
            out["Nat"] = None
    return out


def beta(fn: Expr, args: Sequence[Expr]) -> Expr:
    """fn applied to args, contracting as many leading lambdas as there are."""
    k = 0
    while k < len(args) and isinstance(fn, Lam):
        fn = fn.body
        k += 1
    if k:
        fn = instantiate_rev(fn, args[:k])
    if k < len(args):
        if k and isinstance(fn, Lam):
            return beta(fn, args[k:])
        return mk_apps(fn, args[k:])
    return fn


__all__ = [
    "HAS_FVAR",
    "HAS_MVAR",
    "HAS_PARAM",
    "MAX_SIZE",
    "ONE",
    "PROP",
    "TYPE",
    "ZERO",
    "App",
    "BVar",
    "Const",
    "Expr",
    "FVar",
    "Lam",
    "Let",
    "Level",
    "Lit",
    "MVar",
    "Pi",
    "Sort",
    "TermTooLarge",
    "abstract",
    "arrow",
    "beta",
    "bind_lam",
    "bind_pi",
    "const_names",
    "fresh_id",
    "head",
    "head_args",
    "instantiate",
    "instantiate_rev",
    "level_eq",
    "level_leq",
    "level_of",
    "level_vars",
    "lift",
    "limax",
    "lmax",
    "lsucc",
    "mk_app",
    "mk_apps",
    "raw",
    "same",
    "subst_level",
    "subst_params",
]
