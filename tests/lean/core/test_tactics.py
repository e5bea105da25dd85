"""Tactics from the outside: each line is a statement and a script; "Completed" is the kernel's word."""

import pytest

from harness.lean.core.session import COMPLETED, CoreError, TacticState, open_goal, prelude, run
from tests.lean.core.axioms import proof_axioms


def start(statement: str) -> TacticState:
    return open_goal(prelude(), "import Mathlib\n\n", "theorem t " + statement)


def play(statement: str, *tactics: str) -> tuple[str, TacticState]:
    state, status = start(statement), ""
    for t in tactics:
        result = state.apply(t)
        assert result.state is not None, f"{t}: {result.error}"
        state, status = result.state, result.status
    return status, state


ADD_COMM = "(a b : Nat) : a + b = b + a"
APPEND_NIL = "{α : Type} (xs : List α) : xs ++ [] = xs"
AND_LEFT = "(P Q : Prop) (h : P ∧ Q) : P"
AND_INTRO = "(P Q : Prop) (hp : P) (hq : Q) : P ∧ Q"
WITNESS = ": ∃ n : Nat, n = 3"
OR_INL = "(P Q : Prop) (h : P) : P ∨ Q"
OR_ELIM = "(P Q R : Prop) (h : P ∨ Q) (hp : P → R) (hq : Q → R) : R"
CHAIN = "(P Q R : Prop) (hpq : P → Q) (hqr : Q → R) : P → R"
UNDER_SUCC = "(a b : Nat) (h : a = b) : Nat.succ a = Nat.succ b"
FALSE_ELIM = "(P : Prop) (h : False) : P"
IFF_FORWARD = "(P Q : Prop) (h : P ↔ Q) (hp : P) : Q"
EXISTS_REWRITE = "(P : Nat → Prop) (n : Nat) (h : ∃ m, m = n ∧ P m) : P n"

