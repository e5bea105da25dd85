"""Assembly: the statement is always ours, and whatever form the answer has, its proof lands under it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.lean.text.answer import read_answer
from harness.lean.text.assemble import Assembly, assemble, rename_theorem, root_name
from harness.lean.text.lexer import TokenKind, lex, significant
from harness.lean.verdicts.audit import fast_file, strict_file, strict_stages
from harness.types import Hole, Problem

NONCE = "0" * 16 + "1" * 16 + "2" * 16
HEADER = "import Mathlib\n\nopen Nat\n\n"
ADD = Problem("add", "toy", "test", HEADER, "theorem add (a b : ℕ) : a + b = b + a", "add")
HOLED = Problem(
    "sol",
    "toy",
    "test",
    "import Mathlib\n\nnoncomputable abbrev sol_solution : ℕ := sorry\n-- 3\ndef two := 2\n",
    "/-- Find it. -/\ntheorem sol : 1 + two = sol_solution",
    "sol",
    " :=\nsorry\n",
    (Hole("sol_solution", "ℕ", "3"),),
)
OPEN = dataclasses.replace(HOLED, holes=(Hole("sol_solution", "ℕ", ""),))
BLOCK = HEADER + "theorem add (a b : ℕ) : a + b = b + a := by\n  rw [Nat.add_comm]\n"


def spliced(problem: Problem, answer: str) -> Assembly:
    """The reading in which the proof stands under our statement."""
    made = assemble(problem, answer)
    return made.other or made


def text(answer: str, problem: Problem = ADD) -> str:
    made = spliced(problem, answer)
    assert made.refused is None, made.refused
    assert made.text == made.header + made.candidate
    return made.text


@pytest.mark.parametrize(
    "answer",
    [
        "rw [Nat.add_comm]",
        "  rw [Nat.add_comm]\n\n",
        "by\n  rw [Nat.add_comm]",
        ":= by\n  rw [Nat.add_comm]",
        "theorem add (a b : ℕ) : a + b = b + a := by\n  rw [Nat.add_comm]",
        "lemma add (a b : ℕ) : a + b = b + a := by\n  rw [Nat.add_comm]",
        "example (a b : ℕ) : a + b = b + a := by\n  rw [Nat.add_comm]",
        "theorem other (a b : ℕ) : a + b = b + a := by\n  rw [Nat.add_comm]",
        "private theorem «add» {a b : ℕ} : a + b + 0 = b + a := by\n  rw [Nat.add_comm]",
        "/-- prose -/ @[simp] protected theorem add : 1 = 1 := by\n  rw [Nat.add_comm]",
        "import Mathlib\nimport Aesop\nset_option maxHeartbeats 2000\nopen Nat\n\n"
        "theorem add (a b : ℕ) : a + b = b + a := by\n  rw [Nat.add_comm]",
        "```lean4\ntheorem add (a b : ℕ) : a + b = b + a := by\n  rw [Nat.add_comm]\n```\nDone.",
        "```\nrw [Nat.add_comm]\n```",
        "rw [Nat.add_comm]\n```",
        "theorem add (a b : ℕ) : a + b = b + a := by\r\n  rw [Nat.add_comm]\r\n",
        "import Mathlib\n\nrw [Nat.add_comm]",
    ],
)
def test_one_proof_in_many_forms(answer: str) -> None:
    assert text(answer) == BLOCK


def test_terms() -> None:
    stated = HEADER + "theorem add (a b : ℕ) : a + b = b + a :=\n"
    assert text("Nat.add_comm a b") == stated + "  Nat.add_comm a b\n"
    assert text("(Nat.add_comm a b)") == stated + "  (Nat.add_comm a b)\n"
    assert text("theorem add : x :=\n  Nat.add_comm _ _") == stated + "  Nat.add_comm _ _\n"
    assert text("have h := Nat.add_comm a b\nh") == stated + "  have h := Nat.add_comm a b\n  h\n"
    assert text("fun x =>\n  x") == stated + "  fun x =>\n    x\n"


def test_columns_are_kept_when_the_block_began_on_the_statements_line() -> None:
    made = text("theorem add (a b : ℕ) : a + b = b + a := by have h := 1\n" + " " * 44 + "rw [Nat.add_comm]")
    first, second = made.split("\n")[-3:-1]
    assert first == " " * 44 + "have h := 1"
    assert second == " " * 44 + "rw [Nat.add_comm]"


@pytest.mark.parametrize(
    ("answer", "block"),
    [
        ("intro x\n  simp\n  rfl", "  intro x\n  simp\n  rfl"),
        ("have h : P := by\n    simp\n  exact h", "  have h : P := by\n    simp\n  exact h"),
        (
            "cases h with\n  | inl a => simp\n  | inr b => rfl",
            "  cases h with\n    | inl a => simp\n    | inr b => rfl",
        ),
        ("have h : P := by\n  simp", "  have h : P := by\n    simp"),
        ("exact foo\n  (bar)", "  exact foo\n    (bar)"),
        ("    simp\n    rfl", "  simp\n  rfl"),
        ("· simp\n· rfl", "  · simp\n  · rfl"),
        ("-- first\nsimp -- last", "  simp"),
    ],
)
def test_indentation_of_bare_blocks(answer: str, block: str) -> None:
    assert text(answer).endswith(":= by\n" + block + "\n")


def test_a_block_in_column_zero_is_indented_as_a_whole() -> None:
    """Lean 4.35 refuses it, older versions take it."""
    block = "constructor\n· exact h\n· simp only\n    [h]"
    laid = " := by\n  constructor\n  · exact h\n  · simp only\n      [h]\n"
    for answer in (f"by\n{block}", f"{ADD.statement} := by\n{block}"):
        assert text(answer) == HEADER + ADD.statement + laid


def test_helpers_stand_after_our_header_and_before_our_statement() -> None:
    made = spliced(
        ADD, "import Evil\n\nlemma h : 1 = 1 := by\n  rfl\n\n-- now\ntheorem add : x = y := by\n  exact h\n"
    )
    assert made.helpers
    assert made.text == HEADER + "lemma h : 1 = 1 := by\n  rfl\n" + ADD.statement + " := by\n  exact h\n"


def test_opens_that_the_header_lacks_are_kept_and_the_statement_is_then_compared() -> None:
    same = spliced(ADD, "open Nat\n\ntheorem add : x := by\n  rfl")
    more = spliced(ADD, "open Nat Real\n\ntheorem add : x := by\n  rfl")
    bare = assemble(ADD, "open Real\nnlinarith [foo]")
    assert (same.helpers, more.helpers, bare.helpers) == (False, True, True)
    assert more.candidate.startswith("open Nat Real\n")
    assert bare.candidate == "open Real\n" + ADD.statement + " := by\n  nlinarith [foo]\n"


def test_a_clause_before_the_statement_stays_before_it() -> None:
    made = spliced(ADD, "open Real in\n/-- prose -/\ntheorem add : x := by\n  rfl")
    assert made.candidate == "open Real in\n" + ADD.statement + " := by\n  rfl\n"


def test_the_preamble_repeated_is_not_declared_twice() -> None:
    answer = OPEN.source.replace(":= sorry", ":= 3", 1).replace("sorry\n", "by\n  rfl\n")
    made = assemble(OPEN, answer)
    assert made.text.count("def two := 2") == 1
    assert made.text.endswith("theorem sol : 1 + two = sol_solution := by\n  rfl\n")


@pytest.mark.parametrize("answer", ["sorry", "by sorry", ":= by sorry", " by\n  sorry\n", ADD.source])
def test_sorry_gives_the_benchmarks_file(answer: str) -> None:
    made = assemble(ADD, answer)
    assert made.text == ADD.source
    assert made.reason == "sorry"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        " \n",
        "-- nothing",
        "/- a /- b -/ -/",
        ":=",
        ":= by",
        "theorem add : x := by",
        "theorem add : x",
        "import Mathlib",
    ],
)
def test_answers_without_a_proof_are_empty(answer: str) -> None:
    made = assemble(ADD, answer)
    assert (made.reason, made.refused is None) == ("empty", False)


def test_known_answers_are_filled_by_the_harness() -> None:
    made = assemble(HOLED, "rfl")
    assert made.refused is None
    assert made.header == "import Mathlib\n\n"
    assert made.holes == "noncomputable abbrev sol_solution : ℕ := (3\n)\n-- 3\ndef two := 2\n"
    assert (made.supplied, made.notes) == (False, ())
    ignored = spliced(HOLED, "abbrev sol_solution : ℕ := 4\n\ntheorem sol : 1 = 1 := by\n  rfl\n")
    assert ignored.text == made.text


def test_answers_of_the_candidate_are_terms_behind_our_type() -> None:
    made = spliced(OPEN, "def sol_solution : Bool :=\n  2 + 1\n\ntheorem sol : 1 = 1 := by\n  rfl\n")
    assert made.holes.startswith("noncomputable abbrev sol_solution : ℕ := (\n2 + 1\n)\n")
    assert made.supplied
    assert "own" in made.notes[0]
    assert not made.helpers
    assert assemble(HOLED, "rfl", with_answer=False).reason == "empty"
    assert assemble(OPEN, "rfl").reason == "empty"


@pytest.mark.parametrize("value", ["3) axiom c : 1 = 2\ntheorem x : 1 = 1 := (rfl", "(3", "[3)", "3 ⟩"])
def test_an_answer_cannot_leave_its_brackets(value: str) -> None:
    made = assemble(OPEN, f"abbrev sol_solution : ℕ := {value}\n\ntheorem sol : 1 = 1 := by\n  rfl\n")
    assert made.refused is not None
    assert made.reason == "refused"


def test_an_answer_that_restates_the_goal_is_refused() -> None:
    statement = "theorem sol : {n : ℕ | ∃ k, n = k + k ∧ 2 < n} = sol_solution"
    problem = dataclasses.replace(OPEN, statement=statement)
    for value in ("{n : ℕ | ∃ k, n = k + k ∧ 2 < n}", "({n : ℕ | ∃ k, n = k + k ∧ 2 < n})"):
        made = assemble(problem, f"abbrev sol_solution : Set ℕ := {value}\n\n{statement} := by\n  rfl\n")
        assert made.refused is not None
        assert "restates" in made.refused
    fine = assemble(
        problem, f"abbrev sol_solution : Set ℕ := {{n | Even n ∧ 2 < n}}\n\n{statement} := by\n  rfl\n"
    )
    assert fine.refused is None


def test_names() -> None:
    def named(theorem: str, header: str = "") -> str:
        return root_name(dataclasses.replace(ADD, header=header, theorem=theorem))

    assert named("a") == "a"
    assert named("_root_.a", "namespace N\n") == "a"
    assert named("a.b", "namespace N\nsection\nnamespace M\nend M\nend\n-- namespace X\n") == "N.a.b"
    assert (
        rename_theorem("/-- theorem a -/ theorem N.a : a = a", "N.a", "z")
        == "/-- theorem a -/ theorem N.z : a = a"
    )


def test_a_target_has_neither_attributes_nor_a_swallowed_sorry() -> None:
    problem = dataclasses.replace(ADD, statement="/-- x -/ @[simp] theorem add : 1 = 1 -- done")
    made = assemble(problem, "rfl")
    assert made.target == "theorem add : 1 = 1 -- done\n := by sorry"
    assert "-- done\n := by\n  rfl" in made.text


def test_a_clause_at_the_headers_end_belongs_to_the_statement() -> None:
    header = "import Mathlib\nopen Nat\nset_option maxRecDepth 99 in\nopen Real in\n"
    problem = dataclasses.replace(ADD, header=header)
    clause = "set_option maxRecDepth 99 in\nopen Real in\n"
    made = spliced(problem, "lemma h : 1 = 1 := rfl\n\ntheorem add : x := rfl")
    assert made.header == "import Mathlib\nopen Nat\n"
    assert (
        made.candidate == "lemma h : 1 = 1 := rfl\n" + clause + ADD.statement + " :=\n" + " " * 19 + "rfl\n"
    )
    assert made.target == clause + ADD.statement + " := by sorry"
    assert assemble(problem, "sorry").text == problem.source


def test_a_statement_without_its_theorem_is_refused() -> None:
    made = assemble(dataclasses.replace(ADD, theorem="other"), "rfl")
    assert made.refused is not None
    assert "declares no theorem other" in made.refused


# ------------------------------------------------------------------ properties

_WORDS = """
theorem lemma example by := sorry def axiom open in import namespace end where let have /- -/ -- /-- ```
add sol_solution sol exact rfl simp s!" @[simp] set_option 0x 'a' r#" fun h.1 1.5 noncomputable ⟨ ⟩ » « = | x
"""
PIECES = st.sampled_from([*_WORDS.split(), *"()[]{}⟨⟩|:,.@#`'\"\\«»λ∀→\n\t \x00\u2028\u200b", "\n  ", "\n\n"])
ANSWERS = (
    st.lists(PIECES, max_size=25).map(" ".join)
    | st.lists(PIECES, max_size=25).map("".join)
    | st.text(max_size=40)
)


