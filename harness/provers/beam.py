"""Beam search over proof states: the best few of every level, all of them expanded before the next.

A level's states are asked about in one call. Nothing that falls out of the beam comes back, so a search may
end with its budget unspent; `beam` against `expansions` is the choice between breadth and depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from harness.provers.exploration import Exploration
from harness.provers.prover import Tools
from harness.provers.search_tree import Node
from harness.provers.tree_search import TreeSearch, TreeSearchSpec


class BeamSpec(TreeSearchSpec):
    """Beam search as a prover."""

    kind: Literal["beam"] = "beam"
    """The best `beam` states of every level."""
    beam: int = Field(default=8, ge=1)
    """States kept of a level."""

    def build(self, tools: Tools) -> Beam:
        """The search with the models of `tools`."""
        return Beam(self, **self.models(tools), width=self.beam)


@dataclass(frozen=True, slots=True)
class Beam(TreeSearch):
    """A `Prover`: level by level, `width` states of each."""

    width: int = 8

    async def search(self, found: Exploration) -> None:
        """Search until a proof is found, a level is empty, or a budget is spent."""
        level = [await found.begin()]
        while not found.stopped:
            if not level:
                found.stopped = "exhausted"
                return
            reached = await self._expand(level, found)
            if not found.stopped:
                await found.rank(reached)
                # Sorting keeps the order of equal ones: the state reached first stays in front.
                level = sorted(reached, key=lambda node: -node.priority)[: self.width]

    async def _expand(self, level: list[Node], found: Exploration) -> list[Node]:
        """What the states lead to; in several calls where a budget is only certain to last for some."""
        reached: dict[int, Node] = {}
        while level and not found.stopped:
            affordable = found.affordable(len(level))
            asked, level = level[:affordable], level[affordable:]
            if asked:
                reached |= {node.index: node for node in await found.expand(asked)}
        return [node for node in reached.values() if not node.expanded]
