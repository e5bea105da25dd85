"""What the kernel does for compiled files: every kind of family, projections, eta, strings, numerals."""

from __future__ import annotations

import pytest

from harness.lean.core.declarations import KernelEnv
from harness.lean.core.kernel import (
    NAT,
    Checker,
    Constant,
    InductiveDecl,
    KernelDeclined,
    KernelError,
    add_axiom,
    add_definition,
    add_inductive,
)
from harness.lean.core.level import ONE, ZERO, Level, lsucc
from harness.lean.core.library import library
from harness.lean.core.nodes import proj, string
from harness.lean.core.term import (
    PROP,
    TYPE,
    App,
    Const,
    Expr,
    FVar,
    Lit,
    Sort,
    arrow,
    bind_lam,
    bind_pi,
    mk_app,
)

T, S = Const("T"), Const("S")
U: Level = ("p", "u")


def lib() -> KernelEnv:
    return library().kernel


def family(name: str, type_: Expr, *ctors: tuple[str, Expr], params: tuple[str, ...] = ()) -> InductiveDecl:
    return InductiveDecl(name, params, 0, type_, tuple((f"{name}.{n}", t) for n, t in ctors))


def listed(e: Expr) -> Expr:
    return App(Const("List", (ZERO,)), e)


def rec_params(env: KernelEnv, name: str) -> tuple[str, ...]:
    rec = env.get(name)
    assert rec is not None
    return rec.params


# ---------------------------------------------------------------- Sort u
def test_a_family_of_any_sort_eliminates_like_a_proposition() -> None:
    """At u = 0 it is one: then nothing may be told apart that proof irrelevance makes equal."""
    t = Const("T", (U,))
    unit = add_inductive(lib(), family("T", Sort(U), ("mk", t), params=("u",)))
    two = add_inductive(lib(), family("T", Sort(U), ("a", t), ("b", t), params=("u",)))
    assert len(rec_params(unit, "T.rec")) == 2
    assert rec_params(two, "T.rec") == ("u",)


def test_data_in_a_family_of_any_sort_stays_inside() -> None:
    """The field may be data or a proof, as u has it: the recursor gives proofs only."""
    alpha = FVar("α", Sort(U))
    box = InductiveDecl(
        "Box",
        ("u",),
        1,
        arrow(Sort(U), Sort(U)),
        (("Box.mk", bind_pi([alpha], arrow(alpha, App(Const("Box", (U,)), alpha)))),),
    )
    assert rec_params(add_inductive(lib(), box), "Box.rec") == ("u",)
    with pytest.raises(KernelError, match="too big"):
        add_inductive(lib(), family("T", Sort(U), ("mk", arrow(NAT, Const("T", (U,)))), params=("u",)))


# ---------------------------------------------------------------- mutual and nested
def test_mutual_families_share_motives_and_compute() -> None:
    even = family("Even", TYPE, ("zero", Const("Even")), ("succ", arrow(Const("Odd"), Const("Even"))))
    odd = family("Odd", TYPE, ("succ", arrow(Const("Even"), Const("Odd"))))
    env = add_inductive(lib(), even, odd)
    rec = env.get("Odd.rec")
    assert rec is not None and (rec.nmotives, rec.nminors) == (2, 3)
    count = [Lit(0), bind_lam([FVar("o", Const("Odd")), ih := FVar("ih", NAT)], App(Const("Nat.succ"), ih))]
    count.append(bind_lam([FVar("e", Const("Even")), ih], App(Const("Nat.succ"), ih)))
    motives = [bind_lam([FVar("t", Const(n))], NAT) for n in ("Even", "Odd")]
    three: Expr = Const("Even.zero")
    for name in ("Odd.succ", "Even.succ", "Odd.succ"):
        three = App(Const(name), three)
    assert Checker(env).equal(mk_app(Const("Odd.rec", (ONE,)), *motives, *count, three), Lit(3))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (arrow(arrow(S, NAT), T), S),
        (arrow(arrow(arrow(T, NAT), S), T), S),
        (T, arrow(arrow(T, NAT), S)),
    ],
)
def test_mutual_families_are_strictly_positive(first: Expr, second: Expr) -> None:
    with pytest.raises(KernelError, match="non positive"):
        add_inductive(lib(), family("T", TYPE, ("mk", first)), family("S", TYPE, ("mk", second)))


def test_mutual_families_live_in_one_universe_and_prove_only() -> None:
    with pytest.raises(KernelError, match="different universes"):
        add_inductive(lib(), family("T", TYPE, ("mk", T)), family("S", Sort(lsucc(ONE)), ("mk", S)))
    env = add_inductive(lib(), family("T", PROP, ("mk", T)), family("S", PROP, ("mk", S)))
    assert rec_params(env, "T.rec") == ()
    with pytest.raises(KernelError, match="duplicate"):
        add_inductive(lib(), family("T", TYPE), family("T", TYPE))