def invariants(problem: Problem, made: Assembly) -> None:
    if made.other is not None:
        assert made.restated
        assert (made.header, made.target, made.holes) == (
            made.other.header, made.other.target, made.other.holes,
        )  # fmt: skip
        made = made.other
    if made.reason == "sorry" and made.text == problem.source:
        return
    statement = problem.statement.strip()
    # Inside a namespace that the answer leaves open the theorem is declared by its name from the root.
    rooted = statement.replace(problem.theorem, f"_root_.{problem.theorem}", 1)
    assert any(text in made.candidate for text in (statement, rooted))
    assert made.candidate.startswith(made.holes)
    if made.refused is not None:
        return
    assert made.header in problem.header
    words = [token.text for token in significant(lex(made.text))]
    ours = [[token.text for token in significant(lex(text))] for text in (statement, rooted)]
    assert any(words[i : i + len(form)] == form for form in ours for i in range(len(words)))
    kinds = {token.kind for token in lex(made.text)}
    assert not kinds & {
        TokenKind.UNTERMINATED_COMMENT,
        TokenKind.UNTERMINATED_STRING,
        TokenKind.UNTERMINATED_NAME,
    }
    for sheet in (
        fast_file(made, NONCE),
        strict_file(made, NONCE),
        strict_file(made, NONCE, import_first=True),
    ):
        lines = sheet.text.split("\n")
        assert lines[sheet.marks.axioms - 1] == f"#print axioms _root_.{sheet.marks.name}"
        assert lines[sheet.marks.barrier - 1] == "example : True := trivial"
        tail = "\n".join(lines[sheet.marks.barrier - 1 :])
        assert [token.text for token in significant(lex(sheet.text))][-3:] == [
            "#print",
            "axioms",
            f"_root_.{sheet.marks.name}",
        ]
        assert sheet.text.endswith(tail)
    assert NONCE[32:] not in "".join(stage.cmd for stage in strict_stages(made, NONCE)[:-2])


