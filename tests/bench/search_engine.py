"""What the search engine itself costs: no model, no Lean, 64 searches at once that share their batches.

Beside it, in the same run, the least that a best-first search can do on the same answers: a heap, a set of
raw state texts, nothing merged up to names, nothing counted, no batches.

    python -m tests.bench.search_engine
"""

from __future__ import annotations

import asyncio
import heapq
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence

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


async def least(world: Endless) -> None:
    async def search() -> None:
        root = await world.start()
        seen, frontier, tickets = {root.text}, [(0.0, 0, 0.0, root)], 0
        for _ in range(EXPANSIONS):
            _, _, logprob, node = heapq.heappop(frontier)
            [found] = await world.propose([node], [0], WIDTH)
            for proposal in found.tactics:
                result = await world.apply(node, proposal.tactic)
                if result.state is not None and result.state.text not in seen:
                    seen.add(result.state.text)
                    tickets += 1
                    total = logprob + proposal.logprob
                    heapq.heappush(frontier, (-total, tickets, total, result.state))

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
    bare = microseconds(least)
    ours = microseconds(engine)
    print(f"least possible     {bare:6.1f} us an expansion of {WIDTH} tactics")
    print(f"engine             {ours:6.1f} us, {ours / bare:.1f} x; merging and batching included")
    size, nodes = bytes_a_node()
    print(f"memory             {size:6.0f} bytes a created node ({nodes} nodes)")


if __name__ == "__main__":
    main()
