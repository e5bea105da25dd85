"""What is taken of a model's answer, and what is not."""

from __future__ import annotations

import pytest

from harness.lean.text.answer import read_answer
from harness.prompts.extraction import blocks, last_block, until_fence
from harness.prompts.probes import PROBLEMS


def fenced(code: str, tag: str = "lean4", mark: str = "```") -> str:
    return f"{mark}{tag}\n{code}\n{mark}"


PROOF = "theorem t : True := by\n  trivial"


@pytest.mark.parametrize(
    ("answer", "text", "origin"),
    [
        pytest.param(fenced(PROOF), PROOF, "last of 1 Lean blocks", id="one block"),
        pytest.param(
            f"Plan\n{fenced('theorem t : True := by sorry')}\nProof\n{fenced(PROOF)}\nDone.",
            PROOF,
            "last of 2 Lean blocks",
            id="the last counts",
        ),
        pytest.param(
            f"<think>{fenced('simp')}</think>{fenced(PROOF)}".replace("</think>", "</think>\n"),
            PROOF,
            "last of 1 Lean blocks, after the thinking section",
            id="thinking is left out",
        ),
        pytest.param(
            f"{fenced('simp')}\n</think>\n{fenced(PROOF)}",
            PROOF,
            "last of 1 Lean blocks, after the thinking section",
            id="the opening mark stood in the prompt",
        ),
        pytest.param(
            f"{fenced('theorem t : True := by sorry')}\n```lean4\n{PROOF}```",
            PROOF,
            "last of 2 Lean blocks",
            id="a fence behind the last line of the code",
        ),
        pytest.param(f"<think>\n{fenced(PROOF)}", "", "the thinking section never ended", id="cut thought"),
        pytest.param(
            f"{fenced(PROOF)}\n</think>\n no block",
            "",
            "no Lean found, after the thinking section",
            id="a block of the thoughts is no answer",
        ),
        pytest.param(
            f"{fenced(PROOF)}\nand\n```lean4\ntheorem t : True := by\n  tri",
            PROOF,
            "last of 1 Lean blocks",
            id="a complete block before a cut one",
        ),
        pytest.param(f"So\n```lean4\n{PROOF}", PROOF, "unclosed Lean block", id="unclosed alone"),
        pytest.param(
            f"```lean4\nsketch\n```lean4\n{PROOF}\n```",
            PROOF,
            "last of 1 Lean blocks",
            id="a forgotten closing fence",
        ),
        pytest.param(
            fenced(fenced(PROOF), "markdown", "````"),
            PROOF,
            "last of 1 Lean blocks",
            id="nested, longer outside",
        ),
        pytest.param(fenced(PROOF, "lean4", "~~~"), PROOF, "last of 1 Lean blocks", id="tildes"),
        pytest.param(fenced(PROOF, "Lean 4"), PROOF, "last of 1 Lean blocks", id="another spelling"),
        pytest.param(fenced(PROOF, "lean4 title=x"), PROOF, "last of 1 Lean blocks", id="attributes"),
        pytest.param(fenced(PROOF, ""), PROOF, "last of 1 untagged blocks", id="untagged"),
        pytest.param(fenced("print(1)", "python"), "", "no Lean block among 1", id="another language"),
        pytest.param(
            f"{fenced(PROOF)}\n{fenced('x = 1', '')}",
            PROOF,
            "last of 1 Lean blocks",
            id="tagged before untagged",
        ),
        pytest.param(
            "1. proof\n   ```lean\n   theorem t : True := by\n     trivial\n   ```",
            PROOF,
            "last of 1 Lean blocks",
            id="inside a list",
        ),
        pytest.param(
            fenced(PROOF).replace("\n", "\r\n"), PROOF, "last of 1 Lean blocks", id="line ends of Windows"
        ),
        pytest.param(
            "```lean4\nby\n\texact h\n```", "by\n\texact h", "last of 1 Lean blocks", id="tabs are kept"
        ),
        pytest.param(
            "The proof:\n\n  intro h\n  exact h\n\nThis closes the goal.",
            "  intro h\n  exact h",
            "last tactic block, no fence",
            id="tactics between prose",
        ),
        pytest.param(
            f"Here it is.\n\n{PROOF}\n\nThis works because it is trivial.",
            PROOF,
            "from the first declaration, no fence",
            id="a file between prose",
        ),
        pytest.param("I cannot prove this theorem.", "", "no Lean found", id="prose alone"),
        pytest.param("", "", "no Lean found", id="nothing"),
    ],
)
def test_an_answer_is_read(answer: str, text: str, origin: str) -> None:
    reading = last_block(answer)
    assert (reading.text, reading.origin) == (text, origin)


def test_a_raw_completion_ends_at_the_closing_fence() -> None:
    assert until_fence("  simp\n  omega\n```\n\nNext").text == "  simp\n  omega"
    assert until_fence("  simp```").text == "  simp"
    assert until_fence("  simp").origin == "whole answer, no closing fence"


def test_a_block_inside_lean_stays_text() -> None:
    [block] = blocks("````lean4\n/-\n```lean4\nx\n```\n-/\n````")
    assert block.text == "/-\n```lean4\nx\n```\n-/"


def test_only_the_proof_of_a_block_goes_under_our_statement() -> None:
    changed = "import Lean\ntheorem probe : False := by\n  exact Nat.add_comm a b"
    read = read_answer(PROBLEMS[0], last_block(fenced(changed)).text)
    assert read.proof == " := by\n  exact Nat.add_comm a b\n"
    assert not read.helpers
