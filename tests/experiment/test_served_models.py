"""Runs over a model server that fails in every way: nothing that the machine did is told as the model's."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.experiment import attempts
from harness.experiment.attempts import Work, run
from harness.policies.engine import Decoding
from harness.policies.openai import ServedModel, ServedName
from harness.policies.prompted import Decodings, PromptedPolicy
from harness.prompts.registry import family
from harness.protocols import Prover
from harness.provers.best_first import BestFirst, SearchSpec
from harness.provers.whole_proof import WholeProof
from harness.records.store import RunStore
from harness.serving.fleet import Fleet, Patience
from harness.serving.http import JsonServer
from harness.types import Level, Problem, ProblemRef, Record, Status
from tests.serving.double import Double, Reply, completions, models, running
from tests.toy_logic import World, apply, make, show_goal

WORLD, PROBLEMS = make(8)
ODD = PROBLEMS[3]
"""The problem about which the server misbehaves."""


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "RETRY_PAUSE_S", 0.0)


def steps_of(problem: Problem) -> dict[str, str]:
    """Prompt to tactic for every state of the problem's gold proof."""
    goals, found = (WORLD.goals[problem.id],), {}
    for tactic in (problem.gold or "").split("\n"):
        found["\n\n".join(show_goal(goal) for goal in goals) + ":::"] = tactic
        goals = apply(goals, tactic) or ()
    return found


STEPS = {prompt: tactic for problem in PROBLEMS for prompt, tactic in steps_of(problem).items()}


@dataclass
class Server:
    """Answers with gold proofs and tactics, but about `ODD` with `reply`; is gone after `lives` answers."""

    reply: Reply | None = None
    lives: int = 1_000_000
    served: str = "tiny"
    asked: int = field(default=0)

    def __call__(self, path: str, body: Any) -> Reply:
        if path == "/v1/models":
            return models(self.served)
        self.asked += 1
        if self.asked > self.lives:
            return Reply(drop=True)
        prompt = body["prompt"]
        if self.reply is not None and (ODD.theorem + " " in prompt or prompt in steps_of(ODD)):
            return self.reply
        if prompt in STEPS:
            return Reply(completions([STEPS[prompt], *["nonsense"] * (body["n"] - 1)]))
        [problem] = [item for item in PROBLEMS if f"theorem {item.theorem} " in prompt]
        return Reply(completions([problem.gold or ""]))


Make = Callable[[PromptedPolicy, World], Prover]


def whole(policy: PromptedPolicy, world: World) -> Prover:
    return WholeProof(policy)


def search(policy: PromptedPolicy, world: World) -> Prover:
    return BestFirst(SearchSpec(alpha=1.0, expansions=32), world, policy)


def measure(folder: Path, server: Server, make_prover: Make = whole, again: bool = False) -> list[Record]:
    """The records of a run in `folder`; `again` also retries what an earlier session left unscored."""
    name = "deepseek-prover-v1.5" if make_prover is whole else "bfs-prover"

    async def run_all(double: Double) -> None:
        patience = Patience(wait_s=0.1, tries=2, back_off_s=0.01)
        slow = server.reply is not None and server.reply.delay_s > 0
        deadline_s = 0.2 if slow else 20.0  # a busy machine is no slow server
        fleet = Fleet([JsonServer(double.url, 2, deadline_s, "NO_KEY")], patience)
        engine = ServedModel(fleet, ServedName("tiny"))
        policy = PromptedPolicy(engine, family(name), Decodings(Decoding(), Decoding()))
        keyed = {ProblemRef.of(problem).key: problem for problem in PROBLEMS}
        refs = [ProblemRef.of(problem) for problem in PROBLEMS]
        with RunStore.create_or_resume(
            folder, {"name": "toy", "evaluation": {"samples": 1}}, refs, {}
        ) as store:
            try:
                work = Work(keyed, 1, 0, Level.FAST, concurrency=4, max_attempts=2, retry_unscored=again)
                await run(work, make_prover(policy, WORLD), WORLD, store, lambda record: None)
            finally:
                records.extend(store.records)
                await engine.close()

    async def with_double() -> None:
        async with running(server) as [double]:
            await run_all(double)

    records: list[Record] = []
    asyncio.run(with_double())
    return records


