"""Kimina-Prover: problem in prose and formal statement for a reasoning model; the thinking is left out.

Source: model cards of AI-MO/Kimina-Prover-*-Distill and -Preview. The formal statement ends with `:= by`,
without `sorry`. A repair turn follows kimina_prover_demo/error_fix.py: the refused answer, then Lean's
messages as a user turn.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.lean.text.lexer import LineMap
from harness.prompts.extraction import Reading, last_block, lean_blocks
from harness.prompts.family import Advice, Family
from harness.prompts.files import opening
from harness.prompts.prompt import Message, Prompt, user
from harness.types import Fault, Problem, Turn

SYSTEM = "You are an expert in mathematics and Lean 4."
_CODE = ("theorem", "by", ":=", "import")


def _ask(problem: Problem) -> Prompt:
    text = (
        "Think about and solve the following problem step by step in Lean 4."
        f"\n# Problem:{problem.informal.strip()}"
        f"\n# Formal statement:\n```lean4\n{opening(problem)}\n```\n"
    )
    return Prompt(user(text, system=SYSTEM))


def _repair(problem: Problem, turns: Sequence[Turn]) -> Prompt:
    messages = list(_ask(problem).messages)
    for turn in turns:
        told = [_told(turn.code, fault) for fault in turn.faults]
        faults = "\n\n".join([*told, f"... {turn.more} more errors"] if turn.more else told)
        complaint = f"Here is the Lean 4 feedback on your proof:\n```\n{faults}\n```\nFix the proof."
        messages += [Message("assistant", turn.answer), Message("user", complaint)]
    return Prompt(tuple(messages))


def _told(code: str, fault: Fault) -> str:
    """A message, with its line (from 1) and column (from 0) in the proof where Lean named a place."""
    if fault.span is None:
        return fault.text
    line, column = LineMap(code).position(fault.span[0])
    return f"error at line {line}, column {column}: {fault.text}"


def _read(answer: str) -> Reading:
    """The last complete Lean block that looks like a declaration: reasoning quotes single tactics too."""
    found, note = lean_blocks(answer)
    whole = [text for text in found if any(word in text for word in _CODE)]
    if whole:
        return Reading(whole[-1], f"last of {len(whole)} Lean blocks with a declaration{note}")
    return last_block(answer)


FAMILIES = (
    Family(
        "kimina-prover",
        "model cards of AI-MO/Kimina-Prover-Preview-Distill-7B and AI-MO/Kimina-Prover-Distill-8B",
        proof=_ask,
        repair=_repair,
        read_proof=_read,
        advice=Advice(0.6, 0.95, 8096),
    ),
)
