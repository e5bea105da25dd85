"""The REPL protocol: layout, framing, numbering, and recorded traffic of the real one."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.lean.core.lean_json import layout
from harness.lean.core.repl import requests, serve

RECORDED = Path(__file__).parents[3] / ".." / "shared" / "data" / "lean-repl" / "transcripts.jsonl"
needs_records = pytest.mark.skipif(not RECORDED.is_file(), reason="no recorded traffic beside the project")


def transcripts() -> dict[str, tuple[str, list[str]]]:
    lines = RECORDED.read_text(encoding="utf-8").split("\n")
    found = [json.loads(line) for line in lines if line]
    return {t["name"]: (t["requests"], [r for r in t["replies"].split("\n\n") if r.strip()]) for t in found}


def talk(*asked: object) -> list[dict[str, object]]:
    """Answers to requests, each on one line."""
    source = io.StringIO("".join(json.dumps(a, ensure_ascii=False) + "\n\n" for a in asked))
    target = io.StringIO()
    assert serve(source, target, io.StringIO()) == 0
    return [json.loads(block) for block in target.getvalue().split("\n\n") if block]


# --- layout ------------------------------------------------------------------------------------


def test_short_answers_stand_on_one_line_with_keys_in_reverse() -> None:
    assert layout({"env": 0}) == '{"env": 0}'
    assert layout({"goals": [], "proofState": 1, "proofStatus": "Completed"}) == (
        '{"proofStatus": "Completed", "proofState": 1, "goals": []}'
    )


def test_long_answers_break_where_lean_breaks_them() -> None:
    goals = ["case pos\nx : Int\nh : x < 0\n⊢ x = x", "case neg\nx : Int\nh : ¬x < 0\n⊢ x = x"]
    answer = {"goals": goals, "proofState": 1, "proofStatus": "Incomplete: open goals remain"}
    assert layout(answer) == (
        '{"proofStatus": "Incomplete: open goals remain",\n "proofState": 1,\n "goals":\n'
        ' ["case pos\\nx : Int\\nh : x < 0\\n⊢ x = x",\n  "case neg\\nx : Int\\nh : ¬x < 0\\n⊢ x = x"]}'
    )


@needs_records
def test_layout_is_that_of_every_recorded_reply() -> None:
    replies = [reply for _, found in transcripts().values() for reply in found]
    assert len(replies) > 200
    assert [r for r in replies if layout(json.loads(r)) != r.strip("\n")] == []


INSIDE = (
    "Mathlib/test/induction all_tactics-20250622 all_tactics assumption_proof def_eval dup_msg dup_sorries"
    " import_lean invalid_line_break line_breaks no_goal_sorry_2 proof_branching proof_branching2"
    " proof_transitivity synthesize_placeholder tactic_mode_sorry tactic_sorry term_sorry"
    " unfinished_tactic_block unknown_environment unknown_proof_state unknown_tactic"
)
"""Recorded sessions inside the fragment; the others need Int, Mathlib, `exact?`, pickling, linters, .."""


@needs_records
@pytest.mark.parametrize("name", INSIDE.split())
def test_recorded_sessions_get_the_recorded_answers(name: str) -> None:
    asked, replies = transcripts()[name]
    target = io.StringIO()
    serve(io.StringIO(asked), target, io.StringIO())
    ours = [json.loads(block) for block in target.getvalue().split("\n\n") if block]
    real = [json.loads(reply) for reply in replies]
    for answer in (*ours, *real):
        for tactic in answer.get("tactics", []):
            del tactic["usedConstants"]
    assert ours == real


# --- framing -----------------------------------------------------------------------------------


def test_a_request_ends_with_a_blank_line_and_loses_its_line_breaks() -> None:
    found = list(requests(['{"a":\n', " 1}  \n", "\n", "# c\n", "\n", '{"b": 2}\n']))
    assert [r.strip() for r in found] == ['{"a": 1}', "# c", '{"b": 2}']


@pytest.mark.parametrize(
    "text", ["nonsense\n\n", '{"cmd": 1}\n\n', "[]\n\n", "\n\n", '{"tactic": "rfl"}\n\n', "[" * 10_000]
)
def test_text_that_is_no_request_ends_the_process(text: str) -> None:
    assert serve(io.StringIO(text), target := io.StringIO(), io.StringIO()) == 1
    assert target.getvalue() == ""


def test_comments_are_skipped() -> None:
    target = io.StringIO()
    assert serve(io.StringIO('# hello\n\n-- hello\n\n{"cmd": ""}\n\n'), target, io.StringIO()) == 0
    assert target.getvalue() == '{"env": 0}\n\n'


# --- answers -----------------------------------------------------------------------------------


def test_environments_branch() -> None:
    answers = talk(
        {"cmd": "def f := 2"},
        {"cmd": "example : f = 2 := rfl", "env": 0},
        {"cmd": "example : f = 2 := rfl"},
        {"cmd": "#check f", "env": 0},
    )
    assert answers[0] == {"env": 0} and answers[1] == {"env": 1}
    assert "f" in str(answers[2]["messages"]) and answers[2]["env"] == 2
    assert answers[3]["messages"] == [
        {
            "severity": "info",
            "pos": {"line": 1, "column": 0},
            "endPos": {"line": 1, "column": 6},
            "data": "f : Nat",
        }
    ]


def test_unknown_numbers() -> None:
    assert talk({"cmd": "def f := 2", "env": 5}) == [{"message": "Unknown environment."}]
    assert talk({"tactic": "rfl", "proofState": 0}) == [{"message": "Unknown proof state."}]
    (answer,) = talk({"pickleTo": "x.olean", "env": 0})
    assert list(answer) == ["message"]


def test_tactic_mode_branches_and_finishes() -> None:
    answers = talk(
        {"cmd": "theorem t (p q : Prop) (h : p ∧ q) : q ∧ p := by sorry"},
        {"tactic": "constructor", "proofState": 0},
        {"tactic": "exact h.1", "proofState": 1},
        {"tactic": "exact h.2", "proofState": 1},
        {"tactic": "exact h.1", "proofState": 2},
        {"tactic": "sorry", "proofState": 0},
        {"tactic": "exat", "proofState": 0},
    )
    assert answers[0]["sorries"] == [
        {
            "proofState": 0,
            "pos": {"line": 1, "column": 49},
            "endPos": {"line": 1, "column": 54},
            "goal": "p q : Prop\nh : p ∧ q\n⊢ q ∧ p",
        }
    ]
    assert answers[1]["goals"] == [
        "case left\np q : Prop\nh : p ∧ q\n⊢ q",
        "case right\np q : Prop\nh : p ∧ q\n⊢ p",
    ]
    assert str(answers[2]["message"]).startswith("Lean error:\n")
    assert answers[3]["proofStatus"] == "Incomplete: open goals remain"
    assert answers[4] == {"proofStatus": "Completed", "proofState": 3, "goals": []}
    assert answers[5]["proofStatus"] == "Incomplete: contains sorry" and answers[5]["goals"] == []
    assert answers[6] == {"message": "Lean error:\n<input>:1:1: unknown tactic"}


def test_all_tactics_lists_states_before_each() -> None:
    (answer,) = talk(
        {"cmd": "example (P : Prop) (hp : P) : P := by\n  skip\n  exact hp\n", "allTactics": True}
    )
    tactics = answer["tactics"]
    assert isinstance(tactics, list)
    assert [t["tactic"] for t in tactics] == ["skip", "exact hp"]
    assert tactics[1]["goals"] == "P : Prop\nhp : P\n⊢ P" and tactics[1]["pos"] == {"line": 3, "column": 2}


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "a.lean"
    path.write_text("theorem a : 1 = 1 := rfl\n")
    assert talk({"path": str(path)}) == [{"env": 0}]
    (answer,) = talk({"path": str(tmp_path / "none.lean")})
    assert "no such file" in str(answer["message"]).lower()


def test_the_program_speaks_utf_8_whatever_the_locale() -> None:
    asked = json.dumps({"cmd": "example (α : Prop) (h : α) : α := by sorry"}, ensure_ascii=False) + "\n\n"
    done = subprocess.run(
        [sys.executable, "-m", "harness.lean.core"],
        input=asked.encode(),
        capture_output=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        timeout=60,
        check=True,
    )
    assert "⊢ α" in done.stdout.decode("utf-8") and done.stderr == b""
