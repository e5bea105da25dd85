"""From a policy's settings to the policy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from harness.policies.engine import Engine
from harness.policies.history import ToldSessions
from harness.policies.prompted import Decodings, PromptedPolicy
from harness.policies.spec import ServerPolicySpec, TransformersPolicySpec
from harness.prompts.registry import family
from harness.protocols import Sessions
from harness.retrieval.retriever import Retriever
from harness.retrieval.spec import RetrievalSpec


@dataclass(frozen=True, slots=True)
class ComputePlace:
    """Where models in this process compute."""

    device: str = "cpu"
    threads: int = 2


@dataclass(slots=True)
class OpenModel:
    """A loaded or served model, and the policies made of it."""

    engine: Engine
    prompt: str
    """Name of its family."""
    overlaps: bool
    """Its calls overlap and are merged behind it; else one call computes at a time, and batches pay."""
    check: Callable[[], Awaitable[None]]
    """Raises when it cannot be asked: `UserError` for a wrong name, `InfraError` for servers out of reach."""
    disconnect: Callable[[], Awaitable[None]]
    """Ends the model's own connections."""
    retriever: Retriever | None = None
    """Finds the premises that stand before a state."""
    _policies: dict[Decodings, PromptedPolicy] = field(default_factory=dict)

    def policy(self, how: Decodings, sessions: Sessions | None = None) -> PromptedPolicy:
        """The policy that decodes like this; the same settings share what they were answered."""
        if how not in self._policies:
            premises = None if self.retriever is None else self.retriever.premises
            self._policies[how] = PromptedPolicy(self.engine, family(self.prompt), how, premises=premises)
        self._policies[how].sessions = sessions
        return self._policies[how]

    async def close(self) -> None:
        """End all connections; it stays usable."""
        await self.disconnect()
        if self.retriever is not None:
            await self.retriever.close()


def open_policy(spec: ServerPolicySpec | TransformersPolicySpec, place: ComputePlace) -> OpenModel:
    """The model of `spec`: loaded here, or behind servers that are asked when the first question comes.

    Raises `UserError` for a model that cannot be loaded and for what is no URL.
    """
    retriever = None if spec.retrieval is None else _retriever(spec.retrieval, place)
    if isinstance(spec, TransformersPolicySpec):
        return OpenModel(_in_process(spec, place), spec.prompt, False, _nothing, _nothing, retriever)
    from harness.policies.openai import ServedModel, ServedName
    from harness.serving.fleet import Patience
    from harness.serving.models import fleet

    servers = fleet(spec.urls, "policy.urls", spec.in_flight, spec.timeout_s, Patience(spec.wait_s))
    engine = ServedModel(servers, ServedName(spec.model, spec.dialect, spec.revision))
    return OpenModel(engine, spec.prompt, True, engine.check, engine.close, retriever)


def _retriever(spec: RetrievalSpec, place: ComputePlace) -> Retriever:
    from harness.retrieval.opening import open_retriever

    return open_retriever(spec, place.device)


def with_history(prompt: str, retrieves: bool, sessions: Sessions) -> Sessions:
    """Sessions for searches with such a policy: states say how they were reached where prompts show it, or
    where premises are retrieved."""
    return ToldSessions(sessions) if retrieves or family(prompt).uses_history else sessions


def _in_process(spec: TransformersPolicySpec, place: ComputePlace) -> Engine:
    from harness.policies.hugging_face import LanguageModel, Placement
    from harness.serving.weights import to_load

    placement = Placement(place.device, spec.dtype, place.threads)
    return LanguageModel(spec.model, to_load(spec.model, spec.revision), placement=placement)


async def _nothing() -> None:
    """Nothing to check, nothing to close."""
