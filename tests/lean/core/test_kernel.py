"""The kernel alone: what it accepts, and above all what it refuses. Terms are built by hand."""

import sys

import pytest

from harness.lean.core.kernel import (
    NAT,
    NAT_SUCC,
    NAT_ZERO,
    Checker,
    Constant,
    InductiveDecl,
    KernelDepth,
    KernelEnv,
    KernelError,
    KernelTimeout,
    add_axiom,
    add_definition,
    add_inductive,
    add_quot,
)
from harness.lean.core.session import prelude, run
from harness.lean.core.term import (
    ONE,
    PROP,
    TYPE,
    ZERO,
    App,
    Const,
    Expr,
    FVar,
    Lam,
    Lit,
    MVar,
    Pi,
    Sort,
    arrow,
    bind_lam,
    bind_pi,
    const_names,
    level_eq,
    level_leq,
    limax,
    lmax,
    lsucc,
    mk_app,
)

U, V = ("p", "u"), ("p", "v")


def library() -> KernelEnv:
    return prelude().kernel


def theorem(type_: Expr, value: Expr, params: tuple[str, ...] = ()) -> KernelEnv:
    return add_definition(library(), Constant("probe", "theorem", params, type_, value))


def refused(type_: Expr, value: Expr, match: str, params: tuple[str, ...] = ()) -> None:
    with pytest.raises(KernelError, match=match):
        theorem(type_, value, params)


def eq(type_: Expr, a: Expr, b: Expr) -> Expr:
    return mk_app(Const("Eq", (ONE,)), type_, a, b)


def refl(type_: Expr, a: Expr) -> Expr:
    return mk_app(Const("Eq.refl", (ONE,)), type_, a)


# ---------------------------------------------------------------- levels
def test_levels() -> None:
    assert level_leq(ZERO, U) and not level_leq(U, ZERO)
    assert level_leq(U, lmax(V, U)) and not level_leq(lmax(U, V), U)
    assert not level_leq(lsucc(U), U) and level_leq(U, lsucc(U))
    assert level_eq(limax(U, ZERO), ZERO)
    assert not level_eq(limax(U, V), lmax(U, V))
    assert level_eq(limax(U, lsucc(V)), lmax(U, lsucc(V)))
    assert level_leq(limax(U, V), lmax(U, V))
    assert not level_leq(lmax(lsucc(U), V), lmax(U, V))
    assert level_eq(limax(U, U), U)
    assert not level_leq(V, limax(U, V)) or level_leq(V, limax(U, V))


# ---------------------------------------------------------------- definitions
def test_identity_is_accepted_at_every_universe() -> None:
    alpha = FVar("α", Sort(U))
    a = FVar("a", alpha)
    type_, value = bind_pi([alpha, a], alpha), bind_lam([alpha, a], a)
    env = add_definition(library(), Constant("probe", "def", ("u",), type_, value))
    checker = Checker(env)
    assert checker.equal(mk_app(Const("probe", (ONE,)), NAT, Lit(3)), Lit(3))


def test_wrong_proofs_are_refused() -> None:
    p, q = FVar("p", PROP), FVar("q", PROP)
    h = FVar("h", p)
    refused(bind_pi([p, q], arrow(p, q)), bind_lam([p, q, h], h), "declaration type mismatch")
    refused(eq(NAT, Lit(1), Lit(2)), refl(NAT, Lit(1)), "type mismatch")
    refused(Const("False"), Const("True.intro"), "type mismatch")
    refused(Const("False"), Const("nothing"), "unknown constant")
    refused(Const("False"), App(Const("True.intro"), Lit(0)), "function expected")
    refused(NAT, Lit(0), "not a proposition")


def test_open_terms_are_refused() -> None:
    h = FVar("h", Const("False"))
    refused(Const("False"), h, "free variables")
    refused(Const("False"), MVar(Const("False"), ()), "metavariables")
    refused(Const("False"), Const("sorryAx", (("v", 1),)), "metavariables|level")
    from harness.lean.core.term import BVar

    refused(Const("False"), BVar(0), "free variables|loose")


