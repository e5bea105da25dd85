"""The value model trained here, as a `Value`: a Llama with one logit, run in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from harness.policies import llama
from harness.prompts import embedded
from harness.types import ProofState

if TYPE_CHECKING:
    from tokenizers import Tokenizer

DIGITS = 6
"""Decimals kept of a value, so that a state's value does not depend on its batch."""

_TOKENS_PER_PASS = 8192


class LocalValue:
    """`Value` over a checkpoint that `trainers.value` wrote; cached by state text."""

    def __init__(self, model: llama.Llama, tokenizer: Tokenizer) -> None:
        """`model` has the classification head; see `load` for checkpoints."""
        self._model = model
        self._tokenizer = tokenizer
        self._values: dict[str, float] = {}

    @classmethod
    def load(cls, checkpoint: Path, *, threads: int, device: str = "cpu") -> LocalValue:
        """The checkpoint that `trainers.value` wrote; `threads` are torch's, of the whole process.

        Raises `UserError` when it is missing, incomplete or no value model.
        """
        torch.set_num_threads(threads)
        return cls(llama.load(checkpoint, "value", device), embedded.load_tokenizer(checkpoint))

    async def score(self, states: Sequence[ProofState]) -> list[float]:
        """V = sigmoid(logit) of each state, in order, rounded to `DIGITS`."""
        return self.score_texts([embedded.value_prompt(state.goals) for state in states])

    def score_texts(self, texts: Sequence[str]) -> list[float]:
        """V of each value prompt (see `harness.prompts.embedded.value_prompt`)."""
        owed = [text for text in dict.fromkeys(texts) if text not in self._values]
        ids = [self._encode(text) for text in owed]
        start = 0
        order = sorted(range(len(owed)), key=lambda place: len(ids[place]))
        while start < len(order):
            stop = start + 1
            while stop < len(order) and (stop + 1 - start) * len(ids[order[stop]]) <= _TOKENS_PER_PASS:
                stop += 1
            self._pass([owed[i] for i in order[start:stop]], [ids[i] for i in order[start:stop]])
            start = stop
        return [self._values[text] for text in texts]

    @torch.inference_mode()
    def _pass(self, texts: list[str], ids: list[list[int]]) -> None:
        with self._model.scope():
            logits = self._model.score(self._model.prefill(ids)[0])
        for text, value in zip(texts, torch.sigmoid(logits).tolist(), strict=True):
            self._values[text] = round(value, DIGITS)

    def _encode(self, text: str) -> list[int]:
        return embedded.encode(self._tokenizer, text, self._model.context)
