"""The museum under the rules of other harnesses: what each rule sees and takes."""

from __future__ import annotations

import pytest

from harness.audits.museum import Exhibit, museum_folder, read_museum
from harness.audits.peers import FAILURES, Answered, peer_rows, peer_table, plain_file
from harness.lean.verdicts.replies import read_output
from harness.types import Problem, Status, Verdict

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
    cheat("weaker", "theorem foo : 1 = 1 := rfl", UNUSED),
    cheat("in-a-comment", f"-- {STATED}\ntheorem foo : 1 = 1 := rfl"),
    cheat("refused", STATED + "exact nonsense", ERROR),
]


def test_each_rule_takes_what_its_source_would() -> None:
    ours = {one.exhibit.name: [Verdict(Status.REJECTED, "error")] for one in CHEATS}
    taken = {row.name: row.taken for row in peer_rows(CHEATS, ours)}
    assert taken == {
        "Kimina, analyze": ("sorryAx", "axiom", "weaker", "in-a-comment"),
        "CoProver, evaluate": ("axiom", "in-a-comment"),
        "verifiers, Lean task": ("axiom",),
        "verifiers, Lean 4.28 and later": ("spelled", "sorryAx", "axiom"),
        "this project": (),
    }


def test_a_cheat_of_ours_would_be_shown() -> None:
    ours = {one.exhibit.name: [Verdict(Status.PROVED, "ok")] for one in CHEATS}
    rows = peer_rows(CHEATS, ours)
    assert len(rows[-1].taken) == 5
    assert "this project" in peer_table(rows, 5)[-1] and "5" in peer_table(rows, 5)[-1]


def test_replies_without_a_verdict() -> None:
    failures = {row.name: row.failures for row in peer_rows([], {})}
    assert failures["this project"] == failures["Kimina, analyze"] == 0
    assert failures["CoProver, evaluate"] == len(FAILURES) - 1
    assert failures["verifiers, Lean task"] is None


@pytest.mark.parametrize("exhibit", read_museum(museum_folder())[:40], ids=lambda exhibit: exhibit.name)
def test_a_plain_file_holds_header_and_answer(exhibit: Exhibit) -> None:
    text = plain_file(exhibit)
    assert text.startswith(exhibit.problem.header) and exhibit.answer in text
