"""Whole proofs over real HTTP: a model server and a Lean server that do nothing but wait their time.

48 problems x 8 samples; the model takes 0.4 s a proof on 32 slots, Lean 0.2 s on 16. Either needs 4.8 s for
all of it, the first proof has to be written before the first check, and the last one is checked after it is
written: 5.4 s is the least possible, and only when generation and checking overlap.

    python -m tests.bench.whole_proofs [--slower 4]

`--slower` makes all times that much longer, the bound with them: on a busy machine this tells what the order
of work costs from what the CPU's share does.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import itertools
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.benchmarks.loading import load
from harness.experiment.attempts import Work, run
from harness.lean.services.opening import open_services
from harness.policies.engine import Decoding
from harness.policies.opening import ComputePlace, open_policy
from harness.policies.prompted import Decodings
from harness.policies.spec import ServerPolicySpec
from harness.provers.whole_proof import WholeProof
from harness.records.store import RunStore
from harness.spec import LeanSpec
from harness.types import Level, ProblemRef
from tests.lean.services.fake_kimina import codes, results
from tests.serving.double import Double, Reply, completions, models, running

PROBLEMS, SAMPLES, IN_FLIGHT = 48, 8, 64
BOUND_S = 5.4


@dataclass
class Slots:
    """Workers that each take `seconds` for a piece of work, first come, first served."""

    count: int
    seconds: float
    free_at: list[float] = field(default_factory=list)

    def delay_s(self, pieces: int) -> float:
        """Seconds from now until `pieces` more are done."""
        now = time.perf_counter()
        self.free_at = self.free_at or [now] * self.count
        done = now
        for _ in range(pieces):
            done = max(heapq.heappop(self.free_at), now) + self.seconds
            heapq.heappush(self.free_at, done)
        return done - now


def model(slots: Slots) -> Any:
    """Answers as an OpenAI-compatible server does, never twice the same."""
    numbers = itertools.count()

    def respond(path: str, body: Any) -> Reply:
        if path == "/v1/models":
            return models("waits", length=4096)
        return Reply(
            completions([f"  exact h{next(numbers)}\n```" for _ in range(body["n"])]),
            delay_s=slots.delay_s(body["n"]),
        )

    return respond


def lean(slots: Slots) -> Any:
    """Answers as a Kimina server does."""

    def respond(path: str, body: Any) -> Reply:
        return Reply(results(body), delay_s=slots.delay_s(len(codes(body))))

    return respond


async def measured(concurrency: int, samples: int, folder: Path, slower: float) -> float:
    """Seconds from the first question to the last record."""
    problems = load("core-curriculum", "test")[:PROBLEMS]
    refs = {ProblemRef.of(problem): problem for problem in problems}
    async with running(model(Slots(32, 0.4 * slower)), lean(Slots(16, 0.2 * slower))) as (writer, checker):
        spec = ServerPolicySpec(urls=(writer.url,), model="waits", prompt="stp", in_flight=64)
        opened = open_policy(spec, ComputePlace())
        policy = opened.policy(Decodings(Decoding(limit=16), Decoding(limit=64)), None)
        # More requests than Lean has slots, so that none is idle while an answer travels.
        services = open_services(LeanSpec(service="kimina", urls=(checker.url,), workers=32))
        await opened.check()
        work = Work({ref.key: item for ref, item in refs.items()}, samples, 0, Level.FAST, concurrency)
        settings = {"evaluation": {"samples": samples, "k": [1]}}
        with RunStore.create_or_resume(folder, settings, list(refs), {}) as store:
            started, before = time.perf_counter(), time.process_time()
            await run(work, WholeProof(policy), services.verifier, store, lambda record: None)
            seconds, busy = time.perf_counter() - started, time.process_time() - before
        await services.close()
        await opened.close()
        report(writer, checker, busy)
    return seconds


def report(writer: Double, checker: Double, busy: float) -> None:
    print(f"  {len(writer.asked)} requests to the model, at most {writer.most} at once; ", end="")
    print(f"{len(checker.asked)} to Lean, at most {checker.most} at once")
    print(f"  {busy:.1f} s of CPU, both servers included")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--slower", type=float, default=1.0)
    slower = options.parse_args().slower
    bound = BOUND_S * slower
    with tempfile.TemporaryDirectory() as scratch:
        seconds = asyncio.run(measured(IN_FLIGHT, SAMPLES, Path(scratch) / "many", slower))
        print(f"{PROBLEMS} x {SAMPLES}: {seconds:.2f} s, {seconds / bound:.3f} x the bound of {bound:.1f} s")
        if slower > 1:
            return
        alone = asyncio.run(measured(1, 1, Path(scratch) / "one", slower)) * SAMPLES
        print(f"one at a time: {alone:.0f} s, {alone / seconds:.0f} x (one sample each, scaled up)")


if __name__ == "__main__":
    main()