PROVED: list[tuple[str, ...]] = [
    (ADD_COMM, "simp [Nat.add_comm]"),
    (ADD_COMM, "simpa [Nat.add_comm]"),
    (ADD_COMM, "exact Nat.add_comm a b"),
    (ADD_COMM, "exact Nat.add_comm _ _"),
    (ADD_COMM, "apply Nat.add_comm"),
    (ADD_COMM, "rw [Nat.add_comm]"),
    (ADD_COMM, "omega"),
    (ADD_COMM, "induction a with\n  | zero => simp\n  | succ n ih => omega"),
    (ADD_COMM, "induction a", "simp", "rename_i n ih", "rw [Nat.add_right_comm, ih]", "rfl"),
    (APPEND_NIL, "simp"),
    (APPEND_NIL, "exact List.append_nil xs"),
    (APPEND_NIL, "induction xs with\n| nil => rfl\n| cons x xs ih => simp"),
    (APPEND_NIL, "induction xs", "rfl", "rename_i h t ih", "rw [List.cons_append, ih]"),
    (AND_LEFT, "exact h.1"),
    (AND_LEFT, "exact h.left"),
    (AND_LEFT, "simp_all"),
    (AND_LEFT, "cases h with\n| intro a b => exact a"),
    (AND_LEFT, "obtain ⟨hp, -⟩ := h", "exact hp"),
    (AND_LEFT, "have ⟨hp, _⟩ := h", "assumption"),
    (AND_INTRO, "exact ⟨hp, hq⟩"),
    (AND_INTRO, "constructor <;> assumption"),
    (AND_INTRO, "simp [hp, hq]"),
    (AND_INTRO, "refine ⟨?_, hq⟩", "exact hp"),
    (AND_INTRO, "apply And.intro", "case right => exact hq", "exact hp"),
    (WITNESS, "exact ⟨3, rfl⟩"),
    (WITNESS, "use 3"),
    (WITNESS, "exists 3"),
    (WITNESS, "simp"),
    (WITNESS, "refine ⟨_, rfl⟩"),
    (OR_INL, "left", "exact h"),
    (OR_INL, "simp [h]"),
    (OR_INL, "exact .inl h"),
    (OR_INL, "first | exact h | exact Or.inl h"),
    (OR_ELIM, "exact h.elim hp hq"),
    (OR_ELIM, "rcases h with h | h", "exact hp h", "exact hq h"),
    (OR_ELIM, "cases h with\n| inl h => exact hp h\n| inr h => exact hq h"),
    (OR_ELIM, "exact match h with\n| .inl a => hp a\n| .inr b => hq b"),
    (OR_ELIM, "cases h", "apply hp", "assumption", "apply hq", "assumption"),
    (CHAIN, "exact fun hp => hqr (hpq hp)"),
    (CHAIN, "intro hp", "apply hqr", "apply hpq", "exact hp"),
    (CHAIN, "exact hqr ∘ hpq"),
    (CHAIN, "intro hp", "have hq := hpq hp", "exact hqr hq"),
    (CHAIN, "intro hp", "specialize hpq hp", "exact hqr hpq"),
    (UNDER_SUCC, "rw [h]"),
    (UNDER_SUCC, "simp [h]"),
    (UNDER_SUCC, "exact congrArg Nat.succ h"),
    (UNDER_SUCC, "subst h", "rfl"),
    (UNDER_SUCC, "exact h ▸ rfl"),
    (UNDER_SUCC, "omega"),
    (FALSE_ELIM, "exact h.elim"),
    (FALSE_ELIM, "cases h"),
    (FALSE_ELIM, "contradiction"),
    (FALSE_ELIM, "exfalso", "exact h"),
    (FALSE_ELIM, "exact nomatch h"),
    (IFF_FORWARD, "exact h.mp hp"),
    (IFF_FORWARD, "rw [← h]", "exact hp"),
    (IFF_FORWARD, "rwa [h] at hp"),
    (IFF_FORWARD, "simpa [h] using hp"),
    (IFF_FORWARD, "exact h.1 hp"),
    (EXISTS_REWRITE, "obtain ⟨m, rfl, hm⟩ := h", "exact hm"),
    (EXISTS_REWRITE, "rcases h with ⟨m, hmn, hm⟩", "rw [← hmn]", "exact hm"),
    (EXISTS_REWRITE, "rcases h with ⟨m, hmn, hm⟩", "subst hmn", "exact hm"),
    (EXISTS_REWRITE, "cases h with\n| intro m hm => exact hm.1 ▸ hm.2"),
    (EXISTS_REWRITE, "simpa using h"),
    # beyond the twelve
    ("(P : Prop) : ¬¬P → P", "intro h", "by_contra hn", "exact h hn"),
    ("(P : Prop) : P ∨ ¬P", "by_cases h : P", "left", "exact h", "right", "exact h"),
    ("(p q : Prop) : p ∧ q → q ∧ p", "exact fun ⟨a, b⟩ => ⟨b, a⟩"),
    ("(p q : Prop) (h : p → q) (hq : ¬q) : ¬p", "intro hp", "exact absurd (h hp) hq"),
    ("(f g : Nat → Nat) (h : ∀ x, f x = g x) : f = g", "funext x", "exact h x"),
    ("(a b c : Nat) (h : a = b) (k : b = c) : a = c", "calc a = b := h\n  _ = c := k"),
    ("(a b c : Nat) (h : a ≤ b) (k : b < c) : a < c", "calc a ≤ b := h\n  _ < c := k"),
    ("(a b : Nat) (h : a + 1 = b + 1) : a = b", "injection h"),
    ("(a b : Nat) (h : a + 1 = b + 1) : a = b", "cases h", "rfl"),
    ("(a : Nat) (h : a + 1 = 0) : False", "cases h"),
    ("(n : Nat) (h : n ≤ 0) : n = 0", "cases h", "rfl"),
    ("(n : Nat) : n = 0 ∨ ∃ m, n = m + 1", "rcases n with _ | k", "simp", "exact .inr ⟨k, rfl⟩"),
    (
        "(a b : Nat) (h : a ≤ b) : ∃ c, b = a + c",
        "induction h with\n| refl => exact ⟨0, rfl⟩\n"
        "| step _ ih => obtain ⟨c, rfl⟩ := ih; exact ⟨c + 1, rfl⟩",
    ),
    (
        "(P : Nat → Prop) (h : ∀ n, (∀ m, m < n → P m) → P n) (n : Nat) : P n",
        "induction n using Nat.strong_induction_on with\n| _ n ih => exact h n ih",
    ),
    (
        "(a b c : Nat) : a * (b + c) = c * a + b * a",
        "rw [Nat.mul_add, Nat.mul_comm a b, Nat.mul_comm a c, Nat.add_comm]",
    ),
    ("(a b c : Nat) : a + b + c = c + b + a", "simp [Nat.add_comm, Nat.add_left_comm, Nat.add_assoc]"),
    ("(xs ys : List Nat) : (xs ++ ys).length = ys.length + xs.length", "simp [Nat.add_comm]"),
    ("(xs : List Nat) : xs.reverse.reverse = xs", "simp"),
    (": 2 + 3 < 7", "decide"),
    ("(x : Nat) (h : x ∈ [1, 2]) : x = 1 ∨ x = 2", "simpa using h"),
    (
        "(xs : List Nat) : ∀ ys : List Nat, (xs ++ ys).length = xs.length + ys.length",
        "induction xs with\n| nil => intro ys; simp\n| cons x xs ih => intro ys; simp [Nat.add_right_comm]",
    ),
    (
        "(n m : Nat) : n + m = m + n",
        "induction n generalizing m with\n| zero => simp\n| succ n ih => rw [Nat.succ_add, ih m]; rfl",
    ),
]


