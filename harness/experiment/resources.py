"""What one process keeps at hand while it works through the points of a sweep: models, Lean, the runs folder.

A policy and a value model are loaded once per checkpoint and keep what they computed, so all alphas of a
sweep are compared on the same candidates and pay for them once.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness import checkpoints, devices, extras
from harness.errors import UserError
from harness.experiment.outside import OutsideModels
from harness.experiment.run_servers import RunServers
from harness.experiment.servers import ToServe
from harness.experiment.spec import ExperimentSpec
from harness.nested import digest
from harness.policies.engine import Decoding
from harness.protocols import Policy, Sessions, Value
from harness.records.journal import read_json
from harness.serving.batched import BatchedPolicy, BatchedValue
from harness.spec import DecodeSpec, LeanSpec, RuntimeSpec, SamplingSpec, WholeProofSpec
from harness.terminal.log import Logged
from harness.terminal.progress import Display
from harness.tracking.spool import FINISH_TIMEOUT_S

if TYPE_CHECKING:
    from harness.lean.services.opening import LeanServices

MODELS_KEPT = 4
"""Of each kind. A sweep over alpha needs two; one over trained generators leaves old ones behind."""

UNPINNED = (
    "{}: not given, so runs of other weights served under this name count as the same, and boards mark them "
    "`unknown revision`; name the weights: --revision"
)
Result = TypeVar("Result")
ON_CORE_ALONE = "lean.service: {} cannot train here yet; set lean.service: core for training"

QUICK_S = 5.0
"""A tracker that needs no longer for its end is well."""
LEAST_S = 1.0
"""What one that was not is still given."""


def _open_lean(spec: LeanSpec, cache: Path) -> LeanServices:
    from harness.lean.services.opening import open_services

    return open_services(spec, cache)


@dataclass(slots=True)
class Resources:
    """`root` is the runs folder. `open_lean` opens Lean services; tests put toys there."""

    root: Path
    display: Display
    open_lean: Callable[[LeanSpec, Path], LeanServices] = _open_lean
    wait: bool = False
    """Whether a run that another process writes is waited for, and not refused."""
    tracking_s: float = FINISH_TIMEOUT_S
    """Seconds for which trackers may yet hold up the ends of experiments, all of a command together."""
    _policies: OrderedDict[str, Policy] = field(default_factory=OrderedDict)
    _values: OrderedDict[str, Value] = field(default_factory=OrderedDict)
    _local: dict[str, LeanServices] = field(default_factory=dict)
    outside: OutsideModels = field(default_factory=OutsideModels)
    served: RunServers = field(default_factory=RunServers)
    """Servers of generators and value models, where `node.serving` asks for them."""

    @property
    def usual(self) -> bool:
        """Whether another process that opens Lean by itself opens the same."""
        return self.open_lean is _open_lean

    def waited_for_tracking(self, seconds: float) -> None:
        """Take what an end waited from what others may: a tracker that was slow once will be again."""
        if seconds > QUICK_S:
            self.tracking_s = max(LEAST_S, self.tracking_s - seconds)

    @asynccontextmanager
    async def lean(self, spec: LeanSpec) -> AsyncIterator[LeanServices]:
        """Verifier and step sessions for the running event loop.

        The embedded core belongs to no loop and remembers what it judged, so it is opened once; servers and
        pools are opened for each use and stopped after it.
        """
        if spec.service == "core":
            yield self.core(spec)
            return
        services = self.open_lean(spec, self.root / "verdicts")
        try:
            yield services
        finally:
            await services.close()

    @asynccontextmanager
    async def connected(self, spec: ExperimentSpec) -> AsyncIterator[None]:
        """Connections to the models from outside that `spec` names, in the running event loop.

        Raises `UserError` or `InfraError` where one cannot be had, before anything is asked of it.
        """
        for setting in unpinned(spec):
            self.display.note(UNPINNED.format(setting))
        try:
            await self.outside.check(spec)
            yield
        finally:
            await self.outside.close()

    def core(self, spec: LeanSpec) -> LeanServices:
        """The embedded core, which needs no closing. Raises `UserError` for another service."""
        if spec.service != "core":
            raise UserError(ON_CORE_ALONE.format(spec.service))
        key = digest(spec)
        if key not in self._local:
            self._local[key] = self.open_lean(spec, self.root / "verdicts")
        return self._local[key]

    def policy(
        self, checkpoint: Path, spec: ExperimentSpec, sampling: SamplingSpec, sessions: Sessions
    ) -> Policy:
        """The generator at `checkpoint`, decoding tactics or whole proofs as `sampling` says.

        What `sampling` does not speak of follows the experiment, so that search and whole proofs with its
        own settings share one loaded model. One that computes in this process is asked in batches.
        Raises `UserError` when it is missing, incomplete or none.
        """
        if spec.serving is not None:
            urls = self.served.urls(str(checkpoint))
            return self.outside.served(urls, checkpoint, spec, sampling, sessions)
        return BatchedPolicy(self._in_process(checkpoint, spec, sampling, sessions))

    def _in_process(
        self, checkpoint: Path, spec: ExperimentSpec, sampling: SamplingSpec, sessions: Sessions
    ) -> Policy:
        if spec.generator.prompt is not None:
            return self.outside.trained(checkpoint, spec, sampling, sessions)
        decode = sampling if isinstance(sampling, DecodeSpec) else spec.search.decode
        whole = sampling if isinstance(sampling, WholeProofSpec) else spec.whole_proof
        how = dataclasses.asdict(Decoding.of(whole))
        key = digest([str(checkpoint), decode, how, spec.lean, *_where(spec.runtime)])
        if key not in self._policies:
            self._policies[key] = _load_policy(checkpoint, decode, whole, sessions, spec)
        self._policies.move_to_end(key)
        while len(self._policies) > MODELS_KEPT:
            self._policies.popitem(last=False)
        return self._policies[key]

    def value(self, checkpoint: Path, spec: ExperimentSpec) -> Value:
        """The value model at `checkpoint`. Raises `UserError` when it is missing, incomplete or none."""
        if spec.serving is not None:
            urls = self.served.urls(str(checkpoint))
            return self.outside.served_value(urls, checkpoint, spec)
        runtime = spec.runtime
        key = digest([str(checkpoint), *_where(runtime)])
        if key not in self._values:
            extras.need("local")
            from harness.values.opening import open_trained

            device = devices.resolve(runtime.device)
            self._values[key] = open_trained(checkpoint, threads=_threads(spec), device=device)
        self._values.move_to_end(key)
        while len(self._values) > MODELS_KEPT:
            self._values.popitem(last=False)
        return BatchedValue(self._values[key])

    @contextmanager
    def serving(
        self, spec: ExperimentSpec, generator: Path, value: Path | None, folder: Path
    ) -> Iterator[None]:
        """`serve` for as long as the block runs: a stage of training comes next."""
        with self.served.ending(lasting=False):
            self.serve(spec, [generator], [] if value is None else [value], folder)
            yield

    def serve(
        self,
        spec: ExperimentSpec,
        generators: Sequence[Path],
        values: Sequence[Path],
        folder: Path,
        display: Display | Logged | None = None,
    ) -> None:
        """Where `node.serving` says so, have these checkpoints served, with the servers' logs in `folder`.

        Blocks until they have answered. Raises `UserError` and `InfraError` as `RunServers.serve`, and
        `UserError` for a checkpoint that is damaged or not what is served.
        """
        if spec.serving is None:
            return
        for checkpoint in generators:
            checkpoints.intact(checkpoint, "generator")
        # Each once: several evaluations may ask the same.
        named = ToServe(*(tuple(dict.fromkeys(map(str, paths))) for paths in (generators, values)))
        self.served.serve(spec, named, folder, display or self.display)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """`work` in an event loop of its own, given up when a server that was started for it ends."""

        async def watched() -> Result:
            try:
                return await self.served.watched(work)
            finally:
                await self.outside.close()

        return asyncio.run(watched())


def unpinned(spec: ExperimentSpec) -> list[str]:
    """The keys that would say which weights are served, where they say nothing."""
    found = []
    if spec.policy is not None and spec.policy.kind == "server" and spec.policy.revision is None:
        found.append("policy.revision")
    judge = spec.value_model
    if judge is not None and judge.kind != "classifier" and judge.revision is None:
        proven = judge.kind == "server" and judge.checkpoint is not None
        found += [] if proven else ["value_model.revision"]
    return found


def _where(runtime: RuntimeSpec) -> tuple[int, str]:
    return runtime.threads, runtime.device


def _load_policy(
    checkpoint: Path, decode: DecodeSpec, whole: WholeProofSpec, sessions: Sessions, spec: ExperimentSpec
) -> Policy:
    extras.need("local")
    from harness.policies.local import LocalPolicy

    device = devices.resolve(spec.runtime.device)
    return LocalPolicy(checkpoint, decode, whole, sessions, threads=_threads(spec), device=device)


def _threads(spec: ExperimentSpec) -> int:
    """Torch's while models are asked: what searches, steps and judges beside them has cores of its own."""
    spared = spec.lean.workers if spec.lean.service == "core" else 1
    return max(1, min(spec.runtime.threads, devices.cores() - spared))


def gamma_of(checkpoint: Path) -> float:
    """The gamma that the value model at `checkpoint` was trained with, from the stage that made it.

    Raises `UserError` when the folder does not say.
    """
    stage = read_json(checkpoint / "stage.json")
    try:
        return float(stage["inputs"]["value"]["gamma"])
    except (KeyError, TypeError, ValueError):
        raise UserError(
            f"{checkpoint / 'stage.json'}: does not say which gamma this value model was trained with; "
            "give it with --set value.gamma=..."
        ) from None
