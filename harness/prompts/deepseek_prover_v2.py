"""DeepSeek-Prover-V2: one user message through the chat template, with or without a request for a plan.

Source: README of deepseek-ai/DeepSeek-Prover-V2, section 5, and appendix A of the paper. The chain-of-thought
answer holds a skeleton with sorries before the final block, so the last block counts; it often has no header.

Tactics are this project's own use of it: the answer without a plan, begun with the file and the tactics so
far, of which the next line is taken, much as DeepSeek-Prover-V1.5's tree search truncates and resumes.
"""

from __future__ import annotations

from harness.prompts.extraction import Reading
from harness.prompts.family import Advice, Family
from harness.prompts.files import with_sorry
from harness.prompts.prompt import Message, Prompt, Situation, user
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


def _resumed(asked: Situation) -> Prompt:
    lines = [line for tactic in asked.before for line in tactic.split("\n")]
    begun = "".join(f"  {line}\n" for line in lines) + (f"  {asked.prefix}" if asked.prefix else "")
    answer = Message("assistant", f"```lean4\n{asked.file}\n{begun}")
    return Prompt((*user(request(asked.file + "\n  sorry\n")), answer), stop=("\n",))


def _line(answer: str) -> Reading:
    text = answer.strip()
    return Reading("", "the answer ends here") if text.startswith("```") else Reading(text, "the next line")


COT = Family("deepseek-prover-v2", _SOURCE, proof=_cot, advice=Advice(max_tokens=8192))
NON_COT = Family("deepseek-prover-v2-non-cot", _SOURCE, proof=_non_cot, advice=Advice(max_tokens=8192))
RESUMED = Family(
    "deepseek-prover-v2-resumed",
    f"{_SOURCE}; the answer gone on with line by line is this project's own",
    proof=_non_cot,
    tactic=_resumed,
    read_tactic=_line,
    uses_history=True,
    advice=Advice(max_tokens=8192),
)
FAMILIES = (COT, NON_COT, RESUMED)