def test_a_nested_family_has_a_recursor_for_each_use() -> None:
    env = add_inductive(lib(), family("T", TYPE, ("node", arrow(listed(T), T))))
    assert env.get("T.rec") is not None and env.get("T.rec_1") is not None and env.get("T.rec_2") is None
    assert not any(name.startswith("\2") for name in env.own)
    both = add_inductive(lib(), family("T", TYPE, ("node", arrow(listed(listed(T)), arrow(listed(T), T)))))
    assert both.get("T.rec_2") is not None and both.get("T.rec_3") is None


def negative() -> KernelEnv:
    alpha = FVar("α", TYPE)
    made = bind_pi([alpha], arrow(arrow(alpha, NAT), App(Const("Neg"), alpha)))
    return add_inductive(lib(), InductiveDecl("Neg", (), 1, arrow(TYPE, TYPE), (("Neg.mk", made),)))


def test_nested_uses_are_strictly_positive_too() -> None:
    with pytest.raises(KernelError, match="non positive"):
        add_inductive(negative(), family("T", TYPE, ("mk", arrow(App(Const("Neg"), T), T))))
    with pytest.raises(KernelError):
        add_inductive(lib(), family("T", TYPE, ("mk", arrow(listed(arrow(T, T)), T))))


def test_nested_uses_are_well_typed_and_at_the_declared_parameters() -> None:
    w = FVar("w", NAT)

    def ctor(use: Expr) -> InductiveDecl:
        return InductiveDecl(
            "T", (), 1, arrow(NAT, TYPE), (("T.mk", bind_pi([w], arrow(listed(use), App(T, w)))),)
        )

    add_inductive(lib(), ctor(App(T, w)))
    for wrong in (App(T, Lit(0)), App(T, Const("Bool.true")), T):
        with pytest.raises(KernelError):
            add_inductive(lib(), ctor(wrong))
    varying = bind_pi([w, FVar("n", NAT)], arrow(listed(App(T, FVar("n", NAT))), App(T, w)))
    with pytest.raises(KernelError):
        add_inductive(lib(), InductiveDecl("T", (), 1, arrow(NAT, TYPE), (("T.mk", varying),)))


# ---------------------------------------------------------------- projections and eta
def pair(a: Expr, b: Expr) -> Expr:
    return mk_app(Const("Prod.mk", (ZERO, ZERO)), NAT, NAT, a, b)


NATS = mk_app(Const("Prod", (ZERO, ZERO)), NAT, NAT)


def test_projections_have_types_and_compute() -> None:
    checker = Checker(lib())
    first = App(proj("Prod", 0), pair(Lit(3), Lit(4)))
    assert checker.infer(first) == NAT
    assert checker.equal(first, Lit(3))
    assert not checker.equal(App(proj("Prod", 1), pair(Lit(3), Lit(4))), Lit(3))
    p = FVar("p", NATS)
    assert checker.equal(App(proj("Prod", 0), p), mk_app(Const("Prod.fst", (ZERO, ZERO)), NAT, NAT, p))


@pytest.mark.parametrize(
    "term",
    [
        App(proj("Prod", 2), FVar("p", NATS)),
        App(proj("Nat", 0), Lit(3)),
        App(proj("List", 0), FVar("l", listed(NAT))),
        App(proj("Subtype", 0), FVar("p", NATS)),
        App(proj("None", 0), FVar("p", NATS)),
        proj("Prod", 0),
    ],
)
def test_what_is_no_projection_is_refused(term: Expr) -> None:
    with pytest.raises(KernelError):
        Checker(lib()).infer(term)


def test_no_data_out_of_a_proof() -> None:
    """`∃ n, n = 0` and `∃ n, n = 1` would otherwise tell 0 from 1 by proof irrelevance."""
    n = FVar("n", NAT)
    some = mk_app(Const("Exists", (ONE,)), NAT, bind_lam([n], mk_app(Const("Eq", (ONE,)), NAT, n, n)))
    for index in (0, 1):
        with pytest.raises(KernelError, match="data out of a proposition"):
            Checker(lib()).infer(App(proj("Exists", index), FVar("h", some)))
    both = mk_app(Const("And"), FVar("a", PROP), FVar("b", PROP))
    assert Checker(lib()).infer(App(proj("And", 1), FVar("h", both))) == both.arg  # type: ignore[attr-defined]


