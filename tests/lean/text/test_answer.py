"""What is taken of an answer: the right block, the margin, step limits, drafts; and what cannot be read."""

from __future__ import annotations

import dataclasses

import pytest

from harness.lean.text.answer import MAX_HEARTBEATS, read_answer
from harness.lean.text.assemble import assemble
from harness.lean.text.commands import code_of, declaration_front
from harness.lean.text.layout import off_margin
from harness.lean.text.markdown import lean_part
from harness.types import Problem

HEADER = "import Mathlib\n\n"
PROBLEM = Problem("t", "toy", "test", HEADER, "theorem t (n : Nat) : n + 2 = 2 + n", "t")
PROOF = "theorem t (n : Nat) : n + 2 = 2 + n := by\n  omega"
DRAFT = PROOF.replace("omega", "sorry")


@pytest.mark.parametrize(
    "answer",
    [
        PROOF,
        f"```lean4\n{PROOF}\n```",
        f"```lean4\n{DRAFT}\n```\nNow in full:\n```lean4\n{PROOF}\n```",
        f"```lean4\n{PROOF}\n```\nThe sketch was:\n```lean4\n{DRAFT}\n```",
        f"```lean4\n{PROOF}\n```\nHere `omega` does it:\n```lean4\nomega\n```",
        f"1. First\n   ```lean4\n   {PROOF.replace(chr(10), chr(10) + '   ')}\n   ```",
        f"<think>\n```lean4\n{DRAFT}\n```\nhm\n</think>\n{PROOF}",
        f"<|im_start|>assistant\n{PROOF}<|im_end|>\n<|im_start|>user",
        f"{PROOF}</s>",
        f"~~~\n{PROOF}\n~~~",
        f"```lean4\n{PROOF}```",
        f"The proof:\n```lean4\n{PROOF} ```\nIt uses ```omega```.",
        f"`{PROOF}`",
        f"### Solution\n\n{PROOF}",
        f"**Proof.**\n\n{PROOF}",
        f"> Prove it.\n\n{PROOF}",
        f"- by arithmetic\n\n{PROOF}",
    ],
)
def test_the_last_block_that_declares_the_theorem_without_a_sorry(answer: str) -> None:
    found, trouble = lean_part(answer, "t")
    assert (found.strip(), trouble) == (PROOF, "")


def test_an_answer_that_goes_on_ends_at_its_fence() -> None:
    assert lean_part("  omega\n```\n\nThis closes the goal.", "t")[0] == "  omega"
    assert lean_part(f"  omega\n```\nIn full:\n```lean4\n{PROOF}\n```", "t")[0] == PROOF


@pytest.mark.parametrize(
    "answer",
    [
        "I cannot prove this statement, sorry.",
        "<think>\nLet me see, perhaps",
        "This follows directly from arithmetic, since both are natural numbers.",
    ],
)
def test_what_cannot_be_read_is_unparsed_not_wrong(answer: str) -> None:
    made = assemble(PROBLEM, answer)
    assert (made.reason, made.refused is None) == ("unparsed", False)


def test_a_draft_before_the_theorem_itself_goes() -> None:
    made = assemble(PROBLEM, f"{DRAFT}\n\n{PROOF}")
    assert made.refused is None
    assert made.candidate == PROOF + "\n"


@pytest.mark.parametrize(
    ("asked", "given"),
    [("400000", 400_000), ("0", MAX_HEARTBEATS), ("99999999999999999", MAX_HEARTBEATS), ("1000", None)],
)
def test_a_step_limit_of_the_answer_is_kept_up_to_ours(asked: str, given: int | None) -> None:
    read = read_answer(PROBLEM, f"set_option maxHeartbeats {asked}\n\n{PROOF}")
    assert read.heartbeats == given
    made = assemble(PROBLEM, f"set_option maxHeartbeats {asked}\n\n{PROOF}")
    line = "" if given is None else f"set_option maxHeartbeats {given}\n"
    assert made.candidate == f"{line}{PROOF}\n"
    assert not made.helpers  # such an option changes no statement


def test_a_benchmark_without_a_limit_keeps_none() -> None:
    free = dataclasses.replace(PROBLEM, header=HEADER + "set_option maxHeartbeats 0\n")
    assert read_answer(free, f"set_option maxHeartbeats 0\n\n{PROOF}").heartbeats is None


