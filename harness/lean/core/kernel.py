# ruff: noqa: C419, SIM110, I001  (lists: recursion through a generator would use up the C stack; imports packed)
"""The kernel: the only judge of what is proved.

A small dependent type theory: `Sort u` with an impredicative `Prop`, functions, `let`, inductive families
with their recursors, quotients, numerals. It imports terms and nothing else. A constant enters an
environment only through the `add_*` functions below, each of which checks it:

- axioms, definitions, theorems: the type is a type, the value has that type, no free or meta variables;
- inductive types: constructors strictly positive, universes small enough, elimination out of `Prop` only
  where it is harmless; the recursor is made here, not taken from the caller;
- quotients: fixed types, after a look at `Eq`;
- numerals `n` behave as `Nat.succ (.. Nat.zero)`, after a look at `Nat`; fast arithmetic on numerals is used
  for `Nat.add` and friends only after their recursive equations have been checked by conversion.

Conversion is beta, delta, iota, zeta, eta, proof irrelevance and quotient reduction. Universe levels are
compared by `level_leq`, which holds for every value of the parameters: so a polymorphic constant is sound at
each of its instances.
Work is counted in steps; `KernelTimeout` and `KernelDepth` say when a proof was too long or deep to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import ParamSpec

from harness.lean.core.declarations import Constant, InductiveDecl, KernelDepth, KernelEnv, KernelError
from harness.lean.core.declarations import KernelTimeout, RecRule
from harness.lean.core.level import ONE, ZERO, Level, TermTooLarge, level_eq, level_leq, level_vars
from harness.lean.core.level import limax, lsucc
from harness.lean.core.nodes import HAS_FVAR, HAS_MVAR, PROP, TYPE, App, Const, Expr, FVar, Lam, Let, Lit
from harness.lean.core.nodes import MVar, Pi, Sort, head, head_args, mk_app, mk_apps, same
from harness.lean.core.term import abstract, arrow, beta, bind_lam, bind_pi, const_names, instantiate
from harness.lean.core.term import instantiate_rev, subst_params
from harness.lean.core.work import look

P = ParamSpec("P")
DEFAULT_STEPS = 2_000_000

MAX_BITS = 14_000
"""Longer numerals are not computed with (nor printed)."""
NAT_OPS: dict[str, tuple[int, Callable[..., int | None]]] = {
    "Nat.pred": (1, lambda a: max(a - 1, 0)),
    "Nat.add": (2, lambda a, b: a + b),
    "Nat.mul": (2, lambda a, b: a * b if a.bit_length() + b.bit_length() <= MAX_BITS else None),
    "Nat.sub": (2, lambda a, b: max(a - b, 0)),
    "Nat.pow": (2, lambda a, b: a**b if max(a.bit_length(), 1) * b <= MAX_BITS else None),
}
NAT = Const("Nat")
NAT_ZERO = Const("Nat.zero")
NAT_SUCC = Const("Nat.succ")
ZEROS = (NAT_ZERO, Lit(0))


class Checker:
    """Type inference, weak head normal form and conversion in one environment, within one step budget."""

    def __init__(self, env: KernelEnv, steps: int = DEFAULT_STEPS, params: Sequence[str] = ()) -> None:
        self.env = env
        self.steps = steps
        self.params = frozenset(params)
        self._infer: tuple[dict[Expr, Expr], dict[Expr, Expr]] = ({}, {})
        self._whnf: dict[Expr, Expr] = {}
        self._equal: set[tuple[Expr, Expr]] = set()
        self._at_levels: dict[tuple[int, tuple[Level, ...]], Expr] = {}

    def tick(self) -> None:
        """Count one step."""
        self.steps -= 1
        if not self.steps & 63:
            look()
        if self.steps < 0:
            raise KernelTimeout("(kernel) deterministic timeout")

    # ------------------------------------------------------------ inference
    def infer(self, e: Expr, check: bool = True) -> Expr:
        """The type of e, checking e throughout unless told that it is known to be well typed."""
        cache = self._infer[check]
        found = cache.get(e)
        if found is None:
            self.tick()
            found = self._infer_new(e, check)
            cache[e] = found
        return found

    def _infer_new(self, e: Expr, check: bool) -> Expr:
        if isinstance(e, App):
            return self._infer_app(e, check)
        if isinstance(e, FVar):
            return e.type
        if isinstance(e, Const):
            return self.const_type(e)
        if isinstance(e, Lam):
            return self._infer_lambda(e, check)
        if isinstance(e, Pi):
            return self._infer_pi(e, check)
        if isinstance(e, Sort):
            self._check_level(e.level)
            return Sort(lsucc(e.level))
        if isinstance(e, Lit):
            nat = self.env.get("Nat")
            if type(e.n) is not int or e.n < 0 or nat is None or nat.kind != "inductive":
                raise KernelError("(kernel) numeral without Nat")
            return NAT
        if isinstance(e, Let):
            if check:
                self.sort_of(e.type)
                self._expect(self.infer(e.value), e.type, e)
            v = FVar(e.name, e.type, e.value)
            out = self.infer(instantiate(e.body, v), check)
            return instantiate(abstract(out, (v,)), e.value)
        if isinstance(e, MVar):
            raise KernelError("(kernel) declaration has metavariables")
        raise KernelError("(kernel) loose bound variable")

    def const_type(self, e: Const) -> Expr:
        """The type of a constant at its levels."""
        c = self.env.get(e.name)
        if c is None:
            raise KernelError(f"(kernel) unknown constant '{e.name}'")
        if len(c.params) != len(e.levels):
            raise KernelError(f"(kernel) incorrect number of universe levels for '{e.name}'")
        for level in e.levels:
            self._check_level(level)
        return self._at(c.type, c, e.levels)

    def _at(self, e: Expr, c: Constant, levels: tuple[Level, ...]) -> Expr:
        """A part of c (which keeps it alive) at the given levels; worked out once."""
        if not c.params:
            return e
        key = (id(e), levels)
        found = self._at_levels.get(key)
        if found is None:
            found = self._at_levels[key] = subst_params(e, dict(zip(c.params, levels, strict=True)))
        return found

    def _check_level(self, level: Level) -> None:
        if level_vars(level, "v", []):
            raise KernelError("(kernel) declaration has level metavariables")
        for name in level_vars(level, "p", []):
            if name not in self.params:
                raise KernelError(f"(kernel) undeclared universe parameter '{name}'")

    def _infer_app(self, e: App, check: bool) -> Expr:
        fn, args = head_args(e)
        type_ = self.infer(fn, check)
        start = 0
        for k, arg in enumerate(args):
            if not isinstance(type_, Pi):
                type_ = self.whnf(instantiate_rev(type_, args[start:k]))
                start = k
                if not isinstance(type_, Pi):
                    raise KernelError("(kernel) function expected")
            if check:
                self._expect(self.infer(arg), instantiate_rev(type_.type, args[start:k]), e)
            type_ = type_.body
        return instantiate_rev(type_, args[start:])

    def _expect(self, got: Expr, want: Expr, where: Expr) -> None:
        if got is not want and not self.equal(got, want):
            kind = "application" if isinstance(where, App) else "let"
            raise KernelError(f"(kernel) {kind} type mismatch")

    def _infer_lambda(self, e: Lam, check: bool) -> Expr:
        fvars: list[FVar] = []
        body: Expr = e
        while isinstance(body, Lam):
            type_ = instantiate_rev(body.type, fvars)
            if check:
                self.sort_of(type_)
            fvars.append(FVar(body.name, type_, None, body.info))
            body = body.body
        return bind_pi(fvars, self.infer(instantiate_rev(body, fvars), check))

    def _infer_pi(self, e: Pi, check: bool) -> Expr:
        fvars: list[FVar] = []
        levels: list[Level] = []
        body: Expr = e
        while isinstance(body, Pi):
            type_ = instantiate_rev(body.type, fvars)
            levels.append(self.sort_of(type_, check))
            fvars.append(FVar(body.name, type_))
            body = body.body
        out = self.sort_of(instantiate_rev(body, fvars), check)
        for level in reversed(levels):
            out = limax(level, out)
        return Sort(out)

    def sort_of(self, e: Expr, check: bool = True) -> Level:
        """The universe that the type e lives in."""
        s = self.infer(e, check)
        if not isinstance(s, Sort):
            s = self.whnf(s)
        if not isinstance(s, Sort):
            raise KernelError("(kernel) type expected")
        return s.level

    # ------------------------------------------------------------ reduction
    def whnf(self, e: Expr) -> Expr:
        """Weak head normal form, unfolding definitions."""
        if isinstance(e, (Sort, Pi, Lam, Lit)):
            return e
        found = self._whnf.get(e)
        if found is None:
            t = e
            while True:
                t = self.whnf_core(t)
                folded = self._nat_fold(t)
                if folded is not None:
                    t = folded
                    break
                c = self._definition(t)
                if c is None:
                    break
                t = self._unfold(t, c)
            found = self._whnf[e] = t
        return found

    def whnf_core(self, e: Expr) -> Expr:
        """Head normal form without unfolding definitions."""
        while True:
            self.tick()
            if isinstance(e, App):
                fn, args = head_args(e)
                if isinstance(fn, Lam):
                    e = beta(fn, args)
                    continue
                if isinstance(fn, (Let, FVar)):
                    new = self.whnf_core(fn)
                    if new is fn:
                        return e
                    e = mk_apps(new, args)
                    continue
                reduced = self._reduce_const(fn, args) if isinstance(fn, Const) else None
                if reduced is None:
                    return e
                e = reduced
            elif isinstance(e, Let):
                e = instantiate(e.body, e.value)
            elif isinstance(e, FVar) and e.value is not None:
                e = e.value
            else:
                return e

    def _reduce_const(self, fn: Const, args: list[Expr]) -> Expr | None:
        c = self.env.get(fn.name)
        if c is None:
            return None
        if c.kind == "rec":
            return self._reduce_rec(fn, c, args)
        if c.kind == "quot":
            at = {"Quot.lift": 5, "Quot.ind": 4}.get(c.name)
            if at is None or len(args) <= at:
                return None
            mk, mk_args = head_args(self.whnf(args[at]))
            if not isinstance(mk, Const) or mk.name != "Quot.mk" or len(mk_args) != 3:
                return None
            return mk_apps(App(args[3], mk_args[2]), args[at + 1 :])
        return None

    def _reduce_rec(self, fn: Const, c: Constant, args: list[Expr]) -> Expr | None:
        at = c.nparams + 1 + c.nminors + c.nindices
        if len(args) <= at:
            return None
        major = args[at]
        if c.k:
            major = self._to_ctor_by_k(c, major) or major
        major = self.whnf(major)
        if isinstance(major, Lit):
            major = NAT_ZERO if major.n == 0 else App(NAT_SUCC, Lit(major.n - 1))
        ctor, ctor_args = head_args(major)
        if not isinstance(ctor, Const):
            return None
        for rule in c.rules:
            if rule.ctor == ctor.name and len(ctor_args) == c.nparams + rule.nfields:
                rhs = self._at(rule.rhs, c, fn.levels)
                first = c.nparams + 1 + c.nminors
                return beta(rhs, [*args[:first], *ctor_args[c.nparams :], *args[at + 1 :]])
        return None

    def _to_ctor_by_k(self, c: Constant, major: Expr) -> Expr | None:
        """The constructor that any `major` of this type is convertible to, when its type says so."""
        type_ = self.whnf(self.infer(major, False))
        fn, args = head_args(type_)
        if not isinstance(fn, Const) or fn.name != c.induct:
            return None
        made = mk_apps(Const(c.rules[0].ctor, fn.levels), args[: c.nparams])
        return made if self.equal(self.infer(made, False), type_) else None

    def _nat_fold(self, e: Expr) -> Expr | None:
        """Arithmetic on numerals, for operations whose equations have been checked."""
        if not isinstance(e, App):
            return None
        fn, args = head_args(e)
        if not isinstance(fn, Const):
            return None
        if fn.name == "Nat.succ" and len(args) == 1:
            inner = self.whnf(args[0]) if not args[0].fl & HAS_FVAR else args[0]
            return Lit(inner.n + 1) if isinstance(inner, Lit) else None
        if fn.name not in self.env.fast:
            return None
        arity, op = NAT_OPS[fn.name]
        if len(args) != arity or e.fl & HAS_FVAR:
            return None
        values = [self.whnf(a) for a in args]
        numbers = [0 if v == NAT_ZERO else v.n if isinstance(v, Lit) else None for v in values]
        if None in numbers:
            return None
        out = op(*numbers)
        if out is None:
            raise KernelTimeout("(kernel) deterministic timeout")  # the recursion would never get there
        return Lit(out)

    def _definition(self, e: Expr) -> Constant | None:
        fn = head(e)
        c = self.env.get(fn.name) if isinstance(fn, Const) else None
        return c if c is not None and c.value is not None and c.kind in ("def", "theorem") else None

    def _unfold(self, e: Expr, c: Constant) -> Expr:
        self.tick()
        fn, args = head_args(e)
        assert isinstance(fn, Const) and c.value is not None
        return beta(self._at(c.value, c, fn.levels), args)

    # ------------------------------------------------------------ conversion
    def equal(self, a: Expr, b: Expr) -> bool:
        """Definitional equality of two well-typed terms."""
        if same(a, b):
            return True
        self.tick()
        if (a, b) in self._equal:
            return True
        if not self._equal_new(a, b):
            return False
        self._equal.add((a, b))
        return True

    def _equal_new(self, a: Expr, b: Expr) -> bool:
        quick = self._equal_shape(a, b)
        if quick is not None:
            return quick
        a, b = self.whnf_core(a), self.whnf_core(b)
        if same(a, b):
            return True
        quick = self._equal_shape(a, b)
        if quick is not None:
            return quick
        return self._proofs(a, b) or self._lazy_delta(a, b)

    def _equal_shape(self, a: Expr, b: Expr) -> bool | None:
        if isinstance(a, Sort) and isinstance(b, Sort):
            return level_eq(a.level, b.level)
        if isinstance(a, (Lam, Pi)) and a.__class__ is b.__class__:
            return self._equal_binders(a, b)
        return None

    def _equal_binders(self, a: Expr, b: Expr) -> bool:
        fvars: list[FVar] = []
        kind = a.__class__
        while isinstance(a, (Lam, Pi)) and a.__class__ is kind and isinstance(b, kind):
            type_ = instantiate_rev(a.type, fvars)
            if not same(a.type, b.type) and not self.equal(type_, instantiate_rev(b.type, fvars)):
                return False
            fvars.append(FVar(a.name, type_))
            a, b = a.body, b.body
        return self.equal(instantiate_rev(a, fvars), instantiate_rev(b, fvars))

    def _proofs(self, a: Expr, b: Expr) -> bool:
        """Proof irrelevance: both are proofs of one proposition."""
        ta = self.infer(a, False)
        if self.whnf(self.infer(ta, False)) != PROP:
            return False
        return self.equal(ta, self.infer(b, False))

    def _lazy_delta(self, a: Expr, b: Expr) -> bool:
        """Unfold the definition that stands higher, one at a time, until the sides agree or none is left."""
        while True:
            na, nb = self._nat_fold(a), self._nat_fold(b)
            if na is not None or nb is not None:
                return self.equal(na or a, nb or b)
            ca, cb = self._definition(a), self._definition(b)
            if ca is None and cb is None:
                return self._equal_whnf(a, b)
            if ca is not None and cb is not None and ca.name == cb.name and self._equal_args(a, b):
                return True
            if ca is not None and (cb is None or ca.height >= cb.height):
                a = self.whnf_core(self._unfold(a, ca))
            if cb is not None and (ca is None or cb.height >= ca.height):
                b = self.whnf_core(self._unfold(b, cb))
            if same(a, b):
                return True
            quick = self._equal_shape(a, b)
            if quick is not None:
                return quick

    def _equal_args(self, a: Expr, b: Expr) -> bool:
        (fa, xs), (fb, ys) = head_args(a), head_args(b)
        if isinstance(fa, Const) and isinstance(fb, Const):
            if fa.name != fb.name or len(fa.levels) != len(fb.levels):
                return False
            if not all([level_eq(x, y) for x, y in zip(fa.levels, fb.levels, strict=True)]):
                return False
        elif not same(fa, fb):
            return False
        if len(xs) != len(ys):
            return False
        for x, y in zip(xs, ys, strict=True):
            if not self.equal(x, y):
                return False
        return True

    def _equal_whnf(self, a: Expr, b: Expr) -> bool:
        if isinstance(a, Lit) or isinstance(b, Lit):
            pa, pb = self._pred(a), self._pred(b)
            if pa is not None and pb is not None:
                return self.equal(pa, pb)
            return a in ZEROS and b in ZEROS
        if isinstance(a, Lam) or isinstance(b, Lam):
            return self._eta(a, b) or self._eta(b, a)
        return isinstance(a, (App, Const)) and isinstance(b, (App, Const)) and self._equal_args(a, b)

    def _pred(self, e: Expr) -> Expr | None:
        if isinstance(e, Lit):
            return Lit(e.n - 1) if e.n else None
        return e.arg if isinstance(e, App) and same(e.fn, NAT_SUCC) else None

    def _eta(self, a: Expr, b: Expr) -> bool:
        if not isinstance(a, Lam) or isinstance(b, Lam):
            return False
        tb = self.whnf(self.infer(b, False))
        if not isinstance(tb, Pi):
            return False
        v = FVar(a.name, tb.type)
        return self.equal(a.type, tb.type) and self.equal(instantiate(a.body, v), App(b, v))


# ---------------------------------------------------------------- declarations
def _closed(params: Sequence[str], *terms: Expr) -> None:
    if len(set(params)) != len(params):
        raise KernelError("(kernel) duplicate universe parameter")
    for e in terms:
        if e.lb or e.fl & (HAS_FVAR | HAS_MVAR):
            what = "metavariables" if e.fl & HAS_MVAR else "free variables"
            raise KernelError(f"(kernel) declaration has {what}")


def _guarded(add: Callable[P, KernelEnv]) -> Callable[P, KernelEnv]:
    """Running out of stack or room is the kernel's own error."""

    @wraps(add)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> KernelEnv:
        try:
            return add(*args, **kwargs)
        except RecursionError:
            raise KernelDepth("(kernel) deep recursion detected") from None
        except TermTooLarge:
            raise KernelTimeout("(kernel) deterministic timeout") from None

    return guarded


