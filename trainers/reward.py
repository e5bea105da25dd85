"""What a verdict is worth to reinforcement learning."""

from __future__ import annotations

from harness.lean.text.answer import read_answer
from harness.lean.text.markdown import after_thinking, blocks, plain
from harness.types import Problem, Status, Verdict


def reward(verdict: Verdict) -> float | None:
    """PROVED 1.0; REJECTED and TIMEOUT 0.0; INFRA None, that is not scored: it teaches nothing either way."""
    match verdict.status:
        case Status.PROVED:
            return 1.0
        case Status.REJECTED | Status.TIMEOUT:
            return 0.0
        case Status.INFRA:
            return None


def shaped(verdict: Verdict, problem: Problem, text: str, format_penalty: float) -> float | None:
    """`reward`, less `format_penalty` (in [0, 1]) for a failure without any Lean that could be taken from it.

    Shaping only lowers failures, so none comes near a proof.
    """
    earned = reward(verdict)
    if earned != 0.0 or not format_penalty or has_lean(problem, text):
        return earned
    return -format_penalty


def has_lean(problem: Problem, text: str) -> bool:
    """Whether an answer holds something that could be a proof, as verdicts read it: after its thinking, in a
    Lean block where it has blocks."""
    answer, _ = after_thinking(plain(text))
    found = blocks(answer or "")
    if found and not any(block.is_lean or not block.tag for block in found):
        return False
    return bool(read_answer(problem, text).proof)
