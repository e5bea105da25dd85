"""Rewards of whole proofs: the evaluation's own verdicts, never a silent zero, never a blocked loop."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.benchmarks import loading
from harness.errors import InfraError, StoreError, UserError
from harness.lean.services import opening
from harness.lean.services.opening import LeanServices
from harness.protocols import Candidate
from harness.spec import LeanSpec
from harness.types import Level, Problem, ProofState, Status, Verdict
from trainers import judge
from trainers.judge import Groups, Judge, Judged, Settings, filled

CORE = LeanSpec(service="core", max_attempts=2)


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    return loading.load("smoke", "test")[:4]


@pytest.fixture
def settings(tmp_path: Path, problems: list[Problem]) -> Settings:
    path = tmp_path / "problems.jsonl"
    judge.write_problems(path, problems)
    return Settings(CORE, path, tmp_path / "verdicts", concurrency=2, deadline_s=30.0, unscored_in_a_row=3)


def test_settings_and_problems_come_back(tmp_path: Path, settings: Settings, problems: list[Problem]) -> None:
    settings.write(tmp_path / "reward.json")
    assert Settings.read(tmp_path / "reward.json") == settings
    found = judge.read_problems(settings.problems)
    assert [problem.revision for problem in found.values()] == [item.revision for item in problems]
    assert all(problem.gold is None for problem in found.values())


@pytest.mark.parametrize("text", ["", "{}", '{"lean": {"service": "x"}}'])
def test_broken_settings_are_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "reward.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"reward\.json: no settings of a reward"):
        Settings.read(path)
    with pytest.raises(StoreError, match="not a file of problems"):
        judge.read_problems(tmp_path / "nowhere.jsonl")


def test_the_reward_is_the_verdict(settings: Settings, problems: list[Problem]) -> None:
    async def ask() -> list[Judged]:
        court = Judge(settings)
        try:
            gold = [(judge.key(item), f"\n{item.gold}\n<eos>junk") for item in problems]
            bad = [(judge.key(problems[0]), text) for text in ("nonsense", "", "sorry", "exact trivial<sep>")]
            return await asyncio.gather(*(court.judge(*pair) for pair in [*gold, *bad]))
        finally:
            await court.close()

    found = asyncio.run(ask())
    assert [item.reward for item in found] == [1.0] * 4 + [0.0] * 4
    assert all(item.verdict.level is Level.FAST for item in found)


def test_a_strange_name_is_the_callers_mistake(settings: Settings) -> None:
    with pytest.raises(UserError, match="no problem 'unknown@0'"):
        asyncio.run(_judged(settings, [("unknown@0", "rfl")]))


class Verifier:
    """Answers as it is told."""

    def __init__(self, answers: Callable[[int], Verdict]) -> None:
        self.answers, self.asked = answers, 0

    async def check(self, candidates: Sequence[Candidate], level: Level) -> list[Verdict]:
        self.asked += 1
        return [self.answers(self.asked) for _ in candidates]

    async def close(self) -> None:
        return None


DOWN = Verdict(Status.INFRA, "service", "connection refused")
FINE = Verdict(Status.PROVED, "ok")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], Verdict]], Verifier]:
    monkeypatch.setattr(judge, "RETRY_PAUSE_S", 0.0)

    def serve(answers: Callable[[int], Verdict]) -> Verifier:
        made = Verifier(answers)
        monkeypatch.setattr(judge, "open_services", lambda *_: LeanServices(made, None, (made.close,)))
        return made

    return serve


async def _judged(settings: Settings, pairs: Sequence[tuple[str, str]], value: Any = None) -> list[Judged]:
    court = Judge(settings, value)
    try:
        return [await court.judge(*pair) for pair in pairs]
    finally:
        await court.close()


def test_a_machine_failure_is_tried_again(
    settings: Settings, problems: list[Problem], served: Callable[[Callable[[int], Verdict]], Verifier]
) -> None:
    verifier = served(lambda asked: DOWN if asked == 1 else FINE)
    (found,) = asyncio.run(_judged(settings, [(judge.key(problems[0]), "rfl")]))
    assert (found.reward, verifier.asked) == (1.0, 2)


def test_what_stays_unjudged_is_unscored_and_too_many_end_the_run(
    settings: Settings, problems: list[Problem], served: Callable[[Callable[[int], Verdict]], Verifier]
) -> None:
    name = judge.key(problems[0])
    # Two tries a proof; the third proof is judged, so the count begins anew.
    served(lambda asked: FINE if asked == 5 else DOWN)
    found = asyncio.run(_judged(settings, [(name, "rfl")] * 5))
    assert [item.reward for item in found] == [None, None, 1.0, None, None]
    served(lambda _: DOWN)
    with pytest.raises(InfraError, match=r"3 proofs in a row could not be judged .*; the last: connection"):
        asyncio.run(_judged(settings, [(name, "rfl")] * 5))


def test_a_late_verdict_is_unscored_and_the_loop_goes_on(
    tmp_path: Path, settings: Settings, problems: list[Problem], served: Any
) -> None:
    left = threading.Event()

    def slow(_: int) -> Verdict:
        left.wait(60)  # computes in process, as the core does
        return FINE

    served(slow)
    hasty = Settings(CORE, settings.problems, None, deadline_s=0.05)

    async def ask() -> tuple[Judged, int]:
        court, turns = Judge(hasty), 0
        task = asyncio.ensure_future(court.judge(judge.key(problems[0]), "rfl"))
        while not task.done():
            await asyncio.sleep(0.005)
            turns += 1
        left.set()
        await court.close()
        return task.result(), turns

    found, turns = asyncio.run(ask())
    assert found.reward is None and "no verdict within 0.05 s" in found.verdict.detail
    assert turns > 0


class Half:
    async def score(self, states: Sequence[ProofState]) -> list[float]:
        return [0.5 for _ in states]


def test_a_failed_proof_may_earn_a_share_of_the_value_it_reached(
    settings: Settings, problems: list[Problem]
) -> None:
    generous = Settings(CORE, settings.problems, None, value_bonus=0.1)
    name, gold = judge.key(problems[0]), str(problems[0].gold)
    found = asyncio.run(_judged(generous, [(name, gold), (name, "nonsense")], Half()))
    assert [(item.reward, item.bonus) for item in found] == [(1.0, 0.0), (0.05, 0.05)]
    (without,) = asyncio.run(_judged(settings, [(name, "nonsense")], Half()))
    assert without.reward == 0.0


def test_a_failure_without_lean_may_cost_and_never_earns_a_bonus(
    settings: Settings, problems: list[Problem]
) -> None:
    strict = dataclasses.replace(settings, format_penalty=0.2, value_bonus=0.1)
    name, gold = judge.key(problems[0]), str(problems[0].gold)
    pairs = [(name, gold), (name, "nonsense"), (name, ""), (name, "<think>so")]
    found = asyncio.run(_judged(strict, pairs, Half()))
    assert [(item.reward, item.bonus) for item in found] == [
        (1.0, 0.0),
        (0.05, 0.05),
        (-0.2, 0.0),
        (-0.2, 0.0),
    ]
    assert [judge.logs_of(item)["no_lean"] for item in found] == [0.0, 0.0, 1.0, 1.0]
    assert [item.reward for item in asyncio.run(_judged(settings, pairs))] == [1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("change", [{"value_bonus": 1.0}, {"format_penalty": -0.5}, {"format_penalty": 2.0}])
def test_no_settings_let_a_failure_earn_what_a_proof_does(
    tmp_path: Path, settings: Settings, change: dict[str, float]
) -> None:
    settings.write(tmp_path / "reward.json")
    told = json.loads((tmp_path / "reward.json").read_text()) | change
    (tmp_path / "reward.json").write_text(json.dumps(told))
    with pytest.raises(UserError, match="value_bonus and format_penalty lie between 0 and 1"):
        Settings.read(tmp_path / "reward.json")


def test_an_unscored_sample_falls_out_of_its_groups_mean() -> None:
    async def settle(rewards: Sequence[float | None]) -> list[float]:
        groups = Groups()

        async def sample(reward: float | None, delay: float) -> float:
            group = groups.join(7)
            await asyncio.sleep(delay)
            groups.settle(7, group, reward)
            return await filled(group, reward)

        found = await asyncio.gather(*(sample(item, 0.001 * n) for n, item in enumerate(rewards)))
        assert not groups._open
        return list(found)

    assert asyncio.run(settle([None, 1.0, 0.0, 0.0, 1.0, None])) == [0.5, 1.0, 0.0, 0.0, 1.0, 0.5]
    assert asyncio.run(settle([None, None])) == [0.0, 0.0]
    assert asyncio.run(settle([1.0, 0.0])) == [1.0, 0.0]


def test_the_verifier_is_that_of_evaluation() -> None:
    assert judge.open_services is opening.open_services