@_guarded
def add_axiom(env: KernelEnv, name: str, params: tuple[str, ...], type_: Expr) -> KernelEnv:
    """Add an axiom whose type is well formed."""
    _closed(params, type_)
    Checker(env, params=params).sort_of(type_)
    return env._with([Constant(name, "axiom", params, type_)])


@_guarded
def add_definition(
    env: KernelEnv,
    constant: Constant,
    steps: int = DEFAULT_STEPS,
    spent: Callable[[int], None] = lambda steps: None,
) -> KernelEnv:
    """Add a `def` or `theorem` after checking its value against its type (a theorem's is a proposition).

    `spent` is told how many of `steps` were taken, also when the constant is refused: by `KernelError`, or
    its kinds for time and depth.
    """
    c, value = constant, constant.value
    if value is None or c.kind not in ("def", "theorem") or c.rules or c.ctors:
        raise KernelError("(kernel) not a definition")
    _closed(c.params, c.type, value)
    checker = Checker(env, steps, c.params)
    try:
        level = checker.sort_of(c.type)
        if c.kind == "theorem" and not level_eq(level, ZERO):
            raise KernelError(f"(kernel) type of theorem '{c.name}' is not a proposition")
        if not checker.equal(checker.infer(value), c.type):
            raise KernelError("(kernel) declaration type mismatch")
    finally:
        spent(steps - checker.steps)
    known = [env.get(n) for n in const_names(value, {})] if c.kind == "def" else []
    height = 1 + max([k.height for k in known if k is not None], default=0)
    done = Constant(c.name, c.kind, c.params, c.type, value, height, c.reducible)
    new = env._with([done])
    fast = c.name in NAT_OPS and _nat_equations(new, c.name)
    return env._with([done], c.name) if fast else new