def test_eta_for_structures_and_units() -> None:
    checker = Checker(lib())
    p, q = FVar("p", NATS), FVar("q", NATS)
    assert checker.equal(pair(App(proj("Prod", 0), p), App(proj("Prod", 1), p)), p)
    assert not checker.equal(pair(App(proj("Prod", 0), p), App(proj("Prod", 1), q)), p)
    assert not checker.equal(p, q)
    env = add_inductive(lib(), family("T", TYPE, ("mk", T)), family("S", TYPE, ("mk", S)))
    units = add_inductive(lib(), family("T", TYPE, ("mk", T)))
    units = add_inductive(units, family("S", TYPE, ("mk", S)))
    for known in (env, units):
        assert Checker(known).equal(FVar("x", T), FVar("y", T))
        assert not Checker(known).equal(FVar("x", T), FVar("y", S))
    two = add_inductive(lib(), family("T", TYPE, ("a", T), ("b", T)))
    assert not Checker(two).equal(FVar("x", T), FVar("y", T))


def test_a_recursor_acts_on_any_value_of_a_structure() -> None:
    p = FVar("p", NATS)
    a, b = FVar("a", NAT), FVar("b", NAT)
    swap = bind_lam([a, b], pair(b, a))
    rec = mk_app(Const("Prod.rec", (ONE, ZERO, ZERO)), NAT, NAT, bind_lam([p], NATS), swap, p)
    assert Checker(lib()).equal(rec, pair(App(proj("Prod", 1), p), App(proj("Prod", 0), p)))


def test_a_recursive_family_has_no_eta() -> None:
    env = add_inductive(lib(), family("T", TYPE, ("mk", arrow(T, T))))
    x = FVar("x", T)
    assert not Checker(env).equal(App(Const("T.mk"), App(proj("T", 0), x)), x)


# ---------------------------------------------------------------- strings, numerals, names
def test_a_string_needs_string() -> None:
    with pytest.raises(KernelError):
        Checker(lib()).infer(string("abc"))
    empty = add_inductive(lib(), family("String", TYPE))
    with pytest.raises(KernelError):
        Checker(empty).infer(string("abc"))


def with_strings() -> KernelEnv:
    env = add_inductive(lib(), family("Char", TYPE, ("ofNat", arrow(NAT, Const("Char")))))
    made = arrow(listed(Const("Char")), Const("String"))
    return add_inductive(env, family("String", TYPE, ("mk", made)))


def test_a_string_is_its_characters() -> None:
    checker = Checker(with_strings())
    assert checker.infer(string("ab")) == Const("String")
    assert checker.equal(string("ab"), checker.spelled("ab"))
    assert not checker.equal(string("ab"), checker.spelled("ac"))
    assert not checker.equal(string("ab"), string("ac"))
    assert checker.equal(App(proj("String", 0), string("")), App(Const("List.nil", (ZERO,)), Const("Char")))


def test_what_a_string_is_short_for_never_changes() -> None:
    """Else "a" would be [a] before a `String.ofList` of the file's own, and [] after it."""
    env = with_strings()
    assert Checker(env).equal(string("a"), Checker(env).spelled("a"))
    made, nil = arrow(listed(Const("Char")), Const("String")), App(Const("List.nil", (ZERO,)), Const("Char"))
    value = bind_lam([FVar("cs", made.type)], App(Const("String.mk"), nil))
    env = add_definition(env, Constant("String.ofList", "def", (), made, value))
    assert not Checker(env).equal(string("a"), App(Const("String.mk"), nil))
    assert not Checker(env).equal(string("a"), string("b"))


def test_a_string_without_letters_is_of_type_string_and_no_more_is_known() -> None:
    env = add_inductive(lib(), family("Char", TYPE, ("mk", arrow(NAT, Const("Char")))))
    with pytest.raises(KernelError):
        Checker(env).infer(string(""))
    made = arrow(listed(Const("Char")), Const("String"))
    env = add_inductive(env, family("String", TYPE, ("mk", made)))
    checker = Checker(env)
    assert checker.infer(string("a")) == Const("String")
    assert checker.equal(string("a"), string("a"))
    assert not checker.equal(string("a"), string("b"))
    assert not checker.equal(string(""), checker.spelled(""))
    assert checker.gaps == {"string literals without Char.ofNat"}
    letters = add_axiom(env, "Char.ofNat", (), arrow(NAT, NAT))  # too late, and of no use
    with pytest.raises(KernelError, match="without the standard String, List and Char"):
        Checker(letters).equal(string("a"), checker.spelled("a"))


