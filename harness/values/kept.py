"""Values that were computed before, by the text that the model read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from harness.errors import BadReply

AskValue = Callable[[Sequence[str]], str]
"""Open goals to the text that a value model reads."""
MOST = 100_000
"""Texts kept; the oldest go first."""


class Kept:
    """A cache in front of whatever computes values; equal texts are computed once."""

    def __init__(self) -> None:
        self._values: OrderedDict[str, float] = OrderedDict()

    async def scores(
        self, texts: Sequence[str], compute: Callable[[list[str]], Awaitable[list[float]]]
    ) -> list[float]:
        """The value of each text, in order; `compute` is asked for those that are new, each once.

        Raises `BadReply` for a value outside [0, 1]: no number is made up for it.
        """
        known = {text: self._values[text] for text in texts if text in self._values}
        owed = [text for text in dict.fromkeys(texts) if text not in known]
        if owed:
            fresh = dict(zip(owed, await compute(owed), strict=True))
            for value in fresh.values():
                if not 0.0 <= value <= 1.0:
                    raise BadReply(f"a value of {value!r} is not between 0 and 1")
            known |= fresh
            self._values |= fresh
            while len(self._values) > MOST:
                self._values.popitem(last=False)
        return [known[text] for text in texts]
