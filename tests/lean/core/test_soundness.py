"""Nothing false is provable: by random scripts, by search, by corrupted terms."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from harness.lean.core.kernel import Constant, KernelEnv, KernelError, add_definition
from harness.lean.core.session import StepLimits, TacticState, deep_stack, open_goal, prelude, run
from harness.lean.core.term import ONE, ZERO, App, BVar, Const, Expr, Lam, Lit, Pi, Sort, TermTooLarge
from tests.lean.core.statements import LISTS, LOGIC, NUMBERS, comparison, list_equation, propositional

LIMITS = StepLimits(heartbeats=4_000)
AXIOMS = {"propext", "Classical.choice", "Quot.sound"}


# --- provers -----------------------------------------------------------------------------------


def walk(rng: random.Random, state: TacticState, vocabulary: Sequence[str], steps: int) -> bool:
    """A random script; whether it ended in a proof."""
    for _ in range(steps):
        result = state.apply(rng.choice(vocabulary))
        if result.status == "Completed":
            return True
        if result.state is not None and not result.state.goals:
            return False
        state = result.state or state
    return False


def search(state: TacticState, vocabulary: Sequence[str], expansions: int) -> bool:
    """Breadth first with the states seen left out, fewest goals first."""
    frontier, seen = [state], {state.goals}
    for _ in range(expansions):
        if not frontier:
            return False
        frontier.sort(key=lambda s: (len(s.goals), sum(map(len, s.goals))))
        current = frontier.pop(0)
        for tactic in vocabulary:
            result = current.apply(tactic)
            if result.status == "Completed":
                return True
            if result.state is not None and result.state.goals and result.state.goals not in seen:
                seen.add(result.state.goals)
                frontier.append(result.state)
    return False


def attempts(
    seed: int, count: int, make: Callable[[random.Random], tuple[str, bool]], vocabulary: Sequence[str]
) -> tuple[int, int]:
    """How many refuted and how many not refuted statements were proved."""
    rng = random.Random(seed)
    wrong = right = 0
    for _ in range(count):
        statement, refuted = make(rng)
        state = open_goal(prelude(), "import Mathlib\n\n", statement, LIMITS)
        proved = any(walk(rng, state, vocabulary, 8) for _ in range(3)) or search(state, vocabulary, 2)
        if proved and refuted:
            pytest.fail(f"proved a false statement: {statement}")
        wrong += refuted
        right += proved
    return wrong, right


@pytest.mark.parametrize(
    ("make", "vocabulary", "count"),
    [(propositional, LOGIC, 300), (comparison, NUMBERS, 150), (list_equation, LISTS, 150)],
    ids=["propositions", "numbers", "lists"],
)
def test_false_statements_are_not_provable_and_some_true_ones_are(
    make: Callable[[random.Random], tuple[str, bool]], vocabulary: Sequence[str], count: int
) -> None:
    false, proved = attempts(11, count, make, vocabulary)
    assert false >= count / 4, "the statements were too tame to test anything"
    assert proved >= 3, "nothing was proved, so nothing was tested"


FALSE_CONTEXTS = [
    "theorem x : False",
    "theorem x (n : Nat) (h : n < 5) (h2 : n ≠ 3) : False",
    "theorem x (p q : Prop) (h : p ∨ q) (h2 : ¬ p) : False",
    "theorem x (p : Prop) (h : ¬ ¬ p) (h2 : p → p) : False",
    "theorem x (α : Type) (a b : α) (h : a = b) (h2 : b = a) : False",
    "theorem x (p : Nat → Prop) (h : ∀ n, p n → p (n + 1)) (h2 : p 0) : False",
    "theorem x (a b : Nat) (h : a + b = b + a) (h2 : 2 * a = 2 * b) : False",
    "theorem x (p : Nat → Prop) (h : ∃ n, p n) (h2 : ∃ n, ¬ p n) : False",
]


@pytest.mark.parametrize("statement", FALSE_CONTEXTS)
def test_no_derivation_of_false(statement: str) -> None:
    rng = random.Random(5)
    state = open_goal(prelude(), "import Mathlib\n\n", statement, LIMITS)
    vocabulary = sorted({*LOGIC, *NUMBERS, "obtain ⟨n, h⟩ := h", "exact h _", "specialize h 0", "revert h"})
    assert not any(walk(rng, state, vocabulary, 12) for _ in range(40))
    assert not search(state, vocabulary, 3)


# --- terms -------------------------------------------------------------------------------------

PROVED = """
theorem t1 (p q : Prop) (h : p ∧ q) : q ∧ p := by
  obtain ⟨a, b⟩ := h
  exact ⟨b, a⟩
theorem t2 (a b : Nat) : a + b = b + a := by
  induction a with
  | zero => simp
  | succ n ih => omega
theorem t3 (p q r : Prop) (h : p ∨ q) (hp : p → r) (hq : q → r) : r := by
  cases h with
  | inl a => exact hp a
  | inr b => exact hq b
