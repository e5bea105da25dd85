"""How long many searches take on a cluster of fixed latencies, against what its busiest service needs anyway.

Real Lean and models are stood in for by waits: Lean has 16 slots, the policy and the value model answer a
batch after a fixed time. `overlapping` is a server that merges its own queue, `serial` a model that is called
over a wire and serves one call at a time, `in process` a model computed by a worker thread. The bound is the
time of the busiest service if it never stood still. One problem at a time is measured on a few, scaled up.

    python -m tests.bench.cluster [--problems 256]
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.provers.best_first import BestFirst, SearchSpec
from harness.serving.batched import BatchedPolicy, BatchedValue
from harness.spec import DecodeSpec
from harness.types import Problem, ProofState, Proposal, Proposed, Step, StepResult

WIDTH, LARGEST, SLOTS, VALUE_S = 8, 64, 16, 0.015
TACTICS = [Proposal(f"t{n}", -0.1 - n / 10, 4) for n in range(WIDTH)]


def expansions(number: int) -> int:
    """Expansions that a problem takes: 3 to 9, the same in every run."""
    return 3 + number * 5 % 7


@dataclass
class Model:
    """Answers after `seconds` a batch of at most `LARGEST`; `kind` says what it does with the next one."""

    kind: str
    seconds: float
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    queue: list[tuple[int, asyncio.Future[None]]] = field(default_factory=list)
    worker: asyncio.Task[None] | None = None
    asked: int = 0
    batches: int = 0

    async def answer(self, count: int) -> None:
        self.asked += count
        self.batches += 1
        passes = -(-count // LARGEST)
        if self.kind == "in process":
            await asyncio.to_thread(time.sleep, passes * self.seconds)
        elif self.kind == "serial":
            async with self.busy:
                await asyncio.sleep(passes * self.seconds)
        else:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.queue.append((count, done))
            if self.worker is None:
                self.worker = asyncio.ensure_future(self._serve())
            await done

    async def _serve(self) -> None:
        while self.queue:
            taken, size = [], 0
            while self.queue and (not taken or size + self.queue[0][0] <= LARGEST):
                count, done = self.queue.pop(0)
                size += count
                taken.append(done)
            await asyncio.sleep(-(-size // LARGEST) * self.seconds)
            for done in taken:
                done.set_result(None)
        self.worker = None


@dataclass
class Cluster:
    """Sessions, policy and value model at once; what is asked is counted."""

    policy: Model
    value: Model
    lean_s: float
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SLOTS))
    applied: int = 0
    overlaps: bool = True

    async def open(self, problem: Problem) -> Any:
        return _Session(self, int(problem.id))

    async def propose(self, states: Sequence[ProofState], seeds: Sequence[int], k: int) -> list[Proposed]:
        await self.policy.answer(len(states))
        return [Proposed(tuple(TACTICS[:k])) for _ in states]

    async def score(self, states: Sequence[ProofState]) -> list[float]:
        await self.value.answer(len(states))
        return [0.5] * len(states)

    async def sample(self, problems: Sequence[Problem], seeds: Sequence[int]) -> Any:
        raise NotImplementedError

    @property
    def bound_s(self) -> float:
        """What the busiest service needs for all that was asked of it."""
        models = (-(-model.asked // LARGEST) * model.seconds for model in (self.policy, self.value))
        return max(self.applied * self.lean_s / SLOTS, *models)


@dataclass
class _Session:
    """A chain of states; the last tactic of its last expansion closes the proof."""

    cluster: Cluster
    number: int
    overlaps: bool = True

    async def start(self) -> ProofState:
        return ProofState((f"⊢ {self.number} 0",), 0)

    async def apply(self, state: ProofState, tactic: str) -> StepResult:
        async with self.cluster.slots:
            await asyncio.sleep(self.cluster.lean_s)
        self.cluster.applied += 1
        if tactic == TACTICS[-1].tactic and state.handle + 1 == expansions(self.number):
            return StepResult(Step.DONE)
        if tactic == TACTICS[0].tactic:
            place = state.handle + 1
            return StepResult(Step.OPEN, ProofState((f"⊢ {self.number} {place}",), place))
        return StepResult(Step.INVALID, message="no")

    async def close(self) -> None:
        return None


@dataclass(frozen=True)
class Load:
    """What is run: problems, attempts in flight, seconds of a policy batch and of a tactic in Lean."""

    problems: int
    concurrency: int
    policy_s: float
    lean_s: float


async def searched(load: Load, kind: str) -> tuple[float, Cluster]:
    """Seconds for all problems, and the cluster that counted."""
    cluster = Cluster(Model(kind, load.policy_s), Model(kind, VALUE_S), load.lean_s)
    spec = SearchSpec(alpha=0.5, value_scale="value", decode=DecodeSpec(width=WIDTH))
    policy = cluster if kind == "overlapping" else BatchedPolicy(cluster, LARGEST)
    value = cluster if kind == "overlapping" else BatchedValue(cluster, LARGEST)
    prover = BestFirst(spec, cluster, policy, value)
    numbers = iter(range(load.problems))

    async def worker() -> None:
        for number in numbers:
            problem = Problem(str(number), "bench", "test", "", "theorem t : True", "t")
            attempt = await prover.attempt(problem, 0, 0)
            assert attempt.search is not None and attempt.search.expanded == expansions(number)

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(load.concurrency)))
    return time.perf_counter() - started, cluster


def report(load: Load, what: str, few: int = 7) -> None:
    """One line a kind of model, and the same work one problem at a time."""
    print(
        f"{what}: {load.problems} problems, {load.concurrency} in flight, policy {load.policy_s * 1e3:.0f} ms"
    )
    for kind in ("overlapping", "serial", "in process"):
        seconds, cluster = asyncio.run(searched(load, kind))
        mean = cluster.policy.asked / cluster.policy.batches
        print(
            f"  {kind:<12} {seconds:6.2f} s, {seconds / cluster.bound_s:.2f} x the bound of "
            f"{cluster.bound_s:.2f} s (mean policy batch {mean:.1f})"
        )
    alone, _ = asyncio.run(searched(replace(load, problems=few, concurrency=1), "serial"))
    work = sum(map(expansions, range(load.problems))) / sum(map(expansions, range(few)))
    print(
        f"  one at a time {alone * work:5.0f} s, {alone * work / seconds:.1f} x ({few} problems, scaled up)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=256)
    count = parser.parse_args().problems
    report(Load(count, count, 0.08, 0.025), "Lean is the busiest")
    report(Load(count, count, 0.64, 0.005), "the policy is the busiest")


if __name__ == "__main__":
    main()
