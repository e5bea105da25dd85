"""Models that answer by the prompts of others, kept at hand while one process works through a sweep's points.

They are loaded once and keep what they answered, so all points are compared on the same candidates. Their
connections belong to one event loop and are closed after each use.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness import checkpoints, devices
from harness.experiment import served
from harness.experiment.spec import ExperimentSpec
from harness.nested import digest
from harness.policies.engine import Decoding
from harness.policies.opening import ComputePlace, OpenModel, open_policy
from harness.policies.prompted import Decodings
from harness.policies.spec import ServerPolicySpec, TransformersPolicySpec
from harness.protocols import Policy, Sessions, Value
from harness.serving.batched import BatchedPolicy, BatchedValue
from harness.spec import DecodeSpec, RuntimeSpec, SamplingSpec, WholeProofSpec
from harness.values.opening import OpenValue, open_value
from harness.values.spec import ClassifierValueSpec, ServerValueSpec, StepsValueSpec

KEPT = 4
"""Of each kind, those used last; the points of a sweep seldom need more than one."""


@dataclass(slots=True)
class OutsideModels:
    """Policies and value models of `policy:` and `value_model:`."""

    _policies: OrderedDict[str, OpenModel] = field(default_factory=OrderedDict)
    _values: OrderedDict[str, OpenValue] = field(default_factory=OrderedDict)

    async def check(self, spec: ExperimentSpec) -> None:
        """Make sure that what `spec` names answers.

        Raises `UserError` for a model that is not served, `InfraError` for servers that cannot be reached.
        """
        if spec.policy is not None:
            await self._policy(spec).check()
        if spec.value_model is not None:
            await self._value(spec).check()

    def policy(self, spec: ExperimentSpec, sampling: SamplingSpec, sessions: Sessions) -> Policy:
        """The policy, decoding tactics or whole proofs as `sampling` says.

        Raises `UserError` when it cannot be loaded.
        """
        found = self._policy(spec)
        policy = found.policy(_decodings(spec, sampling), sessions)
        return policy if found.overlaps else BatchedPolicy(policy)

    def trained(
        self, checkpoint: Path, spec: ExperimentSpec, sampling: SamplingSpec, sessions: Sessions
    ) -> Policy:
        """The generator at `checkpoint`, asked as `generator.prompt` says; one call computes at a time.

        Raises `UserError` when it is incomplete, damaged or cannot be loaded.
        """
        asked = spec.generator
        assert asked.prompt is not None
        checkpoints.intact(checkpoint, "generator")
        named = TransformersPolicySpec(model=str(checkpoint), prompt=asked.prompt, dtype=asked.dtype)
        return self._opened(named, spec.runtime).policy(_decodings(spec, sampling), sessions)

    def served(
        self,
        urls: Sequence[str],
        checkpoint: Path,
        spec: ExperimentSpec,
        sampling: SamplingSpec,
        sessions: Sessions,
    ) -> Policy:
        """The generator at `checkpoint` behind servers of this run."""
        named = served.policy(urls, checkpoint, spec)
        return self._opened(named, spec.runtime).policy(_decodings(spec, sampling), sessions)

    def served_value(self, urls: Sequence[str], checkpoint: Path, spec: ExperimentSpec) -> Value:
        """The value model at `checkpoint` behind servers of this run."""
        named = served.value(urls, checkpoint, spec)
        return self._opened_value(named, served.READ_ON, spec.runtime.threads).value

    def value(self, spec: ExperimentSpec) -> Value:
        """The value model. Raises `UserError` when it cannot be loaded."""
        found = self._value(spec)
        return found.value if found.overlaps else BatchedValue(found.value)

    async def close(self) -> None:
        """End all connections; the models stay usable."""
        for model in self._policies.values():
            await model.close()
        for value in self._values.values():
            await value.close()
        while len(self._policies) > KEPT:
            self._policies.popitem(last=False)
        while len(self._values) > KEPT:
            self._values.popitem(last=False)

    def _policy(self, spec: ExperimentSpec) -> OpenModel:
        assert spec.policy is not None
        return self._opened(spec.policy, spec.runtime)

    def _opened(self, named: ServerPolicySpec | TransformersPolicySpec, runtime: RuntimeSpec) -> OpenModel:
        place = ComputePlace(devices.resolve(runtime.device), runtime.threads)
        key = digest([named, place.device, place.threads])
        if key not in self._policies:
            self._policies[key] = open_policy(named, place)
        self._policies.move_to_end(key)
        return self._policies[key]

    def _value(self, spec: ExperimentSpec) -> OpenValue:
        assert spec.value_model is not None
        return self._opened_value(
            spec.value_model, devices.resolve(spec.runtime.device), spec.runtime.threads
        )

    def _opened_value(
        self, named: ServerValueSpec | ClassifierValueSpec | StepsValueSpec, device: str, threads: int
    ) -> OpenValue:
        key = digest([named, device, threads])
        if key not in self._values:
            self._values[key] = open_value(named, device=device, threads=threads)
        self._values.move_to_end(key)
        return self._values[key]


def _decodings(spec: ExperimentSpec, sampling: SamplingSpec) -> Decodings:
    """How tactics and whole proofs are decoded; what `sampling` does not speak of follows the experiment."""
    decode = sampling if isinstance(sampling, DecodeSpec) else spec.search.decode
    whole = sampling if isinstance(sampling, WholeProofSpec) else spec.whole_proof
    return Decodings(Decoding.of(decode), Decoding.of(whole))
