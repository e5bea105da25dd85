"""BFS-Prover (V1 and V2): `{state}:::` as plain text; the answer is the tactic, sometimes after an echo.

Source: model cards of bytedance-research/BFS-Prover-V1-7B and -V2-7B.
"""

from __future__ import annotations

from harness.prompts.extraction import Reading, plain
from harness.prompts.family import Advice, Family
from harness.prompts.prompt import Prompt, Situation

_MARK = ":::"


def _ask(situation: Situation) -> Prompt:
    return Prompt(text=f"{situation.state}{_MARK}{situation.prefix}")


def _read(answer: str) -> Reading:
    text = plain(answer)
    if _MARK in text:
        return Reading(text.rpartition(_MARK)[2].strip(), f"after the last {_MARK}")
    return Reading(text.strip(), "whole answer")


FAMILIES = (
    Family(
        "bfs-prover",
        "model cards of bytedance-research/BFS-Prover-V1-7B and BFS-Prover-V2-7B",
        tactic=_ask,
        read_tactic=_read,
        advice=Advice(1.0, 1.0, 256),
    ),
)
