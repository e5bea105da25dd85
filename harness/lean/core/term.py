"""Terms and universe levels of the embedded core: immutable, locally nameless, built for speed.

A bound variable is a de Bruijn index (`BVar`), an opened one an `FVar` that carries its own type, and a hole an
`MVar` that carries its type and local context. Every node caches its hash, the bound of its loose indices, its
tree size and which kinds of leaf occur below it, so that substitution skips whatever cannot change.
Binder names and binder styles are for people: equality and hash ignore them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

MAX_SIZE = 1_000_000
"""Nodes, counted as a tree; a larger term is refused so that every traversal stays bounded."""

HAS_FVAR, HAS_MVAR, HAS_PARAM = 1, 2, 4


class TermTooLarge(Exception):
    """A term would exceed `MAX_SIZE` nodes."""


# ---------------------------------------------------------------- levels
# ("z",) zero | ("s", l) | ("m", a, b) max | ("i", a, b) imax | ("p", name) | ("v", id) metavariable
Level: TypeAlias = tuple[Any, ...]
ZERO: Level = ("z",)
ONE: Level = ("s", ZERO)


def lsucc(level: Level) -> Level:
    """The next universe."""
    return ("s", level)


def lmax(a: Level, b: Level) -> Level:
    """max, with the cheap simplifications."""
    if a == b or b == ZERO:
        return a
    if a == ZERO:
        return b
    if a[0] == "s" and b[0] == "s":
        return ("s", lmax(a[1], b[1]))
    return ("m", a, b)


def limax(a: Level, b: Level) -> Level:
    """imax: zero when `b` is zero, else max."""
    if b == ZERO:
        return ZERO
    if b[0] == "s":
        return lmax(a, b)
    if a in (ZERO, ONE) or a == b:
        return b
    return ("i", a, b)


def level_of(n: int) -> Level:
    """The closed level n."""
    out = ZERO
    for _ in range(n):
        out = ("s", out)
    return out


def subst_level(level: Level, table: dict[Any, Level], kind: str = "p") -> Level:
    """Replace parameters (kind "p") or metavariables (kind "v") by their entries in `table`."""
    tag = level[0]
    if tag == "z":
        return level
    if tag == kind:
        return table.get(level[1], level)
    if tag == "s":
        inner = subst_level(level[1], table, kind)
        return level if inner is level[1] else ("s", inner)
    if tag == "m":
        return lmax(subst_level(level[1], table, kind), subst_level(level[2], table, kind))
    if tag == "i":
        return limax(subst_level(level[1], table, kind), subst_level(level[2], table, kind))
    return level


def level_vars(level: Level, kind: str, out: list[Any]) -> list[Any]:
    """Names of parameters ("p") or ids of metavariables ("v") in order of first appearance, appended to `out`."""
    if level[0] == kind:
        if level[1] not in out:
            out.append(level[1])
    else:
        for part in level[1:]:
            if isinstance(part, tuple):
                level_vars(part, kind, out)
    return out


def _find_imax_var(level: Level) -> Level | None:
    """A variable in the right arm of some imax, the thing to split on."""
    tag = level[0]
    if tag == "i":
        inner = level[2]
        if inner[0] in ("p", "v"):
            return inner
        return _find_imax_var(inner) or _find_imax_var(level[1])
    for part in level[1:]:
        if isinstance(part, tuple):
            found = _find_imax_var(part)
            if found:
                return found
    return None


def _push_imax(level: Level) -> Level:
    """Rewrite imax a (max b c) and imax a (imax b c) so that every imax has a variable on its right."""
    tag = level[0]
    if tag in ("z", "p", "v"):
        return level
    if tag == "s":
        return ("s", _push_imax(level[1]))
    a, b = _push_imax(level[1]), _push_imax(level[2])
    if tag == "m":
        return lmax(a, b)
    if b[0] == "m":
        return lmax(_push_imax(limax(a, b[1])), _push_imax(limax(a, b[2])))
    if b[0] == "i":
        return lmax(_push_imax(limax(a, b[2])), b)
    return limax(a, b)


def level_leq(a: Level, b: Level, gap: int = 0) -> bool:
    """Whether a <= b + gap for every value of the variables (case split on the variables under imax)."""
    if a == b and gap >= 0:
        return True
    a, b = _push_imax(a), _push_imax(b)
    var = _find_imax_var(a) or _find_imax_var(b)
    if var is not None:
        for value in (ZERO, ("s", var)):
            table = {var[1]: value}
            if not level_leq(subst_level(a, table, var[0]), subst_level(b, table, var[0]), gap):
                return False
        return True
    if a[0] == "m":
        return level_leq(a[1], b, gap) and level_leq(a[2], b, gap)
    if a[0] == "s":
        return level_leq(a[1], b, gap - 1)
    return _leq_max(a, b, gap)


def _leq_max(a: Level, b: Level, gap: int) -> bool:
    """a is zero or a variable; b is free of imax."""
    if b[0] == "m":
        return _leq_max(a, b[1], gap) or _leq_max(a, b[2], gap)
    if b[0] == "s":
        return _leq_max(a, b[1], gap + 1)
    if a == ZERO:
        return gap >= 0
    return a == b and gap >= 0


def level_eq(a: Level, b: Level) -> bool:
    """Equality for every value of the variables."""
    return a == b or (level_leq(a, b) and level_leq(b, a))


# ---------------------------------------------------------------- terms
class Expr:
    """Base of all terms. `h` hash, `lb` one more than the largest loose index, `fl` flags, `sz` tree size."""

    __slots__ = ("fl", "h", "lb", "sz")
    h: int
    lb: int
    fl: int
    sz: int

    def __hash__(self) -> int:
        return self.h

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expr) and same(self, other)

    def __repr__(self) -> str:
        return raw(self)


def _level_flags(levels: Sequence[Level]) -> int:
    out = 0
    for level in levels:
        if level != ZERO and level != ONE:
            if level_vars(level, "v", []):
                out |= HAS_MVAR
            if level_vars(level, "p", []):
                out |= HAS_PARAM
    return out


class Sort(Expr):
    """`Prop` is Sort 0, `Type u` is Sort (u + 1)."""

    __slots__ = ("level",)

    def __init__(self, level: Level) -> None:
        self.level = level
        self.h = hash(("sort", level))
        self.lb = 0
        self.sz = 1
        self.fl = _level_flags((level,))


class Const(Expr):
    """A constant of the environment at given universe levels."""

    __slots__ = ("levels", "name")

    def __init__(self, name: str, levels: tuple[Level, ...] = ()) -> None:
        self.name = name
        self.levels = levels
        self.h = hash((name, levels))
        self.lb = 0
        self.sz = 1
        self.fl = _level_flags(levels) if levels else 0


class BVar(Expr):
    """A bound variable: 0 is the innermost binder."""

    __slots__ = ("i",)

    def __init__(self, i: int) -> None:
        self.i = i
        self.h = hash(("bvar", i))
        self.lb = i + 1
        self.sz = 1
        self.fl = 0


_counter = [0]


def fresh_id() -> int:
    """A number never given before in this process; only ever compared for identity."""
    _counter[0] += 1
    return _counter[0]


class FVar(Expr):
    """An opened variable; carries its own name, type, binder style and (for `let`) value."""

    __slots__ = ("id", "info", "name", "type", "value")

    def __init__(self, name: str, type_: Expr, value: Expr | None = None, info: str = "d") -> None:
        self.id = fresh_id()
        self.name = name
        self.type = type_
        self.value = value
        self.info = info
        self.h = hash(("fvar", self.id))
        self.lb = 0
        self.sz = 1
        self.fl = HAS_FVAR


class MVar(Expr):
    """A hole; `kind` is "n" (natural: unification may fill it) or "g" (goal: only tactics fill it)."""

    __slots__ = ("id", "kind", "lctx", "name", "type")

    def __init__(self, type_: Expr, lctx: tuple[FVar, ...], kind: str = "n", name: str = "") -> None:
        self.id = fresh_id()
        self.type = type_
        self.lctx = lctx
        self.kind = kind
        self.name = name
        self.h = hash(("mvar", self.id))
        self.lb = 0
        self.sz = 1
        self.fl = HAS_MVAR


class App(Expr):
    """Function application."""

    __slots__ = ("arg", "fn")

    def __init__(self, fn: Expr, arg: Expr) -> None:
        self.fn = fn
        self.arg = arg
        self.h = hash((fn.h, arg.h))
        a, b = fn.lb, arg.lb
        self.lb = a if a > b else b
        self.fl = fn.fl | arg.fl
        self.sz = size = fn.sz + arg.sz + 1
        if size > MAX_SIZE:
            raise TermTooLarge


class Lam(Expr):
    """`fun name : type => body`; `info` is "d" ( ), "i" { }, "s" ⦃ ⦄ or "c" [ ]."""

    __slots__ = ("body", "info", "name", "type")

    def __init__(self, name: str, type_: Expr, body: Expr, info: str = "d") -> None:
        self.name = name
        self.type = type_
        self.body = body
        self.info = info
        self.h = hash((type_.h, body.h, 1))
        a, b = type_.lb, body.lb - 1
        self.lb = a if a > b else b
        self.fl = type_.fl | body.fl
        self.sz = size = type_.sz + body.sz + 1
        if size > MAX_SIZE:
            raise TermTooLarge


class Pi(Expr):
    """`(name : type) → body`, the function type and ∀."""

    __slots__ = ("body", "info", "name", "type")

    def __init__(self, name: str, type_: Expr, body: Expr, info: str = "d") -> None:
        self.name = name
        self.type = type_
        self.body = body
        self.info = info
        self.h = hash((type_.h, body.h, 2))
        a, b = type_.lb, body.lb - 1
        self.lb = a if a > b else b
        self.fl = type_.fl | body.fl
        self.sz = size = type_.sz + body.sz + 1
        if size > MAX_SIZE:
            raise TermTooLarge


class Let(Expr):
    """`let name : type := value; body`."""

    __slots__ = ("body", "name", "type", "value")

    def __init__(self, name: str, type_: Expr, value: Expr, body: Expr) -> None:
        self.name = name
        self.type = type_
        self.value = value
        self.body = body
        self.h = hash((type_.h, value.h, body.h, 3))
        self.lb = max(type_.lb, value.lb, body.lb - 1)
        self.fl = type_.fl | value.fl | body.fl
        self.sz = type_.sz + value.sz + body.sz + 1
        if self.sz > MAX_SIZE:
            raise TermTooLarge


class Lit(Expr):
    """A natural number numeral."""

    __slots__ = ("n",)

    def __init__(self, n: int) -> None:
        self.n = n
        self.h = hash(("lit", n))
        self.lb = 0
        self.sz = 1
        self.fl = 0


PROP = Sort(ZERO)
TYPE = Sort(ONE)


def same(a: Expr, b: Expr) -> bool:
    """Structural equality up to binder names."""
    while True:
        if a is b:
            return True
        if a.h != b.h or a.__class__ is not b.__class__:
            return False
        if isinstance(a, App) and isinstance(b, App):
            if not same(a.arg, b.arg):
                return False
            a, b = a.fn, b.fn
        elif isinstance(a, (Lam, Pi)) and isinstance(b, (Lam, Pi)):
            if not same(a.type, b.type):
                return False
            a, b = a.body, b.body
        elif isinstance(a, Const) and isinstance(b, Const):
            return a.name == b.name and a.levels == b.levels
        elif isinstance(a, (FVar, MVar)) and isinstance(b, (FVar, MVar)):
            return a.id == b.id
        elif isinstance(a, BVar) and isinstance(b, BVar):
            return a.i == b.i
        elif isinstance(a, Sort) and isinstance(b, Sort):
            return a.level == b.level
        elif isinstance(a, Lit) and isinstance(b, Lit):
            return a.n == b.n
        elif isinstance(a, Let) and isinstance(b, Let):
            if not (same(a.type, b.type) and same(a.value, b.value)):
                return False
            a, b = a.body, b.body
        else:
            return False


def raw(e: Expr) -> str:
    """A plain rendering for debugging; people see `printer` instead."""
    if isinstance(e, App):
        return f"({raw(e.fn)} {raw(e.arg)})"
    if isinstance(e, (Lam, Pi)):
        return f"({'λ' if isinstance(e, Lam) else 'Π'} {e.name}:{raw(e.type)}. {raw(e.body)})"
    if isinstance(e, Let):
        return f"(let {e.name}:{raw(e.type)}:={raw(e.value)}; {raw(e.body)})"
    if isinstance(e, Const):
        return e.name + (str(e.levels) if e.levels else "")
    if isinstance(e, (FVar, MVar)):
        return f"{'?' if isinstance(e, MVar) else ''}{e.name}.{e.id}"
    if isinstance(e, BVar):
        return f"#{e.i}"
    if isinstance(e, Sort):
        return f"Sort{e.level}"
    return str(e.n) if isinstance(e, Lit) else "?"


def mk_app(fn: Expr, *args: Expr) -> Expr:
    """fn applied to args."""
    for arg in args:
        fn = App(fn, arg)
    return fn


def mk_apps(fn: Expr, args: Sequence[Expr]) -> Expr:
    """fn applied to a sequence."""
    for arg in args:
        fn = App(fn, arg)
    return fn


def head_args(e: Expr) -> tuple[Expr, list[Expr]]:
    """Head and arguments of an application."""
    args: list[Expr] = []
    while isinstance(e, App):
        args.append(e.arg)
        e = e.fn
    args.reverse()
    return e, args


def head(e: Expr) -> Expr:
    """Head of an application."""
    while isinstance(e, App):
        e = e.fn
    return e


def arrow(a: Expr, b: Expr) -> Expr:
    """The non-dependent function type (b must be closed at this level)."""
    return Pi("a", a, lift(b, 1) if b.lb else b)


def _map_loose(e: Expr, depth: int, leaf: Callable[[BVar, int], Expr]) -> Expr:
    """Rebuild e, replacing loose indices with `leaf(var, depth)`."""
    if e.lb <= depth:
        return e
    if isinstance(e, App):
        return App(_map_loose(e.fn, depth, leaf), _map_loose(e.arg, depth, leaf))
    if isinstance(e, BVar):
        return leaf(e, depth)
    if isinstance(e, Pi):
        return Pi(e.name, _map_loose(e.type, depth, leaf), _map_loose(e.body, depth + 1, leaf), e.info)
    if isinstance(e, Lam):
        return Lam(e.name, _map_loose(e.type, depth, leaf), _map_loose(e.body, depth + 1, leaf), e.info)
    assert isinstance(e, Let)
    return Let(
        e.name,
        _map_loose(e.type, depth, leaf),
        _map_loose(e.value, depth, leaf),
        _map_loose(e.body, depth + 1, leaf),
    )


def lift(e: Expr, by: int) -> Expr:
    """Raise every loose index by `by`."""
    if e.lb == 0 or by == 0:
        return e
    return _map_loose(e, 0, lambda v, d: BVar(v.i + by))


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

    return _map_loose(e, 0, leaf)


def abstract(e: Expr, fvars: Sequence[Expr]) -> Expr:
    """Turn fvars (or mvars) into indices; the last becomes index 0."""
    if not fvars or not e.fl & (HAS_FVAR | HAS_MVAR):
        return e
    n = len(fvars)
    index = {v.id: n - 1 - k for k, v in enumerate(fvars) if isinstance(v, (FVar, MVar))}
    mask = 0
    for v in fvars:
        mask |= v.fl
    return _abstract(e, index, mask, 0)


def _abstract(e: Expr, index: dict[int, int], mask: int, depth: int) -> Expr:
    if not e.fl & mask:
        return e
    if isinstance(e, App):
        fn = _abstract(e.fn, index, mask, depth)
        arg = _abstract(e.arg, index, mask, depth)
        return e if fn is e.fn and arg is e.arg else App(fn, arg)
    if isinstance(e, (FVar, MVar)):
        found = index.get(e.id)
        return e if found is None else BVar(found + depth)
    if isinstance(e, (Pi, Lam)):
        t = _abstract(e.type, index, mask, depth)
        b = _abstract(e.body, index, mask, depth + 1)
        return e if t is e.type and b is e.body else e.__class__(e.name, t, b, e.info)
    if isinstance(e, Let):
        return Let(
            e.name,
            _abstract(e.type, index, mask, depth),
            _abstract(e.value, index, mask, depth),
            _abstract(e.body, index, mask, depth + 1),
        )
    return e


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
    return e if not table else _subst_levels(e, table, HAS_PARAM, "p")


def _subst_levels(e: Expr, table: dict[Any, Level], flag: int, kind: str) -> Expr:
    if not e.fl & flag:
        return e
    if isinstance(e, App):
        return App(_subst_levels(e.fn, table, flag, kind), _subst_levels(e.arg, table, flag, kind))
    if isinstance(e, Const):
        return Const(e.name, tuple([subst_level(x, table, kind) for x in e.levels]))
    if isinstance(e, Sort):
        return Sort(subst_level(e.level, table, kind))
    if isinstance(e, (Pi, Lam)):
        t = _subst_levels(e.type, table, flag, kind)
        return e.__class__(e.name, t, _subst_levels(e.body, table, flag, kind), e.info)
    if isinstance(e, Let):
        parts = [_subst_levels(x, table, flag, kind) for x in (e.type, e.value, e.body)]
        return Let(e.name, parts[0], parts[1], parts[2])
    return e


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
