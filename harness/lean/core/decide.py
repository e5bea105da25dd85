"""`decide`: closed propositions that can be computed, as a proof term that the kernel checks.

Equalities and inequalities of numerals, equalities of `Bool` and of lists of such values, membership in
lists, `∀ n < k` with a numeral k, and `¬ ∧ ∨ → ↔ True False` of these. A value is what a term reduces to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from harness.lean.core.metacontext import LeanError
from harness.lean.core.omega import FALSE, Omega, connective, negate
from harness.lean.core.omega_terms import NAT, eq
from harness.lean.core.term import (
    HAS_FVAR,
    HAS_MVAR,
    App,
    Const,
    Expr,
    FVar,
    Level,
    Lit,
    MVar,
    Pi,
    bind_lam,
    head_args,
    instantiate,
    mk_app,
)

if TYPE_CHECKING:
    from harness.lean.core.elab import Elab

Value: TypeAlias = "int | bool | tuple[Value, ...]"
"""A number, a truth value, or a list."""

Answer: TypeAlias = tuple[bool, Expr]
"""Whether a proposition holds, with the proof of it or of its negation."""

MAX_NUMERAL = 1_000_000
"""Bound of the numerals that a bounded quantifier is unrolled to, and of list lengths."""


class Undecided(Exception):
    """No way to compute this proposition."""

    def __init__(self, prop: Expr) -> None:
        super().__init__()
        self.prop = prop


class Decider:
    """Answers for closed propositions."""

    def __init__(self, elab: Elab) -> None:
        self.elab = elab
        self.omega = Omega(elab.tick)

    # --- values --------------------------------------------------------------------------------

    def value(self, type_: Expr, e: Expr) -> Value | None:
        """What a closed term of type Nat, Bool or List of such is."""
        self.elab.tick()
        if type_ == NAT:
            return self._number(e)
        head, args = head_args(type_)
        e = self.elab.whnf(e)
        if isinstance(head, Const) and head.name == "Bool":
            return {"Bool.true": True, "Bool.false": False}.get(e.name) if isinstance(e, Const) else None
        if not (isinstance(head, Const) and head.name == "List" and len(args) == 1):
            return None
        items: list[Value] = []
        while True:
            fn, parts = head_args(e)
            if not isinstance(fn, Const) or fn.name not in ("List.nil", "List.cons"):
                return None
            if fn.name == "List.nil":
                return tuple(items)
            item = self.value(args[0], parts[1])
            if item is None:
                return None
            items.append(item)
            e = self.elab.whnf(parts[2])

    def _number(self, e: Expr) -> int | None:
        extra = 0
        while True:
            self.elab.tick()
            e = self.elab.whnf(e)
            if isinstance(e, Lit):
                return e.n + extra
            fn, args = head_args(e)
            if not isinstance(fn, Const) or fn.name not in ("Nat.zero", "Nat.succ"):
                return None
            if not args:
                return extra
            e, extra = args[0], extra + 1

    def quote(self, type_: Expr, value: Value) -> Expr:
        """The term of a value, as constructors and numerals."""
        if isinstance(value, bool):
            return Const("Bool.true" if value else "Bool.false")
        if isinstance(value, int):
            return Lit(value)
        level, item = _item_type(type_)
        out: Expr = App(Const("List.nil", (level,)), item)
        for v in reversed(value):
            out = mk_app(Const("List.cons", (level,)), item, self.quote(item, v), out)
        return out

    # --- propositions --------------------------------------------------------------------------

    def answer(self, p: Expr) -> Answer:
        """Whether p holds, with proof. Raises `Undecided`."""
        self.elab.tick()
        head, args = head_args(p)
        name = head.name if isinstance(head, Const) else ""
        if name == "Eq" and len(args) == 3:
            return self._equality(p, *args)
        if name == "Ne" and len(args) == 3:
            holds, proof = self._equality(p, *args)
            return not holds, self._double(eq_of(p), proof) if holds else proof
        if name == "List.Mem" and len(args) == 3:
            return self._membership(p, *args)
        word, parts = connective(p)
        match word, parts:
            case "True", []:
                return True, Const("True.intro")
            case "False", []:
                return False, bind_lam([h := FVar("h", FALSE)], h)
            case "Not", [q]:
                holds, proof = self.answer(q)
                return not holds, self._double(q, proof) if holds else proof
            case (("And" | "Or" | "Iff" | "→"), [q, r]):
                return self._compound(p, word, q, r)
            case (("Nat.le" | "LE.le" | "Nat.lt" | "LT.lt" | "GT.gt" | "GE.ge"), [a, b]):
                return self._comparison(p, word, a, b)
        if isinstance(p, Pi):
            return self._bounded(p)
        unfolded = self.elab.unfold(p, force=True) if name else None
        if unfolded is not None:
            return self.answer(self.elab.whnf_core(unfolded))
        raise Undecided(p)

    def _double(self, q: Expr, proof: Expr) -> Expr:
        """`¬ ¬ q` from q."""
        h = FVar("h", negate(q))
        return bind_lam([h], App(h, proof))

    def _compound(self, p: Expr, word: str, q: Expr, r: Expr) -> Answer:
        first, second = self.answer(q), self.answer(r)
        (left, hq), (right, hr) = first, second
        h = FVar("h", p)
        if word == "And":
            if left and right:
                return True, mk_app(Const("And.intro"), q, r, hq, hr)
            part = App(hr, mk_app(Const("And.right"), q, r, h))
            return False, bind_lam([h], part if left else App(hq, mk_app(Const("And.left"), q, r, h)))
        if word == "Or":
            if left:
                return True, mk_app(Const("Or.inl"), q, r, hq)
            if right:
                return True, mk_app(Const("Or.inr"), q, r, hr)
            return False, bind_lam([h], mk_app(Const("Or.elim"), q, r, FALSE, h, hq, hr))
        forth = self._implication(q, r, first, second)
        if word == "→":
            return (True, forth) if forth else (False, mk_app(Const("Decide.not_imp"), q, r, hq, hr))
        back = self._implication(r, q, second, first)
        if forth and back:
            return True, mk_app(Const("Iff.intro"), q, r, forth, back)
        if left:
            return False, bind_lam([h], App(hr, mk_app(Const("Iff.mp"), q, r, h, hq)))
        return False, bind_lam([h], App(hq, mk_app(Const("Iff.mpr"), q, r, h, hr)))

    def _implication(self, q: Expr, r: Expr, first: Answer, second: Answer) -> Expr | None:
        """The proof of `q → r` from the answers for both, None where it is false."""
        h = FVar("h", q)
        if second[0]:
            return bind_lam([h], second[1])
        if first[0]:
            return None
        return bind_lam([h], mk_app(Const("False.elim", (self.elab.sort_of(r),)), r, App(first[1], h)))

    # --- atoms ---------------------------------------------------------------------------------

    def _comparison(self, p: Expr, word: str, a: Expr, b: Expr) -> Answer:
        if word in ("GT.gt", "GE.ge"):
            a, b = b, a
        strict = int(word in ("Nat.lt", "LT.lt", "GT.gt"))
        m, n = self._number(a), self._number(b)
        if m is None or n is None:
            raise Undecided(p)
        m += strict
        if m <= n:
            return True, mk_app(Const("Nat.le_add_right"), Lit(m), Lit(n - m))
        h = FVar("h", p)
        false = self.omega.refute([(mk_app(Const("Nat.le"), Lit(m), Lit(n)), h)])
        if false is None:
            raise Undecided(p)
        return False, bind_lam([h], false)

    def _equality(self, p: Expr, type_: Expr, a: Expr, b: Expr) -> Answer:
        type_ = self.elab.whnf(type_)
        x, y = self.value(type_, a), self.value(type_, b)
        if x is None or y is None:
            raise Undecided(p)
        equation = eq_of(p)
        if x == y:
            head = head_args(equation)[0]
            assert isinstance(head, Const)
            return True, mk_app(Const("Eq.refl", head.levels), type_, self.quote(type_, x))
        h = FVar("h", equation)
        return False, bind_lam([h], self._differ(type_, x, y, h))

    def _differ(self, type_: Expr, x: Value, y: Value, h: Expr) -> Expr:
        """`False` from `h : x = y` for different values."""
        if isinstance(x, bool):
            return App(Const("Decide.true_ne_false" if x else "Decide.false_ne_true"), h)
        if isinstance(x, int) and isinstance(y, int):
            false = self.omega.refute([(eq(Lit(x), Lit(y)), h)])
            assert false is not None
            return false
        assert isinstance(x, tuple) and isinstance(y, tuple)
        level, item = _item_type(type_)
        if not x or not y:
            full = x or y
            parts = (self.quote(item, full[0]), self.quote(type_, full[1:]))
            name = "Decide.cons_ne_nil" if x else "Decide.nil_ne_cons"
            return mk_app(Const(name, (level,)), item, *parts, h)
        heads, tails = (self.quote(item, x[0]), self.quote(item, y[0])), (x[1:], y[1:])
        args = (item, *heads, self.quote(type_, tails[0]), self.quote(type_, tails[1]), h)
        if x[0] != y[0]:
            return self._differ(item, x[0], y[0], mk_app(Const("Decide.head_eq", (level,)), *args))
        return self._differ(type_, *tails, mk_app(Const("Decide.tail_eq", (level,)), *args))

    def _membership(self, p: Expr, item: Expr, a: Expr, list_: Expr) -> Answer:
        list_type = self.elab.infer(list_)
        x, items = self.value(item, a), self.value(list_type, list_)
        if x is None or not isinstance(items, tuple):
            raise Undecided(p)
        level, _ = _item_type(list_type)
        needle = self.quote(item, x)
        tails = [self.quote(list_type, items[k + 1 :]) for k in range(len(items))]
        if x in items:
            at = items.index(x)
            proof = mk_app(Const("List.Mem.head", (level,)), item, needle, tails[at])
            for k in range(at - 1, -1, -1):
                before = self.quote(item, items[k])
                proof = mk_app(Const("List.Mem.tail", (level,)), item, needle, before, tails[k], proof)
            return True, proof
        proof = mk_app(Const("Decide.not_mem_nil", (level,)), item, needle)
        for k in range(len(items) - 1, -1, -1):
            other = self.quote(item, items[k])
            same = FVar("h", mk_app(Const("Eq", (self.elab.sort_of(item),)), item, needle, other))
            apart = bind_lam([same], self._differ(item, x, items[k], same))
            proof = mk_app(
                Const("Decide.not_mem_cons", (level,)), item, needle, other, tails[k], apart, proof
            )
        return False, proof

    def _bounded(self, p: Pi) -> Answer:
        """`∀ n, n < k → q n` for a numeral k, unrolled."""
        n = FVar("n", NAT)
        inner = instantiate(p.body, n)
        bound = head_args(inner.type)[1][-1:] if isinstance(inner, Pi) else []
        if p.type != NAT or not isinstance(inner, Pi) or not bound or inner.body.lb:
            raise Undecided(p)
        limit = None if bound[0].fl & HAS_FVAR else self._number(bound[0])
        if limit is None or limit > MAX_NUMERAL or inner.type != mk_app(Const("Nat.lt"), n, bound[0]):
            raise Undecided(p)
        body = inner.body
        predicate = bind_lam([n], body)
        zero = FVar("n", NAT)
        none = FVar("h", mk_app(Const("Nat.lt"), zero, Lit(0)))
        proof = bind_lam([zero, none], mk_app(Const("Decide.forall_lt_zero"), predicate, zero, none))
        for k in range(limit):
            holds, case = self.answer(self.elab.whnf_core(App(predicate, Lit(k))))
            if not holds:
                h = FVar("h", p)
                small = mk_app(Const("Nat.le_add_right"), Lit(k + 1), Lit(limit - k - 1))
                return False, bind_lam([h], App(case, mk_app(h, Lit(k), small)))
            proof = mk_app(Const("Decide.forall_lt_succ"), predicate, Lit(k), proof, case)
        return True, proof


def eq_of(p: Expr) -> Expr:
    """`a = b` of `a = b` or `a ≠ b`."""
    head, args = head_args(p)
    assert isinstance(head, Const)
    return mk_app(Const("Eq", head.levels), *args)


def _item_type(type_: Expr) -> tuple[Level, Expr]:
    head, args = head_args(type_)
    assert isinstance(head, Const)
    return head.levels[0], args[0]


def prove(elab: Elab, goal: MVar) -> Expr:
    """The proof of a closed goal by computation.

    Raises `LeanError` in Lean's wording when it is false or cannot be computed, `Heartbeats` when it takes
    too long.
    """
    target = elab.inst(goal.type)
    shown = elab.show(target)
    if target.fl & (HAS_FVAR | HAS_MVAR):
        kind = "free variables" if target.fl & HAS_FVAR else "metavariables"
        raise LeanError(
            f"Expected type must not contain {kind}\n  {shown}\n\n"
            "Hint: Use the `+revert` option to automatically clean up and revert free variables"
        )
    try:
        holds, proof = Decider(elab).answer(target)
    except Undecided as undecided:
        raise LeanError(
            f"failed to synthesize instance of type class\n  Decidable {_argument(elab.show(undecided.prop))}"
        ) from None
    if not holds:
        raise LeanError(f"Tactic `decide` proved that the proposition\n  {shown}\nis false")
    return proof


def _argument(shown: str) -> str:
    return f"({shown})" if " " in shown else shown


__all__ = ["Decider", "Undecided", "prove"]
