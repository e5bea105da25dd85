"""The agent as OpenRLHF builds and calls it, with OpenRLHF's generation replaced."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.benchmarks import loading
from harness.errors import InfraError
from harness.lean.services.opening import LeanServices
from harness.spec import LeanSpec
from harness.types import Status, Verdict
from trainers import judge
from trainers.judge import SETTINGS_VARIABLE
from trainers.openrlhf.plan import AGENT

SAMPLES = 4


class Generation:
    """In place of `SingleTurnAgentExecutor`: the prompt's text is the proof."""

    def __init__(self, url: object) -> None:
        assert url is None

    async def execute(self, prompt: str, label: Any, *rest: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        tokens = [ord(letter) for letter in prompt]
        return {
            "prompt": prompt,
            "label": label,
            "observation_tokens": [1, 2, *tokens],
            "action_ranges": [(2, 2 + len(tokens))],
            "truncated": False,
            "reward": None,
            "scores": None,
            "extra_logs": {},
        }


class Tokenizer:
    def decode(self, tokens: list[int], skip_special_tokens: bool) -> str:
        assert not skip_special_tokens
        return "".join(map(chr, tokens))


@pytest.fixture
def executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("openrlhf", "openrlhf.utils"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    module = ModuleType("openrlhf.utils.agent")
    module.SingleTurnAgentExecutor = Generation  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "openrlhf.utils.agent", module)
    judge.write_problems(tmp_path / "problems.jsonl", loading.load("smoke", "test")[:1])
    lean = LeanSpec(service="core", max_attempts=1)
    told = judge.Settings(lean, tmp_path / "problems.jsonl", None, unscored_in_a_row=SAMPLES + 1)
    told.write(tmp_path / "reward.json")
    monkeypatch.setenv(SETTINGS_VARIABLE, str(tmp_path / "reward.json"))
    spec = importlib.util.spec_from_file_location("agent_module", AGENT)
    assert spec is not None and spec.loader is not None
    agent = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(agent)
    return agent.AgentExecutor


async def _group(made: Any, texts: list[str]) -> list[dict[str, Any]]:
    """As OpenRLHF's worker does it: one call, all samples of a prompt, the same parameters."""
    problem = loading.load("smoke", "test")[0]
    shared = object()
    label = {"problem": judge.key(problem)}
    calls = (made.execute(text, label, shared, 512, Tokenizer(), None) for text in texts)
    return list(await asyncio.gather(*calls))


def test_samples_come_back_with_their_rewards(executor: Any) -> None:
    gold = str(loading.load("smoke", "test")[0].gold)

    async def ask() -> list[dict[str, Any]]:
        return await _group(executor(), [f"{gold}<eos>", "nonsense", gold, "exact (<sep>"])

    found = asyncio.run(ask())
    assert [item["reward"] for item in found] == [1.0, 0.0, 1.0, 0.0]
    assert [item["scores"] for item in found] == [1.0, 0.0, 1.0, 0.0]
    assert len({tuple(item["extra_logs"]) for item in found}) == 1
    assert all(isinstance(value, float) for item in found for value in item["extra_logs"].values())


def test_format_shaping_is_in_the_reward_and_not_in_the_score(executor: Any) -> None:
    path = Path(os.environ[SETTINGS_VARIABLE])
    dataclasses.replace(judge.Settings.read(path), format_penalty=0.25).write(path)

    async def ask() -> list[dict[str, Any]]:
        return await _group(executor(), ["<think>", "nonsense"])

    found = asyncio.run(ask())
    assert [(item["reward"], item["scores"]) for item in found] == [(-0.25, 0.0), (0.0, 0.0)]


def test_a_dead_verifier_fills_the_group_and_then_ends_the_run(
    executor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Down:
        async def check(self, candidates: Any, level: Any) -> list[Verdict]:
            return [Verdict(Status.INFRA, "service", "gone") for _ in candidates]

        async def close(self) -> None:
            return None

    monkeypatch.setattr(judge, "open_services", lambda *_: LeanServices(Down(), None))

    async def ask() -> list[dict[str, Any]]:
        made = executor()
        found = await _group(made, ["rfl"] * SAMPLES)
        with pytest.raises(InfraError, match="5 proofs in a row could not be judged"):
            await _group(made, ["rfl"] * SAMPLES)
        return found

    found = asyncio.run(ask())
    assert [item["reward"] for item in found] == [0.0] * SAMPLES
    assert [item["extra_logs"]["unscored"] for item in found] == [1.0] * SAMPLES
