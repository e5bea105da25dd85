# ruff: noqa: C419  (lists: recursion through a generator would use up the C stack)
"""The simplifier: rewrites a term bottom-up with a simp set and proves `old = new`.

A result without proof means that both terms are convertible.
"""

from __future__ import annotations

from harness.lean.core.elab import Elab, LeanError
from harness.lean.core.simpset import FALSE, TRUE, Lemma, Matcher, SimpSet, key_of
from harness.lean.core.tactics.constructors import as_constructor, no_confusion
from harness.lean.core.term import (
    HAS_FVAR,
    HAS_PARAM,
    ONE,
    PROP,
    App,
    Const,
    Expr,
    FVar,
    Lam,
    Let,
    Lit,
    MVar,
    Pi,
    Sort,
    beta,
    bind_lam,
    bind_pi,
    head,
    head_args,
    instantiate,
    instantiate_rev,
    mk_app,
    mk_apps,
    same,
    subst_level,
    subst_params,
)
from harness.lean.core.term_order import _beta_all, smaller

Result = tuple[Expr, Expr | None]
MAX_DEPTH = 80
DISCHARGE_DEPTH = 2
ALWAYS_UNFOLDED = {"GT.gt": 2, "GE.ge": 2, "Ne": 3, "id": 2, "Function.comp": 6}
"""Definitions simp sees through, with the number of arguments it takes."""


