"""`harness tree` and `harness replay-search` over a stored run."""

import json
from pathlib import Path

import pytest

from harness.analysis.runs import open_run
from harness.boards import details
from harness.boards.definition import own_board
from harness.boards.details import board_details
from harness.boards.live import LiveBoard, application
from harness.boards.ranking import rank
from harness.cli import main
from harness.commands import show as showing
from harness.provers.stored_tree import TreeStore
from harness.records.store import RunStore
from harness.types import Attempt, Level, ProblemRef, Record, Status, Verdict
from tests.provers.test_best_first import GOOD, TRAP
from tests.provers.test_stored_trees import searched
from tests.provers.toy_graph import PROBLEM


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of one problem whose search left a tree."""
    tree, _, spec = searched(TRAP, 0.0, GOOD)
    ref = ProblemRef.of(PROBLEM)
    settings = {
        "evaluation": {"prover": "best_first", "samples": 1, "k": [1]},
        "search": spec.model_dump(mode="json", exclude={"proof"}),
        "value": {"gamma": 0.95},
    }
    verdict = Verdict(Status.PROVED, "ok", level=Level.FAST)
    attempt = Attempt(PROBLEM.id, 0, 0, "unlikely\nfinish")
    folder = tmp_path / "toy.run-1"
    with RunStore.create_or_resume(folder, settings, [ref], {}) as store:
        store.append_many([Record("toy", "test", PROBLEM.id, ref.revision, attempt, verdict)])
    TreeStore(folder)(PROBLEM, 0, tree)
    return folder


def test_a_tree_is_printed_and_written_as_a_page(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = run.parent / "tree.html"
    assert main(["tree", run.name, "toy", "--runs", str(run.parent), "--html", str(page)]) == 0
    shown = capsys.readouterr().out
    assert "* start" in shown and "QED" in shown and "trap" not in shown
    assert page.read_text().startswith("<!doctype html>")
    assert main(["tree", run.name, "toy", "--runs", str(run.parent), "--all"]) == 0
    assert "waiting" in capsys.readouterr().out


def test_show_prints_the_tree_of_the_attempts_that_it_shows(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["show", run.name, "toy", "--runs", str(run.parent)]
    assert main(argv) == 0
    shown = capsys.readouterr().out
    assert "search tree (* is the proof):\n    * start" in shown and "QED" in shown
    monkeypatch.setattr(showing, "BRANCHES_SHOWN", 1)
    assert main(argv) == 0
    assert f"... 2 more states: harness tree {run} toy --sample 0" in capsys.readouterr().out


def test_pages_hold_the_trees_of_the_best_rows_as_far_as_there_is_room(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = rank(own_board("", ""), [open_run(run)])
    attempt = board_details(standing, {})[0][run.name]["problems"][0]["attempts"][0]
    assert [(depth, tactic, on) for depth, tactic, _, _, on in attempt["tree"]] == [
        (0, "start", True),
        (1, "unlikely", True),
        (2, "finish", True),
    ]
    assert [figures for *_, figures, _ in attempt["tree"]][-1] == ""
    monkeypatch.setattr(details, "BRANCHES", -1)
    attempt = board_details(standing, {})[0][run.name]["problems"][0]["attempts"][0]
    assert attempt["tree"] is True, "the page says which command shows it"


def test_a_live_board_hands_a_tree_over_when_it_is_opened(run: Path) -> None:
    testclient = pytest.importorskip("starlette.testclient")
    shown = LiveBoard(run.parent, lambda: rank(own_board("", ""), [open_run(run)]), lambda *_: {})
    client = testclient.TestClient(application(shown, "127.0.0.1"), base_url="http://127.0.0.1:8080")
    assert client.get(f"/run/{run.name}").json()["problems"][0]["attempts"][0]["tree"] is True
    assert client.get(f"/tree/{run.name}/0?problem=toy").json()[1][1] == "unlikely"
    assert client.get(f"/tree/{run.name}/3?problem=toy").status_code == 404
    assert client.get(f"/tree/{run.name}/0?problem=../../spec").status_code == 404


def test_another_alpha_is_answered_or_said_to_leave_the_tree(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for alpha, row in (
        ("0", {"then": 2, "proved_then": True, "now": 2, "proved": True}),
        ("1", {"then": 2, "proved_then": True, "now": None, "proved": False}),
    ):
        assert main(["replay-search", run.name, "--alpha", alpha, "--runs", str(run.parent), "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == [row]
    assert main(["replay-search", run.name, "--alpha", "1", "--runs", str(run.parent), "--plain"]) == 0
    assert "left where the stored search did not go" in capsys.readouterr().out


def test_a_run_without_values_says_nothing_of_an_alpha_that_needs_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree, _, spec = searched(TRAP, 1.0, GOOD)
    settings = spec.model_dump(mode="json", exclude={"proof", "value_scale"})
    folder = tmp_path / "toy.run-1"
    known = {"evaluation": {"prover": "best_first", "samples": 1, "k": [1]}, "search": settings}
    with RunStore.create_or_resume(folder, known, [ProblemRef.of(PROBLEM)], {}):
        TreeStore(folder)(PROBLEM, 0, tree)
    assert main(["replay-search", folder.name, "--alpha", "0.5", "--runs", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "was made with alpha 1" in said and said.count("\n") == 1


def test_mistakes_are_one_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = ["--runs", str(run.parent)]
    for argv, line in (
        (["tree", run.name, "nobody", *there], "has no problem 'nobody'"),
        (["tree", run.name, "toy", "--sample", "5", *there], "runtime.trees=true"),
        (["replay-search", run.name, "--alpha", "2", *there], "--alpha: 2"),
    ):
        assert main(argv) == 2
        said = capsys.readouterr().err
        assert line in said and said.count("\n") == 1
