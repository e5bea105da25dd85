"""What the search engine itself costs: no model, no Lean, 64 searches at once that share their batches.

Beside it, in the same run and on the same answers, two loops written anew from what is documented of peers'
search, without their models, processes and queues:

- llmstep's best-first search: a heap by the sum of token-mean log-probabilities, a set of the raw state texts
  that were met, tactics as lists. It is about the least that such a search can do.
- ReProver's: a graph whose nodes are raw state texts, refused tactics among them; edges are kept in both
  directions, and every expansion tells those above whether they are proved or can no longer be.

Neither merges states up to names of hypotheses, keeps budgets or asks in batches; the engine does all of it.

    python -m tests.bench.search_engine
"""

from __future__ import annotations

import asyncio
import heapq
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from harness.provers.best_first import BestFirst, SearchSpec
from harness.serving.batched import BatchedPolicy, BatchedValue
from harness.spec import DecodeSpec
from harness.types import Problem, ProofState, Proposal, Proposed, Step, StepResult
from tests.provers.toy_graph import proposed

PROBLEM = Problem("bench", "bench", "test", "", "theorem bench : True", "bench")
SEARCHES, EXPANSIONS, WIDTH, FRESH = 64, 64, 8, 3
GOAL = (
    "case inr.succ\nP Q R : Prop\nn m k{0} : Nat\nh{0} : P ∧ Q → R\nih : n + m = m + n\nhk : k{0} < n + {0}\n"
    "⊢ succ (n + m) + k{0} = succ (m + n) + k{0} ∧ (P → Q → R)"
)


class Endless:
    """A tree without a proof: of 8 tactics 4 are refused, 1 leads to a known state, 3 lead to new ones."""

    overlaps = False

    async def open(self, problem: Problem) -> Endless:
        return self

    async def start(self) -> ProofState:
        return state(1)

    async def apply(self, state_: ProofState, tactic: str) -> StepResult:
        place, number = state_.handle, int(tactic.removeprefix("tactic "))
        if number >= FRESH + 1:
            return StepResult(Step.INVALID, message="no")
        if number == FRESH:
            return StepResult(Step.OPEN, state(1))
        return StepResult(Step.OPEN, state(place * FRESH + number))

    async def close(self) -> None:
        return None

    async def propose(self, states: Sequence[ProofState], seeds: Sequence[int], k: int) -> list[Proposed]:
        return [proposed(PROPOSALS[:k]) for _ in states]

    async def score(self, states: Sequence[ProofState]) -> list[float]:
        return [0.5] * len(states)


PROPOSALS = [Proposal(f"tactic {n}", -0.5 - n / 7, 5) for n in range(WIDTH)]
_STATES: dict[int, ProofState] = {}


def state(place: int) -> ProofState:
    if place not in _STATES:
        _STATES[place] = ProofState((GOAL.format(place),), place)
    return _STATES[place]


async def engine(world: Endless) -> None:
    spec = SearchSpec(alpha=0.5, expansions=EXPANSIONS, tactic_calls=10**6, decode=DecodeSpec(width=WIDTH))
    prover = BestFirst(spec, world, BatchedPolicy(world), BatchedValue(world), 0.95)
    await asyncio.gather(*(prover.attempt(PROBLEM, 0, seed) for seed in range(SEARCHES)))


async def like_llmstep(world: Endless) -> None:
    async def search() -> None:
        root = await world.start()
        seen, frontier, tickets = {root.text}, [(0.0, 0, root, list[str]())], 0
        for _ in range(EXPANSIONS):
            cost, _, node, steps = heapq.heappop(frontier)
            [found] = await world.propose([node], [0], WIDTH)
            for proposal in found.tactics:
                result = await world.apply(node, proposal.tactic)
                if result.state is not None and result.state.text not in seen:
                    seen.add(result.state.text)
                    tickets += 1
                    more = cost - proposal.logprob / proposal.tokens
                    heapq.heappush(frontier, (more, tickets, result.state, [*steps, proposal.tactic]))

    await asyncio.gather(*(search() for _ in range(SEARCHES)))


@dataclass(eq=False)
class _Node:
    """A node of the graph that ReProver's search keeps."""

    state: ProofState | None
    """None for a tactic that was refused."""
    logprob: float
    status: str = "open"
    out: list[_Edge] | None = None
    """None until it is expanded."""
    into: list[_Edge] = field(default_factory=list)

    def update(self) -> None:
        """Take the status from those below, and tell those above of a change."""
        if self.out is None or self.status != "open":
            return
        below = [edge.child.status for edge in self.out]
        status = "proved" if "proved" in below else "open" if "open" in below else "failed"
        if status != self.status:
            self.status = status
            for edge in self.into:
                edge.parent.update()


@dataclass(eq=False)
class _Edge:
    parent: _Node
    tactic: str
    child: _Node


async def like_reprover(world: Endless) -> None:
    async def search() -> None:
        root = _Node(await world.start(), 0.0)
        assert root.state is not None
        nodes, frontier, tickets = {root.state.text: root}, [(0.0, 0, root)], 0
        for _ in range(EXPANSIONS):
            _, _, node = heapq.heappop(frontier)
            assert node.state is not None
            [found] = await world.propose([node.state], [0], WIDTH)
            edges: list[_Edge] = []
            for proposal in found.tactics:
                result = await world.apply(node.state, proposal.tactic)
                text = result.message if result.state is None else result.state.text
                child = nodes.get(text)
                if child is None:
                    child = nodes[text] = _Node(result.state, node.logprob + proposal.logprob)
                    if result.state is None:
                        child.status = "failed"
                    else:
                        tickets += 1
                        heapq.heappush(frontier, (-child.logprob, tickets, child))
                edges.append(_Edge(node, proposal.tactic, child))
                child.into.append(edges[-1])
            node.out = edges
            node.update()

    await asyncio.gather(*(search() for _ in range(SEARCHES)))


def microseconds(run: Callable[[Endless], Awaitable[None]], rounds: int = 7) -> float:
    """Fastest of several rounds, CPU time per expansion."""
    best = float("inf")
    for _ in range(rounds):
        before = time.process_time()
        asyncio.run(run(Endless()))
        best = min(best, time.process_time() - before)
    return best / (SEARCHES * EXPANSIONS) * 1e6


def bytes_a_node() -> tuple[float, int]:
    """Memory of one finished search per created node, states themselves left out, and the nodes."""
    kept: list[object] = []
    world = Endless()
    spec = SearchSpec(alpha=0.5, expansions=2000, tactic_calls=10**6, decode=DecodeSpec(width=WIDTH))
    for round_ in range(2):  # the first makes the states
        kept.clear()
        tracemalloc.start()
        search = BestFirst(
            spec, world, world, world, 0.95, observe=lambda _problem, _index, tree: kept.append(tree)
        )
        attempt = asyncio.run(search.attempt(PROBLEM, 0, 0))
        if round_:
            assert attempt.search is not None
            _, peak = tracemalloc.get_traced_memory()
            return peak / attempt.search.created, attempt.search.created
        tracemalloc.stop()
    raise AssertionError


def main() -> None:
    flat, graph, ours = microseconds(like_llmstep), microseconds(like_reprover), microseconds(engine)
    print(f"a heap, as llmstep   {flat:6.1f} us an expansion of {WIDTH} tactics")
    print(f"a graph, as ReProver {graph:6.1f} us")
    print(f"engine               {ours:6.1f} us, {ours / flat:.1f} x and {ours / graph:.1f} x")
    size, nodes = bytes_a_node()
    print(f"memory               {size:6.0f} bytes a created node ({nodes} nodes)")


if __name__ == "__main__":
    main()
