"""Operations on numerals that a trusted library determines by theorems: computed where all are stated so."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.lean.core.declarations import Constant, KernelEnv
from harness.lean.core.kernel import NAT, NAT_OPS, Checker, with_library_operations
from harness.lean.core.level import ONE
from harness.lean.core.library import library
from harness.lean.core.nodes import PROP, TYPE, Sort
from harness.lean.core.term import App, Const, Expr, FVar, Lit, arrow, bind_pi, mk_app

X, Y, TWO = FVar("m", NAT), FVar("k", NAT), Lit(2)
BINARY = ("div", "mod", "gcd", "land", "lor", "xor")


def of(op: str, *args: Expr) -> Expr:
    return mk_app(Const(f"Nat.{op}"), *args)


def eq(a: Expr, b: Expr) -> Expr:
    return mk_app(Const("Eq", (ONE,)), NAT, a, b)


def odd(a: Expr) -> Expr:
    return eq(of("mod", a, TWO), Lit(1))


def halves(op: str) -> Expr:
    return bind_pi([X, Y], eq(of("div", of(op, X, Y), TWO), of(op, of("div", X, TWO), of("div", Y, TWO))))


def ends(op: str, last: Expr) -> Expr:
    return bind_pi([X, Y], mk_app(Const("Iff"), odd(of(op, X, Y)), last))


def joined(connective: str) -> Expr:
    return mk_app(Const(connective), odd(X), odd(Y))


LOG2 = mk_app(
    Const("ite", (ONE,)), NAT, of("le", TWO, X), of("decLe", TWO, X),
    of("add", of("log2", of("div", X, TWO)), Lit(1)), Lit(0),
)  # fmt: skip
THEOREMS: dict[str, Expr] = {
    "div_add_mod": bind_pi([X, Y], eq(of("add", of("mul", Y, of("div", X, Y)), of("mod", X, Y)), X)),
    "mod_lt": bind_pi([X, Y], arrow(of("lt", Lit(0), Y), of("lt", of("mod", X, Y), Y))),
    "div_zero": bind_pi([X], eq(of("div", X, Lit(0)), Lit(0))),
    "mod_zero": bind_pi([X], eq(of("mod", X, Lit(0)), X)),
    "gcd_zero_left": bind_pi([X], eq(of("gcd", Lit(0), X), X)),
    "gcd_rec": bind_pi([X, Y], eq(of("gcd", X, Y), of("gcd", of("mod", Y, X), X))),
    "log2_def": bind_pi([X], eq(of("log2", X), LOG2)),
    "and_div_two": halves("land"),
    "and_mod_two_eq_one": ends("land", joined("And")),
    "or_div_two": halves("lor"),
    "or_mod_two_eq_one": ends("lor", joined("Or")),
    "xor_div_two": halves("xor"),
    "xor_mod_two_eq_one": ends("xor", App(Const("Not"), joined("Iff"))),
}
"""As Lean's library states them."""
RESTS_ON = {
    "div": ("div_add_mod", "mod_lt", "div_zero", "mod_zero"),
    "mod": ("div_add_mod", "mod_lt", "div_zero", "mod_zero"),
    "gcd": ("gcd_zero_left", "gcd_rec"),
    "log2": ("log2_def",),
    "land": ("and_div_two", "and_mod_two_eq_one"),
    "lor": ("or_div_two", "or_mod_two_eq_one"),
    "xor": ("xor_div_two", "xor_mod_two_eq_one"),
}


C, T = FVar("c", PROP), FVar("α", Sort(("p", "u")))
DECIDED = App(Const("Decidable"), C)
CHOICE = [
    Constant("Decidable", "opaque", (), arrow(PROP, TYPE)),
    Constant("Nat.decLe", "opaque", (), bind_pi([X, Y], App(Const("Decidable"), of("le", X, Y)))),
    Constant("ite", "opaque", ("u",), bind_pi([T, C], arrow(DECIDED, arrow(T, arrow(T, T))))),
]
"""What `log2` is told in, and the core's own library lacks."""