def test_a_statement_in_other_words_is_kept_and_compared() -> None:
    made = assemble(PROBLEM, "theorem t : ∀ m : Nat, m + 2 = 2 + m := by\n  intro m\n  omega")
    assert made.candidate.startswith("theorem t : ∀ m")
    assert made.restated
    assert made.helpers
    assert made.other is not None
    assert made.other.candidate.startswith(PROBLEM.statement)
    same = assemble(PROBLEM, PROOF)
    assert (same.restated, same.other) == (False, None)


@pytest.mark.parametrize(
    ("stated", "proof"),
    [
        ("theorem t : ∀ m : Nat, m + 2 = 2 + m", "\n  | 0 => by rfl\n  | m + 1 => by\n    omega"),
        ("theorem t : (m : Nat) → m + 2 = 2 + m", "\n| 0 => rfl\n| _ + 1 => rfl"),
        ("theorem t (m : Nat) : m + 2 = 2 + m", " where\n  left := rfl"),
        ("theorem t (m : Nat) :\n    |m| + 2 = let k := 2; k + m", " := by\n  omega"),
        ("theorem t (m : Nat) : m + 2 = (fun | 0 => 2 | k => 2 + k) m", " := by\n  omega"),
    ],
)
def test_where_the_proof_of_other_words_begins(stated: str, proof: str) -> None:
    made = assemble(PROBLEM, stated + proof)
    assert (made.refused, made.name) == (None, "t")
    assert made.candidate.startswith(stated)
    assert made.candidate.split() == (stated + proof).split()
    assert made.other is not None
    assert made.other.candidate.split() == (PROBLEM.statement + proof).split()


@pytest.mark.parametrize("name", ['"x"', "(", "1", "`x", ":"])
def test_only_a_name_can_be_asked_for(name: str) -> None:
    made = assemble(PROBLEM, f"theorem {name} : n + 2 = 2 + n := by omega")
    assert made.name == "t"


def test_a_theorem_in_a_namespace_is_asked_for_by_its_full_name() -> None:
    inside = "namespace A.B\n\n{}\n\nend A.B\n"
    in_other_words = assemble(PROBLEM, inside.format(PROOF.replace("n", "m")))
    assert (in_other_words.name, in_other_words.stated_name) == ("A.B.t", "t")
    under_ours = assemble(PROBLEM, inside.format(PROOF))
    assert under_ours.name == "t" and "theorem _root_.t (n : Nat)" in under_ours.candidate
    assert in_other_words.other is not None and in_other_words.other.name == "t"
    assert assemble(PROBLEM, f"private {PROOF.replace('n', 'm')}").candidate.startswith("theorem t")


def test_an_array_is_no_attribute() -> None:
    text = "@[simp] theorem a : x = 1 := rfl\ntheorem b : #[1, 2] = #[1, 2]\ntheorem t : 1 = 1 := rfl"
    code = code_of(text)
    last = max(i for i, token in enumerate(code) if token.text == "theorem")
    assert declaration_front(code, last) == last
    made = assemble(PROBLEM, text.replace("#[1, 2]\ntheorem", "#[1, 2] := rfl\ntheorem"))
    assert "theorem a" in made.candidate
    assert "theorem b" in made.candidate


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        (" := by\nsimp\nrfl\n", " := by\n  simp\n  rfl\n"),
        (" := by\nconstructor\n· rfl\n· rfl\nend X\n", " := by\n  constructor\n  · rfl\n  · rfl\nend X\n"),
        (" := by\ncases h with\n| a => rfl\n", " := by\n  cases h with\n  | a => rfl\n"),
        ("theorem a : p := by\nsimp\n\ntheorem b : p := by\n  simp\n", None),
        (" := by\n  simp\n#check a\n", " := by\n  simp\n#check a\n"),
        ("theorem a\n(n : Nat) : p := by\n  simp\n", "theorem a\n(n : Nat) : p := by\n  simp\n"),
    ],
)
def test_tactics_at_the_margin_are_moved_off_it(text: str, moved: str | None) -> None:
    expected = moved or "theorem a : p := by\n  simp\n\ntheorem b : p := by\n  simp\n"
    assert off_margin(text) == expected
    assert off_margin(expected) == expected


def test_marks_of_people_stay_out_of_lean() -> None:
    made = assemble(PROBLEM, "by\n  -- 😀 \u00ad 👩\u200d🔬 \u2028\n  omega /- \u202e -/")
    assert made.refused is None
    assert made.candidate.split() == f"{PROBLEM.statement} := by omega".split()
    odd = assemble(PROBLEM, "by\n\u00a0\u00a0omega")
    assert odd.refused is not None
    assert "no-break space" in odd.refused
