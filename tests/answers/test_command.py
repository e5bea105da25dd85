"""`harness judge`: answers from elsewhere become a run that boards and `harness show` take for what it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from harness import cli
from harness.analysis.runs import RunView, open_run
from harness.answers.given import GivenAnswers
from harness.benchmarks import loading
from harness.boards.definition import load_board
from harness.boards.ranking import rank
from harness.records import provenance
from harness.types import Attempt, Level, Problem, Status

LIMIT = 3
PROBLEMS = loading.load("smoke", limit=LIMIT)
GOLD = {
    one.id: f"So:\n```lean4\n{one.header}{one.statement} := by\n{indent(str(one.gold), '  ')}\n```"
    for one in PROBLEMS
}
ALLOWED = ("--max-tokens", "64", "--model", "lab/Prover-7B")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a checkout without changes, so that rows can be ranked."""
    monkeypatch.setattr(provenance, "code", lambda: provenance.Code("1", "c0ffee"))


def file_of(folder: Path, samples: Sequence[dict[str, Any]]) -> Path:
    path = folder / "theirs.jsonl"
    rows = [{"name": one.id, "completion_tokens": 9, **more} for one in PROBLEMS for more in samples]
    for row in rows:
        row.setdefault("code", GOLD[row["name"]])
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def judge(root: Path, path: Path, *more: str) -> int:
    limit = ("--benchmark", "smoke", "--limit", str(LIMIT), "--plain", "--runs", str(root))
    return cli.main(["judge", str(path), *limit, *more])


def only_run(root: Path) -> RunView:
    [folder] = root.glob("*.answers-*")
    return open_run(folder)


def reason(run: RunView) -> str:
    [section] = rank(load_board("smoke"), [run]).sections
    [row] = section.rows
    return row.reason


def test_answers_are_judged_strictly_and_stored_with_where_they_come_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_of(
        tmp_path, [{"complete": True}, {"code": "theorem x : False := by sorry", "complete": True}]
    )
    assert judge(tmp_path, path, *ALLOWED, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["pass_at_1"] == 0.5 and told["pass_at_2"] == 1
    assert told["claims"]["proved"] == 6 and len(told["claims"]["refused"]) == 3
    run = only_run(tmp_path)
    assert [record.verdict.level for record in run.records] == [Level.STRICT] * 6
    first = next(record for record in run.records if record.verdict.status is Status.PROVED)
    assert first.attempt.raw == GOLD[first.problem_id] and first.attempt.usage.completion_tokens == 9
    source = run.session["answers"]
    assert (
        source["file"] == str(path) and source["columns"]["answer"] == "code" and len(source["sha256"]) == 64
    )

    assert reason(run) == ""
    assert cli.main(["leaderboard", "smoke", "--runs", str(tmp_path), "--plain"]) == 0
    assert "answers from elsewhere, Prover-7B  50.0" in capsys.readouterr().out
    assert cli.main(["show", run.name, PROBLEMS[0].id, "--runs", str(tmp_path), "--plain"]) == 0
    assert "sample 0: proved (ok), 9 tokens" in capsys.readouterr().out


def test_the_same_command_again_judges_nothing_and_goes_on_where_it_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_of(tmp_path, [{}, {"code": "by sorry"}])
    assert judge(tmp_path, path) == 0
    run = only_run(tmp_path)
    whole = (run.folder or tmp_path) / "records.jsonl"
    lines = whole.read_bytes().splitlines(keepends=True)
    given: list[tuple[str, int]] = []
    hand_over = GivenAnswers.attempt

    async def counted(self: GivenAnswers, problem: Problem, index: int, seed: int) -> Attempt:
        given.append((problem.id, index))
        return await hand_over(self, problem, index, seed)

    monkeypatch.setattr(GivenAnswers, "attempt", counted)
    assert judge(tmp_path, path) == 0
    assert "judged already" in capsys.readouterr().err and not given

    whole.write_bytes(b"".join(lines[:4]) + lines[4][:20])  # killed in the middle of a line
    assert judge(tmp_path, path) == 0
    assert len(given) == 2
    assert {record.key for record in open_run(whole.parent).records} == {record.key for record in run.records}


def test_rows_that_say_too_little_are_grey_and_say_what_is_missing(tmp_path: Path) -> None:
    path = file_of(tmp_path, [{}])
    assert judge(tmp_path / "a", path) == 0
    assert "what an attempt was allowed is not stated" in reason(only_run(tmp_path / "a"))
    assert judge(tmp_path / "b", path, *ALLOWED, "--chosen-from", "8192") == 0
    assert reason(only_run(tmp_path / "b")) == "each answer is the best of 8192 attempts, which is no pass@1"


def test_a_list_of_solutions_is_no_pass_at_1_unless_it_is_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_of(tmp_path, [{}])
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    assert judge(tmp_path, path) == 2
    assert "1 of 3 problems have fewer than 1 answers" in capsys.readouterr().err
    assert judge(tmp_path, path, "--missing", "failed") == 2
    assert "--chosen-from N says of how many attempts each is the best" in capsys.readouterr().err
    assert judge(tmp_path, path, "--missing", "failed", "--chosen-from", "1", "--json") == 0
    assert json.loads(capsys.readouterr().out)["pass_at_1"] == pytest.approx(2 / 3)


def test_mistakes_are_one_line_and_nothing_is_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = file_of(tmp_path, [{}])
    for more, told in (
        (("--column", "answer"), "--column answer: write MEANING=NAME"),
        (("-k", "2"), "-k 2: there are 1 answers to each problem"),
        (("--timeout", "0"), "--timeout 0: must be above 0"),
        (("--prompt", "kimina"), "no family 'kimina'"),
        (("--benchmark", "smok"), "no benchmark 'smok'"),
    ):
        assert judge(tmp_path, path, *more) == 2
        assert told in capsys.readouterr().err
    assert judge(tmp_path, path, "--dry-run") == 0
    assert "would be judged by core" in capsys.readouterr().out
    assert not list(tmp_path.glob("*.answers-*"))
