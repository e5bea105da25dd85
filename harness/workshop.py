"""What one process keeps at hand while it works through the points of a sweep: models, Lean, the runs folder.

A policy and a value model are loaded once per checkpoint and keep what they computed, so all alphas of a
sweep are compared on the same candidates and pay for them once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import UserError
from harness.journal import read_json
from harness.progress import Display
from harness.protocols import Policy, Sessions, Value, Verifier
from harness.spec import DecodeSpec, ExperimentSpec, LeanSpec, WholeProofSpec, digest

MODELS_KEPT = 4
"""Of each kind. A sweep over alpha needs two; one over trained generators leaves old ones behind."""


def _open_verifier(lean: LeanSpec) -> Verifier:
    from harness.lean.services import open_verifier

    return open_verifier(lean)


def _open_sessions(lean: LeanSpec) -> Sessions:
    from harness.lean.services import open_sessions

    return open_sessions(lean)


@dataclass(slots=True)
class Workshop:
    """`root` is the runs folder. The two functions open Lean services; tests put toys there."""

    root: Path
    display: Display
    open_verifier: Callable[[LeanSpec], Verifier] = _open_verifier
    open_sessions: Callable[[LeanSpec], Sessions] = _open_sessions
    _policies: OrderedDict[str, Policy] = field(default_factory=OrderedDict)
    _values: OrderedDict[str, Value] = field(default_factory=OrderedDict)
    _local: dict[str, tuple[Verifier, Sessions]] = field(default_factory=dict)

    def lean(self, spec: LeanSpec) -> tuple[Verifier, Sessions]:
        """Verifier and sessions for one event loop.

        The embedded core belongs to no loop and remembers what it judged, so it is opened once; servers and
        pools are opened for each use.
        """
        if spec.service != "core":
            return self.open_verifier(spec), self.open_sessions(spec)
        key = digest(spec)
        if key not in self._local:
            self._local[key] = (self.open_verifier(spec), self.open_sessions(spec))
        return self._local[key]

    async def close_lean(self, spec: LeanSpec, verifier: Verifier, sessions: Sessions) -> None:
        """Stop what `lean` started for this loop; the embedded core stays."""
        if spec.service == "core":
            return
        await verifier.close()
        close = getattr(sessions, "close", None)
        if close is not None:
            await close()

    def policy(
        self, checkpoint: Path, spec: ExperimentSpec, decode: DecodeSpec, sessions: Sessions
    ) -> Policy:
        """The generator at `checkpoint`. Raises `UserError` when it is missing, incomplete or none."""
        key = digest([str(checkpoint), decode, spec.whole_proof, spec.lean, spec.runtime.threads, spec.seed])
        if key not in self._policies:
            threads, seed, whole = spec.runtime.threads, spec.seed, spec.whole_proof
            self._policies[key] = _load_policy(checkpoint, decode, whole, sessions, threads, seed)
        self._policies.move_to_end(key)
        while len(self._policies) > MODELS_KEPT:
            self._policies.popitem(last=False)
        return self._policies[key]

    def value(self, checkpoint: Path, threads: int) -> Value:
        """The value model at `checkpoint`. Raises `UserError` when it is missing, incomplete or none."""
        key = digest([str(checkpoint), threads])
        if key not in self._values:
            from harness.values.local import LocalValue

            self._values[key] = LocalValue.load(checkpoint, threads=threads)
        self._values.move_to_end(key)
        while len(self._values) > MODELS_KEPT:
            self._values.popitem(last=False)
        return self._values[key]


def _load_policy(
    checkpoint: Path, decode: DecodeSpec, whole: WholeProofSpec, sessions: Sessions, threads: int, seed: int
) -> Policy:
    from harness.policies.local import LocalPolicy

    return LocalPolicy(checkpoint, decode, whole, sessions, threads=threads, seed=seed)


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