def stated(theorems: dict[str, Expr], kind: str = "theorem", **types: Expr) -> KernelEnv:
    """A library that has the operations, opaque, and states `theorems` of them."""
    known = {op: arrow(NAT, arrow(NAT, NAT)) for op in BINARY} | {"log2": arrow(NAT, NAT)} | types
    ops = [Constant(f"Nat.{op}", "opaque", (), type_) for op, type_ in known.items()]
    lemmas = [Constant(f"Nat.{name}", kind, (), type_) for name, type_ in theorems.items()]
    return with_library_operations(library().kernel._with([*CHOICE, *ops, *lemmas]))


def fast(env: KernelEnv) -> set[str]:
    return {op for op in RESTS_ON if f"Nat.{op}" in env.fast}


def test_what_is_determined_is_computed() -> None:
    env = stated(THEOREMS)
    assert fast(env) == set(RESTS_ON)
    whnf = Checker(env).whnf
    for a, b in [(0, 0), (0, 5), (5, 0), (7, 2), (12, 18), (255, 256), (2**70 + 5, 3**20)]:
        x, y = Lit(a), Lit(b)
        expected = {
            "div": a // b if b else 0, "mod": a % b if b else a, "gcd": math.gcd(a, b),
            "land": a & b, "lor": a | b, "xor": a ^ b,
        }  # fmt: skip
        assert {op: whnf(of(op, x, y)) for op in BINARY} == {op: Lit(n) for op, n in expected.items()}
        assert whnf(of("log2", x)) == Lit(max(a.bit_length() - 1, 0))


def test_the_functions_satisfy_the_theorems() -> None:
    """What `NAT_OPS` computes is the function that the theorems leave: looked at on small numbers."""

    def nat(op: str, *args: int) -> int:
        found = NAT_OPS[f"Nat.{op}"][1](*args)
        assert type(found) is int
        return found

    for a in range(40):
        assert nat("log2", a) == (nat("log2", a // 2) + 1 if a >= 2 else 0)
        assert (nat("div", a, 0), nat("mod", a, 0), nat("gcd", 0, a)) == (0, a, a)
        for b in range(40):
            assert b * nat("div", a, b) + nat("mod", a, b) == a
            assert not b or nat("mod", a, b) < b
            assert nat("gcd", a, b) == nat("gcd", nat("mod", b, a), a)
            x, y = a % 2 == 1, b % 2 == 1
            for op, last in (("land", x and y), ("lor", x or y), ("xor", x != y)):
                assert nat(op, a, b) // 2 == nat(op, a // 2, b // 2)
                assert (nat(op, a, b) % 2 == 1) == last


@pytest.mark.parametrize("name", THEOREMS)
def test_a_theorem_that_is_missing_or_stated_otherwise_determines_nothing(name: str) -> None:
    without = {key: type_ for key, type_ in THEOREMS.items() if key != name}
    hit = {op for op, needs in RESTS_ON.items() if name in needs}
    trivial = bind_pi([X], eq(X, X))
    for env in (stated(without), stated({**without, name: trivial})):
        assert not fast(env) & hit
        assert not any(Checker(env).equal(of(op, Lit(4), Lit(2)), Lit(2)) for op in hit - {"log2"})


def test_neither_axioms_nor_other_types_determine_anything() -> None:
    assert fast(stated(THEOREMS, "axiom")) == set()
    assert "log2" not in fast(stated(THEOREMS, log2=arrow(NAT, arrow(NAT, NAT))))
    assert not fast(stated(THEOREMS, mod=arrow(NAT, arrow(NAT, Const("Bool"))))) & {"mod", "gcd", "land"}


def test_what_an_operation_is_told_in_has_to_be_known_itself() -> None:
    """Under a product of another kind the theorems of quotients say something else."""
    binary = arrow(NAT, arrow(NAT, NAT))
    ops = [Constant(f"Nat.{op}", "opaque", (), binary) for op in BINARY]
    lemmas = [Constant(f"Nat.{name}", "theorem", (), type_) for name, type_ in THEOREMS.items()]
    env = library().kernel._with([*ops, *lemmas])
    assert fast(with_library_operations(env)) >= set(BINARY)
    other = Constant("Nat.mul", "opaque", (), binary)
    changed = replace(env, own={**env.own, "Nat.mul": other}, fast=env.fast - {"Nat.mul"})
    assert not fast(with_library_operations(changed))
