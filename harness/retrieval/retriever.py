"""The nearest accessible premises of a state, by exact inner products over vectors that are made once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.files import draft_of
from harness.retrieval.corpus import Corpus, Mask, Premise
from harness.retrieval.encoders import Encoder, ServedEncoder, Vectors
from harness.serving.recent import Recent
from harness.types import ProofState

KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Retrieved:
    """One premise."""

    premise: Premise
    number: int
    """Its place in the corpus."""
    score: float
    """Cosine of the angle between it and the state."""


class Retriever:
    """A corpus behind an encoder. `folder` keeps the vectors, by what they were made of."""

    def __init__(
        self, corpus: Corpus, encoder: Encoder, digest: str, *, k: int = 100, folder: Path | None = None
    ) -> None:
        """`digest`: of the corpus and of everything that decides a vector; `k`: premises for a state."""
        self.corpus, self._k = corpus, k
        self._encoder = encoder
        self._file = None if folder is None else folder / f"premises-{digest}.npy"
        self._vectors: Vectors | None = None
        self._found: Recent[str, tuple[str, ...]] = Recent(KEPT)
        self._making = asyncio.Lock()

    async def vectors(self) -> Vectors:
        """(premises, width): from the file where there is one, else made now and kept there."""
        if self._vectors is None:
            async with self._making:
                self._vectors = self._vectors if self._vectors is not None else self._stored()
                if self._vectors is None:
                    self._vectors = await self._encoder.encode([item.text for item in self.corpus.premises])
                    self._store(self._vectors)
        return self._vectors

    async def nearest(
        self, texts: Sequence[str], masks: Sequence[Mask], k: int
    ) -> list[tuple[Retrieved, ...]]:
        """For each text at most `k` premises of its mask, nearest first; of equal ones the first in the
        corpus."""
        if not texts:
            return []
        vectors, asked = await self.vectors(), await self._encoder.encode(texts)
        return [self._nearest(vectors @ row, mask, k) for row, mask in zip(asked, masks, strict=True)]

    def _nearest(self, scores: Vectors, mask: Mask, k: int) -> tuple[Retrieved, ...]:
        allowed = np.flatnonzero(mask)
        near = scores[allowed]
        if len(near) > k:  # everything at least as near as the k-th, so that ties do not depend on the search
            least = np.partition(near, len(near) - k)[len(near) - k]
            allowed = allowed[near >= least]
            near = scores[allowed]
        order = np.lexsort((allowed, -near))[:k]
        return tuple(
            Retrieved(self.corpus.premises[number], int(number), float(scores[number]))
            for number in allowed[order]
        )

    async def premises(self, states: Sequence[ProofState]) -> list[tuple[str, ...]]:
        """The texts of the nearest premises of each state, nearest first; none for one of unknown origin."""
        keys = [_key(state) for state in states]
        found = {key: self._found.get(key) for key in keys}
        owed = {
            key: state
            for key, state in zip(keys, states, strict=True)
            if found[key] is None and state.problem
        }
        masks = [self.corpus.accessible_to(state.problem) for state in owed.values() if state.problem]
        near = await self.nearest([state.text for state in owed.values()], masks, self._k)
        fresh = {
            key: tuple(item.premise.text for item in items) for key, items in zip(owed, near, strict=True)
        }
        self._found.add(fresh)
        found |= fresh
        return [found[key] or () for key in keys]

    async def close(self) -> None:
        """End the encoder's connections, where it has some; it stays usable."""
        if isinstance(self._encoder, ServedEncoder):
            await self._encoder.close()

    def _stored(self) -> Vectors | None:
        if self._file is None or not self._file.is_file():
            return None
        found: Vectors = np.load(self._file, mmap_mode="r", allow_pickle=False)
        return found if len(found) == len(self.corpus.premises) else None

    def _store(self, vectors: Vectors) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with draft_of(self._file) as draft, draft.open("wb") as stream:
            np.save(stream, vectors)


def _key(state: ProofState) -> str:
    whose = "" if state.problem is None else f"{state.problem.id}\n{state.problem.revision}"
    return f"{whose}\n{state.text}"
