"""TheoremLlama: prose with its proof first, then the statement; the first Lean block of the answer counts.

Source: Prove_writer.py of RickySkywalker/TheoremLlama. The published runs show 14 drawn examples before the
question; they belong to the data, so none are shown here, and a run says so by its family.
"""

from __future__ import annotations

from harness.prompts.extraction import Reading, last_block, lean_blocks
from harness.prompts.family import Advice, Family
from harness.prompts.files import opening
from harness.prompts.prompt import Prompt, user
from harness.types import Problem

SYSTEM = (
    "You are a Lean4 expert who can write good Lean4 code based on natural language mathematical theorem "
    "and proof"
)


def _ask(problem: Problem) -> Prompt:
    text = (
        f"Natural language version of theorem and proof:\n{problem.theorem}\n{problem.informal.strip()}\n\n"
        f"### Lean4 version of theorem statement:\n```lean\n{opening(problem)} \n```\n\n"
        "### Lean4 version of theorem and proof:\n"
    )
    return Prompt(user(text, system=SYSTEM), stop=("<|reserved_special_token_26|>",))


def _read(answer: str) -> Reading:
    found, note = lean_blocks(answer)
    if found:
        return Reading(found[0], f"first of {len(found)} Lean blocks{note}")
    return last_block(answer)


FAMILIES = (
    Family(
        "theoremllama",
        "RickySkywalker/TheoremLlama, Prove_writer.py",
        proof=_ask,
        read_proof=_read,
        advice=Advice(0.9, 0.9, 1024),
    ),
)
