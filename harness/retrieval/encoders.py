"""What turns texts into vectors: words and symbols counted here, a model in this process, or one served."""

from __future__ import annotations

import asyncio
import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from harness import extras
from harness.errors import BadReply, UserError
from harness.serving import bars

if TYPE_CHECKING:
    from harness.serving.fleet import Fleet

Vectors = np.ndarray[Any, np.dtype[np.float32]]
"""(texts, width), every row of length 1 (or 0 where a text says nothing)."""
_WORDS = re.compile(r"[^\W\d_][\w'!?]*|\d+|[^\w\s]")
_AT_ONCE = 64


class Encoder(Protocol):
    """The same text gives the same vector."""

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """One row for each text. Raises `InfraError` when the machine is at fault."""
        ...


class LexicalEncoder:
    """Words and symbols, weighed by how rare they are among the premises (tf-idf), in hashed dimensions.

    A name counts as a whole and by its parts, so that `Nat.add_comm` is near a goal with `+` only through
    what its statement says. Nothing is trained.
    """

    def __init__(self, premises: Sequence[str], width: int = 2048) -> None:
        self._width = width
        seen = Counter(word for text in premises for word in set(words(text)))
        self._rarity = {word: math.log((1 + len(premises)) / (1 + count)) for word, count in seen.items()}
        self._unseen = math.log(1 + len(premises))

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """As the protocol says."""
        found = np.zeros((len(texts), self._width), dtype=np.float32)
        for row, text in zip(found, texts, strict=True):
            for word, count in Counter(words(text)).items():
                number = zlib.crc32(word.encode())
                weight = (1 + math.log(count)) * self._rarity.get(word, self._unseen)
                row[number % self._width] += weight if number >> 31 else -weight
        return unit(found)


def words(text: str) -> list[str]:
    """Names, their parts, numbers and symbols of a Lean text; `<a>` marks are none."""
    found = []
    for word in _WORDS.findall(text.replace("<a>", " ").replace("</a>", " ")):
        found.append(word)
        if "_" in word:
            found += [part for part in word.split("_") if part]
    return found


class TransformersEncoder:
    """An encoder of Hugging Face in this process: the mean over a text's tokens, as ReProver takes it."""

    def __init__(
        self, model: str, revision: str | None, device: str = "cpu", most_tokens: int = 2048
    ) -> None:
        """Raises `UserError` when `model` cannot be loaded, `MissingExtra` without transformers."""
        extras.need("local")
        import torch
        from transformers import AutoModelForTextEncoding, AutoTokenizer

        bars.only_on_a_terminal()
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(model, revision=revision)
            loaded = AutoModelForTextEncoding.from_pretrained(model, revision=revision, dtype=torch.float32)
        except (OSError, ValueError) as cause:
            reason = str(cause).strip().split("\n", 1)[0]
            raise UserError(f"policy.retrieval.encoder: {model!r} cannot be loaded: {reason}") from cause
        self._model, self._device = loaded.to(device).eval(), device
        context = getattr(loaded.config, "max_position_embeddings", None) or most_tokens
        self._most = min(most_tokens, context)

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """As the protocol says; a text that is too long loses its end."""
        return await asyncio.to_thread(self._encode, list(texts))

    def _encode(self, texts: list[str]) -> Vectors:
        import torch

        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        rows: list[Any] = [None] * len(texts)
        for first in range(0, len(order), _AT_ONCE):
            places = order[first : first + _AT_ONCE]
            batch = self._tokenizer(
                [texts[place] for place in places],
                padding=True, truncation=True, max_length=self._most, return_tensors="pt",
            ).to(self._device)  # fmt: skip
            with torch.inference_mode():
                hidden = self._model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(2)
            means = (hidden * mask).sum(1) / mask.sum(1)
            for place, row in zip(places, means.float().cpu().numpy(), strict=True):
                rows[place] = row
        return unit(np.array(rows, dtype=np.float32))


class ServedEncoder:
    """An encoder behind vLLM (`--runner pooling`) or another server with `/v1/embeddings`."""

    def __init__(self, fleet: Fleet, model: str) -> None:
        self._fleet, self._model = fleet, model

    async def encode(self, texts: Sequence[str]) -> Vectors:
        """As the protocol says; a text that is too long is shortened by the server."""
        parts = [list(texts[first : first + _AT_ONCE]) for first in range(0, len(texts), _AT_ONCE)]
        return np.concatenate(await asyncio.gather(*map(self._asked, parts)))

    async def close(self) -> None:
        """End the connections."""
        await self._fleet.close()

    async def _asked(self, texts: list[str]) -> Vectors:
        body = {"model": self._model, "input": texts, "truncate_prompt_tokens": -1}
        answer = await self._fleet.post("/v1/embeddings", body)
        try:
            data = sorted(answer["data"], key=lambda item: item["index"])  # type: ignore[index]
            found = np.array([item["embedding"] for item in data], dtype=np.float32)
        except (KeyError, TypeError, ValueError) as cause:
            raise BadReply(f"/v1/embeddings answers nothing that can be read: {cause!r}") from cause
        if found.ndim != 2 or len(found) != len(texts) or not np.isfinite(found).all():
            raise BadReply(f"/v1/embeddings answered {len(texts)} texts with an array of {found.shape}")
        return unit(found)


def unit(rows: Vectors) -> Vectors:
    """Rows of length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths == 0, 1, lengths)).astype(np.float32)
