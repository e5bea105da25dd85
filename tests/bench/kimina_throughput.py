"""Throughput of 64 concurrent single checks: this client against kimina-client's async one, in one run.

    python tests/bench/kimina_throughput.py URL --peer PYTHON_WITH_KIMINA_CLIENT [--checks 512] [--rounds 3]

Both send the same kind of text (all distinct, nothing comes from a cache) to the same server, both with 64
callers that each wait for their answer before they ask again. Rounds alternate; the best of each counts. The
server is started by hand, because its settings (logging above all) decide what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from harness.lean.services.kimina import Dispatcher, Retries
from harness.lean.services.kimina_client import KiminaServer, Reach
from harness.lean.verdicts.audit import new_nonce, strict_file
from harness.lean.verdicts.checking import assembled
from harness.protocols import Candidate
from harness.types import Problem

CALLERS = 64
PEER = """
import asyncio, json, logging, sys, time
logging.disable(logging.CRITICAL)
from kimina_client import AsyncKiminaClient, Snippet
codes, callers = json.load(sys.stdin)
async def main():
    client = AsyncKiminaClient(sys.argv[1])
    await client.check(codes[:4], timeout=60, batch_size=1, max_workers=4, show_progress=False)
    started = time.perf_counter()
    snippets = [Snippet(id=str(n), code=code) for n, code in enumerate(codes)]
    answer = await client.check(snippets, timeout=60, batch_size=1, max_workers=callers, show_progress=False)
    seconds = time.perf_counter() - started
    print(json.dumps([seconds, sum(result.response is not None for result in answer.results)]))
asyncio.run(main())
"""


def texts(count: int, salt: str) -> list[str]:
    """`count` distinct files as the verifier sends them."""
    statement = "theorem swap (P Q R : Prop) (h : P ∧ (Q ∧ R)) : (R ∧ Q) ∧ P"
    problem = Problem("swap", "bench", "test", "import Mathlib\n\n", statement, "swap")
    found = []
    for number in range(count):
        proof = f"by\n  -- {salt} {number}\n  exact ⟨⟨h.2.2, h.2.1⟩, h.1⟩"
        found.append(
            strict_file(assembled(Candidate(problem, proof), 200_000), new_nonce(), import_first=True).text
        )
    return found


async def closed_loop(items: list[str], ask: Callable[[str], Awaitable[object]]) -> float:
    """Seconds for all items by `CALLERS` callers, one at a time each."""
    waiting = iter(items)

    async def caller() -> None:
        for item in waiting:
            await ask(item)

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return time.perf_counter() - started


async def ours(url: str, codes: list[str], connections: int) -> tuple[float, int]:
    """Seconds and HTTP requests of this client."""
    dispatcher = Dispatcher([KiminaServer(url, Reach(60.0), connections)], Retries())
    await asyncio.gather(*(dispatcher.ask(code) for code in codes[:4]))
    seconds = await closed_loop(codes, dispatcher.ask)
    await dispatcher.close()
    return seconds, dispatcher.requests


def theirs(python: str, url: str, codes: list[str]) -> tuple[float, int]:
    """Seconds and usable answers of kimina-client."""
    done = subprocess.run(
        [python, "-c", PEER, url],
        input=json.dumps([codes, CALLERS]), capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, answered = json.loads(done.stdout.strip().splitlines()[-1])
    return float(seconds), int(answered)


def main() -> None:
    """Print both throughputs and their ratio."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("url")
    options.add_argument("--peer", type=Path, required=True)
    options.add_argument("--checks", type=int, default=512)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--connections", type=int, default=4)
    given = options.parse_args()
    best: dict[str, float] = {"ours": 0.0, "theirs": 0.0}
    for number in range(given.rounds):
        seconds, answered = theirs(str(given.peer), given.url, texts(given.checks, f"theirs {number}"))
        best["theirs"] = max(best["theirs"], given.checks / seconds)
        print(
            f"round {number}: kimina-client {given.checks / seconds:8.1f}/s ({answered} answered)", flush=True
        )
        seconds, sent = asyncio.run(ours(given.url, texts(given.checks, f"ours {number}"), given.connections))
        best["ours"] = max(best["ours"], given.checks / seconds)
        print(f"round {number}: this client   {given.checks / seconds:8.1f}/s ({sent} requests)", flush=True)
    print(f"best of {given.rounds}: {best['ours']:.1f}/s against {best['theirs']:.1f}/s", end=", ")
    print(f"ratio {best['ours'] / best['theirs']:.2f}")


if __name__ == "__main__":
    main()