class Simplifier:
    """One call of simp."""

    def __init__(self, elab: Elab, sets: list[SimpSet], depth: int = DISCHARGE_DEPTH) -> None:
        self.elab = elab
        self.sets = sets
        self.cache: dict[Expr, Result] = {}
        self.depth = depth
        self.level = 0
        self.unfold: frozenset[str] = frozenset().union(*[s.unfold for s in sets])
        self.erased: frozenset[str] = frozenset().union(*[s.erased for s in sets])

    # ------------------------------------------------------------ the walk
    def simp(self, e: Expr) -> Result:
        """(new term, proof of e = new, or None when convertible)."""
        found = self.cache.get(e)
        if found is None:
            self.elab.tick()
            self.level += 1
            if self.level > MAX_DEPTH:
                raise LeanError(
                    "Tactic `simp` failed with a nested error:\nmaximum recursion depth has been reached\nuse `set_option maxRecDepth <num>` to increase limit"  # noqa: E501
                )
            found = self._simp(e)
            self.level -= 1
            self.cache[e] = found
        return found

    def _simp(self, e: Expr) -> Result:
        proof: Expr | None = None
        start = e
        if isinstance(e, App) and isinstance(head(e), Lam):
            fn, args = head_args(e)
            e = beta(fn, args)
        elif isinstance(e, Let):
            e = instantiate(e.body, e.value)
        e1, p1 = self._children(e)
        proof = self.trans(start, e, e1, proof, p1)
        step = self._root(e1)
        if step is None:
            return e1, proof
        e2, p2 = step
        proof = self.trans(start, e1, e2, proof, p2)
        e3, p3 = self.simp(e2)
        return e3, self.trans(start, e2, e3, proof, p3)

    def trans(self, a: Expr, b: Expr, c: Expr, p: Expr | None, q: Expr | None) -> Expr | None:
        """p : a = b, q : b = c."""
        if p is None or q is None:
            return q if p is None else p
        dom = self.elab.infer(a)
        return mk_app(Const("Eq.trans", (self.elab.sort_of(dom),)), dom, a, b, c, p, q)

    def _children(self, e: Expr) -> Result:
        if isinstance(e, App):
            return self._app(e)
        if isinstance(e, Pi):
            return self._pi(e)
        if isinstance(e, Lam):
            return self._lam(e)
        return e, None

    def _app(self, e: App) -> Result:
        elab = self.elab
        fn, args = head_args(e)
        if isinstance(fn, Const) and fn.name == "Exists" and len(args) == 2 and isinstance(args[1], Lam):
            return self._exists(fn, args[0], args[1])
        type_ = elab.infer(fn)
        proof: Expr | None = None
        done = list(args)
        for k, a in enumerate(args):
            if not isinstance(type_, Pi):
                type_ = elab.whnf(type_)
                if not isinstance(type_, Pi):
                    break
            dependent = type_.body.lb > 0
            if (
                (not dependent and type_.info == "d" and not isinstance(type_.type, Sort))
                or (not dependent and isinstance(type_.type, Sort) and same(type_.type, PROP))
            ) and not elab.is_prop(type_.type):
                new, p = self.simp(a)
                if p is not None:
                    before = mk_apps(fn, done)
                    x = FVar("x", type_.type)
                    hole = list(done)
                    hole[k] = x
                    f = bind_lam([x], mk_apps(fn, hole))
                    dom = type_.type
                    out = elab.infer(before)
                    cong = mk_app(
                        Const("congrArg", (elab.sort_of(dom), elab.sort_of(out))), dom, out, a, new, f, p
                    )
                    done[k] = new
                    proof = self.trans(e, before, mk_apps(fn, done), proof, cong)
                else:
                    done[k] = new
            type_ = instantiate(type_.body, done[k]) if dependent else type_.body
        if all([x is y for x, y in zip(args, done, strict=True)]):
            return e, None
        return mk_apps(fn, done), proof

    def _exists(self, fn: Const, dom: Expr, lam: Lam) -> Result:
        v = FVar(lam.name, dom)
        old = instantiate(lam.body, v)
        new, p = self.simp(old)
        if new is old:
            return mk_app(fn, dom, lam), None
        made = mk_app(fn, dom, _lambda(lam, v, new))
        if p is None:
            return made, None
        q = bind_lam([v], new)
        return made, mk_app(Const("exists_congr_eq", fn.levels), dom, lam, q, bind_lam([v], p))

    def _lam(self, e: Lam) -> Result:
        v = FVar(e.name, e.type, None, e.info)
        old = instantiate(e.body, v)
        new, p = self.simp(old)
        if new is old:
            return e, None
        made = _lambda(e, v, new)
        if p is None:
            return made, None
        dom, out = e.type, self.elab.infer(old)
        levels = (self.elab.sort_of(dom), self.elab.sort_of(out))
        return made, mk_app(Const("funext", levels), dom, bind_lam([v], out), e, made, bind_lam([v], p))

    def _pi(self, e: Pi) -> Result:
        elab = self.elab
        v = FVar(e.name, e.type, None, e.info)
        body = instantiate(e.body, v)
        if not elab.is_prop(body):
            return e, None
        if e.body.lb == 0 and elab.is_prop(e.type):
            a, p = self.simp(e.type)
            b, q = self.simp(body)
            if a is e.type and b is body:
                return e, None
            made = Pi(e.name, a, b, e.info)
            if p is None and q is None:
                return made, None
            p = p or mk_app(Const("Eq.refl", (ONE,)), PROP, a)
            q = q or mk_app(Const("Eq.refl", (ONE,)), PROP, b)
            return made, mk_app(Const("implies_congr"), e.type, a, body, b, p, q)
        new, p = self.simp(body)
        if new is body:
            return e, None
        made_pi = bind_pi([v], new)
        if p is None:
            return made_pi, None
        cong = Const("forall_congr", (elab.sort_of(e.type),))
        return made_pi, mk_app(cong, e.type, bind_lam([v], body), bind_lam([v], new), bind_lam([v], p))

    # ------------------------------------------------------------ one step at the root
    def _root(self, e: Expr) -> Result | None:
        if isinstance(e, (Sort, FVar, Lit)) and not isinstance(e, FVar):
            return None
        if isinstance(e, App) and isinstance(head(e), Lam):
            return beta(*head_args(e)), None
        key = key_of(e)
        for s in self.sets:
            for k in (key, ("*", 0)):
                for lemma in s.index.get(k, ()):
                    if lemma.name in self.erased:
                        continue
                    out = self._apply(lemma, e)
                    if out is not None:
                        return out
        if key[0] in self.unfold or ALWAYS_UNFOLDED.get(key[0]) == key[1]:
            new = self.elab.unfold(e)
            if new is not None and not same(new, e):
                return new, None
        return self._compute(e, key)

    def _apply(self, lemma: Lemma, e: Expr) -> Result | None:
        m = Matcher(lemma)
        if not m.match(lemma.lhs, e):
            return None
        values: list[Expr] = []
        for h in lemma.holes:
            value = m.values.get(h.id)
            if value is None:
                value = self._discharge(lemma, m, h, values)
                if value is None:
                    return None
            elif same(h.type, PROP) and isinstance(lemma.lhs, (Pi, App)) and not self._suits(lemma, value):
                return None
            values.append(value)
        if len(m.levels) < len(lemma.params):
            # Levels that only the types of the variables tell, such as that of `α` in `(α → True) = True`.
            for h, value in zip(lemma.holes, values, strict=True):
                if h.type.fl & HAS_PARAM:
                    m.match(h.type, self.elab.inst(self.elab.infer(value)))
        levels = tuple([m.levels.get(p, ("z",)) for p in lemma.params])
        table = dict(zip(lemma.params, levels, strict=True))
        rhs = instantiate_rev(subst_params(lemma.rhs, table), values)
        rhs = _beta_all(rhs)
        if lemma.permutes and not smaller(rhs, e):
            return None
        if same(rhs, e):
            return None
        return rhs, lemma.proof(values, levels)

    def _suits(self, lemma: Lemma, value: Expr) -> bool:
        """Whether a proposition is what a lemma about propositions has met: `α → False` may be of a type."""
        fn = head(lemma.lhs)
        return (isinstance(fn, Const) and not fn.levels) or self.elab.is_prop(value)

    def _discharge(self, lemma: Lemma, m: Matcher, hole: MVar, values: list[Expr]) -> Expr | None:
        """Prove a side condition: by simp itself, or from the context."""
        from harness.lean.core.term import abstract

        known = lemma.holes[: len(values)]
        type_ = instantiate_rev(abstract(hole.type, known), values)
        later = [h for h in lemma.holes if h.id in m.values and not any([h is k for k in known])]
        if later:
            type_ = instantiate_rev(abstract(type_, later), [m.values[h.id] for h in later])
        if type_.fl & 2 or self.depth <= 0 or not self.elab.is_prop(type_):
            return None
        for v in reversed(self.elab.lctx):
            if same(self.elab.inst(v.type), type_):
                return v
        inner = Simplifier(self.elab, self.sets, self.depth - 1)
        new, p = inner.simp(type_)
        if not same(new, TRUE):
            return None
        return Const("True.intro") if p is None else mk_app(Const("of_eq_true"), type_, p)

    def _compute(self, e: Expr, key: tuple[str, int]) -> Result | None:
        """Numerals: arithmetic, comparisons, unequal constructors."""
        elab = self.elab
        name = key[0]
        if (
            name in ("Nat.add", "Nat.mul", "Nat.sub", "Nat.pow", "Nat.pred", "Nat.succ")
            and not e.fl & HAS_FVAR
        ):
            folded = elab.nat_fold(e)
            return None if folded is None else (folded, None)
        if name == "Nat.add" and key[1] == 2:
            fn, args = head_args(e)
            base, k = elab.offset(e)
            inner = args[0]
            if isinstance(args[1], Lit) and elab.offset(inner)[1] and base is not None:
                return mk_app(fn, base, Lit(k)), None
        if name == "Nat.succ" and key[1] == 1:
            return mk_app(Const("Nat.add"), head_args(e)[1][0], Lit(1)), None
        if name == "Nat.zero":
            return Lit(0), None
        if name == "Eq" and key[1] == 3:
            return self._equation(e)
        if name in ("Nat.le", "Nat.lt") and key[1] == 2:
            return self._compare(e, name)
        return None

    def _equation(self, e: Expr) -> Result | None:
        elab = self.elab
        fn, (dom, a, b) = head_args(e)
        ha = head(a)
        if not isinstance(ha, (Const, Lit)) or not isinstance(head(b), (Const, Lit)):
            return None
        if (
            isinstance(a, App)
            and isinstance(ha, Const)
            and (c := elab.kenv.get(ha.name))
            and c.kind == "def"
            and elab.offset(a)[1] == 0
        ):
            return None
        ca, cb = as_constructor(elab, a), as_constructor(elab, b)
        if ca is None or cb is None:
            return None
        assert isinstance(fn, Const)
        if ca[0].name == cb[0].name:
            if ca[0].name != "Nat.succ" or (isinstance(a, Lit) and isinstance(b, Lit)):
                if isinstance(a, Lit) and isinstance(b, Lit) and a.n != b.n:
                    low = min(a.n, b.n)
                    return self._numerals(e, dom, a.n, b.n, low)
                return None
            oa, ka = elab.offset(a)
            ob, kb = elab.offset(b)
            low = min(ka, kb)
            x = (
                Lit(ka - low)
                if oa is None
                else oa
                if ka == low
                else mk_app(Const("Nat.add"), oa, Lit(ka - low))
            )
            y = (
                Lit(kb - low)
                if ob is None
                else ob
                if kb == low
                else mk_app(Const("Nat.add"), ob, Lit(kb - low))
            )
            new = mk_app(fn, dom, x, y)
            # x + low = y + low  is  (x = y) by cancellation
            left = mk_app(
                fn, dom, mk_app(Const("Nat.add"), x, Lit(low)), mk_app(Const("Nat.add"), y, Lit(low))
            )
            return new, mk_app(Const("propext"), left, new, _cancel(x, y, low))
        h = FVar("h", e)
        false = bind_lam([h], no_confusion(elab, h, dom, a, b))
        return FALSE, mk_app(Const("eq_false"), e, false)

    def _numerals(self, e: Expr, dom: Expr, a: int, b: int, low: int) -> Result:
        h = FVar("h", e)
        fn = Const("Eq", (ONE,))
        x, y = Lit(a - low), Lit(b - low)
        cancel = _cancel(x, y, low)
        left = mk_app(fn, dom, Lit(a), Lit(b))
        new = mk_app(fn, dom, x, y)
        inner = mk_app(Const("Iff.mp"), left, new, cancel, h)
        false = bind_lam([h], no_confusion(self.elab, inner, dom, x, y))
        return FALSE, mk_app(Const("eq_false"), e, false)

    def _compare(self, e: Expr, name: str) -> Result | None:
        args = head_args(e)[1]
        a, b = args
        if not isinstance(a, Lit) or not isinstance(b, Lit):
            return None
        low = a.n + (name == "Nat.lt")
        if low <= b.n:
            eq = mk_app(Const("Eq.refl", (ONE,)), Const("Nat"), b)
            proof = mk_app(Const("Nat.le.intro"), Lit(low), b, Lit(b.n - low), eq)
            return TRUE, mk_app(Const("eq_true"), e, proof)
        eq = mk_app(Const("Eq.refl", (ONE,)), Const("Nat"), Lit(low))
        gt = mk_app(Const("Nat.le.intro"), Lit(b.n + 1), Lit(low), Lit(low - b.n - 1), eq)
        no = mk_app(Const("Nat.not_le_of_gt"), Lit(low), b, gt)
        return FALSE, mk_app(Const("eq_false"), e, no)


def _cancel(x: Expr, y: Expr, low: int) -> Expr:
    """x + low = y + low ↔ x = y."""
    return mk_app(Const("Nat.add_right_cancel_iff"), x, y, Lit(low))


def _lambda(lam: Lam, v: FVar, body: Expr) -> Expr:
    from harness.lean.core.term import abstract

    return Lam(lam.name, lam.type, abstract(body, [v]), lam.info)


__all__ = ["Result", "Simplifier", "smaller", "subst_level"]
