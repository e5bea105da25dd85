"""The value model trained here, as a `Value`: a Llama with one logit, run in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from harness.policies import llama
from harness.prompts import embedded
from harness.serving.recent import Recent
from harness.types import ProofState
from harness.values.kept import DIGITS, MOST, values_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class LocalValue:
    """`Value` over a checkpoint that `trainers.value` wrote; computes in a worker thread, one call at a time.

    Values are remembered by state text.
    """

    def __init__(self, model: llama.Llama, tokenizer: Tokenizer) -> None:
        """`model` has the classification head; see `load` for checkpoints."""
        self._model = model
        self._tokenizer = tokenizer
        self._values: Recent[str, float] = Recent(MOST)

    @classmethod
    def load(cls, checkpoint: Path, *, threads: int, device: str = "cpu") -> LocalValue:
        """The checkpoint that `trainers.value` wrote; `threads` are torch's, of the whole process.

        Raises `UserError` when it is missing, incomplete or no value model.
        """
        torch.set_num_threads(threads)
        return cls(llama.load(checkpoint, "value", device), embedded.load_tokenizer(checkpoint))

    async def score(self, states: Sequence[ProofState]) -> list[float]:
        """V = sigmoid(logit) of each state, in order, rounded to `DIGITS`. Raises `BadReply` for nan."""
        return await asyncio.to_thread(
            self.score_texts, [embedded.value_prompt(state.goals) for state in states]
        )

    def score_texts(self, texts: Sequence[str]) -> list[float]:
        """V of each value prompt (see `harness.prompts.embedded.value_prompt`)."""
        found = {text: self._values.get(text) for text in texts}
        owed = [text for text, kept in found.items() if kept is None]
        ids = [self._encode(text) for text in owed]
        fresh = dict(zip(owed, self._pass(ids), strict=True)) if owed else {}
        self._values.add(fresh)
        found |= fresh
        return [kept for text in texts if (kept := found[text]) is not None]

    @torch.inference_mode()
    def _pass(self, ids: list[list[int]]) -> list[float]:
        with self._model.scope():
            logits = self._model.score(self._model.read(ids))
        return values_of([round(value, DIGITS) for value in torch.sigmoid(logits).tolist()])

    def _encode(self, text: str) -> list[int]:
        return embedded.encode(self._tokenizer, text, self._model.context)
