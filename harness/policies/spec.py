"""Settings of policies that are not trained here: behind model servers, or of Hugging Face in process."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from harness.spec import Spec


class ReachSpec(Spec):
    """Servers of one model, and how they are asked."""

    urls: tuple[str, ...] = Field(min_length=1)
    """Where they are, like http://127.0.0.1:8000; the key is read from MODEL_SERVER_API_KEY."""
    in_flight: int = Field(default=64, ge=1)
    """Requests at a time for each server."""
    timeout_s: float = Field(default=600.0, gt=0)
    """The longest honest answer, seconds."""
    wait_s: float = Field(default=60.0, ge=0)
    """How long a request is tried again while servers are down or have no room, seconds."""


class PromptedSpec(Spec):
    """A model that knows nothing of this harness: its name, and how it is asked."""

    model: str = Field(min_length=1)
    """Name that it is served under, or a folder, or a name on the hub."""
    revision: str | None = Field(default=None, min_length=1)
    """Commit of its weights, or any other name that changes with them: a model's name alone tells two
    weights apart from each other as little as a server does."""
    prompt: str
    """How it is asked: a family of `harness prompts`."""

    @field_validator("prompt")
    @classmethod
    def _known(cls, name: str) -> str:
        from harness.errors import SpecError
        from harness.prompts.registry import family

        try:
            return family(name).name
        except SpecError as error:
            raise ValueError(str(error).removeprefix("prompt: ")) from None


class ServerPolicySpec(PromptedSpec, ReachSpec):
    """A policy behind OpenAI-compatible servers."""

    kind: Literal["server"] = "server"
    """Asked over HTTP."""
    dialect: Literal["vllm", "sglang", "openai"] = "vllm"
    """What the servers are: only vLLM has beam search; plain OpenAI servers know neither top-k nor min-p."""


class TransformersPolicySpec(PromptedSpec):
    """Any causal model of Hugging Face in this process."""

    kind: Literal["transformers"] = "transformers"
    """Loaded into this process."""
    dtype: Literal["float64", "float32", "bfloat16", "float16"] = "float32"
    """Numbers that it computes with."""


PolicySpec = Annotated[ServerPolicySpec | TransformersPolicySpec, Field(discriminator="kind")]


def identity(spec: ServerPolicySpec | TransformersPolicySpec) -> dict[str, Any]:
    """What of a policy can change a record: its weights and how it is asked, never where it runs.

    Raises `UserError` for a name on the hub without a revision, and for a folder that holds no weights.
    """
    from harness.policies.weights import revision_of
    from harness.prompts.registry import family

    found: dict[str, Any] = {
        "kind": spec.kind,
        "model": spec.model,
        "revision": spec.revision,
        "prompt": spec.prompt,
        "prompt_digest": family(spec.prompt).digest,
    }
    if isinstance(spec, ServerPolicySpec):
        return found | {"dialect": spec.dialect}
    return found | {"revision": revision_of(spec.model, spec.revision), "dtype": spec.dtype}