@pytest.mark.parametrize("script", PROVED, ids=lambda s: f"{s[0][:24]}|{s[1][:24]}")
def test_proved(script: tuple[str, ...]) -> None:
    status, state = play(script[0], *script[1:])
    assert status == COMPLETED, state.goals


REFUSED = [
    (AND_LEFT, "exact h", "Type mismatch"),
    (AND_LEFT, "exact foo", "Unknown identifier `foo`"),
    (AND_LEFT, "exact Nat.foo", "Unknown constant `Nat.foo`"),
    (AND_LEFT, "exact h.3", "Invalid projection"),
    (AND_LEFT, "exact h.wrong", "Invalid field `wrong`"),
    (AND_LEFT, "apply Or.inl", "Tactic `apply` failed"),
    (AND_LEFT, "intro x", "There are no additional binders"),
    (AND_LEFT, "rw [h]", "Invalid rewrite argument"),
    (UNDER_SUCC, "rw [← h, Nat.mul_comm]", "Did not find an occurrence"),
    (AND_LEFT, "rfl", "Tactic `rfl` failed"),
    (AND_LEFT, "assumption", "Tactic `assumption` failed"),
    (AND_LEFT, "contradiction", "Tactic `contradiction` failed"),
    (AND_LEFT, "constructor", "constructor"),
    (AND_LEFT, "left", "left"),
    (AND_LEFT, "simp", "`simp` made no progress"),
    (AND_LEFT, "cases P", "major premise"),
    (AND_LEFT, "ring", "not in the embedded fragment: ring"),
    (AND_LEFT, "linarith", "not in the embedded fragment: linarith"),
    (AND_LEFT, "frobnicate", "unknown tactic"),
    (AND_LEFT, "exact _", "don't know how to synthesize placeholder"),
    (AND_LEFT, "exact (h : Q)", "Type mismatch"),
    (OR_INL, "exact ⟨h⟩", "exactly one constructor"),
    (ADD_COMM, "omega_nat", "fragment|unknown"),
    ("(a b : Nat) : a < b", "omega", "omega could not prove"),
    ("(P Q : Prop) (h : P) : P ∧ Q", "exact ⟨h, h⟩", "mismatch"),
    ("(n : Nat) : n = 0", "induction n with\n| zero => rfl", "Alternative `succ` has not been provided"),
    ("(n : Nat) : n = 0", "induction n with\n| zero => rfl\n| foo => rfl", "Invalid alternative name"),
    ("(P Q : Prop) (h : P ∨ Q) : P", "exact match h with\n| .inl a => a", "Missing cases"),
    ("(h : ∃ n : Nat, n = 3) : Nat", "obtain ⟨n, _⟩ := h", "can only eliminate into `Prop`"),
]