def test_universes_are_checked() -> None:
    refused(arrow(Const("False"), Const("False")), Const("id", (U,)), "undeclared universe|mismatch")
    refused(Const("False"), Const("id"), "number of universe levels")
    # Type : Type
    type_in_type = Lam("x", TYPE, Lit(0))
    with pytest.raises(KernelError):
        Checker(library()).infer(App(type_in_type, TYPE))
    with pytest.raises(KernelError, match="duplicate"):
        add_axiom(library(), "probe", ("u", "u"), Sort(U))


def test_theorems_are_not_declared_twice() -> None:
    env = add_axiom(library(), "probe", (), PROP)
    with pytest.raises(KernelError, match="already been declared"):
        add_axiom(env, "probe", (), PROP)
    with pytest.raises(KernelError, match="already been declared"):
        add_axiom(env, "Nat.add", (), PROP)


def test_numerals_compute_and_mean_successors() -> None:
    checker = Checker(library())
    add, mul, sub = Const("Nat.add"), Const("Nat.mul"), Const("Nat.sub")
    assert checker.equal(mk_app(add, Lit(2), Lit(3)), Lit(5))
    assert checker.equal(App(NAT_SUCC, App(NAT_SUCC, NAT_ZERO)), Lit(2))
    assert not checker.equal(App(NAT_SUCC, NAT_ZERO), Lit(2))
    assert not checker.equal(Lit(0), Lit(1))
    assert checker.equal(mk_app(mul, Lit(10**6), Lit(10**6)), Lit(10**12))
    assert checker.equal(mk_app(sub, Lit(3), Lit(5)), NAT_ZERO)
    x = FVar("x", NAT)
    assert checker.equal(mk_app(add, x, Lit(2)), App(NAT_SUCC, mk_app(add, x, Lit(1))))
    assert not checker.equal(mk_app(add, Lit(2), x), mk_app(add, x, Lit(2)))


def test_fast_arithmetic_needs_the_right_equations() -> None:
    base = add_inductive(
        KernelEnv(), InductiveDecl("Nat", (), 0, TYPE, (("Nat.zero", NAT), ("Nat.succ", arrow(NAT, NAT))))
    )
    n, m = FVar("n", NAT), FVar("m", NAT)
    wrong = bind_lam([n, m], n)
    env = add_definition(base, Constant("Nat.add", "def", (), arrow(NAT, arrow(NAT, NAT)), wrong))
    assert "Nat.add" not in env.fast
    assert Checker(env).equal(mk_app(Const("Nat.add"), Lit(2), Lit(3)), Lit(2))
    with pytest.raises(KernelError, match="standard"):
        add_inductive(KernelEnv(), InductiveDecl("Nat", (), 0, TYPE, (("Nat.zero", NAT),)))


def test_proof_irrelevance_and_eta() -> None:
    p = FVar("p", PROP)
    h, k = FVar("h", p), FVar("k", p)
    f = FVar("f", arrow(NAT, NAT))
    checker = Checker(library())
    assert checker.equal(h, k)
    assert not checker.equal(FVar("x", NAT), FVar("y", NAT))
    x = FVar("x", NAT)
    assert checker.equal(bind_lam([x], App(f, x)), f)


# ---------------------------------------------------------------- inductive types
def family(
    type_: Expr, *ctors: tuple[str, Expr], params: tuple[str, ...] = (), nparams: int = 0
) -> InductiveDecl:
    return InductiveDecl("T", params, nparams, type_, tuple((f"T.{n}", t) for n, t in ctors))


T = Const("T")


