"""Candidates judged from compiled files: honest ones pass, no forgery does, and gaps are told by name."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.lean.compiled.judge import CompiledProof, JudgedAs, Judgement, judge, replay_module
from harness.lean.compiled.library import Library, index_of
from harness.lean.compiled.module import Module
from harness.lean.compiled.olean import open_module
from harness.lean.compiled.replay import Outcome
from harness.lean.compiled.stated import BadLibrary, Stated
from harness.lean.core.kernel import NAT, Constant, InductiveDecl, KernelEnv, add_definition, add_inductive
from harness.lean.core.level import ONE, ZERO, Level
from harness.lean.core.library import library
from harness.lean.core.term import (
    PROP,
    TYPE,
    App,
    BVar,
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
from tests.lean.compiled.claims import RIGHT, WRONG, eq, refl, sorry
from tests.lean.compiled.writing import (
    Name,
    axiom,
    definition,
    stated_of,
    theorem,
    write_library,
    write_module,
)

Constants = Sequence[Stated | tuple[Name, Stated]]
CHECK = "_audit_check"
U: Level = ("p", "u")
FALSE = Const("False")


def check(type_: Expr, value: Expr | None = None, params: tuple[str, ...] = ()) -> Stated:
    """The audit's checking theorem, by default of the candidate's `foo`."""
    return theorem(CHECK, type_, Const("foo") if value is None else value, params)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> tuple[Library, Path]:
    folder = tmp_path_factory.mktemp("ground")
    write_library(folder / "lib", library().kernel)
    return Library(index_of([folder / "lib"], ["Init"], folder / "indexes")), folder


Judge = Callable[..., Judgement]


@pytest.fixture
def judged(ground: tuple[Library, Path], tmp_path: Path) -> Judge:
    found, _ = ground

    def run(
        statement: Expr,
        constants: Constants,
        header: Constants = (),
        params: tuple[str, ...] = (),
        imports: Sequence[str] = ("Init",),
    ) -> Judgement:
        stated = theorem("foo", statement, sorry(statement), params)
        target = write_module(tmp_path / "target" / "Judged.olean", [*header, stated])
        candidate = write_module(tmp_path / "candidate" / "Judged.olean", constants, imports)
        return judge(found, CompiledProof(target, "foo", candidate, CHECK), 60.0)

    return run


# ---------------------------------------------------------------- honest
def test_an_honest_proof_is_proved(judged: Judge) -> None:
    found = judged(RIGHT, [theorem("foo", RIGHT, refl(Lit(4))), check(RIGHT)])
    assert (found.found, found.axioms, found.replayed) == (JudgedAs.PROVED, (), 2)
    assert set(found.seconds) == {"open", "compare", "axioms", "replay"}


def test_allowed_axioms_are_told(judged: Judge) -> None:
    p = FVar("p", PROP)
    statement = bind_pi([p], mk_app(Const("Or"), p, App(Const("Not"), p)))
    value = bind_lam([p], App(Const("Classical.em"), p))
    found = judged(statement, [theorem("foo", statement, value), check(statement)])
    assert found.found is JudgedAs.PROVED
    assert set(found.axioms) <= {"propext", "Classical.choice", "Quot.sound"} and found.axioms


def own_family(name: str = "Own") -> tuple[list[Stated], KernelEnv]:
    t = Const(name)
    decl = InductiveDecl(name, (), 0, TYPE, ((f"{name}.a", t), (f"{name}.b", arrow(t, t))))
    env = add_inductive(library().kernel, decl)
    return stated_of(env, [name, f"{name}.a", f"{name}.b", f"{name}.rec"]), env


def test_definitions_families_and_lemmas_of_its_own_are_replayed(judged: Judge) -> None:
    family, _ = own_family()
    two = definition("two", NAT, Lit(2))
    claim = eq(Const("two"), Lit(2))
    lemma = theorem("lemma", claim, refl(Lit(2)))
    value = bind_lam([FVar("x", Const("Own"))], refl(Lit(4)))
    foo = theorem(
        "foo", RIGHT, mk_app(bind_lam([FVar("h", claim)], App(value, Const("Own.a"))), Const("lemma"))
    )
    shuffled = [check(RIGHT), foo, *reversed(family), lemma, two]
    found = judged(RIGHT, shuffled)
    assert (found.found, found.replayed) == (JudgedAs.PROVED, 8)


def test_what_the_theorem_does_not_use_is_not_judged(judged: Judge) -> None:
    noise = [axiom("claim", FALSE), theorem("lie", WRONG, refl(Lit(1)))]
    found = judged(RIGHT, [*noise, theorem("foo", RIGHT, refl(Lit(4))), check(RIGHT)])
    assert found.found is JudgedAs.PROVED and found.axioms == ()


def test_names_of_levels_and_binders_do_not_matter(judged: Judge) -> None:
    def statement(level: str) -> Expr:
        a = FVar(f"x{level}", Sort(("p", level)))
        return bind_pi([a, FVar("h", a)], Const("True"))

    a = FVar("a", Sort(("p", "v")))
    proof = bind_lam([a, FVar("h", a)], Const("True.intro"))
    foo = theorem("foo", statement("v"), proof, ("v",))
    own = check(statement("w"), Const("foo", (("p", "w"),)), ("w",))
    assert judged(statement("u"), [foo, own], params=("u",)).found is JudgedAs.PROVED


def test_a_header_definition_is_compared_and_kept(judged: Judge) -> None:
    two = definition("two", NAT, Lit(2))
    statement = eq(Const("two"), Lit(2))
    honest = [two, theorem("foo", statement, refl(Lit(2))), check(statement)]
    assert judged(statement, honest, header=[two]).found is JudgedAs.PROVED


# ---------------------------------------------------------------- forgeries
def forged(foo: Stated, *more: Stated | tuple[Name, Stated], own: Stated | None = None) -> Constants:
    return [*more, foo, own or check(WRONG)]


B = FVar("h", FALSE)


def lying_family() -> list[Stated]:
    """A family whose recursor has both rules give the first case."""
    family, _ = own_family()
    rec = family[3].constant
    rules = (rec.rules[0], replace(rec.rules[1], rhs=rec.rules[0].rhs))
    return [*family[:3], Stated(replace(rec, rules=rules), ("Own",))]


def negative_family() -> list[Stated]:
    t = Const("Bad")
    bad = Constant("Bad", "inductive", (), TYPE, ctors=("Bad.mk",))
    mk = Constant("Bad.mk", "ctor", (), arrow(arrow(t, FALSE), t), induct="Bad", nfields=1)
    use = theorem("out", FALSE, App(Const("Bad.rec"), Const("Bad.mk")))
    return [Stated(bad, ("Bad",)), Stated(mk), use]


FORGERIES: dict[str, tuple[Constants, set[JudgedAs]]] = {
    "value of another type": (forged(theorem("foo", WRONG, refl(Lit(1)))), {JudgedAs.REFUSED}),
    "value is no proof": (forged(theorem("foo", WRONG, Const("True.intro"))), {JudgedAs.REFUSED}),
    "value is its own type": (forged(theorem("foo", WRONG, WRONG)), {JudgedAs.REFUSED}),
    "decide by hand": (
        forged(theorem("foo", WRONG, mk_app(Const("of_decide_eq_true"), WRONG, Const("True.intro")))),
        {JudgedAs.REFUSED},
    ),
    "loose variable": (forged(theorem("foo", WRONG, BVar(0))), {JudgedAs.REFUSED}),
    "proves itself": (forged(theorem("foo", WRONG, Const("foo"))), {JudgedAs.REFUSED}),
    "check proves itself": ([check(WRONG, Const(CHECK))], {JudgedAs.REFUSED}),
    "two in a circle": (
        forged(theorem("foo", WRONG, Const("bar")), theorem("bar", WRONG, Const("foo"))),
        {JudgedAs.REFUSED},
    ),
    "lying helper": (
        forged(theorem("foo", WRONG, Const("bar")), theorem("bar", WRONG, refl(Lit(1)))),
        {JudgedAs.REFUSED},
    ),
    "lying definition": (
        forged(theorem("foo", WRONG, Const("bar")), definition("bar", WRONG, refl(Lit(1)))),
        {JudgedAs.REFUSED},
    ),
    "opaque helper": (
        forged(
            theorem("foo", WRONG, Const("bar")),
            Stated(Constant("bar", "opaque", (), WRONG, refl(Lit(1)))),
        ),
        {JudgedAs.REFUSED},
    ),
    "axiom": (forged(theorem("foo", WRONG, Const("claim")), axiom("claim", WRONG)), {JudgedAs.AXIOMS}),
    "axiom below a helper": (
        forged(
            theorem("foo", WRONG, Const("bar")),
            theorem("bar", WRONG, App(Const("baz"), Lit(0))),
            definition("baz", arrow(NAT, WRONG), bind_lam([FVar("n", NAT)], Const("claim"))),
            axiom("claim", WRONG),
        ),
        {JudgedAs.AXIOMS},
    ),
    "axiom in a type": (
        forged(
            theorem("foo", WRONG, App(Const("False.elim", (ZERO,)), WRONG)),
            axiom("claim", FALSE),
            own=check(WRONG, mk_app(Const("False.rec", (ZERO,)), bind_lam([B], WRONG), Const("claim"))),
        ),
        {JudgedAs.AXIOMS},
    ),
    "axiom with a standard name": (
        forged(theorem("foo", WRONG, Const("propext")), axiom("propext", WRONG)),
        {JudgedAs.STATEMENT},
    ),
    "axiom with an allowed name in another place": (
        forged(theorem("foo", WRONG, Const("Quot.sound.{}")), axiom("Quot.sound.{}", WRONG)),
        {JudgedAs.AXIOMS},
    ),
    "sorry": (forged(theorem("foo", WRONG, sorry(WRONG))), {JudgedAs.SORRY}),
    "sorry in a helper": (
        forged(theorem("foo", WRONG, Const("bar")), theorem("bar", WRONG, sorry(WRONG))),
        {JudgedAs.SORRY},
    ),
    "sorry of its own": (
        forged(theorem("foo", WRONG, Const("sorryAx")), axiom("sorryAx", WRONG)),
        {JudgedAs.STATEMENT},
    ),
    "unsafe helper": (
        forged(
            theorem("foo", WRONG, Const("bar")),
            Stated(Constant("bar", "def", (), WRONG, Const("bar")), (), "unsafe"),
        ),
        {JudgedAs.DECLINED, JudgedAs.REFUSED},
    ),
    "another statement": (
        forged(theorem("foo", RIGHT, refl(Lit(4))), own=check(RIGHT)),
        {JudgedAs.STATEMENT},
    ),
    "a weaker statement": (
        forged(
            theorem("foo", arrow(FALSE, WRONG), bind_lam([B], App(Const("False.elim"), B))),
            own=check(arrow(FALSE, WRONG)),
        ),
        {JudgedAs.STATEMENT},
    ),
    "check of another theorem": (
        forged(theorem("foo", RIGHT, refl(Lit(4))), own=check(WRONG)),
        {JudgedAs.REFUSED},
    ),
    "no check": ([theorem("foo", WRONG, refl(Lit(1)))], {JudgedAs.STATEMENT}),
    "check is an axiom": ([axiom(CHECK, WRONG)], {JudgedAs.STATEMENT}),
    "check is a definition": ([definition(CHECK, WRONG, refl(Lit(1)))], {JudgedAs.STATEMENT}),
    "check in a namespace": (
        [theorem("foo", WRONG, refl(Lit(1))), theorem(f"N.{CHECK}", WRONG, Const("foo"))],
        {JudgedAs.STATEMENT},
    ),
    "filed under the check's name": (
        [(CHECK, theorem("other", RIGHT, refl(Lit(4)))), theorem("foo", RIGHT, refl(Lit(4)))],
        {JudgedAs.REFUSED},
    ),
    "declared twice": (
        [check(WRONG, Const("foo")), check(WRONG, Const("foo")), theorem("foo", WRONG, refl(Lit(1)))],
        {JudgedAs.REFUSED},
    ),
    "fixed level": (
        forged(theorem("foo", WRONG, Const("foo")), own=check(WRONG, Const("foo"), ("u",))),
        {JudgedAs.STATEMENT},
    ),
    "library lemma declared again": (
        forged(
            theorem("foo", WRONG, App(Const("Nat.add_comm"), Lit(1))),
            theorem("Nat.add_comm", arrow(NAT, WRONG), bind_lam([FVar("n", NAT)], refl(Lit(1)))),
        ),
        {JudgedAs.STATEMENT},
    ),
    "Nat of its own": (
        forged(theorem("foo", WRONG, refl(Lit(1))), *stated_of(library().kernel, ["Nat", "Nat.zero"])),
        {JudgedAs.STATEMENT},
    ),
    "Eq of its own": (
        forged(theorem("foo", WRONG, refl(Lit(1))), axiom("Eq", arrow(NAT, arrow(NAT, PROP)))),
        {JudgedAs.STATEMENT},
    ),
    "unknown constant": (forged(theorem("foo", WRONG, Const("nothing"))), {JudgedAs.REFUSED}),
    "lying recursor": (
        [
            *lying_family(),
            theorem("foo", WRONG, App(bind_lam([FVar("x", Const("Own"))], refl(Lit(1))), Const("Own.a"))),
            check(WRONG),
        ],
        {JudgedAs.REFUSED},
    ),
    "family that is not positive": (
        [*negative_family(), theorem("foo", WRONG, App(Const("False.elim"), Const("out"))), check(WRONG)],
        {JudgedAs.REFUSED},
    ),
    "constructor without its family": (
        [
            Stated(Constant("Ghost.mk", "ctor", (), FALSE, induct="Ghost")),
            theorem(
                "foo", WRONG, mk_app(Const("False.rec", (ZERO,)), bind_lam([B], WRONG), Const("Ghost.mk"))
            ),
            check(WRONG),
        ],
        {JudgedAs.REFUSED},
    ),
    "recursor alone": (
        [
            Stated(Constant("Ghost.rec", "rec", (), FALSE, induct="Ghost"), ("Ghost",)),
            theorem(
                "foo", WRONG, mk_app(Const("False.rec", (ZERO,)), bind_lam([B], WRONG), Const("Ghost.rec"))
            ),
            check(WRONG),
        ],
        {JudgedAs.REFUSED},
    ),
    "constructor of False": (
        [
            Stated(Constant("False.intro", "ctor", (), FALSE, induct="False")),
            theorem(
                "foo", WRONG, mk_app(Const("False.rec", (ZERO,)), bind_lam([B], WRONG), Const("False.intro"))
            ),
            check(WRONG),
        ],
        {JudgedAs.REFUSED},
    ),
    "part of Quot of its own": (
        [
            Stated(Constant("Quot.lie", "quot", (), WRONG)),
            theorem("foo", WRONG, Const("Quot.lie")),
            check(WRONG),
        ],
        {JudgedAs.REFUSED},
    ),
    "theorem of a type": (forged(theorem("foo", NAT, Lit(1)), own=check(NAT)), {JudgedAs.STATEMENT}),
    "nothing at all": ([], {JudgedAs.STATEMENT}),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_no_forgery_is_proved(name: str, judged: Judge) -> None:
    constants, expected = FORGERIES[name]
    found = judged(WRONG, constants)
    assert found.found in expected, found
    assert found.detail


def test_a_changed_header_definition_is_found_however_deep(judged: Judge) -> None:
    one = definition("one", NAT, Lit(1))
    two = definition("two", NAT, App(Const("Nat.succ"), Const("one")))
    statement = eq(Const("two"), Lit(5))
    lie = definition("one", NAT, Lit(4))
    foo = [theorem("foo", statement, refl(Lit(5))), check(statement)]
    assert judged(statement, [lie, two, *foo], header=[one, two]).found is JudgedAs.STATEMENT
    opened = axiom("one", NAT)
    assert judged(statement, [opened, two, *foo], header=[one, two]).found is JudgedAs.STATEMENT


def test_a_changed_header_family_is_found(judged: Judge) -> None:
    family, _ = own_family()
    other = InductiveDecl("Own", (), 0, TYPE, (("Own.a", Const("Own")),))
    env = add_inductive(library().kernel, other)
    less = stated_of(env, ["Own", "Own.a", "Own.rec"])
    x = FVar("x", Const("Own"))
    statement = bind_pi([x], mk_app(Const("Eq", (ONE,)), Const("Own"), x, Const("Own.a")))
    value = bind_lam([x], mk_app(Const("Eq.refl", (ONE,)), Const("Own"), x))
    found = judged(statement, [*less, theorem("foo", statement, value), check(statement)], header=family)
    assert found.found is JudgedAs.STATEMENT


def test_other_imports_are_another_ground(judged: Judge) -> None:
    foo = [theorem("foo", RIGHT, refl(Lit(4))), check(RIGHT)]
    for imports in ((), ("Init", "Init"), ("Other",)):
        assert judged(RIGHT, foo, imports=imports).found is JudgedAs.STATEMENT


def test_a_circle_is_refused_wherever_it_is(judged: Judge) -> None:
    """A helper whose type needs a helper whose value needs the first one."""
    a = definition("a", PROP, mk_app(Const("And"), Const("True"), Const("b")))
    b = definition("b", PROP, Const("a"))
    foo = theorem("foo", WRONG, mk_app(bind_lam([FVar("p", PROP)], refl(Lit(1))), Const("a")))
    assert judged(WRONG, [a, b, foo, check(WRONG)]).found is JudgedAs.REFUSED


def test_what_takes_too_long_is_not_judged(ground: tuple[Library, Path], tmp_path: Path) -> None:
    found, _ = ground
    slow = eq(mk_app(Const("Nat.pow"), Lit(3), Lit(8)), Lit(6561))
    target = write_module(tmp_path / "t" / "J.olean", [theorem("foo", slow, sorry(slow))])
    many = [theorem("foo", slow, refl(Lit(6561))), check(slow)]
    candidate = write_module(tmp_path / "c" / "J.olean", many)
    case = CompiledProof(target, "foo", candidate, CHECK)
    assert judge(found, case, 60.0).found is JudgedAs.PROVED
    assert judge(found, case, 60.0, steps=3).found is JudgedAs.OUT_OF_TIME
    assert judge(found, case, 0.0).found is JudgedAs.OUT_OF_TIME


def test_what_the_kernel_does_not_do_is_declined_by_name(judged: Judge) -> None:
    gcd = axiom("Nat.gcd", arrow(NAT, arrow(NAT, NAT)))
    statement = eq(mk_app(Const("Nat.gcd"), Lit(4), Lit(6)), Lit(2))
    # As an axiom of the header it is not allowed in a proof; as an opaque definition it is, and stays closed.
    n = FVar("n", NAT)
    value = bind_lam([n, FVar("m", NAT)], n)
    closed = Stated(Constant("Nat.gcd", "opaque", (), gcd.constant.type, value))
    found = judged(statement, [closed, theorem("foo", statement, refl(Lit(2))), check(statement)], [closed])
    assert found.found is JudgedAs.DECLINED and "Nat.gcd" in found.detail


def test_a_target_that_states_nothing_is_the_machines_fault(
    ground: tuple[Library, Path], tmp_path: Path
) -> None:
    found, _ = ground
    place = write_module(tmp_path / "t" / "J.olean", [axiom("foo", RIGHT)])
    with pytest.raises(BadLibrary):
        judge(found, CompiledProof(place, "foo", place, CHECK), 60.0)
    with pytest.raises(BadLibrary):
        judge(found, CompiledProof(tmp_path / "none.olean", "foo", place, CHECK), 60.0)
    target = write_module(tmp_path / "t" / "J.olean", [theorem("foo", RIGHT, sorry(RIGHT))])
    assert (
        judge(found, CompiledProof(target, "foo", tmp_path / "none.olean", CHECK), 60.0).found
        is JudgedAs.REFUSED
    )


# ---------------------------------------------------------------- mutated files
def test_no_mutated_file_is_proved(ground: tuple[Library, Path], tmp_path: Path) -> None:
    """Pointers, tags, bytes and words of forged candidates, changed at random."""
    found, _ = ground
    target = write_module(tmp_path / "t" / "J.olean", [theorem("foo", WRONG, sorry(WRONG))])
    rng = random.Random(11)
    place = tmp_path / "c" / "J.olean"
    case = CompiledProof(target, "foo", place, CHECK)
    good = []
    for name in ("value of another type", "sorry", "axiom", "lying recursor", "another statement"):
        good.append(write_module(place, FORGERIES[name][0]).read_bytes())
    for _ in range(400):
        data = bytearray(rng.choice(good))
        for _ in range(rng.choice([1, 1, 1, 2, 4])):
            at = 88 + rng.randrange((len(data) - 88) // 8) * 8
            pick = rng.random()
            if pick < 0.4:
                data[at : at + 8] = struct.pack("<Q", 0x400000 + 8 * rng.randrange(len(data) // 8))
            elif pick < 0.6:
                data[at : at + 8] = data[(other := 96 + 8 * rng.randrange((len(data) - 96) // 8)) : other + 8]
            else:
                data[at + rng.randrange(8)] = rng.randrange(256)
        place.write_bytes(bytes(data))
        assert judge(found, case, 20.0).found is not JudgedAs.PROVED


# ---------------------------------------------------------------- the process and the library
def test_a_batch_is_judged_in_its_own_process(ground: tuple[Library, Path], tmp_path: Path) -> None:
    _, folder = ground
    cases = []
    for number, (statement, constants) in enumerate(
        [(RIGHT, [theorem("foo", RIGHT, refl(Lit(4))), check(RIGHT)]), (WRONG, FORGERIES["sorry"][0])]
    ):
        place = tmp_path / str(number)
        target = write_module(place / "t" / "J.olean", [theorem("foo", statement, sorry(statement))])
        candidate = write_module(place / "c" / "J.olean", constants)
        each = {"target": str(target), "target_name": "foo"}
        cases.append({**each, "candidate": str(candidate), "check_name": CHECK})
    job = tmp_path / "job.json"

    def run(cases: object) -> subprocess.CompletedProcess[str]:
        data = {"roots": [str(folder / "lib")], "indexes": str(folder / "indexes"), "timeout_s": 60.0}
        job.write_text(json.dumps({**data, "cases": cases}))
        argv = [sys.executable, "-m", "harness.lean.compiled", str(job)]
        return subprocess.run(argv, capture_output=True, text=True, check=False)

    done = run(cases)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["found"] for line in done.stdout.splitlines()] == ["proved", "sorry"]
    done = run([cases[0], {**cases[1], "target": str(tmp_path / "none.olean")}, cases[1]])
    first, fault, last = map(json.loads, done.stdout.splitlines())
    assert (first["found"], "none.olean" in fault["fault"], last["found"]) == ("proved", True, "sorry")


def test_a_whole_library_is_replayed_and_told_by_name(ground: tuple[Library, Path]) -> None:
    _, folder = ground
    module = Module(open_module(folder / "lib" / "Init.olean"))
    outcomes = list(replay_module(KernelEnv(), module, 2_000_000))
    wrong = [(name, outcome, detail) for name, outcome, detail in outcomes if outcome is not Outcome.ACCEPTED]
    assert not wrong and len(outcomes) > 400


def test_writing_is_what_the_kernel_accepts() -> None:
    """The helpers of these tests say true things: an honest theorem is accepted by the kernel itself."""
    assert add_definition(library().kernel, theorem("x", RIGHT, refl(Lit(4))).constant)
