"""What every search over proof states does the same way: asking, applying, merging, counting.

A search decides which states come next; an `Exploration` asks the policy for them, applies what it proposes,
merges states that are equal up to the names of hypotheses, and keeps exact counts. Budgets are exact: the
policy is never asked once more than `expansions` says, no tactic is handed to Lean beyond `tactic_calls`, and
no state is asked about when all answers at their full length could go over `tokens`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.errors import SpecError
from harness.protocols import Policy, Session, Value
from harness.provers.budget import BudgetSpec
from harness.provers.priority import Ranking
from harness.provers.search_tree import Edge, Node, SearchTree, state_key
from harness.spec import DecodeSpec
from harness.types import (
    Attempt,
    Problem,
    ProofState,
    Proposal,
    Proposed,
    SearchStats,
    Step,
    StepResult,
    Usage,
)

Clock = Callable[[], float]
Observe = Callable[[Problem, int, SearchTree], None]
"""Hears of the finished tree of an attempt: its problem, its number, the tree."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a search works with."""

    policy: Policy
    value: Value | None
    ranking: Ranking
    budget: BudgetSpec
    decode: DecodeSpec
    clock: Clock = time.monotonic


def dearest(decode: DecodeSpec) -> int:
    """Tokens that one expansion may cost at most."""
    return (1 if decode.method == "greedy" else decode.width) * decode.max_tactic_tokens


def check_tokens(budget: BudgetSpec, decode: DecodeSpec) -> None:
    """Raise `SpecError` for a token budget under which no state may ever be asked about."""
    least = dearest(decode)
    if budget.tokens is not None and budget.tokens < least:
        raise SpecError(
            f"search.tokens: {budget.tokens} is less than one expansion may cost (decode.width x "
            f"decode.max_tactic_tokens = {least}); set at least that"
        )