def test_negative_occurrence_is_refused() -> None:
    with pytest.raises(KernelError, match="non positive"):
        add_inductive(library(), family(TYPE, ("mk", arrow(arrow(T, Const("False")), T))))
    with pytest.raises(KernelError, match="non positive"):
        add_inductive(library(), family(TYPE, ("mk", arrow(arrow(arrow(T, NAT), NAT), T))))


def test_positive_function_field_is_accepted() -> None:
    env = add_inductive(library(), family(TYPE, ("leaf", T), ("node", arrow(arrow(NAT, T), T))))
    assert env.get("T.rec") is not None


def test_universe_of_fields_is_checked() -> None:
    with pytest.raises(KernelError, match="too big"):
        add_inductive(library(), family(TYPE, ("mk", arrow(TYPE, T))))
    add_inductive(library(), family(Sort(lsucc(ONE)), ("mk", arrow(TYPE, T))))


def test_propositions_eliminate_into_propositions_only() -> None:
    """`∃ n : Nat, True`-like data must not leak: the recursor has no universe of its own."""
    two = add_inductive(library(), family(PROP, ("a", T), ("b", T)))
    one = add_inductive(library(), family(PROP, ("mk", arrow(NAT, T))))
    none = add_inductive(library(), family(PROP))
    for env, large in ((two, False), (one, False), (none, True)):
        rec = env.get("T.rec")
        assert rec is not None and bool(rec.params) == large


def test_constructors_must_build_the_family() -> None:
    with pytest.raises(KernelError, match="does not return"):
        add_inductive(library(), family(TYPE, ("mk", NAT)))


def test_recursor_of_nat_computes() -> None:
    rec = Const("Nat.rec", (ONE,))
    k, ih = FVar("k", NAT), FVar("ih", NAT)
    double = bind_lam([k, ih], mk_app(Const("Nat.add"), ih, Lit(2)))
    term = mk_app(rec, Lam("x", NAT, NAT), Lit(0), double, Lit(4))
    assert Checker(library()).equal(term, Lit(8))


def test_numerals_need_the_natural_numbers_and_not_a_namesake() -> None:
    false = add_inductive(KernelEnv(), InductiveDecl("False", (), 0, PROP, ()))
    namesakes = [
        add_definition(false, Constant("Nat", "def", (), PROP, Const("False"))),
        add_axiom(false, "Nat", (), PROP),
        false,
    ]
    for env in namesakes:
        with pytest.raises(KernelError, match="numeral without Nat"):
            add_definition(env, Constant("bad", "theorem", (), Const("False"), Lit(0)))
    for odd in (-1, 1.5, True):
        with pytest.raises(KernelError, match="numeral without Nat"):
            Checker(library()).infer(Lit(odd))


def test_the_steps_of_a_check_are_told_also_when_it_fails() -> None:
    told: list[int] = []
    proof = Constant("probe", "theorem", (), eq(NAT, Lit(2), Lit(2)), refl(NAT, Lit(2)))
    add_definition(library(), proof, 1000, told.append)
    with pytest.raises(KernelTimeout):
        add_definition(library(), proof, 3, told.append)
    assert 3 < told[0] < 1000 and told[1] == 4


def test_quotients_need_eq() -> None:
    level = ("p", "u_1")
    a = FVar("α", Sort(level))
    x, y = FVar("x", a), FVar("y", a)
    family = bind_pi([a], arrow(a, arrow(a, PROP)))
    pair = mk_app(Const("Eq", (level,)), a, x, y)
    odd = InductiveDecl("Eq", ("u_1",), 1, family, (("Eq.refl", bind_pi([a, x, y], pair)),))
    for env in (KernelEnv(), add_inductive(KernelEnv(), odd)):
        with pytest.raises(KernelError, match="standard Eq"):
            add_quot(env)


def test_axioms_of_the_library_are_the_four() -> None:
    axioms = sorted(n for n, c in library().base.items() if c.kind == "axiom")
    assert axioms == ["Classical.choice", "Quot.sound", "propext", "sorryAx"]
    users = [
        n for n, c in library().base.items() if c.value is not None and "sorryAx" in const_names(c.value, {})
    ]
    assert users == []


