"""The museum under the rules of other harnesses: what each rule sees and takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from harness.audits.museum import Exhibit, museum_folder, read_museum
from harness.audits.peers import (
    FAILURES,
    Answered,
    coprover_result,
    kimina_result,
    peer_rows,
    peer_table,
    plain_file,
)
from harness.lean.verdicts.evidence import judge_reply
from harness.lean.verdicts.replies import read_output, read_reply
from harness.types import Problem, Status, Verdict
from tests.lean.verdicts.test_transcripts import RECORDED, recorded

SORRY = '{"severity":"warning","pos":{"line":1,"column":8},"data":"declaration uses `sorry`"}\n'
UNUSED = '{"severity":"warning","pos":{"line":1,"column":8},"data":"unused variable"}\n'
ERROR = '{"severity":"error","pos":{"line":1,"column":8},"data":"unknown identifier"}\n'
STATED = "theorem foo : 1 = 2 := by\n  "


def cheat(name: str, answer: str, said: str = "") -> Answered:
    problem = Problem(name, "attacks", "test", "import Mathlib\n", "theorem foo : 1 = 2", "foo")
    exhibit = Exhibit(name, problem, answer, Status.REJECTED, ("error",), "strict", "core", 1, "")
    return Answered(exhibit, plain_file(exhibit), read_output(said))


CHEATS = [
    cheat("spelled", STATED + "sorry", SORRY),
    cheat("sorryAx", STATED + "exact sorryAx _ false", SORRY),
    cheat("axiom", "axiom no : 1 = 2\n" + STATED + "exact no"),
    cheat("axiom-as-a-term", "axiom no : 1 = 2\ntheorem foo : 1 = 2 := no"),
    cheat("weaker", "theorem foo : 1 = 1 := rfl", UNUSED),
    cheat("in-a-comment", f"-- {STATED}\ntheorem foo : 1 = 1 := rfl"),
    cheat("refused", STATED + "exact nonsense", ERROR),
]


def test_each_rule_takes_what_its_source_would() -> None:
    ours = {one.exhibit.name: [Verdict(Status.REJECTED, "error")] for one in CHEATS}
    taken = {row.name: row.taken for row in peer_rows(CHEATS, ours)}
    assert taken == {
        "Kimina, analyze": ("sorryAx", "axiom", "axiom-as-a-term", "weaker", "in-a-comment"),
        "CoProver, evaluate": ("axiom", "axiom-as-a-term", "in-a-comment"),
        "verifiers, Lean task": ("axiom",),
        "verifiers, Lean 4.28 and later": ("spelled", "sorryAx", "axiom"),
        "this project": (),
    }


def test_a_cheat_of_ours_would_be_shown() -> None:
    ours = {one.exhibit.name: [Verdict(Status.PROVED, "ok")] for one in CHEATS}
    rows = peer_rows(CHEATS, ours)
    assert len(rows[-1].taken) == 6
    assert "this project" in peer_table(rows, 6)[-1] and "6" in peer_table(rows, 6)[-1]


def test_replies_where_nothing_was_proved() -> None:
    failures = {row.name: row.failures for row in peer_rows([], {})}
    assert failures["this project"] == 0
    assert failures["verifiers, Lean task"] is None
    taken = {name for name, reply in FAILURES.items() if coprover_result(reply)}
    assert set(FAILURES) - taken == {name for name, reply in FAILURES.items() if "messages" in str(reply)}
    assert failures["CoProver, evaluate"] == len(taken)
    assert {name for name, reply in FAILURES.items() if kimina_result(reply)} == {"a warning of a sorryAx"}


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded transcripts are not here")
def test_every_kind_of_failure_that_was_recorded_is_among_them() -> None:
    """A REPL's complaints by their beginnings, answers to commands by what they hold."""

    def kind(reply: Mapping[str, Any]) -> str:
        if "message" in reply:
            return str(reply["message"]).split("\n")[0].split("`")[0]
        notes = reply.get("messages", ())
        errors = any(note["severity"] == "error" for note in notes)
        return f"{errors=} {any('uses' in note['data'] for note in notes)} {bool(reply.get('sorries'))}"

    ours = {kind(reply["response"]) for reply in FAILURES.values() if reply.get("response")}
    theirs = {
        kind(answer)
        for parts in recorded().values()
        for answer in parts
        if isinstance(answer, dict) and "proofState" not in answer
        if judge_reply(read_reply(answer)).status is not Status.PROVED
    }
    assert theirs <= ours, theirs - ours


@pytest.mark.parametrize("exhibit", read_museum(museum_folder())[:40], ids=lambda exhibit: exhibit.name)
def test_a_plain_file_holds_header_and_answer(exhibit: Exhibit) -> None:
    text = plain_file(exhibit)
    assert text.startswith(exhibit.problem.header)
    assert "".join(exhibit.answer.split()) in "".join(text.split())
