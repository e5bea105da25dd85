"""Values that were computed before, by the text that the model read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from harness.errors import BadReply
from harness.serving.recent import Recent

AskValue = Callable[[Sequence[str]], str]
"""Open goals to the text that a value model reads."""
MOST = 100_000
"""Texts kept."""
DIGITS = 6
"""Decimals kept of a value computed here, so that a state's value does not depend on its batch."""


def values_of(told: list[float]) -> list[float]:
    """`told`. Raises `BadReply` for one outside [0, 1]: a model that diverged gives nan."""
    for value in told:
        if not 0.0 <= value <= 1.0:
            raise BadReply(f"a value of {value!r} is not between 0 and 1")
    return told


class Kept:
    """A cache in front of whatever computes values; equal texts are computed once."""

    def __init__(self) -> None:
        self._values: Recent[str, float] = Recent(MOST)

    async def scores(
        self, texts: Sequence[str], compute: Callable[[list[str]], Awaitable[list[float]]]
    ) -> list[float]:
        """The value of each text, in order; `compute` is asked for those that are new, each once.

        Raises `BadReply` for a value outside [0, 1]: no number is made up for it.
        """
        found = {text: self._values.get(text) for text in texts}
        owed = [text for text, kept in found.items() if kept is None]
        if owed:
            fresh = dict(zip(owed, values_of(await compute(owed)), strict=True))
            self._values.add(fresh)
            found |= fresh
        return [kept for text in texts if (kept := found[text]) is not None]
