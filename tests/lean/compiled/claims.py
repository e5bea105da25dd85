"""A true and a false claim about numbers, and terms that may stand as their proofs.

Apart from the tests, because a stand-in for `lean` asks for them in processes of its own, often.
"""

from __future__ import annotations

from harness.lean.core.kernel import NAT
from harness.lean.core.level import ONE, ZERO
from harness.lean.core.term import App, Const, Expr, Lit, mk_app


def eq(a: Expr, b: Expr) -> Expr:
    return mk_app(Const("Eq", (ONE,)), NAT, a, b)


def refl(a: Expr) -> Expr:
    return mk_app(Const("Eq.refl", (ONE,)), NAT, a)


WRONG = eq(Lit(1), Lit(2))
"""What the forgeries claim."""

RIGHT = eq(mk_app(Const("Nat.add"), Lit(2), Lit(2)), Lit(4))


def sorry(type_: Expr) -> Expr:
    return App(Const("sorryAx", (ZERO,)), type_)