@settings(max_examples=300, deadline=None)
@given(ANSWERS)
def test_any_answer_leaves_the_statement_ours(answer: str) -> None:
    for problem in (ADD, HOLED, OPEN):
        invariants(problem, assemble(problem, answer))


@settings(max_examples=150, deadline=None)
@given(ANSWERS, ANSWERS)
@example("", "namespace namespace theorem")
def test_any_repeated_statement_and_proof(statement: str, proof: str) -> None:
    for head in ("theorem add", "lemma h : 1 = 1 := by simp\n\ntheorem add", "open Nat in\nexample"):
        invariants(ADD, assemble(ADD, f"{head} {statement} := by\n  {proof}"))


@settings(max_examples=100, deadline=None)
@given(ANSWERS)
def test_what_reaches_lean_of_an_accepted_answer_is_what_was_screened(answer: str) -> None:
    read = read_answer(ADD, answer)
    if assemble(ADD, answer).refused is not None:
        return
    screened = "".join(read.text[a:b] for a, b in read.kept)
    wanted = [t.text for t in significant(lex(read.helpers + read.proof)) if t.text not in (":=", "by")]
    held = [t.text for t in significant(lex(screened))]
    assert all(word in held for word in wanted)


# ------------------------------------------------------------------ real files

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"


@pytest.mark.skipif(not DATA.exists(), reason="the benchmarks' files are not here")
@pytest.mark.parametrize(
    ("name", "count"), [("minif2f/test", 244), ("minif2f/valid", 244), ("putnambench/lean4", 672)]
)
def test_real_benchmarks_round_trip(name: str, count: int) -> None:
    from harness.benchmarks.sources.lean_text import cut

    rows = [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == count
    holes = 0
    for number, row in enumerate(rows):
        piece = cut(row["lean"], row["name"])
        problem = Problem(
            row["name"], name, "test", piece.header, piece.statement, piece.name, piece.tail, piece.holes
        )
        assert assemble(problem, "sorry").text == row["lean"]
        assert assemble(problem, row["lean"]).text == row["lean"]
        if number % 4 and not problem.holes:
            continue
        known = assemble(problem, "norm_num [foo]")
        assert known.refused is None, (row["name"], known.refused)
        repeated = (
            row["lean"][: row["lean"].rfind("sorry")].rstrip().removesuffix("by") + " by\n  norm_num [foo]\n"
        )
        assert assemble(problem, repeated).text == known.text
        assert "sorry" not in [token.text for token in significant(lex(known.text))]
        if problem.holes:
            holes += 1
            unknown = dataclasses.replace(
                problem, holes=tuple(dataclasses.replace(h, answer="") for h in problem.holes)
            )
            assert assemble(unknown, "norm_num [foo]").reason == "empty"
            filled = assemble(unknown, repeated.replace(":= sorry", f":= {problem.holes[0].answer}"))
            assert filled.supplied
            assert filled.refused is None or "restates" in filled.refused, (row["name"], filled.refused)
    assert holes == (346 if name.startswith("putnam") else 0)
