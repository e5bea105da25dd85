# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""Simp lemmas: compiled to patterns, indexed by the head of their left sides.

A lemma's variables are holes made once; matching fills a table of its own and leaves the elaborator's alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from harness.lean.core.environment import Environment
from harness.lean.core.kernel import KernelEnv
from harness.lean.core.level import level_eq, level_vars
from harness.lean.core.term import (
    PROP,
    App,
    Const,
    Expr,
    FVar,
    Lam,
    Let,
    Level,
    Lit,
    MVar,
    Pi,
    Sort,
    abstract,
    bind_lam,
    head_args,
    instantiate,
    instantiate_rev,
    mk_app,
    mk_apps,
    same,
    subst_params,
)

Key = tuple[str, int]
TRUE, FALSE = Const("True"), Const("False")


@dataclass(frozen=True, slots=True)
class Lemma:
    """`lhs = rhs` under variables `holes`; `proof(values, levels)` proves the instance as an equation."""

    name: str
    holes: tuple[MVar, ...]
    lhs: Expr
    rhs: Expr
    """Abstracted over the holes."""
    params: tuple[str, ...]
    proof: Callable[[list[Expr], tuple[Level, ...]], Expr]
    permutes: bool


@dataclass(slots=True)
class SimpSet:
    """Lemmas by head of the left side; `unfold` names definitions to unfold."""

    index: dict[Key, list[Lemma]] = field(default_factory=dict)
    unfold: frozenset[str] = frozenset()
    erased: frozenset[str] = frozenset()

    def add(self, lemma: Lemma, first: bool = False) -> None:
        """Put a lemma in (before the others if `first`)."""
        row = self.index.setdefault(key_of(lemma.lhs), [])
        row.insert(0, lemma) if first else row.append(lemma)

    def copy(self) -> SimpSet:
        """A set that can be added to."""
        return SimpSet({k: list(v) for k, v in self.index.items()}, self.unfold, self.erased)


def key_of(e: Expr) -> Key:
    """What lemmas are indexed by: head constant (or kind of term) and number of arguments."""
    fn, args = head_args(e)
    if isinstance(fn, Const):
        return fn.name, len(args)
    if isinstance(fn, FVar):
        return f"#{fn.id}", len(args)
    if isinstance(fn, MVar):
        return "*", 0
    return type(fn).__name__, 0


Proof = Callable[[list[Expr], tuple[Level, ...]], Expr]


@dataclass(frozen=True, slots=True)
class LemmaSource:
    """Where a lemma comes from: its name, its variables as holes, its universe parameters."""

    name: str
    holes: tuple[MVar, ...]
    params: tuple[str, ...]


def compile_lemma(
    name: str, type_: Expr, params: tuple[str, ...], proof: Proof, symm: bool = False
) -> list[Lemma]:
    """The equations a statement gives: itself, `p = True`, `p = False` for ¬p, both halves of ∧."""
    holes: list[MVar] = []
    while True:
        if isinstance(type_, Pi):
            m = MVar(type_.type, (), "n", type_.name)
            holes.append(m)
            type_ = instantiate(type_.body, m)
            continue
        fn, args = head_args(type_)
        if isinstance(fn, Const) and fn.name in ("GT.gt", "GE.ge") and len(args) == 2:
            type_ = mk_app(Const("Nat.lt" if fn.name == "GT.gt" else "Nat.le"), args[1], args[0])
            continue
        break
    return _from_body(LemmaSource(name, tuple(holes), params), type_, proof, symm)


def _from_body(src: LemmaSource, body: Expr, proof: Proof, symm: bool) -> list[Lemma]:
    fn, args = head_args(body)
    name = fn.name if isinstance(fn, Const) else ""
    if isinstance(fn, Const) and name == "Eq" and len(args) == 3:
        return [_equation(src, args, fn.levels[0], proof, symm)]
    if name == "Iff" and len(args) == 2:
        return [_equation(src, [PROP, *args], ("s", ("z",)), _wrap(src, proof, "propext", args), symm)]
    if name == "Not" and len(args) == 1:
        return [_make(src, args[0], FALSE, _wrap(src, proof, "eq_false", args))]
    if isinstance(fn, Const) and name == "Ne" and len(args) == 3:
        eq = mk_apps(Const("Eq", fn.levels), args)
        return [_make(src, eq, FALSE, _wrap(src, proof, "eq_false", [eq]))]
    if name == "And" and len(args) == 2:
        out: list[Lemma] = []
        for part, side in zip(args, ("And.left", "And.right"), strict=True):
            out += _from_body(src, part, _wrap(src, proof, side, args), symm)
        return out
    return [_make(src, body, TRUE, _wrap(src, proof, "eq_true", [body]))]


