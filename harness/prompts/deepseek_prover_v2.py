"""DeepSeek-Prover-V2: one user message through the chat template, with or without a request for a plan.

Source: README of deepseek-ai/DeepSeek-Prover-V2, section 5, and appendix A of the paper. The chain-of-thought
answer holds a skeleton with sorries before the final block, so the last block counts; it often has no header.
"""

from __future__ import annotations

from harness.prompts.family import Advice, Family
from harness.prompts.files import with_sorry
from harness.prompts.prompt import Prompt, user
from harness.types import Problem

PLAN = (
    "Before producing the Lean 4 code to formally prove the given theorem, provide a detailed proof plan "
    "outlining the main proof steps and strategies.\n"
    "The plan should highlight key ideas, intermediate lemmas, and proof structures that will guide the "
    "construction of the final formal proof."
)
_SOURCE = "deepseek-ai/DeepSeek-Prover-V2 README, section 5"


def request(file: str) -> str:
    """The part that both modes share; `file` ends as it is to stand before the closing fence."""
    return f"Complete the following Lean 4 code:\n\n```lean4\n{file}```"


def _non_cot(problem: Problem) -> Prompt:
    return Prompt(user(request(with_sorry(problem) + "\n")))


def _cot(problem: Problem) -> Prompt:
    return Prompt(user(request(with_sorry(problem) + "\n") + "\n\n" + PLAN))


COT = Family("deepseek-prover-v2", _SOURCE, proof=_cot, advice=Advice(max_tokens=8192))
NON_COT = Family("deepseek-prover-v2-non-cot", _SOURCE, proof=_non_cot, advice=Advice(max_tokens=8192))
FAMILIES = (COT, NON_COT)
