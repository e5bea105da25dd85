"""Type inference and reduction of terms with holes.

Nothing here is trusted: the kernel checks whatever comes out. Definitions made by a recursor unfold only when
the recursor acts, and their recursive calls fold back (`n + (m + 1)` becomes `(n + m) + 1`, not a recursor).
"""

from __future__ import annotations

from harness.lean.core.kernel import NAT, NAT_OPS, NAT_SUCC, NAT_ZERO, Constant, KernelEnv, nat_value
from harness.lean.core.level import TermTooLarge
from harness.lean.core.metacontext import MetaContext
from harness.lean.core.term import (
    HAS_FVAR,
    ZERO,
    App,
    BVar,
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
    beta,
    head,
    head_args,
    instantiate,
    instantiate_rev,
    limax,
    lsucc,
    mk_app,
    mk_apps,
    same,
    subst_params,
)

NAT_ADD = Const("Nat.add")


class RecursionShape:
    """How a definition recurses: `fun x₁ .. xₙ => rec pre.. xₘ`, nothing after the major argument."""

    __slots__ = ("arity", "major", "nfix", "rec")

    def __init__(self, arity: int, major: int, nfix: int, rec: Constant) -> None:
        self.arity, self.major, self.nfix, self.rec = arity, major, nfix, rec


def recursion_shape(env: KernelEnv, c: Constant) -> RecursionShape | None:
    """The shape of c's value when it is a plain structural recursion."""
    body, arity = c.value, 0
    while isinstance(body, Lam):
        body, arity = body.body, arity + 1
    if body is None:
        return None
    fn, args = head_args(body)
    rec = env.get(fn.name) if isinstance(fn, Const) else None
    if rec is None or rec.kind != "rec" or rec.induct == "Eq":
        return None
    at = rec.nparams + 1 + rec.nminors + rec.nindices
    if len(args) != at + 1 or not isinstance(args[at], BVar):
        return None
    var = args[at]
    assert isinstance(var, BVar)
    return RecursionShape(arity, arity - 1 - var.i, rec.nparams + 1 + rec.nminors, rec)


_shapes: dict[str, tuple[Constant, RecursionShape | None]] = {}


