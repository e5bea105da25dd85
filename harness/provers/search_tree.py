"""What a finished search leaves behind: every state met, every edge tried, and what they teach."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from dataclasses import dataclass, field

from harness.types import ProofState, Step


@dataclass(frozen=True, slots=True)
class Edge:
    """One tactic applied to a node; `child` is the index of the state it led to when the outcome is OPEN."""

    tactic: str
    outcome: Step
    child: int | None = None
    logprob: float = 0.0
    """What the tactic adds to the log-probability of a path, on the scale of the search."""


@dataclass(slots=True)
class Node:
    """One distinct state. `logprob` sums over the best path found to it (natural logarithm)."""

    index: int
    state: ProofState
    steps: int = 0
    logprob: float = 0.0
    parent: int | None = None
    tactic: str = ""
    value: float | None = None
    priority: float = 0.0
    ticket: int = 0
    """Number of its latest entry in the frontier; earlier entries are stale."""
    expanded: bool = False
    complete: bool = False
    """Every tactic that the policy proposed for it was applied."""
    edges: list[Edge] = field(default_factory=list)


@dataclass(slots=True)
class SearchTree:
    """Nodes in the order in which they were met, the root first."""

    nodes: list[Node] = field(default_factory=list)
    proof: tuple[str, ...] | None = None
    """Tactics of the proof found, in order."""
    on_proof: tuple[int, ...] = ()
    """Nodes that the proof passes through, the root first."""
    shortest: tuple[str, ...] | None = None
    """The shortest proof inside the tree that was tried out (see `harness.provers.shortening`)."""
    replayed: int = 0
    """Tactic calls that finding it cost."""

    def path(self, index: int) -> list[int]:
        """Nodes from the root to `index`, both included."""
        found: list[int] = []
        place: int | None = index
        while place is not None:
            found.append(place)
            place = self.nodes[place].parent
        return found[::-1]

    def script(self, index: int) -> list[str]:
        """Tactics that lead from the root to `index`."""
        return [self.nodes[place].tactic for place in self.path(index)[1:]]

    def tactics_left(self) -> dict[int, int]:
        """For each node with a proof inside the tree, the fewest tactics from it to QED (at least 1)."""
        before = self._parents()
        left = {node.index: 1 for node in self.nodes if any(e.outcome is Step.DONE for e in node.edges)}
        queue = deque(sorted(left))
        while queue:
            index = queue.popleft()
            for parent in before[index]:
                if parent not in left:
                    left[parent] = left[index] + 1
                    queue.append(parent)
        return left

    def best_tactic(self, index: int, left: dict[int, int]) -> str:
        """The first tactic tried at `index` that lies on one of the shortest ways to a proof."""
        for edge in self.nodes[index].edges:
            if edge.outcome is Step.DONE and left[index] == 1:
                return edge.tactic
            if edge.child is not None and left.get(edge.child) == left[index] - 1:
                return edge.tactic
        raise ValueError(f"node {index} has no proof inside the tree")

    def refuted(self) -> set[int]:
        """Nodes from which every tactic proposed fails, or leads only to such nodes.

        All others can reach, inside the tree, a finished proof, a state not fully tried or a tactic that
        ran out of time: nothing is known against them. A cycle of dead ends counts as dead.
        """
        before = self._parents()
        open_outcomes = (Step.DONE, Step.TIMEOUT)
        alive = {
            node.index
            for node in self.nodes
            if not node.complete or any(edge.outcome in open_outcomes for edge in node.edges)
        }
        queue = deque(sorted(alive))
        while queue:
            for parent in before[queue.popleft()]:
                if parent not in alive:
                    alive.add(parent)
                    queue.append(parent)
        return {node.index for node in self.nodes} - alive

    def _parents(self) -> list[list[int]]:
        before: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for edge in node.edges:
                if edge.child is not None:
                    before[edge.child].append(node.index)
        return before


_HYPOTHESES = re.compile(r"^([^\s⊢:][^\n⊢:]*?) :", re.MULTILINE)
"""Names stand at the very beginning of a line: an indented one goes on with the type above it, where a colon
follows a constant as well, as in `interior {x : ℝ | p x}`."""
_WORD = re.compile(r"(?<![\w'.✝])([^\W\d][\w'✝]*)")


def state_key(goals: tuple[str, ...]) -> bytes:
    """16 bytes, equal for states with equal `canonical` goals and, by all odds (2^-128 a pair), no others.

    The texts themselves would be half of what a search keeps.
    """
    text = "\0".join(canonical(goals))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def canonical(goals: tuple[str, ...]) -> tuple[str, ...]:
    """The goals with hypotheses renamed by order of appearance: equal keys are one state up to names.

    Within each goal the renaming is one-to-one on whole words that follow no dot, so two goals get the same
    key only when one is the other with its local names exchanged.
    """
    return tuple(map(_canonical_goal, goals))


def _canonical_goal(goal: str) -> str:
    names: dict[str, str] = {}
    for group in _HYPOTHESES.findall(goal):
        for name in group.split():
            names.setdefault(name, f"#{len(names)}")
    if not names:
        return goal
    # Every second part is a word.
    parts = _WORD.split(goal)
    parts[1::2] = [names.get(word, word) for word in parts[1::2]]
    return "".join(parts)
