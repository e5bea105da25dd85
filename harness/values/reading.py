"""What a classifier of Hugging Face reads of a state: in training, in this process and behind a server."""

from __future__ import annotations

from typing import Any

from harness.prompts import embedded
from harness.types import content_hash

STATE_FORMAT = content_hash(["all goals as printed, blank lines between", "special tokens added", "1"])
"""Identifier of the format that value models of foreign backbones read, as `embedded.FORMAT` is."""


class Reader:
    """Cuts texts to a model's context, at their hypotheses and never at the goal.

    Servers cut token lists from the left, which takes the token that begins every text too.
    """

    def __init__(self, tokenizer: Any, limit: int) -> None:
        """`tokenizer` is transformers'; `limit` counts the tokens that it adds by itself."""
        self._tokenizer = tokenizer
        self.limit = min(limit, int(tokenizer.model_max_length))

    def fitted(self, text: str) -> str:
        """The text, shortened by `embedded.fit` where it is longer than the limit."""
        if self._count(text) <= self.limit:
            return text
        end = embedded.SEPARATOR if text.endswith(embedded.SEPARATOR) else ""
        body = text.removesuffix(end)
        return embedded.fit(body, self.limit, lambda part: self._count(part + end)) + end

    def ids(self, text: str) -> list[int]:
        """Token ids as vLLM makes them: with what the tokenizer puts around a text."""
        return self._ids(self.fitted(text))[: self.limit]

    def _count(self, text: str) -> int:
        return len(self._ids(text))

    def _ids(self, text: str) -> list[int]:
        # Not verbose: it would warn of texts beyond the limit, which are only counted here.
        found: list[int] = self._tokenizer(text, verbose=False).input_ids
        return found
