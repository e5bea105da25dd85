"""InternLM2.5-StepProver: one user message of sections; the answer is the tactic.

Source: minif2f/proofsearch_internLM2.5-StepProver.py of InternLM/InternLM-Math, where the FILE section is
left out and the message goes through ChatML.
"""

from __future__ import annotations

from harness.prompts.family import Advice, Family
from harness.prompts.prompt import Prompt, Situation, user


def _ask(situation: Situation) -> Prompt:
    sections = (
        ("NAME", situation.theorem),
        ("PROOF_BEFORE", "\n".join(situation.before)),
        ("STATE_BEFORE", situation.state),
    )
    told = "".join(f"---\n{name}: {text}\n\n" for name, text in sections)
    return Prompt(user(f"{told}---\nTACTIC: {situation.prefix}"), stop=("<|im_end|>",))


FAMILIES = (
    Family(
        "internlm2.5-stepprover",
        "InternLM/InternLM-Math, minif2f/proofsearch_internLM2.5-StepProver.py",
        tactic=_ask,
        uses_history=True,
        advice=Advice(0.7, 1.0, 256),
    ),
)
