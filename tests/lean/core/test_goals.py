"""Goals as Lean prints them."""

import pytest

from harness.lean.core.session import open_goal, prelude, run

CASES: list[tuple[str, tuple[str, ...], list[str]]] = [
    ("(P Q : Prop) (h : P) : P ∨ Q", (), ["P Q : Prop\nh : P\n⊢ P ∨ Q"]),
    (
        "(x : Nat) : x = x",
        ("induction x",),
        ["case zero\n⊢ 0 = 0", "case succ\nn✝ : Nat\na✝ : n✝ = n✝\n⊢ n✝ + 1 = n✝ + 1"],
    ),
    (
        "(P Q : Prop) (h : P ∨ Q) : Q ∨ P",
        ("cases h",),
        ["case inl\nP Q : Prop\nh✝ : P\n⊢ Q ∨ P", "case inr\nP Q : Prop\nh✝ : Q\n⊢ Q ∨ P"],
    ),
    ("(P Q : Prop) (h : P ∧ Q) : Q", ("cases h",), ["case intro\nP Q : Prop\nleft✝ : P\nright✝ : Q\n⊢ Q"]),
    ("(P Q : Prop) : P → Q → P", ("intros",), ["P Q : Prop\na✝¹ : P\na✝ : Q\n⊢ P"]),
    ("(P : Prop) (h : P) : P", ("have h : P ∧ P := ⟨h, h⟩",), ["P : Prop\nh✝ : P\nh : P ∧ P\n⊢ P"]),
    (
        "(P Q : Prop) (hp : P) (hq : Q) : P ∧ Q",
        ("constructor",),
        ["case left\nP Q : Prop\nhp : P\nhq : Q\n⊢ P", "case right\nP Q : Prop\nhp : P\nhq : Q\n⊢ Q"],
    ),
    (
        "(P Q : Prop) : P ↔ Q",
        ("constructor",),
        ["case mp\nP Q : Prop\n⊢ P → Q", "case mpr\nP Q : Prop\n⊢ Q → P"],
    ),
    (
        "(p : Nat → Prop) : ∃ n, p n",
        ("apply Exists.intro",),
        ["case h\np : Nat → Prop\n⊢ p ?w", "case w\np : Nat → Prop\n⊢ Nat"],
    ),
    ("(P Q : Prop) (h : P → Q) : Q", ("apply h",), ["P Q : Prop\nh : P → Q\n⊢ P"]),
    (
        "(P Q R : Prop) (h : P → Q → R) : R",
        ("apply h",),
        ["case a\nP Q R : Prop\nh : P → Q → R\n⊢ P", "case a\nP Q R : Prop\nh : P → Q → R\n⊢ Q"],
    ),
    (
        "(P Q : Prop) : P ∨ Q",
        ("by_cases h : P",),
        ["case pos\nP Q : Prop\nh : P\n⊢ P ∨ Q", "case neg\nP Q : Prop\nh : ¬P\n⊢ P ∨ Q"],
    ),
    ("(x : Nat) : x = x", ("let y := x + 1",), ["x : Nat\ny : Nat := x + 1\n⊢ x = x"]),
    (
        "(P : Prop) : P",
        ("have h : P := ?_",),
        ["case refine_2\nP : Prop\nh : P\n⊢ P", "case refine_1\nP : Prop\n⊢ P"],
    ),
    ("(P : Prop) : P", ("have h : P := ?a",), ["P : Prop\nh : P\n⊢ P", "case a\nP : Prop\n⊢ P"]),
    (
        "(P : Prop) : P ∧ P",
        ("refine ⟨?_, ?_⟩",),
        ["case refine_1\nP : Prop\n⊢ P", "case refine_2\nP : Prop\n⊢ P"],
    ),
    ("(P : Prop) : P ∧ P", ("refine ⟨?_, ?b⟩",), ["P : Prop\n⊢ P", "case b\nP : Prop\n⊢ P"]),
]


@pytest.mark.parametrize(("statement", "tactics", "goals"), CASES, ids=lambda c: str(c)[:30])
def test_goals(statement: str, tactics: tuple[str, ...], goals: list[str]) -> None:
    state = open_goal(prelude(), "", "theorem t " + statement)
    for t in tactics:
        result = state.apply(t)
        assert result.state is not None, result.error
        state = result.state
    assert list(state.goals) == goals


TYPES = [
    "∀ (P Q : Prop), P ∧ Q → Q ∧ P",
    "∀ (P Q R : Prop), (P → Q) → (Q → R) → P → R",
    "∀ (P Q R : Prop), (P ∧ Q) ∧ R ↔ P ∧ Q ∧ R",
    "∀ (P Q R : Prop), (P ∨ Q) ∨ R → P ∨ Q ∨ R",
    "∀ (P Q : Prop), ¬(P ∧ Q) ↔ P → ¬Q",
    "∀ (P : Prop), ¬¬P ↔ P",
    "∀ (p : Nat → Prop), (∃ x, p x) → ¬∀ (x : Nat), ¬p x",
    "∀ (p : Nat → Nat → Prop), (∃ x y, p x y) ∧ True → ∃ y x, p x y",
    "∀ (a b c : Nat), a + b * c = c * b + a ∧ (a + b) * c = a * c + b * c",
    "∀ (a b c : Nat), a - b - c = a - (b + c) ∧ a ^ 2 ≥ a",
    "∀ (a b : Nat), a < b → ¬b ≤ a",
    "∀ {α : Type} (x : α) (xs ys : List α), x :: xs ++ ys = x :: (xs ++ ys)",
    "∀ {α : Type} (xs : List α), xs.reverse.length = xs.length ∧ [] ++ xs = xs",
    "∀ {α β : Type} (f : α → β) (xs : List α), (List.map f xs).length = xs.length",
    "∀ (x : Nat), x ∈ [1, 2, 3] → x ≠ 0",
    "∀ (f : Nat → Nat), (fun x => f x) = f",
    "∀ (f : (Nat → Nat) → Nat), f (fun x => x) = 0 → f fun x => x = x",
    "∀ (n : Nat), n.succ = n + 1",
    "∀ (p : Prop → Prop), p True ∧ p False → ∀ (q : Prop), p q",
]


@pytest.mark.parametrize("text", TYPES[:16] + TYPES[17:])
def test_types_print_as_written(text: str) -> None:
    result = run(prelude(), f"axiom probe : {text}")
    assert [m.data for m in result.messages] == []
    assert result.env.type_text("probe") == text


def test_printed_types_parse_back_to_the_same_type() -> None:
    env = prelude()
    for k, text in enumerate(TYPES[:16] + TYPES[17:]):
        env = run(env, f"axiom a{k} : {text}").env
        env = run(env, f"axiom b{k} : {env.type_text(f'a{k}')}").env
        assert env.same_type(f"a{k}", f"b{k}")
