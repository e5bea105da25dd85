"""Monte-Carlo tree search over proof states: PUCT with the policy as prior and the value model at the leaves.

A simulation goes down from the root by (1 - alpha) Q + alpha P sqrt(N) / (1 + n), which orders as AlphaZero's
Q + c P sqrt(N) / (1 + n) (Silver et al. 2018) with c = alpha / (1 - alpha); it expands the state where it
arrives and takes its value back up, discounted by gamma a step. Alpha 1 goes by prior and visits alone, alpha
0 by Q alone. Q of a state that was not visited yet is its own value.

A state whose every tactic failed, or leads only to such states or back to where the simulation came from, is
masked. Goals of one state have to be closed together: with `goals: hardest` a state is worth as much as the
hardest of its goals, and every goal as much as its own subtree has shown (`harness.provers.conjunction`). A
proof closes all of them and ends the search, so no proven child is ever left to mask.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from pydantic import Field

from harness.errors import SpecError
from harness.provers.conjunction import above
from harness.provers.exploration import Exploration
from harness.provers.prover import Tools
from harness.provers.search_tree import Edge, Node
from harness.provers.tree_search import TreeSearch, TreeSearchSpec
from harness.types import ProofState


class MctsSpec(TreeSearchSpec):
    """Monte-Carlo tree search as a prover."""

    unused: ClassVar[frozenset[str]] = frozenset(
        {"at_once", "value_scale", "length_exponent", "progress_steps"}
    )

    kind: Literal["mcts"] = "mcts"
    """PUCT with policy prior and value."""
    prior_temperature: float = Field(default=1.0, gt=0)
    """Divides the log-probabilities before they become a prior over the tactics of a state."""
    goals: Literal["whole", "hardest"] = "whole"
    """What the value model reads: the whole state, or each goal by itself, of which the hardest counts."""
    progressive: float = Field(default=0.0, ge=0)
    """Progressive sampling: a state is asked about again while it was asked less than this times its
    visits ** 0.6; each time is an expansion. 0 asks once. Needs `decode.method: sample`."""

    def check(self, gamma: float | None) -> None:
        """Raise `SpecError` for settings that exclude each other."""
        super().check(gamma)
        if self.progressive and self.decode.method != "sample":
            raise SpecError(
                f"search.progressive: {self.decode.method} proposes the same tactics every time; "
                "set decode.method: sample, or progressive: 0"
            )

    def build(self, tools: Tools) -> Mcts:
        """The search with the models of `tools`."""
        how = Puct(self.alpha, self.prior_temperature, self.goals, self.progressive)
        return Mcts(self, **self.models(tools), how=how)


@dataclass(frozen=True, slots=True)
class Puct:
    """How simulations go; see `MctsSpec`."""

    alpha: float = 0.5
    prior_temperature: float = 1.0
    goals: str = "whole"
    progressive: float = 0.0


@dataclass(slots=True)
class _Counts:
    """What simulations left at a state. `total` sums the values that came up through it."""

    asked: int = 0
    visits: int = 0
    total: float = 0.0
    dead: bool = False
    priors: list[float] = field(default_factory=list)
    """Of its edges, in their order."""
    taken: list[int] = field(default_factory=list)
    """Simulations through each edge."""


@dataclass(frozen=True, slots=True)
class Mcts(TreeSearch):
    """A `Prover`: every simulation expands one state."""

    how: Puct = Puct()

    async def search(self, found: Exploration) -> None:
        """Simulate until a proof is found, nothing is left, or a budget is spent."""
        await _Simulations(self, found).run()


class _Simulations:
    """The simulations of one search."""

    def __init__(self, prover: Mcts, found: Exploration) -> None:
        self._how, self._value, self._found = prover.how, prover.value, found
        self._gamma = 1.0 if prover.gamma is None else prover.gamma
        self._counts: list[_Counts] = []
        self._worth: dict[int, list[float]] = {}
        """V of each goal of a state (of the whole, with `goals: whole`), by the state's index."""

    async def run(self) -> None:
        root = await self._found.begin()
        await self._score([root])
        while not self._found.stopped:
            path = self._descend(root)
            if path is None:
                self._found.stopped = "exhausted"
            elif self._found.affordable():
                await self._expand([node for node, _ in path])
                self._take_up(path)

    def _at(self, node: Node) -> _Counts:
        while len(self._counts) <= node.index:
            self._counts.append(_Counts())
        return self._counts[node.index]

    def _descend(self, root: Node) -> list[tuple[Node, int]] | None:
        """(state, place of the edge taken there) down to the state to be expanded, -1 there; None when every
        way is dead."""
        path: list[tuple[Node, int]] = []
        node = root
        while not self._at(root).dead:
            if self._wants_tactics(node):
                return [*path, (node, -1)]
            above = {passed.index for passed, _ in path} | {node.index}
            place = self._best(node, above)
            if place is not None:
                path.append((node, place))
                child = node.edges[place].child
                assert child is not None
                node = self._found.tree.nodes[child]
                continue
            # What leads only to dead states and back up adds nothing that is not tried from above.
            self._at(node).dead = True
            path, node = [], root
        return None

    def _wants_tactics(self, node: Node) -> bool:
        counts = self._at(node)
        return not counts.asked or counts.asked < self._how.progressive * counts.visits**0.6

    def _best(self, node: Node, above: set[int]) -> int | None:
        """The edge to follow; of equal ones the first proposed."""
        counts, alpha = self._at(node), self._how.alpha
        best, greatest = None, -math.inf
        for place, edge in enumerate(node.edges):
            if edge.child is None or edge.child in above:
                continue
            child = self._found.tree.nodes[edge.child]
            if self._at(child).dead:
                continue
            prior = counts.priors[place] * math.sqrt(counts.visits) / (1 + counts.taken[place])
            score = alpha * prior + (0.0 if alpha == 1.0 else (1 - alpha) * self._quality(child))
            if score > greatest:
                best, greatest = place, score
        return best

    def _quality(self, node: Node) -> float:
        counts = self._at(node)
        return counts.total / counts.visits if counts.visits else node.value or 0.0

    async def _expand(self, path: Sequence[Node]) -> None:
        node, counts = path[-1], self._at(path[-1])
        reached = await self._found.expand([node], draw=counts.asked)
        counts.asked += 1
        counts.priors = priors(node.edges, self._how.prior_temperature)
        counts.taken += [0] * (len(node.edges) - len(counts.taken))
        if not self._found.stopped:
            await self._score(reached)

    async def _score(self, nodes: Sequence[Node]) -> None:
        """Give every new state its value, in one call."""
        fresh = [node for node in nodes if node.value is None]
        if self._how.alpha == 1.0 or self._value is None or not fresh:
            return
        goals = [self._goals(node) for node in fresh]
        clock = self._found.means.clock
        before = clock()
        values = iter(await self._value.score([state for states in goals for state in states]))
        self._found.value_s += clock() - before
        for node, states in zip(fresh, goals, strict=True):
            self._worth[node.index] = [next(values) for _ in states]
            node.value = min(self._worth[node.index])

    def _goals(self, node: Node) -> list[ProofState]:
        if self._how.goals == "whole":
            return [node.state]
        return [replace(node.state, goals=(goal,)) for goal in node.state.goals]

    def _take_up(self, path: Sequence[tuple[Node, int]]) -> None:
        leaf = path[-1][0]
        worth = list(self._worth.get(leaf.index, [0.0]))
        if all(edge.child is None for edge in leaf.edges):
            worth[0] = 0.0
        below = leaf
        for node, place in reversed(path):
            counts = self._at(node)
            if place >= 0:
                counts.taken[place] += 1
                worth = self._above(node, below, worth)
            counts.visits += 1
            counts.total += min(worth)
            below = node

    def _above(self, node: Node, below: Node, worth: list[float]) -> list[float]:
        if self._how.goals == "whole" or len(worth) != len(below.state.goals):
            return [self._gamma * min(worth)]
        return above(node.state.goals, below.state.goals, worth, self._gamma)


def priors(edges: Sequence[Edge], temperature: float) -> list[float]:
    """Softmax of the log-probabilities over all tactics of a state, those that failed included."""
    if not edges:
        return []
    scaled = [edge.logprob / temperature for edge in edges]
    greatest = max(scaled)
    weights = [math.exp(value - greatest) for value in scaled]
    total = math.fsum(weights)
    return [weight / total for weight in weights]
