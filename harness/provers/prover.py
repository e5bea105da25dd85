"""What every prover's settings answer for: which models it asks, whether it repeats itself, how it is built.

A prover is one file: its settings (a `ProverSpec` with its own `kind`), and the `Prover` that they build.
`harness.provers.kinds` lists them; nothing else has to know a new one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.protocols import Policy, Prover, Sessions, Value, Verifier
from harness.spec import SamplingSpec, Spec


@dataclass(frozen=True, slots=True)
class Tools:
    """What a prover is built from. Models are loaded when they are asked for."""

    sessions: Sessions
    """Where tactics are applied."""
    policy: Callable[[SamplingSpec], Policy]
    """The generator, decoding tactics (`DecodeSpec`) or whole proofs (`WholeProofSpec`) as told."""
    value: Callable[[], Value | None]
    """The value model; None when there is none."""
    gamma: float | None = None
    """The discount that the value model was trained with."""
    verifier: Verifier | None = None
    """Who says what is wrong with a proof, for provers that ask before they hand one in."""
    observe: Callable[..., None] | None = None
    """Hears of every finished search tree: problem, number of the attempt, tree; `part=` whose of a union."""


class ProverSpec(Spec):
    """Settings of one kind of prover."""

    kind: str
    shared: ClassVar[str] = "search"
    """The experiment's section whose values stand in for settings that are not given."""
    section: ClassVar[str] = "search"
    """Where a run's `spec.json` keeps the settings that had an effect."""
    asks_generator: ClassVar[bool] = True
    """Whether a trained model writes anything at all."""

    @property
    def asks_value(self) -> bool:
        """Whether the value model is asked."""
        return False

    @property
    def repeats(self) -> str | None:
        """None when samples of a problem differ; else the setting that would make them (or an empty text)."""
        return None

    def check(self, gamma: float | None) -> None:
        """Raise `SpecError` for settings that exclude each other; `gamma` is the value model's discount."""

    def effective(self) -> dict[str, Any]:
        """The settings that have an effect, as a run's `spec.json` keeps them; `kind` apart."""
        return self.model_dump(mode="json", exclude={"kind"})

    @abstractmethod
    def build(self, tools: Tools) -> Prover:
        """The prover. Raises `SpecError` when a model that it needs is missing."""
