"""Golden prompts of every family, from the documented structure; and what its digest notices."""

from __future__ import annotations

import dataclasses

import pytest

from harness.errors import SpecError
from harness.prompts.family import Family
from harness.prompts.prompt import Prompt, Situation
from harness.prompts.registry import families, family
from harness.types import Fault, Hole, Problem, Turn

PROBLEM = Problem(
    id="p",
    benchmark="b",
    split="test",
    header="import Mathlib\n\nopen Nat\n\n",
    statement="theorem p (n : Nat) : n + 0 = n",
    theorem="p",
    informal="Adding zero changes nothing.",
)
FILE = (
    "import Mathlib\n\nopen Nat\n\n/-- Adding zero changes nothing. -/\ntheorem p (n : Nat) : n + 0 = n := by"
)
STATE = Situation(
    ("case zero\n⊢ 0 + 0 = 0", "case succ\nn : Nat\n⊢ n + 1 + 0 = n + 1"), "p", ("intro n", "cases n"), "si"
)
GOALS = "case zero\n⊢ 0 + 0 = 0\n\ncase succ\nn : Nat\n⊢ n + 1 + 0 = n + 1"
PLAN = (
    "\n\nBefore producing the Lean 4 code to formally prove the given theorem, provide a detailed proof plan "
    "outlining the main proof steps and strategies.\nThe plan should highlight key ideas, intermediate "
    "lemmas, and proof structures that will guide the construction of the final formal proof."
)


def asked(name: str, problem: Problem = PROBLEM) -> Prompt:
    ask = family(name).proof
    assert ask is not None
    return ask(problem)


def said(prompt: Prompt) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in prompt.messages]


def tactic(name: str, situation: Situation = STATE) -> Prompt:
    ask = family(name).tactic
    assert ask is not None
    return ask(situation)


def test_deepseek_prover_v2() -> None:
    request = f"Complete the following Lean 4 code:\n\n```lean4\n{FILE}\n  sorry\n```"
    assert said(asked("deepseek-prover-v2-non-cot")) == [("user", request)]
    assert said(asked("deepseek-prover-v2")) == [("user", request + PLAN)]


def test_deepseek_prover_v2_goes_on_with_its_answer_for_a_tactic() -> None:
    name = "deepseek-prover-v2-resumed"
    assert asked(name) == asked("deepseek-prover-v2-non-cot")
    met = Situation(("n : Nat\n⊢ n + 0 = n",), "p", ("intro n", "cases n with\n| zero => rfl"), file=FILE)
    request = f"Complete the following Lean 4 code:\n\n```lean4\n{FILE}\n  sorry\n```"
    answer = f"```lean4\n{FILE}\n  intro n\n  cases n with\n  | zero => rfl\n"
    prompt = tactic(name, met)
    assert said(prompt) == [("user", request), ("assistant", answer)] and prompt.begun
    assert prompt.stop == ("\n",)
    assert said(tactic(name, dataclasses.replace(met, prefix="si")))[1] == ("assistant", f"{answer}  si")
    read = family(name).read_tactic
    assert read("  exact h").text == "exact h" and read("```").text == ""


def test_deepseek_prover_v1_5_and_stp_end_inside_an_open_block() -> None:
    for name in ("deepseek-prover-v1.5", "stp"):
        prompt = asked(name)
        assert prompt.text == f"Complete the following Lean 4 code:\n\n```lean4\n{FILE}\n"
        assert prompt.stop == ("```",)
        assert not prompt.messages
    first = "Complete the following Lean 4 code with explanatory comments preceding each line of code:"
    assert asked("deepseek-prover-v1.5-cot").text == f"{first}\n\n```lean4\n{FILE}\n"
    assert family("stp").read_proof("  simp\n```").text == "  simp"


def test_goedel_prover_v2_closes_the_fence_behind_sorry() -> None:
    request = f"Complete the following Lean 4 code:\n\n```lean4\n{FILE}\n  sorry```"
    assert said(asked("goedel-prover-v2")) == [("user", request + PLAN)]


def test_goedel_prover_v2_repair_shows_the_place_of_each_error() -> None:
    repair = family("goedel-prover-v2").repair
    assert repair is not None
    code = "theorem p (n : Nat) : n + 0 = n := by\n  simp\n"
    place = code.index("simp")
    faults = (Fault("simp failed", (place, place + 4)), *(Fault(f"error {i}") for i in range(9)))
    messages = said(repair(PROBLEM, [Turn("my try", code, faults)]))
    assert [role for role, _ in messages] == ["user", "assistant", "user"]
    assert messages[1][1] == "my try"
    assert messages[2][1].startswith(
        "The proof (Round 1) is not correct. Following is the compilation error message, where we use "
        "<error></error> to signal the position of the error.\n\nError 1:\nCorresponding Code:\n```lean4\n"
        "theorem p (n : Nat) : n + 0 = n := by\n  <error>simp</error>\n\n```\nError Message: simp failed\n"
    )
    assert "Error 8:" in messages[2][1]
    assert "Error 9:" not in messages[2][1]
    assert messages[2][1].endswith("provide a detailed analysis of the error message.")