class Reducer(MetaContext):
    """A `MetaContext` that can infer and reduce."""

    __slots__ = ()

    # ------------------------------------------------------------ inference
    def infer(self, e: Expr) -> Expr:
        """The type of e, taken to be well typed; raises `TypeError_` on nonsense."""
        if isinstance(e, App):
            fn, args = head_args(e)
            type_ = self.infer(fn)
            start = 0
            for k in range(len(args)):
                if not isinstance(type_, Pi):
                    type_ = self.whnf(instantiate_rev(type_, args[start:k]))
                    start = k
                    if not isinstance(type_, Pi):
                        raise self.error("function expected")
                type_ = type_.body
            return instantiate_rev(type_, args[start:])
        if isinstance(e, (FVar, MVar)):
            return e.type
        if isinstance(e, Const):
            c = self.kenv.get(e.name)
            if c is None:
                raise self.error(f"unknown constant '{e.name}'")
            return subst_params(c.type, dict(zip(c.params, e.levels, strict=True))) if c.params else c.type
        if isinstance(e, Sort):
            return Sort(lsucc(e.level))
        if isinstance(e, Lit):
            return NAT
        if isinstance(e, Lam):
            v = FVar(e.name, e.type, None, e.info)
            return self.bind([v], self.infer(instantiate(e.body, v)), Pi)
        if isinstance(e, Pi):
            v = FVar(e.name, e.type)
            a, b = self.sort_of(e.type), self.sort_of(instantiate(e.body, v))
            return Sort(limax(a, b))
        if isinstance(e, Let):
            v = FVar(e.name, e.type, e.value)
            return instantiate(abstract(self.inst(self.infer(instantiate(e.body, v))), (v,)), e.value)
        raise self.error("loose bound variable")

    def sort_of(self, type_: Expr) -> Level:
        """The universe of a type."""
        s = self.inst(self.infer(type_))
        if not isinstance(s, Sort):
            s = self.inst(self.whnf(s))
        if isinstance(s, Sort):
            return s.level
        if isinstance(s, MVar):
            level = self.fresh_level()
            if self.unify(s, Sort(level)):
                return level
        raise self.error("type expected")

    def is_prop(self, type_: Expr) -> bool:
        """Whether the type is a proposition."""
        s = self.inst(self.infer(type_))
        if not isinstance(s, Sort):
            s = self.whnf(s)
        return isinstance(s, Sort) and self.inst_level(s.level) == ZERO

    def is_proof(self, e: Expr) -> bool:
        """Whether e proves a proposition."""
        return self.is_prop(self.infer(e))

    # ------------------------------------------------------------ reduction
    def whnf_core(self, e: Expr) -> Expr:
        """Beta, zeta, iota and solved holes at the head; no definitions."""
        while True:
            if isinstance(e, App):
                fn, args = head_args(e)
                if isinstance(fn, Lam):
                    e = beta(fn, args)
                elif isinstance(fn, MVar):
                    value = self.assign.get(fn.id)
                    if value is None:
                        return self.inst(e) if fn.id in self.delayed else e
                    e = beta(value, args)
                elif isinstance(fn, (Let, FVar)):
                    new = self.whnf_core(fn)
                    if new is fn:
                        return e
                    e = mk_apps(new, args)
                elif isinstance(fn, Const):
                    reduced = self._reduce(fn, args)
                    if reduced is None:
                        return e
                    e = reduced
                else:
                    return e
            elif isinstance(e, MVar):
                value = self.assign.get(e.id)
                if value is None:
                    return e
                e = value
            elif isinstance(e, Let):
                e = instantiate(e.body, e.value)
            elif isinstance(e, FVar) and e.value is not None:
                e = e.value
            else:
                return e

    def _reduce(self, fn: Const, args: list[Expr]) -> Expr | None:
        name = fn.name
        if not name.endswith((".rec", ".lift", ".ind")):
            return None
        c = self.kenv.get(name)
        if c is None:
            return None
        if c.kind == "rec":
            return self._reduce_rec(fn, c, args, None)
        if c.kind == "quot" and len(args) > 5 - (name == "Quot.ind"):
            at = 5 - (name == "Quot.ind")
            mk, mk_args = head_args(self.whnf(args[at]))
            if isinstance(mk, Const) and mk.name == "Quot.mk":
                return mk_apps(App(args[3], mk_args[2]), args[at + 1 :])
        return None

    def _reduce_rec(self, fn: Const, c: Constant, args: list[Expr], fold: Expr | None) -> Expr | None:
        at = c.nparams + 1 + c.nminors + c.nindices
        if len(args) <= at:
            return None
        self.tick()
        major = self.whnf(args[at])
        if isinstance(major, Lit):
            major = NAT_ZERO if major.n == 0 else App(NAT_SUCC, Lit(major.n - 1))
        ctor, ctor_args = head_args(major)
        if not isinstance(ctor, Const) or ctor.name not in [r.ctor for r in c.rules]:
            if not c.k or not self._k_applies(c, args[at]):
                offset = self._offset_major(major) if c.induct == "Nat" else None
                if offset is None:
                    return None
                ctor, ctor_args = NAT_SUCC, [offset]
            else:
                return mk_apps(args[c.nparams + 1], args[at + 1 :])
        for rule in c.rules:
            if rule.ctor == ctor.name:
                rhs = subst_params(rule.rhs, dict(zip(c.params, fn.levels, strict=True)))
                out = [*args[: c.nparams + 1 + c.nminors], *ctor_args[c.nparams :]]
                return beta(beta(rhs, out), args[at + 1 :])
        return None

    def _offset_major(self, e: Expr) -> Expr | None:
        """k + 1 seen as a successor: its predecessor."""
        base, k = self.offset(e)
        if base is None or k == 0:
            return None
        return base if k == 1 else mk_app(NAT_ADD, base, Lit(k - 1))

    def _k_applies(self, c: Constant, major: Expr) -> bool:
        fn, args = head_args(self.whnf(self.infer(major)))
        if not isinstance(fn, Const) or fn.name != c.induct or c.induct != "Eq" or len(args) != 3:
            return False
        mark = self.mark()
        if self.unify(args[1], args[2]):
            return True
        self.undo(mark)
        return False

    def nat_fold(self, e: Expr) -> Expr | None:
        """A numeral for an operation on numerals."""
        if isinstance(e, App):
            fn = head(e)
            if (
                isinstance(fn, Const)
                and (fn.name == "Nat.succ" or fn.name in self.kenv.fast)
                and not e.fl & HAS_FVAR
            ):
                _, args = head_args(e)
                if fn.name == "Nat.succ":
                    inner = self.whnf(args[0])
                    return Lit(inner.n + 1) if isinstance(inner, Lit) else None
                arity, op = NAT_OPS[fn.name]
                values = [self.whnf(a) for a in args]
                numbers = [v.n if isinstance(v, Lit) else 0 if same(v, NAT_ZERO) else None for v in values]
                if len(args) == arity and None not in numbers:
                    out = op(*numbers)
                    if out is None:
                        raise TermTooLarge  # the recursion would never get there
                    return nat_value(out)
        return None

    def definition(self, e: Expr) -> Constant | None:
        """The definition at the head of e."""
        fn = head(e)
        if isinstance(fn, Const):
            c = self.kenv.get(fn.name)
            if c is not None and c.value is not None and c.kind == "def":
                return c
        return None

    def unfold(self, e: Expr, force: bool = False) -> Expr | None:
        """e with the definition at its head unfolded; a recursion only if it acts (or when forced)."""
        c = self.definition(e)
        if c is None or c.value is None:
            return None
        self.tick()
        fn, args = head_args(e)
        assert isinstance(fn, Const)
        known = _shapes.get(c.name)
        if known is None or known[0] is not c:
            known = _shapes[c.name] = (c, recursion_shape(self.kenv, c))
        shape = known[1]
        if shape is not None and not force:
            return self._unfold_recursion(fn, c, args, shape)
        value = subst_params(c.value, dict(zip(c.params, fn.levels, strict=True)))
        return beta(value, args)

    def _unfold_recursion(
        self, fn: Const, c: Constant, args: list[Expr], shape: RecursionShape
    ) -> Expr | None:
        if len(args) < shape.arity or c.value is None:
            return None
        major = self.whnf(args[shape.major])
        if isinstance(major, Lit):
            major = NAT_ZERO if major.n == 0 else App(NAT_SUCC, Lit(major.n - 1))
        ctor, ctor_args = head_args(major)
        names = [r.ctor for r in shape.rec.rules]
        if not isinstance(ctor, Const) or ctor.name not in names:
            pred = self._offset_major(major) if shape.rec.induct == "Nat" else None
            if pred is None:
                return None
            ctor, ctor_args = NAT_SUCC, [pred]
        value = subst_params(c.value, dict(zip(c.params, fn.levels, strict=True)))
        _, rec_args = head_args(beta(value, args[: shape.arity]))
        minor = rec_args[shape.rec.nparams + 1 + names.index(ctor.name)]
        fields = ctor_args[shape.rec.nparams :]
        ihs: list[Expr] = []
        for f in fields:
            t = self.whnf(self.infer(f))
            h = head(t)
            if isinstance(h, Const) and h.name == shape.rec.induct:
                again = list(args[: shape.arity])
                again[shape.major] = f
                ihs.append(mk_apps(fn, again))
        return beta(minor, [*fields, *ihs, *args[shape.arity :]])

    def whnf(self, e: Expr) -> Expr:
        """Weak head normal form with definitions unfolded."""
        while True:
            e = self.whnf_core(e)
            if not isinstance(e, (App, Const)):
                return e
            folded = self.nat_fold(e)
            if folded is not None:
                return folded
            new = self.unfold(e)
            if new is None:
                return e
            e = new

    def whnf_reducible(self, e: Expr) -> Expr:
        """Weak head normal form, unfolding only what is marked reducible (`Ne`, `>`, `≥`)."""
        while True:
            e = self.whnf_core(e)
            c = self.definition(e)
            if c is None or not c.reducible:
                return e
            e = self.unfold(e) or e

    def offset(self, e: Expr) -> tuple[Expr | None, int]:
        """e as base + k; base None for a numeral."""
        k = 0
        while True:
            if isinstance(e, MVar) and e.id in self.assign:
                e = self.assign[e.id]
            elif isinstance(e, Lit):
                return None, k + e.n
            elif isinstance(e, App):
                fn = e.fn
                if isinstance(fn, Const) and fn.name == "Nat.succ":
                    k, e = k + 1, e.arg
                elif isinstance(fn, App) and isinstance(fn.fn, Const) and fn.fn.name == "Nat.add":
                    arg = self.inst(e.arg)
                    if not isinstance(arg, Lit):
                        return e, k
                    k, e = k + arg.n, fn.arg
                else:
                    return e, k
            elif isinstance(e, Const) and e.name == "Nat.zero":
                return None, k
            else:
                return e, k

    def unify(self, a: Expr, b: Expr) -> bool:
        """Make a and b definitionally equal (`unify` says how)."""
        raise AssertionError("a Reducer alone does not unify")
