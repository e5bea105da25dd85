"""Cutting files: comments, strings, binders with defaults and `let` in a statement must not mislead it."""

import pytest

from harness.benchmarks.sources.lean_text import cut, cut_all, proof_in
from harness.errors import SpecError

TRICKY = """import Mathlib
/- theorem decoy : False := by sorry -/
-- theorem decoy2 : False := sorry
def s := "theorem decoy3 : 1 = 2 := by sorry"

/-- Show it. `theorem decoy4 := ` -/
@[simp] private theorem real (n : Nat := 3) (h : let k := n; k = n) :
    letI x := n
    x = n := by
  sorry
"""


def test_only_code_counts():
    piece = cut(TRICKY, "tricky.lean")
    assert piece.name == "real" and piece.header + piece.statement + piece.tail == TRICKY
    assert piece.statement.startswith("/-- Show it.") and piece.statement.endswith("x = n")
    assert piece.tail == " := by\n  sorry\n"
    assert piece.docstring == "Show it. `theorem decoy4 := `"
    assert piece.header.endswith('sorry"\n\n')


@pytest.mark.parametrize(
    "tail", [" := by sorry", " := by\n  sorry", " :=\nsorry\n", " := sorry", " :=", " := by\n", ""]
)
def test_every_ending_is_cut_off(tail):
    text = "import Mathlib\n\ntheorem t (x : ℕ) : x = x" + tail
    piece = cut(text, "t.lean")
    assert (piece.statement, piece.tail) == ("theorem t (x : ℕ) : x = x", tail)


EQUATIONS = "theorem t : ∀ n : Nat, n + 0 = n"


@pytest.mark.parametrize(
    ("statement", "tail"),
    [
        (EQUATIONS, "\n  | 0 => rfl\n  | n + 1 => rfl"),
        (EQUATIONS, " | 0 => rfl | n + 1 => rfl"),
        ("theorem t (x : ℝ) : |x| ≥ 0 → ∀ n : ℕ, 0 ≤ n", "\n| h, 0 => le_refl 0\n| h, n + 1 => h"),
        ("theorem t (P Q : Prop) (p : P) (q : Q) : P ∧ Q", " where\n  left := p\n  right := q"),
        ("theorem t (x : ℝ) :\n    |x| ≤ 3", " := by\n  cases x with\n  | inl h => rfl"),
        ("theorem t (x : ℝ) :\n    |x| = (fun y => y) |x|", " := rfl"),
        ("theorem t (x : ℝ) : |x| = 0 ∧ f = fun n => n", " := rfl"),
        ("theorem t : (match n with | 0 => True | _ => True)", "\n| 0 => trivial"),
        ("theorem t : match n with | 0 => True | n + 1 => True", " := by\n  sorry"),
        ("theorem t : {x | 0 < x} = s", " := rfl\n\ntheorem u : 1 = 1 := rfl"),
    ],
)
def test_a_statement_ends_where_its_value_begins(statement, tail):
    piece = cut_all(f"import Mathlib\n\n{statement}{tail}", "t.lean")[0]
    assert piece.statement == statement
    assert tail.startswith(piece.tail)


def test_a_theorem_without_a_value_ends_before_the_next_command():
    first, second = cut_all("theorem a : ∀ n : Nat, n = n\n| 0 => rfl\n\ntheorem b : 1 = 1 := rfl\n", "x")
    assert (first.statement, proof_in(first.tail)) == ("theorem a : ∀ n : Nat, n = n", "| 0 => rfl")
    assert second.statement == "theorem b : 1 = 1"
    bare, _ = cut_all("theorem a : 1 = 1\n\ntheorem b : 1 = 1 := rfl\n", "x")
    assert bare.statement == "theorem a : 1 = 1" and proof_in(bare.tail) is None


