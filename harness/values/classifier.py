"""Any Hugging Face sequence classifier with one label, in this process, as a `Value`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from harness.errors import UserError
from harness.serving import bars
from harness.types import ProofState
from harness.values.kept import DIGITS, AskValue, Kept
from harness.values.reading import Reader

_ROWS_TOKENS = 16_384


class ClassifierValue:
    """V = sigmoid of the one logit, rounded to `DIGITS`. Computes in a worker thread, one call at a time."""

    def __init__(self, checkpoint: str, ask: AskValue, *, device: str = "cpu", threads: int = 2) -> None:
        """Raises `UserError` when `checkpoint` cannot be loaded or has another number of labels."""
        torch.set_num_threads(threads)
        bars.only_on_a_terminal()
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(checkpoint)
            model = AutoModelForSequenceClassification.from_pretrained(checkpoint, dtype=torch.float32)
        except (OSError, ValueError) as cause:
            reason = str(cause).strip().split("\n", 1)[0]
            raise UserError(f"value_model.checkpoint: {checkpoint!r} cannot be loaded: {reason}") from cause
        if model.config.num_labels != 1:
            raise UserError(
                f"value_model.checkpoint: {checkpoint!r} has {model.config.num_labels} labels, not 1"
            )
        self._model = model.to(device).eval()
        self._pad = model.config.pad_token_id if model.config.pad_token_id is not None else 0
        self._model.config.pad_token_id = self._pad
        self.reader = Reader(self._tokenizer, model.config.max_position_embeddings)
        self._ask, self._device, self._kept = ask, device, Kept()

    async def score(self, states: Sequence[ProofState]) -> list[float]:
        """V of each state, in order; a state beyond the context loses hypotheses (`Reader`)."""
        return await self._kept.scores([self._ask(state.goals) for state in states], self._scored)

    async def _scored(self, texts: list[str]) -> list[float]:
        return await asyncio.to_thread(self.score_texts, texts)

    def score_texts(self, texts: Sequence[str]) -> list[float]:
        """V of each text, in order."""
        ids = [self.reader.ids(text) for text in texts]
        values = [0.0] * len(texts)
        group: list[int] = []
        for place in sorted(range(len(ids)), key=lambda i: len(ids[i])):
            if group and (len(group) + 1) * len(ids[place]) > _ROWS_TOKENS:
                self._pass(group, ids, values)
                group = []
            group.append(place)
        self._pass(group, ids, values)
        return values

    @torch.inference_mode()
    def _pass(self, places: list[int], ids: list[list[int]], values: list[float]) -> None:
        width = max(len(ids[place]) for place in places)
        rows = [ids[place] + [self._pad] * (width - len(ids[place])) for place in places]
        mask = [[1] * len(ids[place]) + [0] * (width - len(ids[place])) for place in places]
        logits = self._model(
            input_ids=torch.tensor(rows, device=self._device),
            attention_mask=torch.tensor(mask, device=self._device),
        ).logits[:, 0]
        for place, value in zip(places, torch.sigmoid(logits.double()).tolist(), strict=True):
            values[place] = round(value, DIGITS)
