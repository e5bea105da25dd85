"""Goedel-Prover-V2: the plan request of DeepSeek-Prover-V2, and repair turns that show Lean's messages.

Source: src/utils.py and src/inference.py of Goedel-LM/Goedel-Prover-V2. The closing fence of the request
stands directly behind `sorry`. A repair turn quotes at most eight errors, each with the code around it and
the place of the error between `<error>` marks; of a place of many lines the middle is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.prompts.deepseek_prover_v2 import PLAN, request
from harness.prompts.family import Advice, Family
from harness.prompts.files import with_sorry
from harness.prompts.prompt import Message, Prompt, user
from harness.types import Fault, Problem, Turn

MOST_FAULTS = 8
_LINES_AROUND = 4
_LINES_OF_PLACE = 12


def _ask(problem: Problem) -> Prompt:
    return Prompt(user(request(with_sorry(problem)) + "\n\n" + PLAN))


def _repair(problem: Problem, turns: Sequence[Turn]) -> Prompt:
    messages = list(_ask(problem).messages)
    for number, turn in enumerate(turns, start=1):
        messages += [Message("assistant", turn.answer), Message("user", _complaint(number, turn))]
    return Prompt(tuple(messages))


def _complaint(number: int, turn: Turn) -> str:
    quoted = "\n".join(
        f"Error {place}:\n{_quoted(turn.code, fault)}Error Message: {fault.text}\n"
        for place, fault in enumerate(turn.faults[:MOST_FAULTS], start=1)
    )
    left = max(len(turn.faults) - MOST_FAULTS, 0) + turn.more
    more = f"\n... {left} more errors\n" if left > 0 else ""
    return (
        f"The proof (Round {number}) is not correct. Following is the compilation error message, where we "
        f"use <error></error> to signal the position of the error.\n\n{quoted}{more}\n"
        "Before producing the Lean 4 code to formally prove the given theorem, provide a detailed analysis "
        "of the error message."
    )


def _quoted(code: str, fault: Fault) -> str:
    """The lines around the fault with the place marked; empty when Lean named no place."""
    if fault.span is None:
        return ""
    start, end = fault.span
    marked = f"{code[:start]}<error>{code[start:end]}</error>{code[end:]}".split("\n")
    first = code.count("\n", 0, start)
    last = code.count("\n", 0, end)
    if last - first > _LINES_OF_PLACE:
        half = _LINES_OF_PLACE // 2
        marked[first + half : last - half + 1] = ["  ..."]
        last = first + 2 * half
    lines = marked[max(0, first - _LINES_AROUND) : last + _LINES_AROUND + 1]
    return "Corresponding Code:\n```lean4\n" + "\n".join(lines) + "\n```\n"


FAMILIES = (
    Family(
        "goedel-prover-v2",
        "Goedel-LM/Goedel-Prover-V2, src/utils.py",
        proof=_ask,
        repair=_repair,
        advice=Advice(1.0, 0.95, 32768),
    ),
)
