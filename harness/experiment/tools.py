"""The models of a plan and a Lean, put together for provers and for suggestions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.experiment.adoption import located
from harness.experiment.plan import Model
from harness.experiment.resources import Resources
from harness.experiment.spec import ExperimentSpec
from harness.policies.opening import with_history
from harness.protocols import Policy, Sessions, Value
from harness.provers.prover import Tools
from harness.spec import SamplingSpec

if TYPE_CHECKING:
    from harness.lean.services.opening import LeanServices


def tools(
    spec: ExperimentSpec,
    generator: Model | None,
    value: Model | None,
    resources: Resources,
    lean: LeanServices,
    observe: Callable[..., None] | None = None,
) -> Tools:
    """What provers are built from. What `node.serving` has served is up already."""

    def policy(sampling: SamplingSpec) -> Policy:
        assert generator is not None
        if spec.policy is not None:
            return resources.outside.policy(spec, sampling, lean.sessions)
        return resources.policy(located(generator, resources.root), spec, sampling, lean.sessions)

    def guide() -> Value | None:
        if value is None:
            return None
        if spec.value_model is not None:
            return resources.outside.value(spec)
        return resources.value(value.folder(resources.root), spec)

    return Tools(sessions_for(spec, lean.sessions), policy, guide, spec.discount, lean.verifier, observe)


def sessions_for(spec: ExperimentSpec, sessions: Sessions) -> Sessions:
    """Sessions whose states tell what the experiment's prompts show."""
    retrieves = spec.policy is not None and spec.policy.retrieval is not None
    prompt = spec.generator.prompt if spec.policy is None else spec.policy.prompt
    return sessions if prompt is None else with_history(prompt, retrieves, sessions)
