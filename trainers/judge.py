"""What a whole proof earns, asked of the same verifier as evaluation. For any trainer that samples by itself.

The verifier runs in a thread with an event loop of its own, so that a check that computes in process (the
embedded core) never holds up the generating engine's loop. A proof that the machine fails to judge is tried
again, then left unscored; too many of them in a row end the run. Unscored is never zero: see `Groups`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import InfraError, StoreError, UserError
from harness.lean.services.opening import LeanServices, open_services
from harness.prompts import embedded
from harness.protocols import Candidate, Value
from harness.spec import LeanSpec
from harness.types import Hole, Level, Problem, ProofState, Status, Verdict
from trainers import reward
from trainers.examples import tactics_of

SETTINGS_VARIABLE = "HARNESS_REWARD"
"""Names the file of settings, for those who are started by somebody else."""
RETRY_PAUSE_S = 0.5
"""Before the first retry of a proof; doubled each time."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a reward needs to know; kept in a JSON file, because the agent is built without arguments."""

    lean: LeanSpec
    problems: Path
    """Problems in JSON lines, see `write_problems`."""
    verdicts: Path | None
    """Folder of verdicts given before; None keeps them in memory alone."""
    concurrency: int = 64
    deadline_s: float = 900.0
    """Seconds for one proof, all its retries included."""
    unscored_in_a_row: int = 32
    end: str = embedded.END
    """What the generator writes at the end of a proof."""
    value: Path | None = None
    """Checkpoint of the value model behind `value_bonus`."""
    value_bonus: float = 0.0
    """A failed proof earns this times V of the last state that it reaches."""
    format_penalty: float = 0.0
    """A failed proof without any Lean in it earns minus this."""

    def __post_init__(self) -> None:
        """Raise `ValueError` where a failure could earn what a proof does."""
        if not (0 <= self.value_bonus < 1 and 0 <= self.format_penalty <= 1):
            raise ValueError("value_bonus and format_penalty lie between 0 and 1")

    def write(self, path: Path) -> None:
        """Keep the settings at `path`."""
        told = dataclasses.asdict(self) | {"lean": self.lean.model_dump(mode="json")}
        path.write_text(json.dumps(told, default=str, indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Settings:
        """The settings kept at `path`. Raises `UserError` when there are none."""
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            lean = LeanSpec.model_validate_json(json.dumps(told.pop("lean")), strict=True)
            problems = Path(told.pop("problems"))
            verdicts, value = (_path(told.pop(name)) for name in ("verdicts", "value"))
            return cls(lean=lean, problems=problems, verdicts=verdicts, value=value, **told)
        except (OSError, ValueError, TypeError, KeyError) as cause:
            raise UserError(f"{path}: no settings of a reward ({cause}); write them anew") from cause


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def key(problem: Problem) -> str:
    """How a row of training data names its problem."""
    return f"{problem.id}@{problem.revision}"


def write_problems(path: Path, problems: Iterable[Problem]) -> None:
    """Keep problems in JSON lines; their gold proofs stay behind."""
    rows = (dataclasses.asdict(dataclasses.replace(problem, gold=None)) for problem in problems)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read_problems(path: Path) -> dict[str, Problem]:
    """The problems kept at `path`, by `key`. Raises `StoreError` when the file is missing or broken."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found = [Problem(**row | {"holes": tuple(Hole(**hole) for hole in row["holes"])}) for row in rows]
    except (OSError, ValueError, TypeError, KeyError) as cause:
        raise StoreError(f"{path}: not a file of problems ({cause}); write it anew") from cause
    return {key(problem): problem for problem in found}


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one proof."""

    reward: float | None
    """None: the machine could not judge it."""
    verdict: Verdict
    bonus: float = 0.0
    """The share of the reward that the value model gave."""


class Judge:
    """Rewards for whole proofs. One event loop uses it; `close` it there."""

    def __init__(self, settings: Settings, value: Value | None = None) -> None:
        """`value` stands in for the model at `settings.value`. Raises what `read_problems` raises."""
        self._settings = settings
        self._problems = read_problems(settings.problems)
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._bench = _Bench(settings, value)
        self._row = 0

    async def judge(self, name: str, text: str) -> Judged:
        """What the generator's `text` earns as a proof of the problem `name`.

        Raises `InfraError` when too many proofs in a row could not be judged, `UserError` for a strange name.
        """
        problem = self._problems.get(name)
        if problem is None:
            raise UserError(f"{self._settings.problems}: no problem {name!r}; name it as `key` does")
        proof = text.split(self._settings.end, 1)[0].strip("\n")
        async with self._slots:
            try:
                judged = await asyncio.wait_for(self._bench.ask(problem, proof), self._settings.deadline_s)
            except TimeoutError:
                late = Verdict(Status.INFRA, "service", f"no verdict within {self._settings.deadline_s:g} s")
                judged = Judged(None, late)
        self._count(judged)
        return judged

    def _count(self, judged: Judged) -> None:
        self._row = self._row + 1 if judged.reward is None else 0
        if self._row >= self._settings.unscored_in_a_row:
            raise InfraError(
                f"{self._row} proofs in a row could not be judged (improve.openrlhf.unscored_in_a_row); "
                f"the last: {judged.verdict.detail or judged.verdict.reason}"
            )

    async def close(self) -> None:
        """Stop what was started."""
        await self._bench.close()


class _Bench:
    """The thread in which the verifier lives."""

    def __init__(self, settings: Settings, value: Value | None) -> None:
        self._settings = settings
        self._value = value
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="verifier", daemon=True)
        self._thread.start()
        self._lean: LeanServices | None = None

    async def ask(self, problem: Problem, proof: str) -> Judged:
        return await asyncio.wrap_future(
            asyncio.run_coroutine_threadsafe(self._ask(problem, proof), self._loop)
        )

    async def close(self) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._stop(), self._loop))
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()

    async def _stop(self) -> None:
        if self._lean is not None:
            await self._lean.close()

    async def _ask(self, problem: Problem, proof: str) -> Judged:
        if self._lean is None:
            self._lean = open_services(self._settings.lean, self._settings.verdicts)
        verdict = await self._verdict(self._lean, Candidate(problem, proof))
        earned = reward.shaped(verdict, problem, proof, self._settings.format_penalty)
        if earned != 0.0 or self._settings.value_bonus == 0.0:
            return Judged(earned, verdict)
        try:
            reached = await _reached(self._lean, problem, proof)
        except InfraError as cause:
            return Judged(None, Verdict(Status.INFRA, "service", str(cause)))
        (worth,) = await self._values().score([reached])
        bonus = self._settings.value_bonus * worth
        return Judged(earned + bonus, verdict, bonus)

    async def _verdict(self, lean: LeanServices, candidate: Candidate) -> Verdict:
        pause = RETRY_PAUSE_S
        for left in reversed(range(self._settings.lean.max_attempts)):
            try:
                (verdict,) = await lean.verifier.check([candidate], Level.FAST)
            except InfraError as cause:
                verdict = Verdict(Status.INFRA, "service", str(cause))
            if verdict.status is not Status.INFRA or not left:
                break
            await asyncio.sleep(pause)
            pause *= 2
        return verdict

    def _values(self) -> Value:
        if self._value is None:
            from harness.values.opening import open_trained

            if self._settings.value is None:
                raise UserError("improve.openrlhf.value_bonus: needs a value model; set rounds: 1 or more")
            self._value = open_trained(self._settings.value, threads=1)
        return self._value


