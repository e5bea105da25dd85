"""What best-first search under another weight of the value would have expanded, read from a stored tree.

The tree knows the tactics of the states that were expanded, and nothing of the others. A search that would
expand one of those leaves the tree, and no answer is made up for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.provers.best_first import Frontier
from harness.provers.budget import BudgetSpec
from harness.provers.priority import Ranking
from harness.provers.search_tree import Node, SearchTree
from harness.types import Step


@dataclass(frozen=True, slots=True)
class Replay:
    """How the other search would have gone."""

    expanded: int
    proved: bool
    left_at: int | None = None
    """The state with which it left the tree; None when the tree was enough."""


def replay(tree: SearchTree, ranking: Ranking, budget: BudgetSpec) -> Replay:
    """The search with this ranking, one state at a time, as far as the tree goes."""
    return _Replay(tree, ranking, budget).run()


@dataclass(slots=True)
class _Replay:
    tree: SearchTree
    ranking: Ranking
    budget: BudgetSpec
    met: dict[int, Node] = field(default_factory=dict)
    """The search's own copies of states, by their index in the tree."""
    frontier: Frontier = field(default_factory=Frontier)
    expanded: int = 0
    calls: int = 0

    def run(self) -> Replay:
        self.met[0] = Node(0, self.tree.nodes[0].state)
        self.frontier.push(self.met[0])
        while (node := self.frontier.pop()) is not None:
            if self.expanded >= self.budget.expansions or self.calls >= self.budget.tactic_calls:
                break
            stored = self.tree.nodes[node.index]
            closes = any(edge.outcome is Step.DONE for edge in stored.edges)
            if not stored.complete and not closes:
                return Replay(self.expanded, False, node.index)
            node.expanded = True
            self.expanded += 1
            reached = self._apply(node)
            if reached is None:
                return Replay(self.expanded, True)
            unknown = self._push(reached)
            if unknown is not None:
                return Replay(self.expanded, False, unknown)
        return Replay(self.expanded, False)

    def _apply(self, node: Node) -> Sequence[Node] | None:
        """The states that are new or reached a better way; None when a tactic closes the proof."""
        reached: dict[int, Node] = {}
        for edge in self.tree.nodes[node.index].edges:
            if self.calls >= self.budget.tactic_calls:
                break
            self.calls += 1
            if edge.outcome is Step.DONE:
                return None
            if edge.child is None:
                continue
            steps, logprob = node.steps + 1, node.logprob + edge.logprob
            child = self.met.get(edge.child)
            if child is None:
                state = self.tree.nodes[edge.child].state
                child = self.met[edge.child] = Node(edge.child, state, steps, logprob)
                reached[edge.child] = child
            elif not child.expanded and self._better(child, steps, logprob):
                child.steps, child.logprob = steps, logprob
                reached.setdefault(edge.child, child)
        return list(reached.values())

    def _better(self, child: Node, steps: int, logprob: float) -> bool:
        weight, term = self.ranking.alpha, self.ranking.logprob_term
        return weight * term(logprob, steps) > weight * term(child.logprob, child.steps)

    def _push(self, reached: Sequence[Node]) -> int | None:
        """Rank and push; the index of a state whose value would be needed and is not stored."""
        for node in reached:
            value = self.tree.nodes[node.index].value
            if value is None and self.ranking.asks_value:
                return node.index
            node.priority = self.ranking.priority(node.logprob, node.steps, value)
            self.frontier.push(node)
        return None
