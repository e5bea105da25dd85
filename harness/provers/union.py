"""Two provers at one shared budget: the first gets a share of it, the second whatever is left.

The attempt's `origin` says whose proof it is, so the records show what each adds to the other.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field

from harness.errors import SpecError
from harness.protocols import Prover
from harness.provers.beam import BeamSpec
from harness.provers.best_first import BestFirstSpec
from harness.provers.budget import BudgetSpec
from harness.provers.mcts import MctsSpec
from harness.provers.portfolio import PortfolioSpec
from harness.provers.prover import ProverSpec, Tools
from harness.provers.stored_tree import PARTS
from harness.types import Attempt, Problem, SearchStats, Usage

Part = Annotated[BestFirstSpec | BeamSpec | MctsSpec | PortfolioSpec, Field(discriminator="kind")]


class UnionSpec(ProverSpec, BudgetSpec):
    """Two searches as one prover; the budget is the sum of what both may spend."""

    kind: Literal["union"] = "union"
    """Two searches at one shared budget."""
    first: Part = PortfolioSpec()
    """Tried first; its own budget does not count."""
    second: Part = BestFirstSpec()
    """Tried on what the first did not prove; its own budget does not count."""
    share: float = Field(default=0.5, gt=0, lt=1)
    """Of the expansions, tactic calls, tokens and seconds: what the first may spend."""

    @property
    def asks_generator(self) -> bool:  # type: ignore[override]
        """Whether either does."""
        return self.first.asks_generator or self.second.asks_generator

    @property
    def asks_value(self) -> bool:
        """Whether either does."""
        return self.first.asks_value or self.second.asks_value

    @property
    def repeats(self) -> str | None:
        """A union repeats itself when both do."""
        first, second = self.first.repeats, self.second.repeats
        return None if first is None or second is None else first or second

    def check(self, gamma: float | None) -> None:
        """Raise `SpecError` as the parts do with what they may spend here."""
        shares = ("first", self.first, part_of(self, self.share)), ("second", self.second, self)
        for name, part, budget in shares:
            limits = {item: getattr(budget, item) for item in BudgetSpec.model_fields}
            try:
                part.model_copy(update=limits).check(gamma)
            except SpecError as error:
                raise SpecError(f"the {name} of the union: {error}") from None

    def effective(self) -> dict[str, Any]:
        """The settings that have an effect: budgets of the parts have none."""
        limits = set(BudgetSpec.model_fields)
        found = self.model_dump(mode="json", exclude={"kind", "first", "second"})
        for name, part in (("first", self.first), ("second", self.second)):
            settings = {key: item for key, item in part.effective().items() if key not in limits}
            found[name] = {"kind": part.kind, **settings}
        return found

    def build(self, tools: Tools) -> Union:
        """Both with the models of `tools`."""
        first, second = (_telling(tools, part) for part in PARTS)
        return Union(self, self.first.build(first), self.second.build(second))


def _telling(tools: Tools, part: str) -> Tools:
    """`tools` for one of the two, whose trees say whose they are."""
    told = None if tools.observe is None else functools.partial(tools.observe, part=part)
    return dataclasses.replace(tools, observe=told)


class Budgeted(Prover, Protocol):
    """A prover whose budget can be set for one attempt."""

    def within(self, budget: BudgetSpec) -> Prover:
        """The same prover with another budget."""
        ...


@dataclass(frozen=True, slots=True)
class Union:
    """A `Prover`."""

    spec: UnionSpec
    first: Budgeted
    second: Budgeted

    async def attempt(self, problem: Problem, index: int, seed: int) -> Attempt:
        """Both in turn; `origin` names the kind of the one that found the proof."""
        given = part_of(self.spec, self.spec.share)
        one = await self.first.within(given).attempt(problem, index, seed)
        if one.proof is not None:
            return dataclasses.replace(one, origin=f"first: {self.spec.first.kind}")
        left = left_of(self.spec, one)
        if left is None:
            return one
        two = await self.second.within(left).attempt(problem, index, seed)
        origin = "" if two.proof is None else f"second: {self.spec.second.kind}"
        return dataclasses.replace(
            two, origin=origin, usage=_both(one.usage, two.usage), search=_sum(one.search, two.search)
        )


def part_of(budget: BudgetSpec, share: float) -> BudgetSpec:
    """A share of a budget, at least one of everything."""
    return BudgetSpec(
        expansions=max(1, int(budget.expansions * share)),
        tactic_calls=max(1, int(budget.tactic_calls * share)),
        tokens=None if budget.tokens is None else max(1, int(budget.tokens * share)),
        wall_clock_s=budget.wall_clock_s * share,
    )


def left_of(budget: BudgetSpec, spent: Attempt) -> BudgetSpec | None:
    """What is left of a budget after an attempt; None when there is nothing to spend."""
    done = spent.search or SearchStats()
    calls = budget.tactic_calls - done.tactics_tried - done.overtaken
    tokens = None if budget.tokens is None else budget.tokens - done.tokens
    seconds = budget.wall_clock_s - (done.policy_s + done.lean_s + done.value_s)
    if min(budget.expansions - done.expanded, calls, 1 if tokens is None else tokens) < 1 or seconds <= 0:
        return None
    return BudgetSpec(
        expansions=budget.expansions - done.expanded, tactic_calls=calls, tokens=tokens, wall_clock_s=seconds
    )


def _both(one: Usage, two: Usage) -> Usage:
    return Usage(
        one.prompt_tokens + two.prompt_tokens,
        one.completion_tokens + two.completion_tokens,
        one.truncated or two.truncated,
    )


_OF_THE_PROOF = ("depth", "shortest", "stopped")


def _sum(one: SearchStats | None, two: SearchStats | None) -> SearchStats | None:
    """Counts of both; what speaks of the proof, or of the end, is the second's."""
    if one is None or two is None:
        return two or one
    names = [item.name for item in dataclasses.fields(SearchStats) if item.name not in _OF_THE_PROOF]
    summed = {name: getattr(one, name) + getattr(two, name) for name in names}
    return dataclasses.replace(two, **summed)