def _equation(src: LemmaSource, parts: list[Expr], level: Level, proof: Proof, symm: bool) -> Lemma:
    dom, a, b = parts
    if not symm:
        return _make(src, a, b, proof)
    back = _wrap(src, proof, "Eq.symm", [dom, a, b], (level,))
    return _make(src, b, a, back)


def _wrap(src: LemmaSource, proof: Proof, lemma: str, args: list[Expr], at: tuple[Level, ...] = ()) -> Proof:
    """The proof passed on to a lemma whose arguments `args` are, up to the holes."""
    shapes = [abstract(a, src.holes) for a in args]
    fn = Const(lemma, at)

    def made(values: list[Expr], levels: tuple[Level, ...]) -> Expr:
        table = dict(zip(src.params, levels, strict=True))
        inst = [instantiate_rev(subst_params(s, table), values) for s in shapes]
        return mk_app(mk_apps(subst_params(fn, table), inst), proof(values, levels))

    return made


def _make(src: LemmaSource, a: Expr, b: Expr, proof: Proof) -> Lemma:
    return Lemma(src.name, src.holes, a, abstract(b, src.holes), src.params, proof, _permutes(a, b))


def _permutes(a: Expr, b: Expr) -> bool:
    """Whether both sides are the same up to a permutation of the variables."""
    pairs: dict[int, int] = {}

    def walk(x: Expr, y: Expr) -> bool:
        if isinstance(x, MVar) and isinstance(y, MVar):
            return pairs.setdefault(x.id, y.id) == y.id
        if isinstance(x, App) and isinstance(y, App):
            return walk(x.fn, y.fn) and walk(x.arg, y.arg)
        if isinstance(x, (Lam, Pi)) and isinstance(y, x.__class__):
            return walk(x.type, y.type) and walk(x.body, y.body)
        return same(x, y)

    return walk(a, b) and not same(a, b)


def constant_lemmas(kernel: KernelEnv, name: str, symm: bool = False) -> list[Lemma]:
    """The lemmas a theorem of the environment gives."""
    c = kernel.get(name)
    if c is None:
        return []

    def proof(values: list[Expr], levels: tuple[Level, ...]) -> Expr:
        return mk_apps(Const(name, levels), values)

    return compile_lemma(name, c.type, c.params, proof, symm)


_default: dict[int, tuple[KernelEnv, tuple[str, ...], SimpSet]] = {}


def default_set(env: Environment) -> SimpSet:
    """The set of all `@[simp]` lemmas of the environment; compiled once per set of names."""
    key = hash(env.simp_lemmas)
    known = _default.get(key)
    if known is not None and known[1] == env.simp_lemmas and _same_lemmas(known[0], env.kernel, known[1]):
        return known[2]
    out = SimpSet()
    for name in env.simp_lemmas:
        for lemma in constant_lemmas(env.kernel, name):
            out.add(lemma)
    if len(_default) > 64:
        _default.clear()
    _default[key] = (env.kernel, env.simp_lemmas, out)
    return out


def _same_lemmas(a: KernelEnv, b: KernelEnv, names: tuple[str, ...]) -> bool:
    """Whether the names mean the same theorems: two candidates may give different ones the same name."""
    own = a.own.keys() | b.own.keys()
    return a.base is b.base and all([a.own.get(n) is b.own.get(n) for n in names if n in own])


def add_simp(env: Environment, name: str) -> Environment:
    """Mark a theorem as a simp lemma."""
    return replace(env, simp_lemmas=(*env.simp_lemmas, name))


