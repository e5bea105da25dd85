"""The generator that is made at run time, as a family: so that a server can run it too.

The format is that of `harness.prompts.embedded`: the first goal, `<sep>`, then tactics one a line.
"""

from __future__ import annotations

from harness.prompts.embedded import SEPARATOR, tactic_prompt
from harness.prompts.extraction import Reading, first_line, plain
from harness.prompts.family import Advice, Family
from harness.prompts.prompt import Prompt, Situation


def _tactic(situation: Situation) -> Prompt:
    return Prompt(text=tactic_prompt(situation.goals) + situation.prefix, stop=("\n",))


def _proof(situation: Situation) -> Prompt:
    return Prompt(text=tactic_prompt(situation.goals))


def _read(answer: str) -> Reading:
    return Reading(plain(answer).strip("\n"), "whole answer")


FAMILIES = (
    Family(
        "embedded",
        f"the first goal, {SEPARATOR}, tactics one a line",
        proof_at=_proof,
        tactic=_tactic,
        read_proof=_read,
        read_tactic=first_line,
        advice=Advice(1.0, 1.0, 64),
    ),
)