@dataclass(slots=True)
class Exploration:
    """One search in progress."""

    means: Means
    session: Session
    seed: int
    tree: SearchTree = field(default_factory=SearchTree)
    known: dict[bytes, int] = field(default_factory=dict)
    expanded: int = 0
    tactics_tried: int = 0
    invalid: int = 0
    duplicates: int = 0
    overtaken: int = 0
    speculated: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    unasked: bool = False
    """A state was too long for the policy's context."""
    policy_s: float = 0.0
    lean_s: float = 0.0
    value_s: float = 0.0
    stopped: str = ""
    """Why the search ended; empty while it goes on."""
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.means.clock()

    async def begin(self) -> Node:
        """The root."""
        before = self.means.clock()
        state = await self.session.start()
        self.lean_s += self.means.clock() - before
        return self._meet(state, state_key(state.goals), None, "", 0.0)

    def affordable(self, wanted: int = 1) -> int:
        """How many of `wanted` states may be asked about now; when none may, `stopped` says why."""
        budget, means = self.means.budget, self.means
        by_expansions = budget.expansions - self.expanded
        # A state is worth asking about when those before it leave it a tactic call.
        calls = budget.tactic_calls - self.tactics_tried - self.overtaken
        by_calls = -(-calls // means.decode.width)
        by_tokens = wanted
        if budget.tokens is not None:
            by_tokens = (budget.tokens - self.tokens) // dearest(means.decode)
        if by_expansions <= 0:
            self.stopped = "expansions"
        elif by_calls <= 0:
            self.stopped = "tactic_calls"
        elif by_tokens <= 0:
            self.stopped = "tokens"
        else:
            self._late()
        return 0 if self.stopped else min(wanted, by_expansions, by_calls, by_tokens)

    async def expand(self, nodes: Sequence[Node], draw: int = 0) -> list[Node]:
        """Ask about `nodes` in one call and apply what is proposed, in order, until a proof is found.

        `draw`: the number of times they were asked about before; tactics tried then are not tried again.
        Returns the states that are new or were reached a better way, each once, values still to come.
        """
        for node in nodes:
            node.expanded = True
        self.expanded += len(nodes)
        means, before = self.means, self.means.clock()
        states, seeds = [node.state for node in nodes], [self.seed + draw] * len(nodes)
        found = await means.policy.propose(states, seeds, means.decode.width)
        self.policy_s += means.clock() - before
        for proposed in found:
            self.prompt_tokens += proposed.usage.prompt_tokens
            self.tokens += proposed.usage.completion_tokens
            self.unasked |= proposed.usage.truncated
        reached: dict[int, Node] = {}
        for place, (node, proposed) in enumerate(zip(nodes, found, strict=True), start=1):
            await self._try(node, proposed, reached)
            if self.stopped:
                self.speculated = len(nodes) - place if self.stopped == "proved" else 0
                break
        return list(reached.values())

    async def _try(self, node: Node, proposed: Proposed, reached: dict[int, Node]) -> None:
        tactics = proposed.tactics[: self.means.decode.width]
        if node.edges:
            tried = {edge.tactic for edge in node.edges}
            tactics = tuple(item for item in tactics if item.tactic not in tried)
        batch = tactics[: self.means.budget.tactic_calls - self.tactics_tried - self.overtaken]
        if self.session.overlaps and len(batch) > 1:
            done = await self._apply_together(node, batch, reached)
        else:
            done = await self._apply_in_turn(node, batch, reached)
        node.complete = done and len(batch) == len(tactics)
        if done and not node.complete:
            self.stopped = "tactic_calls"

    async def _apply_in_turn(self, node: Node, batch: Sequence[Proposal], reached: dict[int, Node]) -> bool:
        """Whether all of `batch` was applied without a proof, in time."""
        clock = self.means.clock
        for proposal in batch:
            if self._late():
                return False
            before = clock()
            result = await self.session.apply(node.state, proposal.tactic)
            self.lean_s += clock() - before
            if self._take(node, proposal, result, reached):
                return False
        return True

    async def _apply_together(self, node: Node, batch: Sequence[Proposal], reached: dict[int, Node]) -> bool:
        """The same with all of `batch` under way at once; results are taken in the order of the proposals,
        so the tree is the one that a session without overlap gives."""
        clock, before = self.means.clock, self.means.clock()
        tasks = [asyncio.ensure_future(self.session.apply(node.state, one.tactic)) for one in batch]
        try:
            for number, (proposal, task) in enumerate(zip(batch, tasks, strict=True), start=1):
                if self._take(node, proposal, await task, reached):
                    self.overtaken += len(batch) - number
                    return False
            return not self._late()
        finally:
            self.lean_s += clock() - before
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, node: Node, proposal: Proposal, result: StepResult, reached: dict[int, Node]) -> bool:
        """Enter one result into the tree; True when it closes the proof."""
        self.tactics_tried += 1
        gain = self.means.ranking.gain(proposal)
        if result.state is None or result.outcome is not Step.OPEN:
            node.edges.append(Edge(proposal.tactic, result.outcome, None, gain))
            if result.outcome is Step.DONE:
                self._finish(node, proposal.tactic)
                return True
            self.invalid += 1
            return False
        key = state_key(result.state.goals)
        index = self.known.get(key)
        if index is None:
            child = self._meet(result.state, key, node, proposal.tactic, node.logprob + gain)
            reached[child.index] = child
        else:
            self.duplicates += 1
            child = self.tree.nodes[index]
            if self._improve(child, result.state, node, proposal.tactic, node.logprob + gain):
                reached.setdefault(index, child)
        node.edges.append(Edge(proposal.tactic, Step.OPEN, child.index, gain))
        return False

    def _meet(self, state: ProofState, key: bytes, parent: Node | None, tactic: str, logprob: float) -> Node:
        node = Node(len(self.tree.nodes), state, tactic=tactic, logprob=logprob)
        if parent is not None:
            node.parent, node.steps = parent.index, parent.steps + 1
        self.tree.nodes.append(node)
        self.known[key] = node.index
        return node

    def _improve(self, child: Node, state: ProofState, parent: Node, tactic: str, logprob: float) -> bool:
        """Give a state that is still waiting the better of its two ways; an expanded one keeps its own.

        A waiting state has no children, so giving it another parent cannot close a cycle. The state is
        replaced too: reached the other way its hypotheses may have other names, and scripts use names.
        """
        steps, ranking = parent.steps + 1, self.means.ranking
        weight, term = ranking.alpha, ranking.logprob_term
        if child.expanded or weight * term(logprob, steps) <= weight * term(child.logprob, child.steps):
            return False
        child.state, child.parent, child.tactic = state, parent.index, tactic
        child.steps, child.logprob = steps, logprob
        return True

    async def rank(self, nodes: Sequence[Node]) -> None:
        """Give every one of `nodes` its priority; those that have no value yet are scored in one call."""
        ranking, value = self.means.ranking, self.means.value
        fresh = [node for node in nodes if node.value is None]
        if fresh and ranking.asks_value and value is not None:
            before = self.means.clock()
            values = await value.score([node.state for node in fresh])
            self.value_s += self.means.clock() - before
            for node, found in zip(fresh, values, strict=True):
                node.value = found
        for node in nodes:
            node.priority = ranking.priority(node.logprob, node.steps, node.value)

    def _late(self) -> bool:
        if self.means.clock() - self.started < self.means.budget.wall_clock_s:
            return False
        self.stopped = self.stopped or "wall_clock"
        return True

    def _finish(self, node: Node, tactic: str) -> None:
        self.stopped = "proved"
        self.tree.proof = (*self.tree.script(node.index), tactic)
        self.tree.on_proof = tuple(self.tree.path(node.index))

    def attempt(self, problem: Problem, index: int, *, shortest: bool = False) -> Attempt:
        """What came of the search; `shortest`: hand in the shortest proof known instead of the first."""
        tactics = self.tree.shortest if shortest else self.tree.proof
        proof = None if tactics is None else "\n".join(tactics)
        usage = Usage(self.prompt_tokens, self.tokens, self.unasked)
        return Attempt(problem.id, index, self.seed, proof, usage=usage, search=self.stats())

    def stats(self) -> SearchStats:
        """Exact counts of what was done."""
        deepest = max(node.steps for node in self.tree.nodes)
        return SearchStats(
            expanded=self.expanded,
            created=len(self.tree.nodes),
            tactics_tried=self.tactics_tried,
            invalid=self.invalid,
            duplicates=self.duplicates,
            overtaken=self.overtaken,
            tokens=self.tokens,
            speculated=self.speculated,
            shortest=len(self.tree.shortest or ()),
            replayed=self.tree.replayed,
            depth=deepest if self.tree.proof is None else len(self.tree.proof),
            policy_s=self.policy_s,
            lean_s=self.lean_s,
            value_s=self.value_s,
            stopped=self.stopped,
        )