def test_letters_of_unlike_types_spell_no_string() -> None:
    """With `Char.ofNat n : Box n`, which holds an m and a proof of m = n, "b" would prove 98 = 97."""
    n, m = FVar("n", NAT), FVar("m", NAT)

    def equal(a: Expr, b: Expr) -> Expr:
        return mk_app(Const("Eq", (ONE,)), NAT, a, b)

    def boxed(e: Expr) -> Expr:
        return mk_app(Const("Box.mk"), e, e, mk_app(Const("Eq.refl", (ONE,)), NAT, e))

    made = bind_pi([n, m], arrow(equal(m, n), App(Const("Box"), n)))
    env = add_inductive(lib(), InductiveDecl("Box", (), 1, arrow(NAT, TYPE), (("Box.mk", made),)))
    char = Const("Char")
    env = add_definition(env, Constant("Char", "def", (), TYPE, App(Const("Box"), Lit(97))))
    of_nat = Constant("Char.ofNat", "def", (), bind_pi([n], App(Const("Box"), n)), bind_lam([n], boxed(n)))
    env = add_definition(env, of_nat)
    env = add_inductive(env, family("String", TYPE, ("mk", arrow(listed(char), Const("String")))))
    first, rest, given = FVar("c", char), FVar("cs", listed(char)), FVar("ih", char)
    head = mk_app(
        Const("List.rec", (ONE, ZERO)),
        char,
        bind_lam([rest], char),
        boxed(Lit(97)),
        bind_lam([first, rest, given], first),
        App(proj("String", 0), string("b")),
    )
    false = Constant("bad", "theorem", (), equal(Lit(98), Lit(97)), App(proj("Box", 1), head))
    with pytest.raises(KernelError, match="without the standard String, List and Char"):
        add_definition(env, false)


def boolean(name: str, on_zero: str, both_zero: str) -> Constant:
    """`name x y`, by recursion on both: `on_zero` when one is zero, `both_zero` when both are."""
    n, k, ih = FVar("n", NAT), FVar("k", NAT), FVar("ih", arrow(NAT, Const("Bool")))
    to_bool = bind_lam([n], Const("Bool"))
    rec = Const("Nat.rec", (ONE,))
    skip = bind_lam([k, FVar("b", Const("Bool"))], Const(on_zero))
    zero = bind_lam([n], mk_app(rec, to_bool, Const(both_zero), skip, n))
    step = bind_lam([k, FVar("b", Const("Bool"))], App(ih, k))
    succ = bind_lam([k, ih, n], mk_app(rec, to_bool, Const(on_zero), step, n))
    value = mk_app(rec, bind_lam([n], arrow(NAT, Const("Bool"))), zero, succ)
    return Constant(name, "def", (), arrow(NAT, arrow(NAT, Const("Bool"))), value)


def test_operations_are_fast_only_when_their_equations_hold() -> None:
    env = add_definition(lib(), boolean("Nat.beq", "Bool.false", "Bool.true"))
    big = Lit(10**12)
    assert "Nat.beq" in env.fast
    assert Checker(env).equal(mk_app(Const("Nat.beq"), big, big), Const("Bool.true"))
    assert Checker(env).equal(mk_app(Const("Nat.beq"), big, Lit(3)), Const("Bool.false"))
    wrong = add_definition(lib(), boolean("Nat.beq", "Bool.true", "Bool.true"))
    assert "Nat.beq" not in wrong.fast
    assert Checker(wrong).equal(mk_app(Const("Nat.beq"), Lit(1), Lit(2)), Const("Bool.true"))


def test_a_gap_is_no_refusal() -> None:
    """`Nat.gcd` is not computed here: a mismatch on it is not known to be the proof's fault."""
    env = add_axiom(lib(), "Nat.gcd", (), arrow(NAT, arrow(NAT, NAT)))
    gcd = mk_app(Const("Nat.gcd"), Lit(4), Lit(6))
    claim = mk_app(Const("Eq", (ONE,)), NAT, gcd, Lit(2))
    proof = mk_app(Const("Eq.refl", (ONE,)), NAT, Lit(2))
    with pytest.raises(KernelDeclined, match=r"Nat\.gcd"):
        add_definition(env, Constant("x", "theorem", (), claim, proof))


@pytest.mark.parametrize("name", [proj("Prod", 0).name, string("x").name])
def test_names_with_a_meaning_of_their_own_are_not_declared(name: str) -> None:
    with pytest.raises(KernelError, match="reserved"):
        add_axiom(lib(), name, (), PROP)


def test_an_opaque_value_is_checked_and_never_unfolded() -> None:
    env = add_definition(lib(), Constant("five", "opaque", (), NAT, Lit(5)))
    assert not Checker(env).equal(Const("five"), Lit(5))
    with pytest.raises(KernelError, match="mismatch"):
        add_definition(lib(), Constant("five", "opaque", (), NAT, PROP))
