"""Recorded answers of a real Lean REPL: every one is read, and gets the verdict that a reader gave it.

`transcript_verdicts.json` holds, by transcript, one verdict per answer, decided by reading request and answer
side by side. A command that only declares, imports, prints, sets an option or stores an environment is
"proved ok" in the sense of complete.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.lean.verdicts.evidence import judge_reply
from harness.lean.verdicts.replies import ReplyKind, read_reply

RECORDED = Path(__file__).parents[3] / ".." / "shared" / "data" / "lean-repl" / "transcripts.jsonl"
EXPECTED = json.loads((Path(__file__).parent / "transcript_verdicts.json").read_text())

pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason="the recorded transcripts are not here")


def recorded() -> dict[str, list[object]]:
    rows = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
    return {
        row["name"]: [json.loads(part) for part in re.split(r"\n\s*\n", row["replies"]) if part.strip()]
        for row in rows
    }


def test_every_recorded_answer_gets_its_verdict() -> None:
    answers = recorded()
    found = {
        name: [f"{v.status} {v.reason}" for v in (judge_reply(read_reply(answer)) for answer in parts)]
        for name, parts in answers.items()
    }
    assert len(found) == 71
    assert found == EXPECTED


def test_no_goals_is_no_proof() -> None:
    replies = [read_reply(answer) for parts in recorded().values() for answer in parts]
    closed = [reply for reply in replies if reply.kind is ReplyKind.TACTIC and not reply.goals]
    proved = [reply for reply in closed if judge_reply(reply).status == "proved"]
    assert len(closed) > len(proved) > 0
    assert all(reply.status == "Completed" for reply in proved)