@pytest.mark.parametrize(
    ("tail", "proof"),
    [
        (" := by\n  rfl", "by\n  rfl"),
        (" := by\nexact h", "by\nexact h"),
        ("\n  | 0 => rfl\n  | n + 1 => rfl", "| 0 => rfl\n  | n + 1 => rfl"),
        (" where\n  left := p", "where\n  left := p"),
        (" := by\n  rfl\nend A\n#print axioms t", "by\n  rfl"),
        (" := by\n  open Nat in\n  rfl -- sorry\n/-- next -/", "by\n  open Nat in\n  rfl -- sorry"),
        (" := by\n  admit", None),
        (" := by\n  sorry\nend A", None),
        (" := sorry", None),
        (" :=", None),
        (" := by", None),
        ("", None),
        (" := by\n  constructor\n  · sorry\n  · rfl", None),
        (" := by\n  exact sorryAx _", None),
        ("\n  | 0 => rfl\n  | n + 1 => sorry", None),
    ],
)
def test_a_proof_that_is_left_open_is_none(tail, proof):
    assert proof_in(tail) == proof


def test_a_byte_order_mark_is_no_text():
    assert cut("\ufefftheorem a : True := trivial", "x").header == ""
    assert cut_all("\ufeffopen A\ntheorem a : True := trivial", "x")[0].header == "open A\n"


def test_a_name_without_a_space_before_its_colon():
    assert cut("theorem putnam_1993_b5: 1 = 1 := sorry", "x").name == "putnam_1993_b5"


def test_answers_stand_in_the_comment_after_the_hole():
    text = (
        "import Mathlib\n\nnoncomputable abbrev t_solution : Set (ℕ × ℕ) := sorry\n--{(1, 2)}\n"
        "def helper : Nat := 3\n/-- doc -/\ntheorem t : t_solution = ∅ :=\nsorry\n"
    )
    piece = cut(text, "t.lean")
    [hole] = piece.holes
    assert (hole.name, hole.type, hole.answer) == ("t_solution", "Set (ℕ × ℕ)", "{(1, 2)}")
    assert piece.header + piece.statement + piece.tail == text


def test_a_definition_by_equations_is_no_hole_though_one_follows_it():
    text = (
        "import Mathlib\n\ndef ones : List ℕ → ℕ\n| [] => 0\n| (h :: t) => ones t + h\n"
        "abbrev t_solution : ℕ := sorry\n-- 7\ntheorem t : ones [7] = t_solution := sorry\n"
    )
    assert [(hole.name, hole.type, hole.answer) for hole in cut(text, "t.lean").holes] == [
        ("t_solution", "ℕ", "7")
    ]


def test_no_theorem_two_theorems_and_broken_text_are_the_users_mistakes():
    with pytest.raises(SpecError, match=r"a.lean: expected exactly one theorem, found 0"):
        cut("-- theorem t : True\n", "a.lean")
    two = "lemma a : True := trivial\ntheorem b : True := sorry"
    with pytest.raises(SpecError, match=r"found 2; set source\.last_theorem: true to take the last one"):
        cut(two, "a.lean")
    last = cut(two, "a.lean", last=True)
    assert last.name == "b" and last.header == "lemma a : True := trivial\n"
    with pytest.raises(SpecError, match="unterminated"):
        cut("theorem a : True := sorry /- never closed", "a.lean")


def test_a_file_of_many_theorems_gives_each_the_common_header():
    text = (
        "import A\nopen B\n\ntheorem one : 1 = 1 := by sorry\n\n-- theorem no : 0 = 1 := sorry\n"
        "/-- second -/\ntheorem two : 2 = 2 := by\n  simp\n\ntheorem three : 3 = 3 := by sorry\n"
    )
    pieces = cut_all(text, "all.lean")
    assert [p.name for p in pieces] == ["one", "two", "three"]
    assert {p.header for p in pieces} == {"import A\nopen B\n\n"}
    assert [p.tail for p in pieces] == [" := by sorry", " := by\n  simp", " := by sorry"]
    assert pieces[1].docstring == "second"