@pytest.mark.parametrize(("statement", "tactic", "message"), REFUSED, ids=lambda s: s[:24])
def test_refused(statement: str, tactic: str, message: str) -> None:
    import re

    prefix = "theorem t " if not statement.endswith(": Nat") else "def t "
    state = open_goal(prelude(), "", prefix + statement)
    result = state.apply(tactic)
    assert result.state is None and result.status == ""
    assert result.error is not None and re.search(
        re.escape(message) if "|" not in message else message, result.error
    )


def test_states_are_persistent() -> None:
    state = start(OR_ELIM)
    first = state.apply("cases h").state
    assert first is not None and len(first.goals) == 2 and len(state.goals) == 1
    again = state.apply("exact h.elim hp hq")
    assert again.status == COMPLETED
    assert first.apply("exact hp h").error is not None


def test_sorry_is_never_proved() -> None:
    status, state = play(AND_INTRO, "constructor", "sorry", "exact hq")
    assert status == "Incomplete: contains sorry"
    assert "sorryAx" in proof_axioms(state)
    status, _ = play(FALSE_ELIM, "exact sorry")
    assert status == "Incomplete: contains sorry"


def test_unassigned_holes_are_never_proved() -> None:
    status, state = play("(P : Nat → Prop) (h : ∀ n, P n) : ∃ n, P n", "apply Exists.intro", "apply h")
    assert status != COMPLETED and len(state.goals) == 1
    status, _ = play("(P : Nat → Prop) (h : ∀ n, P n) : ∃ n, P n", "apply Exists.intro", "apply h", "exact 0")
    assert status == COMPLETED


def test_classical_steps_are_marked() -> None:
    _, state = play("(P : Prop) : ¬¬P → P", "intro h", "by_contra hn", "exact h hn")
    assert proof_axioms(state) == ("Classical.choice", "Quot.sound", "propext")
    _, state = play(CHAIN, "exact fun hp => hqr (hpq hp)")
    assert proof_axioms(state) == ()


def test_bad_statements() -> None:
    for statement, message in [
        ("(P : Prop) : Q", "Unknown identifier `Q`"),
        (": Nat", "not a proposition"),
        ("(n : Nat) : n = ", "unexpected"),
        ("(x : ℝ) : x = x", "Unknown identifier `ℝ`"),
    ]:
        with pytest.raises(CoreError, match=message):
            start(statement)


def test_whole_file_and_environment() -> None:
    result = run(
        prelude(),
        "import Mathlib\nopen Nat\ntheorem a (n : Nat) : n + 0 = n := by\n  simp\n"
        "example : a 3 = a 3 := rfl\n",
        header=True,
    )
    assert [m for m in result.messages if m.severity == "error"] == []
    assert result.declared == ("a",) and result.env.contains("a")
    assert result.env.type_text("a") == "∀ (n : ℕ), n + 0 = n"
    other = run(
        result.env, "theorem b2 (m : Nat) : m ≤ m := by simp\ntheorem c (k : Nat) : k + 0 = k := rfl"
    ).env
    assert other.same_type("a", "c") and not other.same_type("a", "b2")
    assert other.axioms("c") == ()