def statuses(records: list[Record]) -> Counter[Status]:
    return Counter(record.verdict.status for record in records)


@pytest.mark.parametrize("make_prover", [whole, search])
def test_a_healthy_server_proves_all(tmp_path: Path, make_prover: Make) -> None:
    records = measure(tmp_path / "run", Server(), make_prover)
    assert statuses(records) == {Status.PROVED: len(PROBLEMS)}
    if make_prover is whole:
        assert all(record.attempt.logprob is not None for record in records)
        assert {record.attempt.origin for record in records} == {"whole answer, no closing fence"}


BAD = completions(["x"])
FAULTS = {
    "server error": Reply(status=500),
    "overloaded": Reply(status=429),
    "lost connection": Reply(drop=True),
    "slow": Reply(completions(["x"]), delay_s=1.0),
    "broken JSON": Reply(b'{"choices": [{"text": "intro'),
    "no log-probabilities": Reply({**BAD, "choices": [{**BAD["choices"][0], "logprobs": None}]}),
    "wrong length": Reply({**BAD, "usage": {"prompt_tokens": 1, "completion_tokens": 9}}),
    "too few answers": Reply({"choices": []}),
}


@pytest.mark.parametrize("make_prover", [whole, search])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_stays_with_its_problem_and_is_unscored(
    tmp_path: Path, fault: str, make_prover: Make
) -> None:
    records = measure(tmp_path / "run", Server(FAULTS[fault]), make_prover)
    assert statuses(records) == {Status.PROVED: len(PROBLEMS) - 1, Status.INFRA: 1}
    [failed] = [record for record in records if record.verdict.status is Status.INFRA]
    assert failed.problem_id == ODD.id
    assert failed.attempt.error and failed.attempt.proof is None


@pytest.mark.parametrize("make_prover", [whole, search])
def test_a_server_that_dies_leaves_the_rest_unscored_and_a_second_session_mends_it(
    tmp_path: Path, make_prover: Make
) -> None:
    lives = len(PROBLEMS if make_prover is whole else STEPS) // 2
    records = measure(tmp_path / "run", Server(lives=lives), make_prover)
    found = statuses(records)
    assert len(records) == len(PROBLEMS)
    assert set(found) == {Status.PROVED, Status.INFRA}
    mended = measure(tmp_path / "run", Server(), make_prover, again=True)
    assert statuses(mended) == {Status.PROVED: len(PROBLEMS)}


def test_a_prompt_beyond_the_context_is_the_models_failure(tmp_path: Path) -> None:
    message = "This model's maximum context length is 512 tokens. However, your prompt contains 600."
    records = measure(tmp_path / "run", Server(Reply({"error": {"message": message}}, status=400)))
    assert statuses(records) == {Status.PROVED: len(PROBLEMS) - 1, Status.REJECTED: 1}
    [failed] = [record for record in records if record.verdict.status is Status.REJECTED]
    assert failed.verdict.reason == "empty"
    assert failed.attempt.usage.truncated
    assert failed.attempt.origin == f"no answer: {message}"


def test_a_cut_answer_is_told_as_cut(tmp_path: Path) -> None:
    records = measure(tmp_path / "run", Server(Reply(completions(["intro"], finish="length"))))
    [cut] = [record for record in records if record.problem_id == ODD.id]
    assert cut.attempt.usage.truncated and cut.attempt.usage.completion_tokens == 5


def test_a_wrong_model_name_stops_the_run_with_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"policy\.model: .* does not serve 'tiny'; it serves: other"):
        measure(tmp_path / "run", Server(served="other"))
