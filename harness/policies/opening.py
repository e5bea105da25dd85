"""From a policy's settings to the policy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from harness.policies.engine import Engine
from harness.policies.history import ToldSessions
from harness.policies.prompted import Decodings, PromptedPolicy
from harness.policies.spec import ServerPolicySpec, TransformersPolicySpec
from harness.prompts.registry import family
from harness.protocols import Policy, Sessions


@dataclass(frozen=True, slots=True)
class Place:
    """Where models in this process compute."""

    device: str = "cpu"
    threads: int = 2


@dataclass(frozen=True, slots=True)
class OpenPolicy:
    """A policy, and what belongs to it."""

    policy: Policy
    overlaps: bool
    """Its calls overlap and are merged behind it; else one call computes at a time, and batches pay."""
    close: Callable[[], Awaitable[None]]
    """Ends its connections; the policy stays usable."""


def open_policy(
    spec: ServerPolicySpec | TransformersPolicySpec, how: Decodings, sessions: Sessions | None, place: Place
) -> OpenPolicy:
    """The policy of `spec`. Models are loaded here, servers are asked when the first question comes.

    Raises `UserError` for a model that cannot be loaded and for what is no URL.
    """
    asked = family(spec.prompt)
    if isinstance(spec, TransformersPolicySpec):
        policy = PromptedPolicy(_in_process(spec, place), asked, how, sessions)
        return OpenPolicy(policy, False, _nothing)
    from harness.policies.openai import ServedModel, ServedName
    from harness.serving.fleet import Patience
    from harness.serving.models import fleet

    servers = fleet(spec.urls, "policy.urls", spec.in_flight, spec.timeout_s, Patience(spec.wait_s))
    engine = ServedModel(servers, ServedName(spec.model, spec.dialect))
    return OpenPolicy(PromptedPolicy(engine, asked, how, sessions), True, engine.close)


def told(spec: ServerPolicySpec | TransformersPolicySpec, sessions: Sessions) -> Sessions:
    """Sessions for searches with this policy: states say how they were reached where prompts show it."""
    return ToldSessions(sessions) if family(spec.prompt).uses_history else sessions


def _in_process(spec: TransformersPolicySpec, place: Place) -> Engine:
    from harness.policies.causal_lm import CausalModel, Placement

    return CausalModel(
        spec.model, spec.revision, placement=Placement(place.device, spec.dtype, place.threads)
    )


async def _nothing() -> None:
    """Nothing to close."""
