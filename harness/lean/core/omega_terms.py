"""Proof terms for linear arithmetic: normal forms of sums, and certificates of `linear` as proofs of `False`.

The normal form of a sum is `c₁ * x₁ + (c₂ * x₂ + (.. + k))` with its variables in order and all cᵢ > 0. The
lemmas used are those of `prelude/omega.lean`; numerals are added and multiplied by the kernel.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.lean.core.linear import Combine, Constraint, Fact, NonNegative
from harness.lean.core.term import ONE, App, Const, Expr, Lit, head_args, mk_app

NAT = Const("Nat")
_ADD, _MUL, _LE = Const("Nat.add"), Const("Nat.mul"), Const("Nat.le")


def lemma(name: str, *args: Expr) -> Expr:
    """A lemma of the omega prelude, applied."""
    return mk_app(Const(f"Omega.{name}"), *args)


def add(a: Expr, b: Expr) -> Expr:
    """`a + b`."""
    return App(App(_ADD, a), b)


def mul(a: Expr, b: Expr) -> Expr:
    """`a * b`."""
    return App(App(_MUL, a), b)


def le(a: Expr, b: Expr) -> Expr:
    """`a ≤ b`."""
    return App(App(_LE, a), b)


def eq(a: Expr, b: Expr) -> Expr:
    """`a = b` on Nat."""
    return mk_app(Const("Eq", (ONE,)), NAT, a, b)


def refl(a: Expr) -> Expr:
    """`rfl : a = a`."""
    return mk_app(Const("Eq.refl", (ONE,)), NAT, a)


class Form(NamedTuple):
    """`Σ coefficient · variable + constant`, natural coefficients over 0, variables increasing."""

    terms: tuple[tuple[int, int], ...]
    constant: int


class Normal(NamedTuple):
    """A term's normal form: as numbers, as a term, and the proof that they are equal."""

    form: Form
    term: Expr
    proof: Expr


class Normaliser:
    """Normal forms over a growing list of variables (whatever is no sum, numeral or multiple)."""

    def __init__(self) -> None:
        self.variables: list[Expr] = []
        self._numbers: dict[Expr, int] = {}
        self._cache: dict[Expr, Normal] = {}

    def number(self, variable: Expr) -> int:
        """The number of a variable, a new one for a new variable."""
        found = self._numbers.get(variable)
        if found is None:
            found = self._numbers[variable] = len(self.variables)
            self.variables.append(variable)
        return found

    def term(self, form: Form) -> Expr:
        """The normal form as a term."""
        out: Expr = Lit(form.constant)
        for variable, coefficient in reversed(form.terms):
            out = add(mul(Lit(coefficient), self.variables[variable]), out)
        return out

    def normal(self, e: Expr) -> Normal:
        """The normal form of a term of type Nat."""
        found = self._cache.get(e)
        if found is None:
            found = self._cache[e] = self._normal(e)
        return found

    def _normal(self, e: Expr) -> Normal:
        if isinstance(e, Lit):
            return Normal(Form((), e.n), e, refl(e))
        head, args = head_args(e)
        name = head.name if isinstance(head, Const) else ""
        if name == "Nat.zero" and not args:
            return Normal(Form((), 0), Lit(0), refl(Lit(0)))
        if name == "Nat.succ" and len(args) == 1:
            return self._sum(args[0], Lit(1))
        if name == "Nat.add" and len(args) == 2:
            return self._sum(args[0], args[1])
        if name == "Nat.mul" and len(args) == 2:
            product = self._product(args[0], args[1])
            if product is not None:
                return product
        if name == "Nat.pow" and len(args) == 2:
            base, power = self.normal(args[0]).form, self.normal(args[1]).form
            if not base.terms and not power.terms and base.constant.bit_length() * power.constant < 4096:
                value = Lit(base.constant**power.constant)
                return Normal(Form((), value.n), value, refl(value))
        form = Form(((self.number(e), 1),), 0)
        return Normal(form, self.term(form), lemma("atom", e))

    def _sum(self, a: Expr, b: Expr) -> Normal:
        x, y = self.normal(a), self.normal(b)
        form, proof = self._merge(x.form, y.form)
        out = self.term(form)
        return Normal(form, out, lemma("add", a, b, x.term, y.term, out, x.proof, y.proof, proof))

    def _product(self, a: Expr, b: Expr) -> Normal | None:
        x, y = self.normal(a), self.normal(b)
        if x.form.terms and y.form.terms:
            return None
        name, factor, other = ("mul_left", x, y) if not x.form.terms else ("mul_right", y, x)
        form, proof = self._scale(factor.form.constant, other.form)
        out = self.term(form)
        return Normal(form, out, lemma(name, a, b, x.term, y.term, out, x.proof, y.proof, proof))

    def _merge(self, a: Form, b: Form) -> tuple[Form, Expr]:
        """a + b in normal form, with the proof that the sum of the normal forms is it."""
        if not a.terms and not b.terms:
            total = Lit(a.constant + b.constant)
            return Form((), total.n), refl(total)
        va = a.terms[0][0] if a.terms else None
        vb = b.terms[0][0] if b.terms else None
        rest_a, rest_b = Form(a.terms[1:], a.constant), Form(b.terms[1:], b.constant)
        if va is not None and va == vb:
            tail, proof = self._merge(rest_a, rest_b)
            c = a.terms[0][1] + b.terms[0][1]
            x = self.variables[va]
            args = (Lit(a.terms[0][1]), Lit(b.terms[0][1]), Lit(c), x)
            out = Form(((va, c), *tail.terms), tail.constant)
            ends = (self.term(rest_a), self.term(rest_b), self.term(tail))
            return out, lemma("merge_same", *args, *ends, refl(Lit(c)), proof)
        if vb is None or (va is not None and va < vb):
            assert va is not None
            tail, proof = self._merge(rest_a, b)
            out = Form((a.terms[0], *tail.terms), tail.constant)
            args3 = (Lit(a.terms[0][1]), self.variables[va], self.term(rest_a), self.term(b), self.term(tail))
            return out, lemma("merge_left", *args3, proof)
        tail, proof = self._merge(a, rest_b)
        out = Form((b.terms[0], *tail.terms), tail.constant)
        args4 = (self.term(a), Lit(b.terms[0][1]), self.variables[vb], self.term(rest_b), self.term(tail))
        return out, lemma("merge_right", *args4, proof)

    def _scale(self, c: int, a: Form) -> tuple[Form, Expr]:
        """c · a in normal form, with the proof that c times the normal form is it."""
        if c == 0:
            return Form((), 0), lemma("zero_mul", self.term(a))
        if not a.terms:
            total = Lit(c * a.constant)
            return Form((), total.n), refl(total)
        rest = Form(a.terms[1:], a.constant)
        tail, proof = self._scale(c, rest)
        variable, k = a.terms[0]
        out = Form(((variable, c * k), *tail.terms), tail.constant)
        args = (Lit(c), Lit(k), self.variables[variable], self.term(rest), Lit(c * k), self.term(tail))
        return out, lemma("scale", *args, refl(Lit(c * k)), proof)

    def equal(self, s: Expr, t: Expr) -> Expr:
        """The proof of `s = t` for terms with the same normal form."""
        x, y = self.normal(s), self.normal(t)
        assert x.form == y.form, (x.form, y.form)
        return lemma("same", s, t, x.term, x.proof, y.proof)


