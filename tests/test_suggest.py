"""`harness suggest` and `harness serve suggest`: what a person sees, and llmstep's wire format."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.cli import main
from harness.commands.suggest import handler
from harness.errors import InfraError
from harness.lean.services.embedded import CoreSessions
from harness.policies.symbolic import SymbolicPolicy
from harness.provers.priority import PrioritySpec, Ranking
from harness.provers.suggesting import Suggester
from harness.serving.web import application

GOAL = "a b : Nat\nh : a = b\n⊢ b = a"
Captured = pytest.CaptureFixture[str]


def call(capsys: Captured, *argv: object) -> tuple[int, str, str]:
    code = main(["suggest", *map(str, argv)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_state_from_the_line_a_file_or_standard_input(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state.txt").write_text(GOAL)
    monkeypatch.setattr("sys.stdin", io.StringIO(GOAL))
    outs = {
        call(capsys, *given, "--symbolic", "--count", 3)[1]
        for given in ([GOAL], [tmp_path / "state.txt"], [])
    }
    assert len(outs) == 1
    lines = outs.pop().splitlines()
    assert lines[2] == "⊢ b = a" and lines[5].split()[:2] == ["closes", "it"] and len(lines) == 8
    code, out, _ = call(capsys, GOAL, "--symbolic", "--json", "--prefix", "rw")
    told = json.loads(out)
    assert (
        code == 0 and told["state"] == [GOAL] and all(text.startswith("rw") for text in told["suggestions"])
    )
    assert told["checks"][0] == "done"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("nowhere",), "nowhere: neither a state"),
        ((GOAL, "--count", "0"), "--count 0"),
        ((GOAL,), "is not trained yet"),
        ((GOAL, "--model", "m", "--prompt", "stp"), "writes whole proofs"),
        ((GOAL, "--model", "m"), "needs --prompt"),
        (("⊢ b =", "--symbolic", "--lean", "kimina"), "needs --url"),
    ],
)
def test_mistakes_are_one_line(argv: tuple[str, ...], words: str, tmp_path: Path, capsys: Captured) -> None:
    code, _, err = call(capsys, *argv, "--runs", tmp_path)
    assert code == 2 and words in err and len(err.splitlines()) == 1


def posted(body: object, made: Suggester | None = None) -> httpx.Response:
    ranking = Ranking.of(PrioritySpec(alpha=1.0), None)
    made = made or Suggester(SymbolicPolicy(), CoreSessions(), ranking, 64, 8)

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(application({"/": handler(made)}))
        async with httpx.AsyncClient(transport=transport, base_url="http://suggest") as client:
            return await client.post("/", json=body)

    return asyncio.run(run())


def test_the_answer_is_llmsteps_with_scores_and_checks_beside_it() -> None:
    told = posted({"tactic_state": GOAL, "prefix": ""}).json()
    assert {len(told[name]) for name in ("suggestions", "scores", "checks", "values", "goals")} == {8}
    assert told["checks"][0] == "done" and told["checks"][-1] == "invalid" and told["unchecked"] == ""
    with_context = posted(
        {"tactic_state": "", "prefix": "rf", "context": "theorem t : 1 = 1 := by\n  "}
    ).json()
    assert with_context["suggestions"] == ["rfl"] and with_context["checks"] == ["done"]


@pytest.mark.parametrize("body", [[], {}, {"tactic_state": 3}, {"tactic_state": "no goals", "prefix": ""}])
def test_what_is_no_question_is_refused_with_its_reason(body: Any) -> None:
    answer = posted(body)
    assert answer.status_code == 422 and answer.json()["error"]


def test_a_model_server_that_is_down_is_no_empty_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: object) -> None:
        raise InfraError("gone")

    monkeypatch.setattr(SymbolicPolicy, "propose", down)
    answer = posted({"tactic_state": GOAL, "prefix": ""})
    assert answer.status_code == 503 and answer.json()["error"] == "gone"
