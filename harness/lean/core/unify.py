# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""Unification: making terms with holes definitionally equal.

Nothing here is trusted: the kernel checks whatever comes out.
"""

from __future__ import annotations

from harness.lean.core.kernel import Constant
from harness.lean.core.reduction import Reducer
from harness.lean.core.term import (
    HAS_MVAR,
    PROP,
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
    head,
    head_args,
    instantiate,
    mk_app,
    mk_apps,
    same,
)

NAT_ADD = Const("Nat.add")


class Meta(Reducer):
    """A `MetaContext` that can infer, reduce and unify."""

    __slots__ = ()

    # ------------------------------------------------------------ unification
    def unify(self, a: Expr, b: Expr) -> bool:
        """Make a and b definitionally equal by filling natural holes; undoes its own work on failure."""
        if a is b:
            return True
        mark = self.mark()
        if self._unify(a, b):
            return True
        self.undo(mark)
        return False

    def _unify(self, a: Expr, b: Expr) -> bool:
        if a is b or (a.h == b.h and same(a, b)):
            return True
        self.tick()
        ha, hb = head(a), head(b)
        if isinstance(ha, MVar) or isinstance(hb, MVar):
            if isinstance(ha, MVar) and (ha.id in self.assign or ha.id in self.delayed):
                new = self.whnf_core(a)
                if new is not a:
                    return self._unify(new, b)
            if isinstance(hb, MVar) and (hb.id in self.assign or hb.id in self.delayed):
                new = self.whnf_core(b)
                if new is not b:
                    return self._unify(a, new)
            return self._unify_flex(a, b, ha, hb)
        if isinstance(a, Sort) and isinstance(b, Sort):
            return self.unify_level(a.level, b.level)
        if isinstance(a, (Lam, Pi)) and isinstance(b, a.__class__):
            if not self._unify(a.type, b.type):
                return False
            v = FVar(a.name, a.type)
            return self._unify(instantiate(a.body, v), instantiate(b.body, v))
        if isinstance(ha, Const) and isinstance(hb, Const) and ha.name == hb.name:
            mark = self.mark()
            if self._unify_args(a, b, ha, hb):
                return True
            self.undo(mark)
        return self._unify_reduced(a, b)

    def _unify_args(self, a: Expr, b: Expr, ha: Const, hb: Const) -> bool:
        xs, ys = head_args(a)[1], head_args(b)[1]
        if len(xs) != len(ys):
            return False
        for la, lb in zip(ha.levels, hb.levels, strict=True):
            if not self.unify_level(la, lb):
                return False
        later: list[tuple[Expr, Expr]] = []
        for x, y in zip(xs, ys, strict=True):
            if isinstance(x, Lam) or isinstance(y, Lam):
                later.append((x, y))
            elif not self._unify(x, y):
                return False
        return all([self._unify(x, y) for x, y in later])

    def _unify_reduced(self, a: Expr, b: Expr) -> bool:
        na, nb = self.whnf_core(a), self.whnf_core(b)
        if na is not a or nb is not b:
            return self._unify(na, nb)
        oa, ka = self.offset(a)
        ob, kb = self.offset(b)
        if (ka or oa is None) and (kb or ob is None):
            return self._unify_offsets(oa, ka, ob, kb)
        if not ka and oa is not a and isinstance(oa, MVar):
            return self._unify(oa, b)  # `?n + 0`, before the other side is unfolded
        if not kb and ob is not b and isinstance(ob, MVar):
            return self._unify(a, ob)
        if (isinstance(a, Lam) or isinstance(b, Lam)) and self._unify_eta(a, b):
            return True
        fa, fb = self.nat_fold(a), self.nat_fold(b)
        if fa is not None or fb is not None:
            return self._unify(fa or a, fb or b)
        ca, cb = self.definition(a), self.definition(b)
        if ca is not None or cb is not None:
            step = self._unify_delta(a, b, ca, cb)
            if step is not None:
                return step
        ha, hb = head(a), head(b)
        if isinstance(ha, FVar) and ha is hb:
            xs, ys = head_args(a)[1], head_args(b)[1]
            if len(xs) == len(ys) and all([self._unify(x, y) for x, y in zip(xs, ys, strict=True)]):
                return True
        return self._unify_structure(a, b) or self._unify_structure(b, a) or self._unify_proofs(a, b)

    def _unify_structure(self, a: Expr, b: Expr) -> bool:
        """Eta: b is a constructor applied to what the projections of its structure give of a."""
        fn, args = head_args(b)
        ctor = self.kenv.get(fn.name) if isinstance(fn, Const) else None
        if ctor is None or ctor.kind != "ctor" or not ctor.nfields or same(head(a), fn):
            return False
        family = self.kenv.get(ctor.induct)
        if family is None or len(family.ctors) != 1 or family.nindices or family.recursive:
            return False
        fields = [f"{ctor.induct}.{name}" for name in ctor.field_names]
        if len(args) != ctor.nparams + ctor.nfields or not all([self.kenv.get(f) for f in fields]):
            return False
        of, params = head_args(self.whnf(self.infer(a)))
        if not isinstance(of, Const) or of.name != ctor.induct:
            return False
        for field, arg in zip(fields, args[ctor.nparams :], strict=True):
            if not self._unify(mk_app(mk_apps(Const(field, of.levels), params), a), arg):
                return False
        return True

    def _unify_offsets(self, oa: Expr | None, ka: int, ob: Expr | None, kb: int) -> bool:
        low = min(ka, kb)
        ka, kb = ka - low, kb - low
        if oa is None and ob is None:
            return ka == kb
        if low == 0 and ka and kb:
            return False

        def back(o: Expr | None, k: int) -> Expr:
            return Lit(k) if o is None else o if k == 0 else mk_app(NAT_ADD, o, Lit(k))

        if low == 0:
            # numeral zero against a successor
            return False
        return self._unify(back(oa, ka), back(ob, kb))

    def _unify_eta(self, a: Expr, b: Expr) -> bool:
        if not isinstance(a, Lam):
            a, b = b, a
        if not isinstance(a, Lam) or isinstance(b, Lam):
            return False
        v = FVar(a.name, a.type)
        return self._unify(instantiate(a.body, v), App(b, v))

    def _unify_delta(self, a: Expr, b: Expr, ca: Constant | None, cb: Constant | None) -> bool | None:
        ua = self.unfold(a) if ca is not None else None
        ub = self.unfold(b) if cb is not None else None
        if ua is None and ub is None:
            # a recursion that does not act, against a bare recursor: compare the recursors
            ra, rb = self._rec_headed(a), self._rec_headed(b)
            if ca is not None and rb:
                ua = self.unfold(a, True)
            elif cb is not None and ra:
                ub = self.unfold(b, True)
            if ua is None and ub is None:
                return None
            return self._unify(ua or a, ub or b)
        if ua is not None and ub is not None and ca is not None and cb is not None:
            if ca.height > cb.height:
                return self._unify(ua, b)
            if cb.height > ca.height:
                return self._unify(a, ub)
        return self._unify(ua or a, ub or b)

    def _rec_headed(self, e: Expr) -> bool:
        fn = head(e)
        return isinstance(fn, Const) and fn.name.endswith(".rec")

    def _unify_proofs(self, a: Expr, b: Expr) -> bool:
        if isinstance(a, (Sort, Pi, Lit)) or isinstance(b, (Sort, Pi, Lit)):
            return False
        ta = self.infer(a)
        if not self.is_prop(ta):
            return False
        return self._unify(ta, self.infer(b))

    # ------------------------------------------------------------ holes
    def _unify_flex(self, a: Expr, b: Expr, ha: Expr, hb: Expr) -> bool:
        if isinstance(ha, MVar) and isinstance(hb, MVar):
            if ha is hb:
                xs, ys = head_args(a)[1], head_args(b)[1]
                return len(xs) == len(ys) and all([self._unify(x, y) for x, y in zip(xs, ys, strict=True)])
            first = ha.kind == "n" and (hb.kind != "n" or ha.id > hb.id)
            if isinstance(a, App) and isinstance(b, MVar):
                first = False
            if first:
                return self._solve(a, ha, b) or self._solve(b, hb, a)
            return self._solve(b, hb, a) or self._solve(a, ha, b)
        if isinstance(ha, MVar):
            return self._solve(a, ha, b) or self._retry(a, b)
        assert isinstance(hb, MVar)
        return self._solve(b, hb, a) or self._retry(b, a)

    def _retry(self, flex: Expr, rigid: Expr) -> bool:
        """Unfold the rigid side and try again."""
        new = self.whnf_core(rigid)
        if new is rigid:
            if not isinstance(flex, App):
                return False
            base, k = self.offset(rigid) if isinstance(rigid, Lit) else (rigid, 0)
            unfolded = self.unfold(rigid)
            if unfolded is None or k or base is None:
                return False
            new = unfolded
        return self._unify(flex, new)

    def _solve(self, flex: Expr, m: MVar, value: Expr) -> bool:
        if m.kind != "n" or m.id in self.delayed:
            return False
        args = [self.inst(x) for x in head_args(flex)[1]]
        distinct: list[FVar] = []
        for x in args:
            y = x
            if not isinstance(y, FVar) or y in distinct:
                return self._solve_first_order(flex, m, value)
            distinct.append(y)
        value = self.inst(value)
        if isinstance(value, MVar) and value is m:
            return not args
        checked = self.check_scope(m, value, distinct)
        if checked is None:
            return bool(args) and self._solve_first_order(flex, m, value)
        if distinct:
            body = self.bind(distinct, checked, Lam)
            checked = _eta_reduce(body)
        mark = self.mark()
        if (m.type.fl & HAS_MVAR or distinct) and not self._unify(m.type, self.infer(checked)):
            self.undo(mark)
            return False
        if m.id in self.assign:
            return self._unify(self.assign[m.id], checked)
        self.set(m, checked)
        return True

    def _solve_first_order(self, flex: Expr, m: MVar, value: Expr) -> bool:
        value = self.whnf_core(value)
        if not isinstance(flex, App) or not isinstance(value, App):
            return False
        mark = self.mark()
        if self._unify(flex.fn, value.fn) and self._unify(flex.arg, value.arg):
            return True
        self.undo(mark)
        return False


def _eta_reduce(e: Expr) -> Expr:
    """fun x => f x, with x not in f, as f."""
    while (
        isinstance(e, Lam) and isinstance(e.body, App) and isinstance(e.body.arg, BVar) and e.body.arg.i == 0
    ):
        fn = e.body.fn
        if fn.lb and _has_index(fn, 0):
            break
        e = instantiate(fn, PROP) if fn.lb else fn
    return e


def _has_index(e: Expr, i: int) -> bool:
    if e.lb <= i:
        return False
    if isinstance(e, BVar):
        return e.i == i
    if isinstance(e, App):
        return _has_index(e.fn, i) or _has_index(e.arg, i)
    if isinstance(e, (Lam, Pi)):
        return _has_index(e.type, i) or _has_index(e.body, i + 1)
    if isinstance(e, Let):
        return _has_index(e.type, i) or _has_index(e.value, i) or _has_index(e.body, i + 1)
    return False


def occurs(v: FVar | MVar, e: Expr) -> bool:
    """Whether v occurs in e (holes already filled in)."""
    if not e.fl & v.fl:
        return False
    if e is v:
        return True
    if isinstance(e, App):
        return occurs(v, e.fn) or occurs(v, e.arg)
    if isinstance(e, (Lam, Pi)):
        return occurs(v, e.type) or occurs(v, e.body)
    if isinstance(e, Let):
        return occurs(v, e.type) or occurs(v, e.value) or occurs(v, e.body)
    return False


def uses_index(body: Expr) -> bool:
    """Whether the body of a binder uses its variable."""
    return _has_index(body, 0)
