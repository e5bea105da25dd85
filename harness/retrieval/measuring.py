"""Recall and MRR of a retriever on theorems whose tactics name their premises (LeanDojo's format)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import SpecError
from harness.retrieval.corpus import Corpus, Mask
from harness.retrieval.retriever import Retriever


@dataclass(frozen=True, slots=True)
class Query:
    """A state, what its proof used next, and what it may use."""

    state: str
    used: frozenset[int]
    """Places in the corpus; at least one."""
    mask: Mask


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over queries."""

    queries: int
    recall: Mapping[int, float]
    """k -> share of the premises used that are among the first k, as ReProver's evaluation has it."""
    mrr: float
    """Mean of 1 / place of the first premise that was used; 0 where none is among those retrieved."""


def queries(corpus: Corpus, rows: Iterable[Mapping[str, Any]]) -> list[Query]:
    """One query for each traced tactic that names a premise of the corpus.

    Raises `SpecError` for a theorem in a file that the corpus does not have.
    """
    found = []
    for row in rows:
        path, start = str(row["file_path"]), (int(row["start"][0]), int(row["start"][1]))
        if path not in corpus:
            raise SpecError(f"{row.get('full_name')}: {path} is no file of the corpus")
        mask = corpus.accessible(path, start)
        for step in row["traced_tactics"]:
            told = step["annotated_tactic"][1]
            places = [corpus.at(item["def_path"], tuple(item["def_pos"])) for item in told]
            used = frozenset(place for place in places if place is not None)
            if used:
                found.append(Query(step["state_before"], used, mask))
    return found


async def quality(retriever: Retriever, asked: Sequence[Query], ks: Sequence[int]) -> Quality:
    """Recall at each of `ks` and MRR among the first max(ks). Raises `SpecError` without a query."""
    if not asked:
        raise SpecError("no tactic there names a premise of the corpus")
    recall, reciprocal, most = dict.fromkeys(sorted(ks), 0.0), 0.0, max(ks)
    texts, masks = [query.state for query in asked], [query.mask for query in asked]
    for query, items in zip(asked, await retriever.nearest(texts, masks, most), strict=True):
        near = [item.number for item in items]
        for k in recall:
            recall[k] += len(query.used.intersection(near[:k])) / len(query.used) / len(asked)
        first = next((place for place, number in enumerate(near, 1) if number in query.used), None)
        reciprocal += 0.0 if first is None else 1 / first / len(asked)
    return Quality(len(asked), recall, reciprocal)