def _nat_equations(env: KernelEnv, name: str) -> bool:
    """Whether the constant satisfies the recursion that `NAT_OPS` computes, by conversion alone."""
    x, y = FVar("x", NAT), FVar("y", NAT)
    op, s, z = Const(name), NAT_SUCC, NAT_ZERO
    checker, c = Checker(env), env.get(name)
    want = arrow(NAT, NAT) if NAT_OPS[name][0] == 1 else arrow(NAT, arrow(NAT, NAT))
    needs = {"Nat.mul": "Nat.add", "Nat.sub": "Nat.pred", "Nat.pow": "Nat.mul"}.get(name)
    if c is None or not same(c.type, want) or (needs is not None and needs not in env.fast):
        return False
    if name == "Nat.pred":
        return checker.equal(App(op, z), z) and checker.equal(App(op, App(s, x)), x)
    again = mk_app(op, x, y)
    at_zero, at_succ = {
        "Nat.add": (x, App(s, again)),
        "Nat.mul": (z, mk_app(Const("Nat.add"), again, x)),
        "Nat.sub": (x, App(Const("Nat.pred"), again)),
        "Nat.pow": (Lit(1), mk_app(Const("Nat.mul"), again, x)),
    }[name]
    return checker.equal(mk_app(op, x, z), at_zero) and checker.equal(mk_app(op, x, App(s, y)), at_succ)


