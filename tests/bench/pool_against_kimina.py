"""The own pool against a Kimina server, the same REPL program in both: latency and throughput.

    python tests/bench/pool_against_kimina.py URL [--workers 2] [--checks 200] [--rounds 3]

The server is started by hand with the embedded core's REPL and LEAN_SERVER_MAX_REPLS equal to --workers. Also
prints what an answer from the verdict cache costs.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from harness.lean.services.kimina import KiminaVerifier, Retries
from harness.lean.services.kimina_client import Reach
from harness.lean.services.pool import ReplPool
from harness.lean.services.pooled import ReplVerifier
from harness.lean.services.repl import Program
from harness.lean.services.worker import PoolSettings
from harness.lean.verdicts.cache import CachedVerifier, VerdictCache
from harness.protocols import Candidate, Verifier
from harness.types import Level, Problem, Status

PROBLEM = Problem(
    "swap",
    "bench",
    "test",
    "import Mathlib\n\n",
    "theorem swap (P Q R : Prop) (h : P ∧ (Q ∧ R)) : (R ∧ Q) ∧ P",
    "swap",
)


def candidate(salt: str) -> Candidate:
    """A proof nobody has asked about."""
    return Candidate(PROBLEM, f"by\n  -- {salt}\n  exact ⟨⟨h.2.2, h.2.1⟩, h.1⟩")


async def measure(verifier: Verifier, checks: int, salt: str) -> tuple[float, float]:
    """(median latency in ms of checks one after the other, checks per second of `checks` at once)."""
    await verifier.check([candidate(f"{salt} warm {number}") for number in range(8)], Level.STRICT)
    times = []
    for number in range(20):
        started = time.perf_counter()
        (verdict,) = await verifier.check([candidate(f"{salt} one {number}")], Level.STRICT)
        times.append(time.perf_counter() - started)
        assert verdict.status is Status.PROVED, verdict
    started = time.perf_counter()
    verdicts = await verifier.check(
        [candidate(f"{salt} many {number}") for number in range(checks)], Level.STRICT
    )
    seconds = time.perf_counter() - started
    assert {verdict.status for verdict in verdicts} == {Status.PROVED}
    return statistics.median(times) * 1e3, checks / seconds


async def cached(verifier: Verifier) -> tuple[float, float]:
    """Median milliseconds of an answer from memory and from disk."""
    with tempfile.TemporaryDirectory() as folder:
        items = [candidate(f"cache {number}") for number in range(50)]
        warm = CachedVerifier(verifier, VerdictCache(Path(folder)), "bench")
        await warm.check(items, Level.STRICT)
        cold = CachedVerifier(verifier, VerdictCache(Path(folder)), "bench")
        found = []
        for asked in (warm, cold):
            times = []
            for item in items:
                started = time.perf_counter()
                await asked.check([item], Level.STRICT)
                times.append(time.perf_counter() - started)
            assert asked.hits >= len(items)
            found.append(statistics.median(times) * 1e3)
    return found[0], found[1]


async def run(url: str, workers: int, checks: int, rounds: int) -> None:
    """Alternate between the two and compare the best of each."""
    pool = ReplPool(Program.of_core(2048), PoolSettings(workers, 60.0, 60.0, recycle_after=100_000))
    verifiers: dict[str, Verifier] = {
        "own pool": ReplVerifier(pool),
        "kimina": KiminaVerifier([url], Reach(60.0), 4, Retries(), 200_000),
    }
    latency, rate = dict.fromkeys(verifiers, float("inf")), dict.fromkeys(verifiers, 0.0)
    for number in range(rounds):
        for name, verifier in verifiers.items():
            milliseconds, each = await measure(verifier, checks, f"{name} {number} {time.time()}")
            latency[name], rate[name] = min(latency[name], milliseconds), max(rate[name], each)
            print(
                f"round {number}: {name:9} latency {milliseconds:7.2f} ms, {each:7.1f} checks/s", flush=True
            )
    memory_ms, disk_ms = await cached(verifiers["own pool"])
    print(f"latency ratio (kimina / pool)    {latency['kimina'] / latency['own pool']:.2f}")
    print(f"throughput ratio (pool / kimina) {rate['own pool'] / rate['kimina']:.2f}")
    print(f"seen before: {memory_ms:.3f} ms from memory, {disk_ms:.3f} ms from disk")
    for verifier in verifiers.values():
        await verifier.close()


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("url")
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--checks", type=int, default=200)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    asyncio.run(run(given.url, given.workers, given.checks, given.rounds))


if __name__ == "__main__":
    main()
