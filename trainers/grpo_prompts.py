"""What GRPO asks the generator to prove: the theorems of a difficulty band, and their prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.errors import UserError
from harness.experiment.spec import GrpoSpec
from harness.prompts import embedded
from harness.prompts.family import Family
from harness.protocols import Sessions
from harness.types import Problem

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def band(spec: GrpoSpec, problems: Sequence[Problem]) -> list[Problem]:
    """The problems of the spec's difficulties, ungraded ones too. Raises `UserError` when there is none."""
    found = [
        p
        for p in problems
        if p.difficulty is None or spec.min_difficulty <= p.difficulty <= spec.max_difficulty
    ]
    if not found:
        raise UserError(
            f"grpo.max_difficulty: no training theorem is graded {spec.min_difficulty} to"
            f" {spec.max_difficulty}; widen the band"
        )
    return found


Asked = str | list[dict[str, str]]
"""A row's prompt: text, which a chat template may take for a user's, or a conversation."""


def asked(family: Family, found: Sequence[Problem], made: Tokenizer, limit: int) -> list[Asked]:
    """The prompt of each problem as `family` asks for a whole proof.

    Raises `UserError` where one leaves no room for a proof: more than `limit` tokens.
    """
    assert family.proof is not None
    rows: list[Asked] = []
    for problem in found:
        prompt = family.proof(problem)
        words = [turn.content for turn in prompt.messages] or [prompt.text]
        length = sum(len(made.encode(text).ids) for text in words)
        if length > limit:
            raise UserError(
                f"grpo: the prompt of {problem.id} has {length} tokens and {limit} are there beside a proof; "
                "lower whole_proof.max_new_tokens, or take the theorem out"
            )
        alone = len(prompt.messages) == 1 and prompt.messages[0].role == "user"
        turns = [{"role": turn.role, "content": turn.content} for turn in prompt.messages]
        rows.append(words[0] if alone or not turns else turns)
    return rows


async def texts(sessions: Sessions, found: Sequence[Problem], made: Tokenizer, limit: int) -> list[str]:
    """The prompt of each problem, from its initial goal, shortened to `limit` tokens.

    Raises `InfraError` when the service fails to print an initial goal.
    """
    told: list[str] = []
    for problem in found:
        session = await sessions.open(problem)
        try:
            text = embedded.tactic_prompt((await session.start()).goals)
        finally:
            await session.close()
        told.append(made.decode(embedded.encode(made, text, limit), skip_special_tokens=False))
    return told
