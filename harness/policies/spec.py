"""Settings of policies that are not trained here: behind model servers, or of Hugging Face in process."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from harness.retrieval.spec import RetrievalSpec
from harness.serving.reach import ReachSpec
from harness.spec import Spec


def known_family(name: str) -> str:
    """The name, for a validator of settings. Raises ValueError for a family that there is not."""
    from harness.errors import SpecError
    from harness.prompts.registry import family

    try:
        return family(name).name
    except SpecError as error:
        raise ValueError(str(error).removeprefix("prompt: ")) from None


class PromptedSpec(Spec):
    """A model that knows nothing of this harness: its name, and how it is asked."""

    _neutral: ClassVar[dict[str, Any]] = {"retrieval": None}

    model: str = Field(min_length=1)
    """Name that it is served under, or a folder, or a name on the hub."""
    revision: str | None = Field(default=None, min_length=1)
    """Which weights. Of a name on the hub: its commit, or a branch or tag, which stands for the commit in the
    local cache, else on the hub (null: the default branch); the commit is what counts and is loaded. Of a
    served model: the commit or another name that changes with the weights (of a folder its `sha256:...`);
    null: runs say `unknown revision` and boards mark them. A folder is known by its content."""
    prompt: str
    """How it is asked: a family of `harness prompts`."""

    retrieval: RetrievalSpec | None = None
    """Premises that stand before a state, for families that show them (`reprover`); null: none."""

    @field_validator("prompt")
    @classmethod
    def _known(cls, name: str) -> str:
        return known_family(name)

    @model_validator(mode="after")
    def _shows_what_is_retrieved(self) -> PromptedSpec:
        from harness.prompts.registry import family

        if self.retrieval is not None and not family(self.prompt).shows_premises:
            raise ValueError(f"retrieval: {self.prompt} shows no premises; leave it out, or use reprover")
        return self


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

    Raises `UserError` for a name on the hub whose commit nobody tells, and for a folder without weights.
    """
    from harness.prompts.registry import family
    from harness.serving.weights import UNKNOWN, revision_of

    found: dict[str, Any] = {
        "kind": spec.kind,
        "model": spec.model,
        "revision": spec.revision or UNKNOWN,
        "prompt": spec.prompt,
        "prompt_digest": family(spec.prompt).digest,
    }
    if spec.retrieval is not None:
        from harness.retrieval.opening import identity as retrieved

        found["retrieval"] = retrieved(spec.retrieval)
    if isinstance(spec, ServerPolicySpec):
        return found | {"dialect": spec.dialect}
    return found | {"revision": revision_of(spec.model, spec.revision), "dtype": spec.dtype}
