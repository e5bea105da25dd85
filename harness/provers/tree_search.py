"""What searches over proof states share: their settings, and how an attempt is opened, closed and reported.

A search is one file with its own settings and one method that decides which states come next; asking,
applying, merging and counting are `harness.provers.exploration`'s.
"""

from __future__ import annotations

import dataclasses
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from harness.errors import SpecError
from harness.protocols import Policy, Sessions, Value
from harness.provers.budget import BudgetSpec
from harness.provers.exploration import Clock, Exploration, Means, Observe, check_tokens
from harness.provers.priority import PrioritySpec, Ranking
from harness.provers.prover import ProverSpec, Tools
from harness.provers.shortening import shorten
from harness.spec import DecodeSpec
from harness.types import Attempt, Problem


class SearchSpec(PrioritySpec, BudgetSpec):
    """A search: how states are ranked, what an attempt may spend, how tactics are proposed."""

    _neutral: ClassVar[dict[str, Any]] = {"at_once": 1, "proof": "first"}

    decode: DecodeSpec = DecodeSpec()
    """How tactics are proposed."""
    at_once: int = Field(default=1, ge=1)
    """`best_first`: states taken from the frontier together. More keep a lone search's services busy, and
    cost expansions that one at a time would not have made."""
    proof: Literal["first", "shortest"] = "first"
    """Which proof is handed in: the one found first, or the shortest inside the finished tree, with every
    tactic left out that it does not need. Finding it costs tactic calls after the search."""


class TreeSearchSpec(ProverSpec, SearchSpec):
    """What every search answers of its settings."""

    unused: ClassVar[frozenset[str]] = frozenset({"at_once"})
    """Settings of `SearchSpec` that this search has no use for."""

    @property
    def asks_value(self) -> bool:
        """Alpha 1 ranks by log-probability alone."""
        return self.alpha < 1.0

    @property
    def repeats(self) -> str | None:
        """Beams and greedy decoding draw nothing at random."""
        return None if self.decode.method == "sample" else "decode.method: sample"

    def check(self, gamma: float | None) -> None:
        """Raise `SpecError` when values of this gamma are not on the scale asked for, or no token is."""
        Ranking.of(self, gamma)
        check_tokens(self, self.decode)

    def effective(self) -> dict[str, Any]:
        """The settings that have an effect."""
        found = self.model_dump(mode="json", exclude={"kind", *self.idle, *self.unused})
        if self.decode.method != "sample":
            del found["decode"]["temperature"]
        return found

    def models(self, tools: Tools) -> dict[str, Any]:
        """What of `tools` a `TreeSearch` takes beside its settings."""
        value = tools.value() if self.asks_value else None
        policy = tools.policy(self.decode)
        found = {"sessions": tools.sessions, "policy": policy, "value": value, "gamma": tools.gamma}
        return {**found, "observe": tools.observe}


@dataclass(frozen=True, slots=True)
class TreeSearch(ABC):
    """A `Prover`. `gamma` is read from the value checkpoint; `observe` receives every finished tree.

    Raises `SpecError` at construction when the ranking needs a value model and there is none.
    """

    spec: SearchSpec
    sessions: Sessions
    policy: Policy
    value: Value | None = None
    gamma: float | None = None
    observe: Observe | None = None
    clock: Clock = time.monotonic

    def __post_init__(self) -> None:
        if Ranking.of(self.spec, self.gamma).asks_value and self.value is None:
            raise SpecError(
                f"search.alpha: {self.spec.alpha} needs a value model and there is none; "
                "set search.alpha: 1, or train one"
            )

    async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
        """Search for a proof. `seed` is for the policy; the search itself draws nothing."""
        spec = self.spec
        ranking = Ranking.of(spec, self.gamma)
        means = Means(self.policy, self.value, ranking, spec, spec.decode, self.clock)
        session = await self.sessions.open(problem)
        try:
            found = Exploration(means, session, seed)
            await self.search(found)
            await shorten(found.tree, session, minimise=spec.proof == "shortest")
        finally:
            await session.close()
        if self.observe is not None:
            self.observe(problem, index, found.tree)
        return found.attempt(problem, index, shortest=spec.proof == "shortest")

    @abstractmethod
    async def search(self, found: Exploration) -> None:
        """Explore until `found.stopped` says why."""

    def within(self, budget: BudgetSpec) -> Self:
        """The same search with another budget."""
        limits = {name: getattr(budget, name) for name in BudgetSpec.model_fields}
        return dataclasses.replace(self, spec=self.spec.model_copy(update=limits))
