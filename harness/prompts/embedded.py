"""The one text format between proof states and the generator made at run time.

prompt      the goal that tactics act on, as Lean prints it, without its `case` line, then `<sep>`
completion  the tactics that close this goal, one a line, then `<eos>`

A single tactic is the completion up to the first line break or `<eos>`; a whole proof is the completion of
the initial goal. So one model serves step-wise search and whole-proof sampling. The value model reads the
whole state instead, since the number of tactics left counts every goal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.prompts.extraction import Reading, first_line, plain
from harness.prompts.family import Advice, Family
from harness.prompts.prompt import Prompt, Situation
from harness.types import content_hash

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PAD, END, SEPARATOR = "<pad>", "<eos>", "<sep>"
SPECIAL_TOKENS = (PAD, END, SEPARATOR)
"""In the order of their ids in every vocabulary made here."""
PAD_ID, END_ID, SEPARATOR_ID = 0, 1, 2

FORMAT = content_hash(["first goal, no case line, <sep>, tactics one a line, <eos>", "state, <sep>", "1"])
"""Identifier of the format; part of every digest and of every checkpoint."""

_TURNSTILE = "⊢"


def tactic_prompt(goals: Sequence[str]) -> str:
    """Prompt of the generator for a state with these open goals (at least one)."""
    return without_case(goals[0]) + SEPARATOR


def value_prompt(goals: Sequence[str]) -> str:
    """Prompt of the value model for a state with these open goals (at least one)."""
    return "\n\n".join(without_case(goal) for goal in goals) + SEPARATOR


def completion(tactics: Sequence[str]) -> str:
    """Completion that spells `tactics`, without the end token."""
    return "\n".join(tactics)


def without_case(goal: str) -> str:
    """`goal` without its leading `case` line, which names how it arose and matters to no tactic."""
    if goal.startswith("case "):
        _, newline, rest = goal.partition("\n")
        return rest if newline else goal
    return goal


def fit(text: str, limit: int, count: Callable[[str], int]) -> str:
    """`text` (goals separated by blank lines) shortened to `limit` tokens as `count` counts them.

    What is dropped, in this order, until it fits: hypotheses of later goals, the last goal's first; oldest
    hypotheses of the first goal; later goals altogether, last first. The first goal's `⊢` part stays whole,
    or, when it alone is too long, its end does (`count` is then asked for ever shorter texts).
    """
    if count(text) <= limit:
        return text
    goals = [_split(goal) for goal in text.split("\n\n")]
    lengths = [[count(line + "\n") for line in hypotheses] for hypotheses, _ in goals]
    excess = count(text) - limit
    for place in reversed(range(len(goals))):
        while goals[place][0] and excess > 0:
            goals[place][0].pop(0)
            excess -= lengths[place].pop(0)
    # Token counts of parts need not add up to the count of the whole: the sum above only saves time.
    while len(goals) > 1 and count(_join(goals)) > limit:
        goals.pop()
    while goals[0][0] and count(_join(goals)) > limit:
        goals[0][0].pop(0)
    kept = _join(goals)
    while len(kept) > 1 and count(kept) > limit:
        kept = kept[max(1, len(kept) // 8) :]
    return kept


def load_tokenizer(checkpoint: Path) -> Tokenizer:
    """The tokenizer of a checkpoint folder."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(checkpoint / "tokenizer.json"))


def encode(tokenizer: Tokenizer, prompt: str, limit: int) -> list[int]:
    """Token ids of a prompt made above; shortened by `fit` when longer than `limit` (at least 2)."""
    ids: list[int] = tokenizer.encode(prompt).ids
    if len(ids) <= limit:
        return ids
    body = prompt.removesuffix(SEPARATOR)
    short = fit(body, limit - 1, lambda part: len(tokenizer.encode(part).ids))
    return list(tokenizer.encode(short + SEPARATOR).ids)[-limit:]


def _split(goal: str) -> tuple[list[str], str]:
    """Hypothesis lines and the `⊢` part (which Lean may break over several lines)."""
    head, turnstile, target = goal.rpartition(_TURNSTILE)
    return [line for line in head.split("\n") if line], turnstile + target


def _join(goals: Sequence[tuple[list[str], str]]) -> str:
    return "\n\n".join("\n".join([*hypotheses, target]) for hypotheses, target in goals)


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
