"""Settings of value models that are not trained here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from harness.serving.reach import ReachSpec
from harness.serving.weights import UNKNOWN, revision_of
from harness.spec import Spec


class _Discounted(Spec):
    gamma: float | None = Field(default=None, gt=0, le=1)
    """The discount that it was trained with, for `value_scale: distance`."""


class ServerValueSpec(_Discounted, ReachSpec):
    """A sequence classifier with one label behind vLLM servers (`--runner pooling`)."""

    kind: Literal["server"] = "server"
    """Asked over HTTP (`/classify`)."""
    model: str = Field(min_length=1)
    """Name that it is served under."""
    revision: str | None = Field(default=None, min_length=1)
    """Commit of its weights, or any other name that changes with them; null: `unknown revision`."""
    prompt: Literal["embedded", "state"] = "state"
    """What it reads: the goals as they are printed, or as the value model that is made here reads them."""
    checkpoint: str | None = None
    """The folder that is served: at the start the served values of some states are compared with its own."""


class ClassifierValueSpec(_Discounted):
    """A sequence classifier with one label in this process."""

    kind: Literal["classifier"] = "classifier"
    """A classifier with one label, loaded into this process."""
    checkpoint: str
    """Its folder."""
    prompt: Literal["embedded", "state"] = "state"
    """What it reads: the goals as they are printed, or as the value model that is made here reads them."""


class StepsValueSpec(ReachSpec):
    """A language model that writes how many tactics are left, behind OpenAI-compatible servers."""

    kind: Literal["steps"] = "steps"
    """A model that writes how many tactics are left."""
    model: str = Field(min_length=1)
    """Name that it is served under."""
    revision: str | None = Field(default=None, min_length=1)
    """Commit of its weights, or any other name that changes with them; null: `unknown revision`."""
    template: str = "{state}\nSteps left: "
    """What it reads; `{state}` is where the state goes."""
    gamma: float = Field(default=0.95, gt=0, lt=1)
    """V = gamma to the power of the number written."""
    dialect: Literal["vllm", "sglang", "openai"] = "vllm"
    """What the servers are."""


ValueModelSpec = Annotated[
    ServerValueSpec | ClassifierValueSpec | StepsValueSpec, Field(discriminator="kind")
]


def identity(spec: ServerValueSpec | ClassifierValueSpec | StepsValueSpec) -> dict[str, Any]:
    """What of a value model can change a record: its weights and what it reads, never where it runs."""
    where = {"urls", "in_flight", "timeout_s", "wait_s", "checkpoint"}
    found = spec.model_dump(mode="json", exclude=where)
    if isinstance(spec, ClassifierValueSpec):
        return found | {"revision": revision_of(spec.checkpoint, None, "value_model")}
    if isinstance(spec, ServerValueSpec) and spec.checkpoint is not None:
        # The start makes sure that this is what is served.
        return found | {"revision": revision_of(spec.checkpoint, None, "value_model")}
    return found | {"revision": spec.revision or UNKNOWN}
