"""One problem over a pool of REPLs: how many of its processes a lone search keeps busy.

A REPL double that waits 25 ms for every request; best-first search, 8 tactics an expansion, a proof at the
depth of 12. With one process the tactics run one after the other; with four the states are made again where
they are wanted. The bound: the same tactics on four processes that have every state.

    python -m tests.bench.lone_problem [--slow 0.025] [--processes 4]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from harness.lean.services.pool import ReplPool
from harness.lean.services.pooled import ReplSessions
from harness.lean.services.repl import Program
from harness.lean.services.worker import PoolSettings
from harness.provers.best_first import BestFirst, SearchSpec
from harness.spec import DecodeSpec
from harness.types import Attempt, Problem, ProofState, Proposal, Proposed
from tests.provers.toy_graph import proposed

FAKE = Path(__file__).parents[1] / "lean" / "services" / "fake_repl.py"
PROBLEM = Problem("lone", "bench", "test", "import Mathlib\n\n", "theorem lone (n : Nat) : n = n", "lone")
WIDTH, DEPTH = 8, 12


class Policy:
    """Seven tactics that lead nowhere and one, in the middle, that is a step."""

    async def propose(self, states: Sequence[ProofState], seeds: Sequence[int], k: int) -> list[Proposed]:
        names = [f"mark_{n}" if n != WIDTH // 2 else "step" for n in range(WIDTH)]
        scores = [-5.0 - n if name != "step" else -1.0 for n, name in enumerate(names)]
        return [proposed([Proposal(*pair, 3) for pair in zip(names, scores, strict=True)]) for _ in states]


async def searched(processes: int, slow_s: float) -> tuple[float, Attempt]:
    """(seconds of the search, what it found), every process with its header before it begins."""
    argv = (sys.executable, str(FAKE), "--slow", str(slow_s), "--steps", str(DEPTH))
    pool = ReplPool(Program(argv, None, 1024), PoolSettings(processes, 20.0, 20.0))
    for worker in pool._workers:
        async with pool.lease(worker=worker) as lease:
            await lease.header("import Mathlib\n\nset_option maxHeartbeats 200000\n")
    spec = SearchSpec(alpha=1.0, expansions=100, tactic_calls=10**6, decode=DecodeSpec(width=WIDTH))
    try:
        before = time.perf_counter()
        prover = BestFirst(spec, ReplSessions(pool), Policy())  # type: ignore[arg-type]
        attempt = await prover.attempt(PROBLEM, 0, 0)
        return time.perf_counter() - before, attempt
    finally:
        await pool.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--slow", type=float, default=0.025)
    options.add_argument("--processes", type=int, default=4)
    asked = options.parse_args()
    alone, first = asyncio.run(searched(1, asked.slow))
    spread, second = asyncio.run(searched(asked.processes, asked.slow))
    assert first.proof == second.proof and first.search and second.search
    assert (first.search.expanded, first.search.created) == (second.search.expanded, second.search.created)
    calls = first.search.tactics_tried
    bound = asked.slow * -(-WIDTH // asked.processes) * first.search.expanded
    print(f"{first.search.expanded} expansions, {calls} tactics of {asked.slow * 1e3:g} ms")
    print(f"1 process       {alone:6.2f} s")
    print(f"{asked.processes} processes     {spread:6.2f} s, {alone / spread:.2f} x as fast")
    print(f"bound           {bound:6.2f} s ({spread / bound:.2f} x), every state in every process")


if __name__ == "__main__":
    main()
