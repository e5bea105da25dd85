"""DeepSeek-Prover-V1.5: plain text that ends inside an open code block; the answer runs to the first fence.

Source: prover/utils.py and configs/sampling.py of deepseek-ai/DeepSeek-Prover-V1.5. No chat template.
"""

from __future__ import annotations

from harness.prompts.extraction import until_fence
from harness.prompts.family import Advice, Family
from harness.prompts.files import opening
from harness.prompts.prompt import Prompt
from harness.types import Problem

_SOURCE = "deepseek-ai/DeepSeek-Prover-V1.5, prover/utils.py"
_ADVICE = Advice(1.0, 0.95, 2048)


def non_cot(problem: Problem) -> Prompt:
    """The direct prompt, which STP shares."""
    return _ask("Complete the following Lean 4 code:", problem)


def _cot(problem: Problem) -> Prompt:
    first = "Complete the following Lean 4 code with explanatory comments preceding each line of code:"
    return _ask(first, problem)


def _ask(first: str, problem: Problem) -> Prompt:
    return Prompt(text=f"{first}\n\n```lean4\n{opening(problem)}\n", stop=("```",))


FAMILIES = (
    Family("deepseek-prover-v1.5", _SOURCE, proof=non_cot, read_proof=until_fence, advice=_ADVICE),
    Family("deepseek-prover-v1.5-cot", _SOURCE, proof=_cot, read_proof=until_fence, advice=_ADVICE),
)