@_guarded
def add_quot(env: KernelEnv) -> KernelEnv:
    """Add `Quot`, `Quot.mk`, `Quot.lift` and `Quot.ind`, whose computation rule `whnf` knows."""
    u, v = ("p", "u"), ("p", "v")
    e = FVar("α", Sort(("p", "u_1")), None, "i")
    x, eq, refl = FVar("a", e), env.get("Eq"), env.get("Eq.refl")
    same_type = bind_pi([e, x], mk_app(Const("Eq", (("p", "u_1"),)), e, x, x))
    if eq is None or eq.params != ("u_1",) or not same(eq.type, bind_pi([e], arrow(e, arrow(e, PROP)))):
        raise KernelError("(kernel) quotients need the standard Eq")
    if eq.ctors != ("Eq.refl",) or refl is None or not same(refl.type, same_type):
        raise KernelError("(kernel) quotients need the standard Eq")
    alpha, beta_ = FVar("α", Sort(u), None, "i"), FVar("β", Sort(v), None, "i")
    r = FVar("r", arrow(alpha, arrow(alpha, PROP)))
    ri = FVar("r", r.type, None, "i")
    a, b, f = FVar("a", alpha), FVar("b", alpha), FVar("f", arrow(alpha, beta_))
    quot = mk_app(Const("Quot", (u,)), alpha, ri)
    images = mk_app(Const("Eq", (v,)), beta_, App(f, a), App(f, b))
    sound = FVar("h", bind_pi([a, b], arrow(mk_app(ri, a, b), images)))
    motive = FVar("β", arrow(quot, PROP), None, "i")
    step = FVar("mk", bind_pi([a], App(motive, mk_app(Const("Quot.mk", (u,)), alpha, ri, a))))
    q = FVar("q", quot)
    mk = bind_pi([alpha, r], arrow(alpha, mk_app(Const("Quot", (u,)), alpha, r)))
    lift = bind_pi([alpha, ri, beta_, f, sound], arrow(quot, beta_))
    ind = bind_pi([alpha, ri, motive, step, q], App(motive, q))
    types = {"Quot": bind_pi([alpha, r], Sort(u)), "Quot.mk": mk, "Quot.lift": lift, "Quot.ind": ind}
    params = {"Quot.lift": ("u", "v")}
    return env._with([Constant(n, "quot", params.get(n, ("u",)), t) for n, t in types.items()])


