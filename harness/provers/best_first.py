"""Best-first search over proof states, guided by log-probability and value.

The best open state is taken from the frontier, the policy proposes K tactics for it, each is applied, the
states that are new are scored in one call and pushed. Of states with equal priority (as rounded, see
`harness.provers.priority`) the one that was pushed first is taken first: in the order of the proposals within
an expansion, and a state that was found again a better way counts as pushed then.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from harness.provers.exploration import Exploration
from harness.provers.prover import Tools
from harness.provers.search_tree import Node
from harness.provers.tree_search import SearchSpec, TreeSearch, TreeSearchSpec

__all__ = ["BestFirst", "BestFirstSpec", "Frontier", "SearchSpec"]


class BestFirstSpec(TreeSearchSpec):
    """Best-first search as a prover."""

    unused: ClassVar[frozenset[str]] = frozenset()

    kind: Literal["best_first"] = "best_first"
    """Best-first search over proof states."""

    def build(self, tools: Tools) -> BestFirst:
        """The search with the models of `tools`."""
        return BestFirst(self, **self.models(tools))


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


@dataclass(frozen=True, slots=True)
class BestFirst(TreeSearch):
    """A `Prover`: the state of the greatest priority is expanded next."""

    async def search(self, found: Exploration) -> None:
        """Search until a proof is found, nothing is left, or a budget is spent."""
        frontier = Frontier()
        frontier.push(await found.begin())
        while not found.stopped:
            first = frontier.pop()
            if first is None:
                found.stopped = "exhausted"
                return
            nodes = [first]
            affordable = found.affordable(self.spec.at_once)
            while len(nodes) < affordable and (more := frontier.pop()) is not None:
                nodes.append(more)
            if not affordable:
                return
            reached = await found.expand(nodes)
            if not found.stopped:
                await found.rank(reached)
                for child in reached:
                    frontier.push(child)