# ---------------------------------------------------------------- matching
class Matcher:
    """One attempt to match a lemma: values of its holes and universe parameters."""

    __slots__ = ("levels", "names", "values")

    def __init__(self, lemma: Lemma) -> None:
        self.values: dict[int, Expr] = {}
        self.levels: dict[str, Level] = {}
        self.names = lemma.params

    def match(self, p: Expr, t: Expr, bound: tuple[FVar, ...] = ()) -> bool:
        """Match pattern p against t; `bound` are variables of binders passed on the way."""
        if isinstance(p, MVar):
            return self._fill(p, t, bound)
        if isinstance(p, App):
            fn, args = head_args(p)
            if isinstance(fn, MVar):
                return self._pattern(fn, args, t, bound)
            if isinstance(fn, Const) and fn.name in ("Nat.succ", "Nat.add"):
                return self._match_nat(p, fn, args, t, bound)
            return isinstance(t, App) and self.match(p.fn, t.fn, bound) and self.match(p.arg, t.arg, bound)
        if isinstance(p, Const):
            return (isinstance(t, Const) and t.name == p.name and self._levels(p.levels, t.levels)) or (
                p.name == "Nat.zero" and isinstance(t, Lit) and t.n == 0
            )
        if isinstance(p, (Lam, Pi)):
            if not isinstance(t, p.__class__) or not self.match(p.type, t.type, bound):
                return False
            v = FVar(t.name, t.type)
            return self.match(instantiate(p.body, v), instantiate(t.body, v), (*bound, v))
        if isinstance(p, Sort) and isinstance(t, Sort):
            return self._levels((p.level,), (t.level,))
        if isinstance(p, Lit) and p.n == 0 and isinstance(t, Const):
            return t.name == "Nat.zero"
        return not isinstance(p, Let) and same(p, t)

    def _match_nat(self, p: App, fn: Const, args: list[Expr], t: Expr, bound: tuple[FVar, ...]) -> bool:
        """Successors and sums with numerals match one another."""
        if isinstance(t, App) and self._try(p, t, bound):
            return True
        k: int | None = None
        if fn.name == "Nat.succ":
            k, inner = 1, args[0]
        elif len(args) == 2 and isinstance(args[1], Lit):
            k, inner = args[1].n, args[0]
        if not k:
            return False
        low = _lower(t, k)
        return low is not None and self.match(inner, low, bound)

    def _try(self, p: App, t: App, bound: tuple[FVar, ...]) -> bool:
        values, levels = dict(self.values), dict(self.levels)
        if self.match(p.fn, t.fn, bound) and self.match(p.arg, t.arg, bound):
            return True
        self.values, self.levels = values, levels
        return False

    def _fill(self, m: MVar, t: Expr, bound: tuple[FVar, ...]) -> bool:
        old = self.values.get(m.id)
        if old is not None:
            return same(old, t)
        if bound and _mentions(t, bound):
            return False
        self.values[m.id] = t
        return True

    def _pattern(self, m: MVar, args: list[Expr], t: Expr, bound: tuple[FVar, ...]) -> bool:
        """`?p x y` with bound x, y: abstract them; anything else only if already known."""
        old = self.values.get(m.id)
        if old is not None:
            from harness.lean.core.term import beta

            return same(beta(old, args), t)
        if all([any([a is v for v in bound]) for a in args]) and len({id(a) for a in args}) == len(args):
            vs = [a for a in args if isinstance(a, FVar)]
            value = bind_lam(vs, t)
            if _mentions(value, bound):
                return False
            self.values[m.id] = value
            return True
        if isinstance(t, App) and len(args) == 1:
            return self._fill(m, t.fn, bound) and self.match(args[0], t.arg, bound)
        return False

    def _levels(self, ps: tuple[Level, ...], ts: tuple[Level, ...]) -> bool:
        if ps == ts:
            for p in ps:
                if p[0] == "p":
                    self.levels.setdefault(p[1], p)
            if not any([p[0] != "z" and p[0] == "p" and p[1] in self.names for p in ps]):
                return True
        for p, t in zip(ps, ts, strict=True):
            while p[0] == "s" and t[0] == "s":
                p, t = p[1], t[1]
            if p[0] == "p" and p[1] in self.names:
                if self.levels.setdefault(p[1], t) != t:
                    return False
            elif not level_vars(p, "p", []) and not level_eq(p, t):
                return False
        return True


def _lower(t: Expr, k: int) -> Expr | None:
    """t - k, if t is visibly a k-fold successor."""
    if isinstance(t, Lit):
        return Lit(t.n - k) if t.n >= k else None
    fn, args = head_args(t)
    if not isinstance(fn, Const):
        return None
    if fn.name == "Nat.succ":
        return args[0] if k == 1 else _lower(args[0], k - 1)
    if fn.name == "Nat.add" and len(args) == 2 and isinstance(args[1], Lit):
        n = args[1].n
        if n == k:
            return args[0]
        if n > k:
            return mk_app(Const("Nat.add"), args[0], Lit(n - k))
        return _lower(args[0], k - n) if n else None
    return None


def _mentions(e: Expr, bound: tuple[FVar, ...]) -> bool:
    return any([_occurs(v, e) for v in bound])


def _occurs(v: FVar, e: Expr) -> bool:
    if not e.fl & 1:
        return False
    if isinstance(e, App):
        return _occurs(v, e.fn) or _occurs(v, e.arg)
    if isinstance(e, FVar):
        return e is v
    if isinstance(e, (Lam, Pi)):
        return _occurs(v, e.type) or _occurs(v, e.body)
    if isinstance(e, Let):
        return _occurs(v, e.type) or _occurs(v, e.value) or _occurs(v, e.body)
    return False
