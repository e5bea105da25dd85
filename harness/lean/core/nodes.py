"""The nodes of terms: immutable, locally nameless, built for speed.

A bound variable is a de Bruijn index (`BVar`), an opened one an `FVar` that carries its own type, and a hole
an `MVar` that carries its type and local context. Every node caches its hash, the bound of its loose indices,
its tree size and which kinds of leaf occur below it, so that substitution skips whatever cannot change.
Binder names and binder styles are for people: equality and hash ignore them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from harness.lean.core.level import ONE, ZERO, Level, TermTooLarge

HAS_FVAR, HAS_MVAR, HAS_PARAM = 1, 2, 4
MAX_SIZE = 1_000_000
"""Nodes, counted as a tree; a larger term is refused so that every traversal stays bounded."""

SHARED = 400
"""From this size on, walks remember the nodes they have seen: big terms share most of their parts."""

MAX_LEVEL = 500
"""Nodes of the universe levels of one constant or sort; substitution could double them at every step."""


_limit = [MAX_SIZE]


@contextmanager
def shared_terms() -> Iterator[None]:
    """Lift the bound on size while terms are read and checked by walks that visit a shared node once.

    For a process of its own: the bound is everybody's, and what prints or unifies relies on it.
    """
    before, _limit[0] = _limit[0], 1 << 200
    pace = gc.get_threshold()
    gc.set_threshold(100_000, 20, 20)  # terms have no cycles: looking for some cost a sixth of the time
    try:
        yield
    finally:
        _limit[0] = before
        gc.set_threshold(*pace)


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
    """Which kinds of variable occur. `TermTooLarge` over `MAX_LEVEL` nodes."""
    out, left = 0, MAX_LEVEL
    stack = [level for level in levels if level != ZERO and level != ONE]
    while stack:
        level = stack.pop()
        left -= 1
        if left < 0:
            raise TermTooLarge
        tag = level[0]
        if tag == "p":
            out |= HAS_PARAM
        elif tag == "v":
            out |= HAS_MVAR
        else:
            stack += level[1:]
    return out


class Sort(Expr):
    """`Prop` is Sort 0, `Type u` is Sort (u + 1)."""

    __slots__ = ("level",)

    def __init__(self, level: Level) -> None:
        self.level = level
        self.fl = _level_flags((level,))
        self.h = hash(("sort", level))
        self.lb = 0
        self.sz = 1


class Const(Expr):
    """A constant of the environment at given universe levels."""

    __slots__ = ("levels", "name")

    def __init__(self, name: str, levels: tuple[Level, ...] = ()) -> None:
        self.name = name
        self.levels = levels
        self.fl = _level_flags(levels) if levels else 0
        self.h = hash((name, levels))
        self.lb = 0
        self.sz = 1


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
        if size > _limit[0]:
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
        if size > _limit[0]:
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
        if size > _limit[0]:
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
        if self.sz > _limit[0]:
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
    return a is b or (a.h == b.h and a.sz == b.sz and _same(a, b, set() if a.sz > SHARED else None))


def _same(a: Expr, b: Expr, seen: set[tuple[int, int]] | None) -> bool:
    """`seen`: pairs of shared nodes that are known or being found to be the same."""
    while True:
        if a is b:
            return True
        if a.h != b.h or a.sz != b.sz or a.__class__ is not b.__class__:
            return False
        if seen is not None and a.sz > 1:
            pair = (id(a), id(b))
            if pair in seen:
                return True
            seen.add(pair)
        if isinstance(a, App) and isinstance(b, App):
            if not _same(a.arg, b.arg, seen):
                return False
            a, b = a.fn, b.fn
        elif isinstance(a, (Lam, Pi)) and isinstance(b, (Lam, Pi)):
            if not _same(a.type, b.type, seen):
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
            if not (_same(a.type, b.type, seen) and _same(a.value, b.value, seen)):
                return False
            a, b = a.body, b.body
        else:
            return False


_PROJ, _TEXT = "\0", "\1"


def proj(structure: str, index: int) -> Const:
    """The head whose one argument is a value of `structure`: field `index`, counted from 0, of it."""
    return Const(f"{_PROJ}{index} {structure}")


def proj_of(name: str) -> tuple[str, int] | None:
    """Structure and index, if a constant of this name is such a head."""
    if name[:1] != _PROJ:
        return None
    index, _, structure = name[1:].partition(" ")
    return structure, int(index)


def string(text: str) -> Const:
    """A string literal: a constant that stands for its spelling (see `Checker.spelled`)."""
    return Const(_TEXT + text)


def string_of(name: str) -> str | None:
    """The text, if a constant of this name is a string literal."""
    return name[1:] if name[:1] == _TEXT else None


def reserved(name: str) -> bool:
    """Whether no declaration may have this name, since it means something else."""
    return name[:1] in (_PROJ, _TEXT)


def raw(e: Expr) -> str:
    """A plain rendering for debugging; people see `printer` instead."""
    if isinstance(e, App):
        return f"({raw(e.fn)} {raw(e.arg)})"
    if isinstance(e, (Lam, Pi)):
        return f"({'λ' if isinstance(e, Lam) else 'Π'} {e.name}:{raw(e.type)}. {raw(e.body)})"
    if isinstance(e, Let):
        return f"(let {e.name}:{raw(e.type)}:={raw(e.value)}; {raw(e.body)})"
    if isinstance(e, Const):
        return e.name.strip("\0\1") + (str(e.levels) if e.levels else "")
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
