"""Rewards in the shapes in which other trainers ask for them."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from harness.benchmarks import loading
from harness.errors import InfraError, UserError
from harness.lean.services.opening import LeanServices
from harness.spec import LeanSpec
from harness.types import Problem, Status, Verdict
from trainers import judge, reward_functions
from trainers.reward_server import reward_server


@pytest.fixture(scope="module")
def problem() -> Problem:
    return loading.load("smoke", "test")[0]


@pytest.fixture
def settings(tmp_path: Path, problem: Problem, monkeypatch: pytest.MonkeyPatch) -> Iterator[judge.Settings]:
    judge.write_problems(tmp_path / "problems.jsonl", [problem])
    made = judge.Settings(LeanSpec(service="core", max_attempts=1), tmp_path / "problems.jsonl", None)
    made.write(tmp_path / "reward.json")
    monkeypatch.setenv(judge.SETTINGS_VARIABLE, str(tmp_path / "reward.json"))
    reward_functions.court.cache_clear()
    yield made
    reward_functions.court.cache_clear()


@pytest.fixture
def down(settings: judge.Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class Down:
        async def check(self, candidates: Any, level: Any) -> list[Verdict]:
            return [Verdict(Status.INFRA, "service", "gone") for _ in candidates]

        async def close(self) -> None:
            return None

    monkeypatch.setattr(judge, "open_services", lambda *_: LeanServices(Down(), None))


def test_each_trainers_own_shape(settings: judge.Settings, problem: Problem) -> None:
    name, gold = judge.key(problem), str(problem.gold)
    told = reward_functions.reward_func([f"goal<sep>{gold}<eos>"], ["goal<sep>"], [{"problem": name}])
    assert (told["rewards"], told["scores"]) == (1.0, 1.0) and told["extra_logs"]["unscored"] == 0.0
    assert reward_functions.compute_score("lean", "nonsense", name) == 0.0
    assert reward_functions.trl_reward([gold, "nonsense"], [name, name], prompts=["", ""]) == [1.0, 0.0]
    sample = SimpleNamespace(response=gold, label=name)
    assert asyncio.run(reward_functions.slime(None, sample)) == 1.0


def test_format_shaping_reaches_every_shape(
    settings: judge.Settings, problem: Problem, tmp_path: Path
) -> None:
    shaping = dataclasses.replace(settings, format_penalty=0.25)
    shaping.write(tmp_path / "reward.json")
    name = judge.key(problem)
    told = reward_functions.reward_func(["p<think>"], ["p"], [name])
    assert (told["rewards"], told["scores"]) == (-0.25, 0.0) and told["extra_logs"]["no_lean"] == 1.0
    assert reward_functions.compute_score("lean", "<think>", name) == -0.25
    assert reward_functions.trl_reward(["", str(problem.gold)], [name, name]) == [-0.25, 1.0]
    sample = SimpleNamespace(response="", label=name)
    assert asyncio.run(reward_functions.slime(None, sample)) == -0.25
    one = ask(shaping, {"query": ["p"], "prompts": ["p"], "labels": [name]}).json()
    assert (one["rewards"], one["scores"]) == (-0.25, 0.0)


@pytest.mark.usefixtures("down")
def test_what_is_not_judged_is_never_zero(problem: Problem) -> None:
    name = judge.key(problem)
    assert reward_functions.trl_reward(["rfl"], [name]) == [None]
    with pytest.raises(InfraError, match="a proof could not be judged: gone"):
        reward_functions.compute_score("lean", "rfl", name)
    with pytest.raises(InfraError):
        reward_functions.reward_func(["rfl"], [""], [name])


def test_mistakes_are_named(settings: judge.Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="names no problem"):
        reward_functions.compute_score("lean", "rfl", 3)
    with pytest.raises(UserError, match="does not begin with the prompt"):
        reward_functions.reward_func(["other"], ["prompt"], ["x"])
    reward_functions.court.cache_clear()
    monkeypatch.delenv(judge.SETTINGS_VARIABLE)
    with pytest.raises(UserError, match="HARNESS_REWARD is not set"):
        reward_functions.court()


def ask(settings: judge.Settings, body: Any, method: str = "POST", path: str = "/") -> httpx.Response:
    async def answered() -> httpx.Response:
        court = judge.Judge(settings)
        try:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            transport = httpx.ASGITransport(reward_server(court))
            async with httpx.AsyncClient(transport=transport, base_url="http://rewards") as client:
                return await client.request(method, path, content=raw)
        finally:
            await court.close()

    return asyncio.run(answered())


def test_http_answers_one_and_many(settings: judge.Settings, problem: Problem) -> None:
    name, gold = judge.key(problem), str(problem.gold)
    one = ask(settings, {"query": [f"p{gold}"], "prompts": ["p"], "labels": [name]})
    assert one.status_code == 200 and one.json()["rewards"] == 1.0
    two = {"query": [f"p{gold}", "pno"], "prompts": ["p", "p"], "labels": [name, name]}
    many = ask(settings, two, path="/get_reward").json()
    assert many["scores"] == [1.0, 0.0] and many["extra_logs"]["unscored"] == [0.0, 0.0]
    assert ask(settings, {}, "GET").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        [],
        {},
        {"query": [], "prompts": [], "labels": []},
        {"query": ["a"], "prompts": [], "labels": []},
        {"query": [1], "prompts": ["a"], "labels": ["x"]},
        {"query": ["b"], "prompts": ["a"], "labels": ["x"]},
        {"query": ["a"], "prompts": ["a"], "labels": ["nobody@0"]},
        {"query": ["a"], "prompts": ["a"], "labels": [None]},
    ],
)
def test_http_refuses_other_bodies(settings: judge.Settings, body: Any) -> None:
    assert ask(settings, body).status_code == 422
    assert ask(settings, body, "PUT").status_code == 405


@pytest.mark.usefixtures("down")
def test_http_answers_503_where_nothing_was_judged(settings: judge.Settings, problem: Problem) -> None:
    answer = ask(settings, {"query": ["p"], "prompts": ["p"], "labels": [judge.key(problem)]})
    assert answer.status_code == 503 and "gone" in answer.text


def test_harness_reward_serves_and_ends(tmp_path: Path, problem: Problem) -> None:
    argv = [sys.executable, "-m", "harness", "reward", "base/embedded", "--port", "0"]
    argv += ["--set", "train.benchmark=smoke", "--set", "train.split=test", "--runs", str(tmp_path)]
    server = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=os.environ)
    try:
        assert server.stdout is not None
        lines = [server.stdout.readline(), server.stdout.readline()]
        assert lines[0].startswith(f"export HARNESS_REWARD={tmp_path}")
        url = re.findall(r"http://\S+", lines[1])[0]
        body = {"query": [str(problem.gold)], "prompts": [""], "labels": [judge.key(problem)]}
        with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=30) as answer:
            assert json.load(answer)["rewards"] == 1.0
        with pytest.raises(urllib.error.HTTPError, match="422"):
            urllib.request.urlopen(url, b"{}", timeout=30)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        assert server.stdout is not None
        server.stdout.close()