class Inequality(NamedTuple):
    """`left ≤ right` with its proof."""

    left: Expr
    right: Expr
    proof: Expr


class Certificate:
    """Turns a contradictory constraint into a proof of `False`; `facts[i]` is what `Fact(i)` stands for."""

    def __init__(self, normaliser: Normaliser, facts: list[Inequality]) -> None:
        self._normaliser = normaliser
        self._facts = facts
        self._done: dict[int, Inequality] = {}

    def false(self, c: Constraint) -> Expr:
        """The proof of `False`."""
        step = self._step(c)
        less = self._normaliser.term(Form(c.terms, c.constant - 1))
        equal = self._normaliser.equal(step.left, add(less, Lit(1)))
        return lemma("absurd", less, step.left, equal, step.proof)

    def _sides(self, c: Constraint) -> tuple[Expr, Expr]:
        left = Form(tuple((v, k) for v, k in c.terms if k > 0), max(c.constant, 0))
        right = Form(tuple((v, -k) for v, k in c.terms if k < 0), max(-c.constant, 0))
        return self._normaliser.term(left), self._normaliser.term(right)

    def _step(self, c: Constraint) -> Inequality:
        found = self._done.get(id(c))
        if found is None:
            found = self._done[id(c)] = self._new(c)
        return found

    def _new(self, c: Constraint) -> Inequality:
        origin = c.origin
        left, right = self._sides(c)
        if isinstance(origin, NonNegative):
            return Inequality(left, right, mk_app(Const("Nat.zero_le"), right))
        if isinstance(origin, Fact):
            return self._cancel(c, self._facts[origin.index])
        if isinstance(origin, Combine):
            a, b = self._step(origin.first), self._step(origin.second)
            m, n = Lit(origin.m), Lit(origin.n)
            proof = lemma("combine", m, n, a.left, a.right, b.left, b.right, a.proof, b.proof)
            whole = add(mul(m, a.left), mul(n, b.left)), add(mul(m, a.right), mul(n, b.right))
            return self._cancel(c, Inequality(*whole, proof))
        source, g = self._step(origin.source), Lit(origin.divisor)
        slack = origin.divisor * c.constant - origin.source.constant
        shift = slack if origin.source.constant > 0 else 0
        small = mk_app(Const("Nat.le_add_right"), Lit(slack + 1), Lit(origin.divisor - slack - 1))
        on_left = self._normaliser.equal(mul(g, left), add(source.left, Lit(shift)))
        on_right = self._normaliser.equal(add(mul(g, right), Lit(slack)), add(source.right, Lit(shift)))
        args = (g, left, right, Lit(slack), Lit(shift), source.left, source.right)
        return Inequality(left, right, lemma("tighten", *args, small, source.proof, on_left, on_right))

    def _cancel(self, c: Constraint, whole: Inequality) -> Inequality:
        """From `l ≤ r` to the sides of `c`, without what both have in common."""
        left, right = self._sides(c)
        form = self._normaliser.normal(whole.left).form
        kept = dict(self._normaliser.normal(left).form.terms)
        common = tuple((v, k - kept.get(v, 0)) for v, k in form.terms if k > kept.get(v, 0))
        rest = self._normaliser.term(Form(common, form.constant - max(c.constant, 0)))
        on_left = self._normaliser.equal(whole.left, add(left, rest))
        on_right = self._normaliser.equal(whole.right, add(right, rest))
        args = (whole.left, whole.right, left, right, rest)
        return Inequality(left, right, lemma("cancel", *args, on_left, on_right, whole.proof))