theorem t4 (p : Nat → Prop) (h : ∀ n, p n) : ∃ n, p n := ⟨0, h 0⟩
theorem t5 (k : List Nat) : k ++ [] = k := by
  induction k with
  | nil => rfl
  | cons a t ih => simp
theorem t6 (a b : Nat) (h : a < b) : ∃ c, b = a + c := ⟨b - a, by omega⟩
theorem t7 : ∀ n, n < 6 → n * n < 30 := by decide
theorem t8 (p : Prop) (h : ¬ ¬ p) : p := by
  by_contra hn
  exact h hn
theorem t9 (f : Nat → Nat) (a b : Nat) (h : a = b) : f a = f b := by rw [h]
theorem t10 (a b c : Nat) (h : a * b = c) (h2 : c ≤ 5) : a * b < 7 := by omega
"""


@pytest.fixture(scope="module")
def proved() -> tuple[KernelEnv, list[Constant]]:
    """The library and theorems that the core accepted on top of it."""
    before = prelude()
    result = run(before, "import Mathlib\n" + PROVED, header=True)
    assert [m.data for m in result.messages if m.severity == "error"] == []
    found = [result.env.get(name) for name in result.declared]
    constants = [c for c in found if c is not None and c.value is not None]
    assert len(constants) >= 10
    for c in constants:
        if c.name.startswith("t"):
            assert set(result.env.axioms(c.name)) <= AXIOMS
    return before.kernel, constants


def accepted(env: KernelEnv, constant: Constant) -> bool:
    """Whether the kernel takes a declaration as a new theorem."""
    try:
        with deep_stack():
            add_definition(env, replace(constant, name="fresh_name"), 200_000)
    except (KernelError, TermTooLarge, RecursionError):
        return False
    return True


def test_every_accepted_proof_passes_the_kernel_again(proved: tuple[KernelEnv, list[Constant]]) -> None:
    env, constants = proved
    assert all(accepted(env, c) for c in constants if c.kind == "theorem")


def test_a_proof_proves_its_own_statement_only(proved: tuple[KernelEnv, list[Constant]]) -> None:
    env, constants = proved
    theorems = [c for c in constants if c.kind == "theorem"]
    for c in theorems:
        others = [d for d in theorems if d.type != c.type]
        assert not any(accepted(env, replace(c, type=d.type)) for d in others)
        assert not accepted(env, replace(c, type=Const("False")))


def positions(e: Expr) -> Iterator[tuple[str, ...]]:
    """Paths to all subterms."""
    yield ()
    parts = {App: ("fn", "arg"), Lam: ("type", "body"), Pi: ("type", "body")}.get(type(e), ())
    for part in parts:
        for path in positions(getattr(e, part)):
            yield (part, *path)


def at(e: Expr, path: tuple[str, ...]) -> Expr:
    for part in path:
        e = getattr(e, part)
    return e


def put(e: Expr, path: tuple[str, ...], new: Expr) -> Expr:
    if not path:
        return new
    inner = put(getattr(e, path[0]), path[1:], new)
    if isinstance(e, App):
        return App(inner, e.arg) if path[0] == "fn" else App(e.fn, inner)
    assert isinstance(e, (Lam, Pi))
    if path[0] == "type":
        return type(e)(e.name, inner, e.body, e.info)
    return type(e)(e.name, e.type, inner, e.info)


def corrupt(rng: random.Random, e: Expr) -> Expr:
    """The term with one subterm exchanged."""
    paths = list(positions(e))
    path = rng.choice(paths)
    old = at(e, path)
    kind = rng.randrange(5)
    if kind == 0 and isinstance(old, BVar):
        return put(e, path, BVar(max(0, old.i + rng.choice((-1, 1, 2)))))
    if kind == 1 and isinstance(old, Lit):
        return put(e, path, Lit(old.n + 1))
    if kind == 2:
        names = ("True.intro", "False", "Nat.zero", "rfl", "id", "Nat.succ", "True", "Nat", "absurd")
        return put(e, path, Const(rng.choice(names)))
    if kind == 3:
        return put(e, path, Sort(rng.choice((ZERO, ONE))))
    return put(e, path, at(e, rng.choice(paths)))


def test_corrupted_terms_never_prove_something_else(proved: tuple[KernelEnv, list[Constant]]) -> None:
    env, constants = proved
    rng = random.Random(3)
    small = [c for c in constants if c.kind == "theorem" and c.value is not None and c.value.sz < 3_000]
    assert len(small) >= 5
    refused = 0
    for _ in range(300):
        c = rng.choice(small)
        assert c.value is not None
        broken = replace(c, value=corrupt(rng, c.value))
        if broken.value == c.value or accepted(env, broken):
            continue  # unchanged, or changed into another proof of the same true statement
        refused += 1
        assert not accepted(env, replace(broken, type=Const("False")))
    assert refused > 200
