"""A board in W&B: saved again under the same ids, with the board's tables, order and columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import cli
from harness.boards.ranking import rank
from harness.commands.board_report import board_report
from harness.errors import InfraError
from harness.tracking import reports
from harness.tracking.reports import save_board
from tests.boards.making import board, sweep
from tests.wandb_server import environment, serving

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:wandb_workspaces")


def test_a_board_is_saved_twice_under_the_same_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = board_report(rank(board(), sweep()))
    assert report is not None and report.settings == ("search.alpha",)
    with serving() as server:
        for name, value in environment(server, tmp_path).items():
            monkeypatch.setenv(name, value)
        first = save_board(report, tmp_path, "lean-harness")
        assert save_board(report, tmp_path, "lean-harness") == first
        views = {view["type"]: view for view in server.store.views.values()}
        assert len(server.store.views) == 2 and first.report.startswith(server.url)
    said = json.loads(views["runs"]["spec"])
    text = json.dumps(said, ensure_ascii=False)
    assert "alpha 0.25, warm start, 2 seeds" in text and "<script>" not in text
    assert "eval/search/pass_at_1" in text and "config:search.value.alpha" in text
    order = json.dumps(json.loads(views["project-view"]["spec"]))
    assert '"ascending": false' in order and "eval/search/pass_at_1" in order


def test_a_server_out_of_reach_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = board_report(rank(board(), sweep()))
    assert report is not None
    with serving() as server:
        for name, value in environment(server, tmp_path).items():
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(reports, "API_TIMEOUT_S", 1)
    with pytest.raises(InfraError, match="W&B: the board is not published: "):
        save_board(report, tmp_path, "lean-harness", "me")


def test_a_board_without_runs_and_a_missing_key_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert board_report(rank(board(), [])) is None
    for name in ("WANDB_API_KEY", "NETRC", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    from tests.boards.test_live import store

    store(tmp_path / "runs", "one", 0.25)
    assert cli.main(["leaderboard", "toy", "--wandb", "--runs", str(tmp_path / "runs")]) == 2
    assert "W&B: no key is at hand" in capsys.readouterr().err
