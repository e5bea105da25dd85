"""Settings of premise retrieval."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from harness.serving.reach import WHERE, ReachSpec
from harness.serving.weights import UNKNOWN, revision_of
from harness.spec import Spec


class LexicalEncoderSpec(Spec):
    """Words and symbols, weighed by their rarity; nothing is trained and nothing has to be installed."""

    kind: Literal["lexical"] = "lexical"
    """Words and symbols counted."""


class TransformersEncoderSpec(Spec):
    """An encoder of Hugging Face in this process, such as ReProver's retriever."""

    kind: Literal["transformers"] = "transformers"
    """Loaded into this process."""
    model: str = Field(min_length=1)
    """A folder, or a name on the hub."""
    revision: str | None = Field(default=None, min_length=1)
    """Of a name on the hub: its commit, or a branch or tag that stands for one, as `policy.revision`."""
    most_tokens: int = Field(default=2048, ge=1)
    """Tokens of a text that are read."""


class ServerEncoderSpec(ReachSpec):
    """An encoder behind vLLM servers (`--runner pooling`), asked at /v1/embeddings."""

    kind: Literal["server"] = "server"
    """Asked over HTTP."""
    model: str = Field(min_length=1)
    """Name that it is served under."""
    revision: str | None = Field(default=None, min_length=1)
    """Commit of its weights, or any other name that changes with them; null: `unknown revision`."""


EncoderSpec = Annotated[
    LexicalEncoderSpec | TransformersEncoderSpec | ServerEncoderSpec, Field(discriminator="kind")
]


class RetrievalSpec(Spec):
    """Which premises stand before a state; for prompt families that show them."""

    corpus: str = Field(min_length=1)
    """A `corpus.jsonl` of LeanDojo; `harness premises core --write DIR` makes the embedded core's."""
    k: int = Field(default=100, ge=1)
    """Premises retrieved; of them as many stand in the prompt as its family has room for."""
    encoder: EncoderSpec = LexicalEncoderSpec()
    """What turns states and premises into vectors."""


def encoder_identity(
    spec: LexicalEncoderSpec | TransformersEncoderSpec | ServerEncoderSpec,
) -> dict[str, Any]:
    """What of an encoder decides its vectors, never where it runs.

    Raises `UserError` for a name on the hub whose commit nobody tells.
    """
    found = spec.model_dump(mode="json", exclude=set(WHERE))
    if isinstance(spec, TransformersEncoderSpec):
        found["revision"] = revision_of(spec.model, spec.revision, "policy.retrieval.encoder")
    if isinstance(spec, ServerEncoderSpec):
        found["revision"] = spec.revision or UNKNOWN
    return found
