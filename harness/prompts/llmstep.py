"""llmstep: `[GOAL]state[PROOFSTEP]prefix` as plain text, without line breaks between the parts.

Source: python/train/data.py and python/server.py of wellecks/llmstep. What the model writes continues the
prefix, which is therefore part of the tactic.
"""

from __future__ import annotations

from harness.prompts.family import Advice, Family
from harness.prompts.prompt import Prompt, Situation


def _ask(situation: Situation) -> Prompt:
    return Prompt(text=f"[GOAL]{situation.state}[PROOFSTEP]{situation.prefix}", stop=("<|endoftext|>",))


FAMILIES = (
    Family(
        "llmstep",
        "wellecks/llmstep, python/train/data.py and python/server.py",
        tactic=_ask,
        advice=Advice(0.7, 1.0, 100),
    ),
)