@_guarded
def add_inductive(env: KernelEnv, decl: InductiveDecl) -> KernelEnv:
    """Check the declaration and add the family, its constructors and the recursor `name.rec`."""
    return _Inductive(env, decl).build()


class _Inductive:
    def __init__(self, env: KernelEnv, decl: InductiveDecl) -> None:
        self.env, self.decl = env, decl
        self.levels: tuple[Level, ...] = tuple([("p", p) for p in decl.params])
        self.const = Const(decl.name, self.levels)

    def build(self) -> KernelEnv:
        d = self.decl
        _closed(d.params, d.type, *[t for _, t in d.ctors])
        if d.name == "Nat" and not self._is_nat():
            raise KernelError("(kernel) Nat must be the standard one")
        self.checker = Checker(self.env, params=d.params)
        self.checker.sort_of(d.type)
        self.param_vars, self.indices, sort = self._telescope(d.type)
        self.level = sort
        if sort != ZERO and not level_leq(ONE, sort):
            raise KernelError("(kernel) an inductive type must be in Prop or never in Prop")
        names, count = tuple([n for n, _ in d.ctors]), len(self.indices)
        family = Constant(d.name, "inductive", d.params, d.type, ctors=names)
        self.env = self.env._with([replace(family, nparams=d.nparams, nindices=count)])
        self.checker = Checker(self.env, params=d.params)
        self.head = mk_apps(self.const, self.param_vars)
        self.fields = [self._constructor(n, t) for n, t in d.ctors]
        made = []
        for (n, t), (fields, _) in zip(d.ctors, self.fields, strict=True):
            shown = tuple([f.name for f, _ in fields])
            ctor = Constant(n, "ctor", d.params, t, induct=d.name, field_names=shown)
            made.append(replace(ctor, nparams=d.nparams, nfields=len(fields)))
        self.env = self.env._with(made)
        rec = self._recursor()
        Checker(self.env._with([rec]), params=rec.params).sort_of(rec.type)
        return self.env._with([rec])

    def _is_nat(self) -> bool:
        d = self.decl
        want = (("Nat.zero", NAT), ("Nat.succ", arrow(NAT, NAT)))
        return not d.params and same(d.type, TYPE) and d.ctors == want

    def _telescope(self, type_: Expr) -> tuple[list[FVar], list[FVar], Level]:
        out: list[FVar] = []
        while True:
            type_ = self.checker.whnf(type_)
            if not isinstance(type_, Pi):
                break
            out.append(FVar(type_.name, type_.type, None, type_.info))
            type_ = instantiate(type_.body, out[-1])
        n = self.decl.nparams
        if not isinstance(type_, Sort) or not 0 <= n <= len(out):
            raise KernelError("(kernel) invalid inductive type")
        return out[:n], out[n:], type_.level

    def _occurs(self, e: Expr) -> bool:
        return self.decl.name in const_names(e, {})

    def _is_family(self, e: Expr) -> list[Expr] | None:
        """The indices, if e is the family at the declared parameters."""
        fn, args = head_args(e)
        n = self.decl.nparams
        if not (same(fn, self.const) and len(args) == n + len(self.indices)):
            return None
        for p, a in zip(self.param_vars, args, strict=False):
            if not self.checker.equal(p, a):
                return None
        if any([self._occurs(a) for a in args[n:]]):
            raise KernelError("(kernel) the family occurs in its own indices")
        return args[n:]

    def _constructor(self, name: str, type_: Expr) -> tuple[list[tuple[FVar, Expr | None]], list[Expr]]:
        """Fields, each with its recursive shape (or None), and the indices of the result."""
        self.checker.sort_of(type_)
        for p in self.param_vars:
            if not isinstance(type_, Pi) or not self.checker.equal(type_.type, p.type):
                raise KernelError(f"(kernel) constructor '{name}' does not start with the parameters")
            type_ = instantiate(type_.body, p)
        fields: list[tuple[FVar, Expr | None]] = []
        while isinstance(type_, Pi):
            level = self.checker.sort_of(type_.type)
            if self.level != ZERO and not level_leq(level, self.level):
                raise KernelError(f"(kernel) universe level of '{name}' is too big")
            v = FVar(type_.name, type_.type, None, type_.info)
            fields.append((v, self._positive(name, type_.type)))
            type_ = instantiate(type_.body, v)
        indices = self._is_family(type_)
        if indices is None:
            raise KernelError(f"(kernel) constructor '{name}' does not return the family")
        return fields, indices

    def _positive(self, name: str, type_: Expr) -> Expr | None:
        if not self._occurs(type_):
            return None
        type_ = self.checker.whnf(type_)
        vars_: list[FVar] = []
        body = type_
        while isinstance(body, Pi):
            if self._occurs(body.type):
                raise KernelError(f"(kernel) constructor '{name}' has a non positive occurrence")
            vars_.append(FVar(body.name, body.type))
            body = self.checker.whnf(instantiate(body.body, vars_[-1]))
        if self._is_family(body) is None:
            raise KernelError(f"(kernel) constructor '{name}' has a non valid occurrence")
        return bind_pi(vars_, body)

    def _large(self) -> bool:
        """Whether the recursor may produce data: above Prop always, else with one transparent constructor."""
        if self.level != ZERO or not self.fields:
            return True
        if len(self.fields) > 1:
            return False
        fields, indices = self.fields[0]
        for v, _ in fields:
            proof = self.checker.sort_of(v.type) == ZERO
            if not proof and not any([same(v, i) for i in indices]):
                return False
        return True

    def _recursor(self) -> Constant:
        d, large = self.decl, self._large()
        u = "u"
        while u in d.params:
            u += "_1"
        params = (u, *d.params) if large else d.params
        target = Sort(("p", u)) if large else PROP
        major = FVar("t", mk_apps(self.head, self.indices))
        motive = FVar("motive", bind_pi([*self.indices, major], target), None, "i")
        minors = [self._minor(k, motive) for k in range(len(d.ctors))]
        pre = [*self.param_vars, motive, *minors]
        rec = mk_apps(Const(f"{d.name}.rec", tuple([("p", p) for p in params])), pre)
        type_ = bind_pi([*pre, *self.indices, major], App(mk_apps(motive, self.indices), major))
        rules = tuple([self._rule(k, pre, minors[k], rec) for k in range(len(d.ctors))])
        k_like = self.level == ZERO and len(d.ctors) == 1 and not self.fields[0][0]
        rec_const = Constant(f"{d.name}.rec", "rec", params, type_, induct=d.name, rules=rules, k=k_like)
        return replace(rec_const, nparams=d.nparams, nindices=len(self.indices), nminors=len(minors))

    def _recursive(self, k: int) -> list[tuple[FVar, list[FVar], list[Expr]]]:
        """The recursive fields of constructor k: field, the arguments it takes, the indices it then has."""
        out = []
        for v, shape in self.fields[k][0]:
            xs: list[FVar] = []
            while isinstance(shape, Pi):
                xs.append(FVar(shape.name, shape.type))
                shape = instantiate(shape.body, xs[-1])
            if shape is not None:
                out.append((v, xs, head_args(shape)[1][self.decl.nparams :]))
        return out

    def _minor(self, k: int, motive: FVar) -> FVar:
        name = self.decl.ctors[k][0]
        fields, indices = self.fields[k]
        vs = [v for v, _ in fields]
        ihs = []
        for v, xs, at in self._recursive(k):
            ihs.append(FVar(f"{v.name}_ih", bind_pi(xs, App(mk_apps(motive, at), mk_apps(v, xs)))))
        made = mk_apps(mk_apps(Const(name, self.levels), self.param_vars), vs)
        return FVar(name.rpartition(".")[2], bind_pi([*vs, *ihs], App(mk_apps(motive, indices), made)))

    def _rule(self, k: int, pre: list[FVar], minor: FVar, rec: Expr) -> RecRule:
        vs = [v for v, _ in self.fields[k][0]]
        found = self._recursive(k)
        ihs = [bind_lam(xs, App(mk_apps(rec, at), mk_apps(v, xs))) for v, xs, at in found]
        return RecRule(
            self.decl.ctors[k][0], len(vs), bind_lam([*pre, *vs], mk_apps(mk_apps(minor, vs), ihs))
        )


__all__ = ["Checker", "Constant", "InductiveDecl", "KernelDepth", "KernelEnv", "KernelError", "KernelTimeout"]