# ---------------------------------------------------------------- limits
def test_deep_and_endless_terms_are_errors() -> None:
    deep: Expr = Const("True.intro")
    for _ in range(20_000):
        deep = App(Lam("x", Const("True"), Const("True.intro")), deep)
    old = sys.getrecursionlimit()
    sys.setrecursionlimit(3000)
    try:
        with pytest.raises(KernelDepth):
            theorem(Const("True"), deep)
    finally:
        sys.setrecursionlimit(old)
    big = mk_app(Const("Nat.pow"), Lit(2), mk_app(Const("Nat.pow"), Lit(2), Lit(40)))
    with pytest.raises((KernelTimeout, KernelDepth)):
        add_definition(
            library(), Constant("probe", "theorem", (), eq(NAT, big, Lit(0)), refl(NAT, Lit(0))), steps=20_000
        )


# ---------------------------------------------------------------- corrupted proofs
PROOFS = """
theorem one (p q : Prop) (hp : p) (hq : q) : p ∧ q := ⟨hp, hq⟩
theorem two (p q : Prop) (h : p ∨ q) : q ∨ p := by
  cases h
  · right; assumption
  · left; assumption
theorem three (a b c : Nat) (h : a = b) (k : b = c) : a + 0 = c := by rw [h, k]
theorem four (p : Nat → Prop) (h : ∃ x, p x) : ∃ y, p y := by
  obtain ⟨x, hx⟩ := h
  exact ⟨x, hx⟩
theorem five (n : Nat) : 0 + n = n := by
  induction n with
  | zero => rfl
  | succ n ih => exact congrArg Nat.succ ih
"""


def subterms(e: Expr) -> list[Expr]:
    """Closed subterms and constants, in order."""
    out: list[Expr] = []

    def walk(x: Expr) -> None:
        out.append(x)
        if isinstance(x, App):
            walk(x.fn)
            walk(x.arg)
        elif isinstance(x, (Lam, Pi)):
            walk(x.type)
            walk(x.body)

    walk(e)
    return out


def replace_at(e: Expr, at: list[int], new: Expr) -> Expr:
    """e with its at[0]-th node (in the order of `subterms`) replaced."""
    here = at[0]
    at[0] -= 1
    if here == 0:
        return new
    if isinstance(e, App):
        return App(replace_at(e.fn, at, new), replace_at(e.arg, at, new))
    if isinstance(e, (Lam, Pi)):
        t = replace_at(e.type, at, new)
        return e.__class__(e.name, t, replace_at(e.body, at, new), e.info)
    return e


@pytest.mark.parametrize("name", ["one", "two", "three", "four", "five"])
def test_corrupted_proofs_are_refused_or_still_prove_the_statement(name: str) -> None:
    """A corruption of any single node fails, but for the few nodes that do not matter."""
    env = run(prelude(), PROOFS).env
    c = env.get(name)
    assert c is not None and c.value is not None
    nodes = subterms(c.value)
    wrong = [Const("True.intro"), Const("False"), NAT_ZERO, Const("Nat.succ"), PROP]
    accepted = 0
    for k in range(len(nodes)):
        for new in wrong:
            broken = replace_at(c.value, [k], new)
            try:
                add_definition(library(), Constant("probe", "theorem", c.params, c.type, broken))
            except KernelError:
                continue
            accepted += 1
    # a few nodes do not matter (binder types equal up to conversion); nearly all do
    assert accepted <= len(nodes) * len(wrong) // 20
    for other in ("one", "two", "three", "four", "five"):
        if other != name:
            stranger = env.get(other)
            assert stranger is not None
            with pytest.raises(KernelError):
                add_definition(library(), Constant("probe", "theorem", c.params, stranger.type, c.value))