def test_goedel_prover_v2_leaves_out_the_middle_of_a_long_place() -> None:
    repair = family("goedel-prover-v2").repair
    assert repair is not None
    code = "theorem p : q := by\n" + "".join(f"  step{n}\n" for n in range(40)) + "  last\n"
    turn = Turn("my try", code, (Fault("unsolved goals", (code.index("by"), len(code) - 1)),), more=3)
    told = said(repair(PROBLEM, [turn]))[2][1]
    assert "theorem p : q := <error>by\n  step0\n" in told and "  step39\n  last</error>\n" in told
    assert "  step4\n  ...\n  step35\n" in told and "step20" not in told
    assert "... 3 more errors" in told


def test_kimina_prover_repair_tells_line_and_column() -> None:
    repair = family("kimina-prover").repair
    assert repair is not None
    code = "theorem p (n : Nat) : n + 0 = n := by\n  simp\n"
    place = code.index("simp")
    turn = Turn("my try", code, (Fault("simp failed", (place, place + 4)), Fault("no place")), more=1)
    assert said(repair(PROBLEM, [turn]))[-1][1] == (
        "Here is the Lean 4 feedback on your proof:\n```\nerror at line 2, column 2: simp failed\n\n"
        "no place\n\n... 1 more errors\n```\nFix the proof."
    )


def test_kimina_prover() -> None:
    text = (
        "Think about and solve the following problem step by step in Lean 4."
        "\n# Problem:Adding zero changes nothing."
        f"\n# Formal statement:\n```lean4\n{FILE}\n```\n"
    )
    system = "You are an expert in mathematics and Lean 4."
    assert said(asked("kimina-prover")) == [("system", system), ("user", text)]


def test_kimina_prover_skips_blocks_without_a_declaration() -> None:
    answer = "<think>\nhm\n</think>\n```lean4\ntheorem p := by simp\n```\nwhere\n```lean4\nsimp\n```"
    assert family("kimina-prover").read_proof(answer).text == "theorem p := by simp"


def test_theoremllama_shows_the_prose_and_reads_the_first_block() -> None:
    [system, question] = said(asked("theoremllama"))
    assert system[1].startswith(
        "You are a Lean4 expert who can write good Lean4 code based on natural language"
    )
    assert question[1] == (
        "Natural language version of theorem and proof:\np\nAdding zero changes nothing.\n\n"
        f"### Lean4 version of theorem statement:\n```lean\n{FILE} \n```\n\n"
        "### Lean4 version of theorem and proof:\n"
    )
    assert family("theoremllama").read_proof("```lean\na\n```\n```lean\nb\n```").text == "a"


def test_bfs_prover() -> None:
    assert tactic("bfs-prover").text == f"{GOALS}:::si"
    read = family("bfs-prover").read_tactic
    assert read("n : Nat\n⊢ p:::simp\n").text == "simp"
    assert read(" simp ").text == "simp"


def test_internlm_stepprover() -> None:
    [(role, text)] = said(tactic("internlm2.5-stepprover"))
    assert role == "user"
    assert text == (
        "---\nNAME: p\n\n---\nPROOF_BEFORE: intro n\ncases n\n\n"
        f"---\nSTATE_BEFORE: {GOALS}\n\n---\nTACTIC: si"
    )
    assert tactic("internlm2.5-stepprover").stop == ("<|im_end|>",)


def test_reprover_puts_the_most_relevant_premise_last() -> None:
    assert tactic("reprover").text == GOALS
    told = dataclasses.replace(STATE, premises=("<a>A</a>", "<a>B</a>", "x" * 3000))
    assert tactic("reprover", told).text == f"<a>B</a>\n\n<a>A</a>\n\n{GOALS}"
    assert family("reprover").read_tactic("rw [<a>Nat.add_comm</a>]").text == "rw [Nat.add_comm]"


def test_llmstep_has_no_line_breaks_between_its_parts() -> None:
    assert tactic("llmstep").text == f"[GOAL]{GOALS}[PROOFSTEP]si"


def test_embedded_asks_for_proofs_by_the_initial_state() -> None:
    ask = family("embedded").proof_at
    assert ask is not None
    assert ask(STATE).text == "⊢ 0 + 0 = 0<sep>"
    assert tactic("embedded").stop == ("\n",)


def test_known_answers_are_filled_and_others_stay_open() -> None:
    holes = (Hole("a", "Nat", "2"), Hole("b", "Nat", ""))
    header = "import Mathlib\n\nabbrev a : Nat := sorry\nabbrev b : Nat := sorry\n\n"
    statement = "/-- Which? -/\ntheorem q : a = b"
    problem = dataclasses.replace(PROBLEM, header=header, statement=statement, theorem="q", holes=holes)
    text = asked("deepseek-prover-v1.5", problem).text
    assert "abbrev a : Nat := 2\nabbrev b : Nat := sorry\n\n/-- Which? -/\ntheorem q : a = b := by\n" in text


def test_digests_are_distinct_and_notice_a_changed_word() -> None:
    digests = [item.digest for item in families().values()]
    assert len(set(digests)) == len(digests)

    def other(problem: Problem) -> Prompt:
        return Prompt(text=asked("stp", problem).text + " ")

    known = family("stp")
    assert Family(**{**vars_of(known), "proof": other}).digest != known.digest
    assert Family(**vars_of(known)).digest == known.digest


def vars_of(item: Family) -> dict[str, object]:
    return {field.name: getattr(item, field.name) for field in dataclasses.fields(item)}


def test_an_unknown_family_is_told_with_the_nearest() -> None:
    with pytest.raises(SpecError, match="did you mean 'kimina-prover'"):
        family("kimina-prove")
