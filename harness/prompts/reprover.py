"""ReProver: the bare state, after the retrieved premises when there are any, for a byte-level model.

Source: generation/ and common.py of lean-dojo/ReProver. Premises stand before the state, separated by blank
lines, the most relevant last; as many as fit in 2,048 bytes with the state. `<a>` marks of names are taken
out of the answer.
"""

from __future__ import annotations

import re

from harness.prompts.extraction import Reading, plain
from harness.prompts.family import Advice, Family
from harness.prompts.prompt import Prompt, Situation

MOST_BYTES = 2048
_MARKS = re.compile(r"</?a>")


def _ask(situation: Situation) -> Prompt:
    room = MOST_BYTES - len(situation.state.encode())
    kept: list[str] = []
    for premise in situation.premises:
        size = len(premise.encode()) + 2
        if size <= room:  # a long one makes room for the next
            room -= size
            kept.insert(0, premise)
    return Prompt(text="\n\n".join([*kept, situation.state]))


def _read(answer: str) -> Reading:
    return Reading(_MARKS.sub("", plain(answer)).strip(), "whole answer")


FAMILIES = (
    Family(
        "reprover",
        "lean-dojo/ReProver, generation/ and common.py",
        tactic=_ask,
        read_tactic=_read,
        advice=Advice(1.0, 1.0, 512),
    ),
)
