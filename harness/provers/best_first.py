"""Best-first search over proof states, guided by log-probability and value.

The best open state is taken from the frontier, the policy proposes K tactics for it, each is applied, the
states that are new are scored in one call and pushed. Of states with equal priority (as rounded, see
`harness.provers.priority`) the one that was pushed first is taken first: in the order of the proposals within
an expansion, and a state that was found again a better way counts as pushed then.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.errors import SpecError
from harness.protocols import Policy, Sessions, Value
from harness.provers.budget import BudgetSpec
from harness.provers.exploration import Clock, Exploration, Means, Observe, check_tokens
from harness.provers.priority import PrioritySpec, Ranking
from harness.provers.prover import ProverSpec, Tools
from harness.provers.search_tree import Node
from harness.spec import DecodeSpec
from harness.types import Attempt, Problem


class SearchSpec(PrioritySpec, BudgetSpec):
    """Best-first search: how states are ranked, what an attempt may spend, how tactics are proposed."""

    decode: DecodeSpec = DecodeSpec()
    """How tactics are proposed."""


class BestFirstSpec(ProverSpec, SearchSpec):
    """Best-first search as a prover."""

    kind: Literal["best_first"] = "best_first"
    """Best-first search over proof states."""

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
        found = self.model_dump(mode="json", exclude={"kind", *self.idle})
        if self.decode.method != "sample":
            del found["decode"]["temperature"]
        return found

    def build(self, tools: Tools) -> BestFirst:
        """The search with the models of `tools`."""
        value = tools.value() if self.asks_value else None
        return BestFirst(self, tools.sessions, tools.policy(self.decode), value, tools.gamma)


@dataclass(frozen=True, slots=True)
class BestFirst:
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
            search = Exploration(means, session, seed)
            await _search(search)
        finally:
            await session.close()
        if self.observe is not None:
            self.observe(problem, search.tree)
        return search.attempt(problem, index)


@dataclass(slots=True)
class Frontier:
    """The states that wait, best first."""

    heap: list[tuple[float, int, Node]] = field(default_factory=list)
    """(-priority, ticket, node): of equal priorities the smaller ticket, the state pushed first."""
    tickets: int = 0

    def push(self, node: Node) -> None:
        """Put a state in; an earlier entry of the same state no longer counts."""
        node.ticket = self.tickets
        self.tickets += 1
        heapq.heappush(self.heap, (-node.priority, node.ticket, node))

    def pop(self) -> Node | None:
        """Take the best state out; None when nothing waits."""
        while self.heap:
            _, ticket, node = heapq.heappop(self.heap)
            if node.ticket == ticket and not node.expanded:
                return node
        return None


async def _search(search: Exploration) -> None:
    """Search until a proof is found, nothing is left, or a budget is spent."""
    frontier = Frontier()
    frontier.push(await search.begin())
    while not search.stopped:
        node = frontier.pop()
        if node is None:
            search.stopped = "exhausted"
        elif search.affordable():
            reached = await search.expand([node])
            if not search.stopped:
                await search.rank(reached)
                for child in reached:
                    frontier.push(child)
