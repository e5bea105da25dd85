"""Best-first search over proof states, guided by log-probability and value.

The best open state is taken from the frontier, the policy proposes K tactics for it, each is applied, the
states that are new are scored in one call and pushed. Budgets are exact: the policy is never asked once
more than `expansions` says, and no tactic is applied beyond `tactic_calls`.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.errors import SpecError
from harness.protocols import Policy, Session, Sessions, Value
from harness.provers.budget import BudgetSpec
from harness.provers.priority import PrioritySpec, Ranking
from harness.provers.prover import ProverSpec, Tools
from harness.provers.search_tree import Edge, Node, SearchTree, canonical
from harness.spec import DecodeSpec
from harness.types import Attempt, Problem, ProofState, Proposal, SearchStats, Step

Observe = Callable[[Problem, SearchTree], None]
Clock = Callable[[], float]


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
        """Raise `SpecError` when the value's scale cannot be computed at this gamma."""
        Ranking.of(self, gamma)

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
        session = await self.sessions.open(problem)
        try:
            search = _Search(self, session, seed)
            await search.run()
        finally:
            await session.close()
        if self.observe is not None:
            self.observe(problem, search.tree)
        tactics = search.tree.proof
        proof = None if tactics is None else "\n".join(tactics)
        return Attempt(problem.id, index, seed, proof, search=search.stats())


@dataclass(slots=True)
class _Search:
    """One search in progress."""

    prover: BestFirst
    session: Session
    seed: int
    tree: SearchTree = field(default_factory=SearchTree)
    frontier: list[tuple[float, int, int]] = field(default_factory=list)
    """Heap of (-priority, ticket, node): of equal priorities the state met first is taken first."""
    known: dict[tuple[str, ...], int] = field(default_factory=dict)
    tickets: int = 0
    expanded: int = 0
    tactics_tried: int = 0
    invalid: int = 0
    duplicates: int = 0
    policy_s: float = 0.0
    lean_s: float = 0.0
    value_s: float = 0.0
    stopped: str = ""
    started: float = 0.0
    ranking: Ranking = field(init=False)

    def __post_init__(self) -> None:
        self.ranking = Ranking.of(self.prover.spec, self.prover.gamma)
        self.started = self.prover.clock()

    async def run(self) -> None:
        """Search until a proof is found, nothing is left, or a budget is spent."""
        before = self.prover.clock()
        root = await self.session.start()
        self.lean_s += self.prover.clock() - before
        self._meet(root, None, "", 0.0)
        self._push(0)
        while not self.stopped:
            node = self._pop()
            if node is None:
                self.stopped = "exhausted"
            elif self.expanded >= self.prover.spec.expansions:
                self.stopped = "expansions"
            elif not self._spent():
                await self._expand(node)

    def _spent(self) -> bool:
        """Whether no further tactic may be applied; notes why."""
        if self.tactics_tried >= self.prover.spec.tactic_calls:
            self.stopped = "tactic_calls"
        elif self.prover.clock() - self.started >= self.prover.spec.wall_clock_s:
            self.stopped = "wall_clock"
        return bool(self.stopped)

    async def _expand(self, node: Node) -> None:
        node.expanded = True
        self.expanded += 1
        before = self.prover.clock()
        width = self.prover.spec.decode.width
        [proposals] = await self.prover.policy.propose([node.state], [self.seed], width)
        self.policy_s += self.prover.clock() - before
        reached: list[int] = []
        for proposal in proposals[:width]:
            if self._spent():
                break
            if await self._apply(node, proposal, reached):
                self._finish(node, proposal.tactic)
                return
        else:
            node.complete = True
        await self._rank(reached)

    async def _apply(self, node: Node, proposal: Proposal, reached: list[int]) -> bool:
        """Apply one tactic; True when it closes the proof. New and improved nodes are added to `reached`."""
        before = self.prover.clock()
        result = await self.session.apply(node.state, proposal.tactic)
        self.lean_s += self.prover.clock() - before
        self.tactics_tried += 1
        if result.state is None or result.outcome is not Step.OPEN:
            self.invalid += result.outcome is not Step.DONE
            node.edges.append(Edge(proposal.tactic, result.outcome))
            return result.outcome is Step.DONE
        logprob = node.logprob + proposal.logprob
        child = self.known.get(canonical(result.state.goals))
        if child is None:
            child = self._meet(result.state, node, proposal.tactic, logprob)
            reached.append(child)
        else:
            self.duplicates += 1
            if self._improve(child, result.state, node, proposal) and child not in reached:
                reached.append(child)
        node.edges.append(Edge(proposal.tactic, Step.OPEN, child))
        return False

    def _meet(self, state: ProofState, parent: Node | None, tactic: str, logprob: float) -> int:
        node = Node(len(self.tree.nodes), state, tactic=tactic, logprob=logprob)
        if parent is not None:
            node.parent, node.steps = parent.index, parent.steps + 1
        self.tree.nodes.append(node)
        self.known[canonical(state.goals)] = node.index
        return node.index

    def _improve(self, child: int, state: ProofState, parent: Node, proposal: Proposal) -> bool:
        """Give a state that is still waiting the better of its two ways; an expanded one keeps its own.

        A waiting state has no children, so giving it another parent cannot close a cycle. The state is
        replaced too: reached the other way its hypotheses may have other names, and scripts use names.
        """
        node, steps, logprob = self.tree.nodes[child], parent.steps + 1, parent.logprob + proposal.logprob
        weight, term = self.ranking.alpha, self.ranking.logprob_term
        if node.expanded or weight * term(logprob, steps) <= weight * term(node.logprob, node.steps):
            return False
        node.state, node.parent, node.tactic = state, parent.index, proposal.tactic
        node.steps, node.logprob = steps, logprob
        return True

    async def _rank(self, reached: list[int]) -> None:
        """Score the states that have no value yet in one call, and push all of `reached`."""
        fresh = [self.tree.nodes[index] for index in reached if self.tree.nodes[index].value is None]
        if fresh and self.ranking.asks_value and self.prover.value is not None:
            before = self.prover.clock()
            values = await self.prover.value.score([node.state for node in fresh])
            self.value_s += self.prover.clock() - before
            for node, value in zip(fresh, values, strict=True):
                node.value = value
        for index in reached:
            node = self.tree.nodes[index]
            node.priority = self.ranking.priority(node.logprob, node.steps, node.value)
            self._push(index)

    def _push(self, index: int) -> None:
        node = self.tree.nodes[index]
        node.ticket = self.tickets
        self.tickets += 1
        heapq.heappush(self.frontier, (-node.priority, node.ticket, index))

    def _pop(self) -> Node | None:
        while self.frontier:
            _, ticket, index = heapq.heappop(self.frontier)
            node = self.tree.nodes[index]
            if node.ticket == ticket and not node.expanded:
                return node
        return None

    def _finish(self, node: Node, tactic: str) -> None:
        self.stopped = "proved"
        self.tree.proof = (*self.tree.script(node.index), tactic)
        self.tree.on_proof = tuple(self.tree.path(node.index))

    def stats(self) -> SearchStats:
        """Exact counts of what was done."""
        deepest = max(node.steps for node in self.tree.nodes)
        return SearchStats(
            expanded=self.expanded,
            created=len(self.tree.nodes),
            tactics_tried=self.tactics_tried,
            invalid=self.invalid,
            duplicates=self.duplicates,
            depth=deepest if self.tree.proof is None else len(self.tree.proof),
            policy_s=self.policy_s,
            lean_s=self.lean_s,
            value_s=self.value_s,
            stopped=self.stopped,
        )
