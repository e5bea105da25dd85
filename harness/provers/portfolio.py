"""Symbolic first: the fixed tactic list of `harness.policies.symbolic` in a budgeted best-first search.

No model is asked, so what it solves alone is the floor that a trained prover has to clear, and the union of
the two is what they are worth together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from harness.policies.symbolic import CLOSERS, SymbolicPolicy
from harness.protocols import Sessions
from harness.provers.best_first import BestFirst
from harness.provers.budget import BudgetSpec
from harness.provers.exploration import Observe
from harness.provers.prover import ProverSpec, Tools
from harness.provers.tree_search import SearchSpec
from harness.spec import DecodeSpec
from harness.types import Attempt, Problem

WIDTH = 64
"""Tactics tried at a state at most; the list rarely has more."""


class PortfolioSpec(ProverSpec, BudgetSpec):
    """The symbolic portfolio as a prover: a budget is all that it takes."""

    asks_generator: ClassVar[bool] = False

    kind: Literal["portfolio"] = "portfolio"
    """A fixed list of tactics in best-first search; no model is asked."""

    @property
    def repeats(self) -> str | None:
        """Always; nothing is drawn at random."""
        return ""

    def build(self, tools: Tools) -> Portfolio:
        """The portfolio over these sessions."""
        return Portfolio(self, tools.sessions, tools.observe)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A `Prover`: costs rank the states, no value model is asked."""

    budget: BudgetSpec
    sessions: Sessions
    observe: Observe | None = None
    closers: tuple[str, ...] = CLOSERS
    """Tactics tried on every goal; `harness.policies.symbolic.STRONG` adds `simp_all`."""

    async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
        """Search for a proof; nothing is drawn at random, so every sample of a problem is the same."""
        return await self._search().attempt(problem, index, seed)

    def within(self, budget: BudgetSpec) -> Portfolio:
        """The same with another budget."""
        return replace(self, budget=budget)

    def _search(self) -> BestFirst:
        # Nothing is generated here, so a limit of tokens would only forbid asking.
        budget = {name: getattr(self.budget, name) for name in BudgetSpec.model_fields if name != "tokens"}
        spec = SearchSpec(**budget, alpha=1.0, logprob_scale="sum", decode=DecodeSpec(width=WIDTH))
        return BestFirst(spec, self.sessions, SymbolicPolicy(self.closers), observe=self.observe)