async def _reached(lean: LeanServices, problem: Problem, proof: str) -> ProofState:
    """The last state that the tactics of a failed proof reach, the initial one at worst."""
    if lean.sessions is None:
        raise UserError(
            "improve.openrlhf.value_bonus: this lean.service has no tactic mode and reaches no state; set 0"
        )
    session = await lean.sessions.open(problem)
    try:
        state = await session.start()
        for tactic in tactics_of(proof):
            result = await session.apply(state, tactic)
            if result.state is None:
                break
            state = result.state
        return state
    finally:
        await session.close()


@dataclass
class PromptGroup:
    """The samples of one prompt while they are judged."""

    members: int = 0
    settled: int = 0
    rewards: list[float] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Groups:
    """Lets an unscored sample fall out of its group's mean.

    GRPO's advantage is (reward - mean) / deviation over a group. A sample without a reward is given the mean
    of the others: it moves no mean and its own advantage is exactly 0, so it teaches nothing. The deviation,
    over n - 1, is then too small by sqrt((m - 1) / (n - 1)) for m scored of n. A group without any scored
    sample gets 0 throughout, and 0 is the advantage of all of it.
    """

    def __init__(self) -> None:
        self._open: dict[int, PromptGroup] = {}

    def join(self, token: int) -> PromptGroup:
        """Announce a sample of the group that `token` tells apart, before anything of it is awaited."""
        group = self._open.setdefault(token, PromptGroup())
        group.members += 1
        return group

    def settle(self, token: int, group: PromptGroup, reward: float | None) -> None:
        """A sample of the group has its reward, or has come to nothing."""
        group.settled += 1
        if reward is not None:
            group.rewards.append(reward)
        if group.settled == group.members:
            group.done.set()
            self._open.pop(token, None)


async def filled(group: PromptGroup, reward: float | None) -> float:
    """The reward, or the mean of the others once all of them are known."""
    if reward is not None:
        return reward
    await group.done.wait()
    return _mean(group.rewards)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def logs_of(judged: Judged) -> dict[str, Any]:
    """Figures of one sample, the same names for every sample; OpenRLHF averages them over a step."""
    return {
        "unscored": float(judged.reward is None),
        "timeout": float(judged.verdict.status is Status.TIMEOUT),
        "refused": float(judged.verdict.reason == "refused"),
        "no_lean": float(judged.reward is not None and judged.reward < 0),
        "value_bonus": judged.bonus,
        "verify_s": judged.verdict.seconds,
    }
