"""From settings to a retriever."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.nested import digest
from harness.paths import expanded, local_data
from harness.retrieval.corpus import Corpus
from harness.retrieval.encoders import Encoder, LexicalEncoder, ServedEncoder, TransformersEncoder
from harness.retrieval.retriever import Retriever
from harness.retrieval.spec import (
    LexicalEncoderSpec,
    RetrievalSpec,
    ServerEncoderSpec,
    TransformersEncoderSpec,
    encoder_identity,
)
from harness.serving.fleet import Patience
from harness.serving.models import fleet
from harness.serving.weights import to_load

FORMAT = 1
"""Counted up when the same text gets another vector."""


def identity(spec: RetrievalSpec) -> dict[str, Any]:
    """What of the settings can change a record. Raises `UserError` where the corpus cannot be read."""
    corpus = _corpus(spec.corpus)
    encoder = encoder_identity(spec.encoder)
    return {"corpus": corpus.digest, "k": spec.k, "encoder": encoder, "format": FORMAT}


def open_retriever(spec: RetrievalSpec, device: str = "cpu") -> Retriever:
    """The retriever of `spec`; its vectors are kept beside the fetched benchmarks.

    Raises `UserError` for what cannot be read or loaded.
    """
    told = identity(spec)
    del told["k"]
    corpus = _corpus(spec.corpus)
    encoder = _encoder(spec.encoder, corpus, device)
    return Retriever(corpus, encoder, digest(told), k=spec.k, folder=local_data() / "premises")


def _encoder(
    spec: LexicalEncoderSpec | TransformersEncoderSpec | ServerEncoderSpec, corpus: Corpus, device: str
) -> Encoder:
    if isinstance(spec, LexicalEncoderSpec):
        return LexicalEncoder([premise.text for premise in corpus.premises])
    if isinstance(spec, TransformersEncoderSpec):
        commit = to_load(spec.model, spec.revision)
        return TransformersEncoder(spec.model, commit, device, spec.most_tokens)
    servers = fleet(
        spec.urls, "policy.retrieval.encoder.urls", spec.in_flight, spec.timeout_s, Patience(spec.wait_s)
    )
    return ServedEncoder(servers, spec.model)


def _corpus(path: str) -> Corpus:
    file = expanded(path)
    try:
        status = file.stat()
    except OSError as cause:
        raise UserError(
            f"policy.retrieval.corpus: {path}: {cause.strerror}; "
            "`harness premises core --write DIR` makes one"
        ) from None
    return _read(file, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=2)
def _read(file: Path, _size: int, _changed: int) -> Corpus:
    return Corpus.read(file)
