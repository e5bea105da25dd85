"""The models of a plan and a Lean, put together for provers and for suggestions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.experiment.plan import Model
from harness.experiment.resources import Resources
from harness.experiment.spec import ExperimentSpec
from harness.policies.opening import with_history
from harness.protocols import Policy, Value
from harness.provers.prover import Tools
from harness.serving.batched import BatchedPolicy, BatchedValue
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
    """What provers are built from; models that compute in this process are asked in batches."""

    def policy(sampling: SamplingSpec) -> Policy:
        assert generator is not None
        if spec.policy is not None:
            return resources.outside.policy(spec, sampling, lean.sessions)
        return BatchedPolicy(
            resources.policy(generator.folder(resources.root), spec, sampling, lean.sessions)
        )

    def guide() -> Value | None:
        if value is None:
            return None
        if spec.value_model is not None:
            return resources.outside.value(spec)
        return BatchedValue(resources.value(value.folder(resources.root), spec.runtime))

    sessions = lean.sessions if spec.policy is None else with_history(spec.policy, lean.sessions)
    return Tools(sessions, policy, guide, spec.discount, lean.verifier, observe)
