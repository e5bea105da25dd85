"""A prover that proves nothing: it hands over the answers that it was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.answers.columns import StatedAnswer
from harness.prompts.extraction import UNCLOSED, Reading, last_block, plain
from harness.types import Attempt, Problem, Usage


def read(answer: str) -> Reading:
    """The Lean of an answer, as of a model's: its last complete Lean block, or all of it where no fence is.

    Lean that is no block is left to the judge, who finds a proof between prose or after thinking himself; so
    is an answer with a single bare fence, which may end a continuation of the statement.
    """
    if "```" not in answer and "~~~" not in answer:
        return Reading(plain(answer), "")
    found = last_block(answer)
    return Reading(plain(answer), "") if found.origin.startswith(UNCLOSED) else found


class GivenAnswers:
    """Hands over each answer as an attempt; an answer that is missing is an attempt without a proof."""

    def __init__(
        self, answers: Mapping[tuple[str, int], StatedAnswer], reading: Callable[[str], Reading] = read
    ) -> None:
        """`answers` by problem id and sample number; `reading` takes the Lean out of one."""
        self._answers = answers
        self._reading = reading

    async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
        """The answer's Lean, with the answer itself where that is more."""
        given = self._answers.get((problem.id, index))
        if given is None:
            return Attempt(problem.id, index, seed, None)
        found = self._reading(given.text)
        return Attempt(
            problem.id,
            index,
            seed,
            found.text if found.text.strip() else None,
            raw=given.text if given.text != found.text else "",
            usage=Usage(given.prompt_tokens, given.completion_tokens, given.truncated),
            origin=found.origin,
        )
