"""Rows of the records as calls of the W&B client: nothing twice, and plain numbers in the summary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.tracking.history import HistoryRow, history
from harness.tracking.mirror import Mirror, follow
from harness.tracking.point import read_session
from tests.tracking import tracked


class FakeRun:
    id, url, dir, tags = "r1", "https://example.org/r1", "/tmp/w/files", ()

    def __init__(self, starting_step: int) -> None:
        self.starting_step = starting_step
        self.logged: dict[int, dict[str, Any]] = {}
        self.summary: dict[str, Any] = {}
        self.axes: list[tuple[str, str]] = []
        self.exit_code: int | None = None

    def log(self, data: dict[str, Any], step: int, commit: bool) -> None:
        assert commit and step not in self.logged and step >= self.starting_step
        self.logged[step] = data

    def define_metric(self, name: str, step_metric: str) -> None:
        self.axes.append((name, step_metric))

    def finish(self, exit_code: int) -> None:
        self.exit_code = exit_code


class FakeWandb:
    """Offline, so that artifacts are no part of it."""

    def __init__(self, starting_step: int = 0) -> None:
        self.run = FakeRun(starting_step)
        self.given: dict[str, Any] = {}

    def Settings(self, **settings: Any) -> dict[str, Any]:
        return settings

    def Table(self, columns: list[str], data: list[list[Any]]) -> int:
        return len(data)

    def init(self, **given: Any) -> FakeRun:
        self.given = given
        return self.run


def mirrored(root: Path, wandb: FakeWandb) -> FakeRun:
    spool = tracked.folder(root) / "1.jsonl"
    point = tracked.whole(root)
    spool.write_text('{"event": "run", "id": "r1", "mode": "offline", "group": "toys", "describe": "v1"}\n')
    mirror = Mirror(wandb, point, read_session(spool))
    for row in follow(history(point), lambda: True):
        mirror.take(row)
    mirror.finish(0)
    return wandb.run


@pytest.fixture(autouse=True)
def _no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_SWEEP_ID", raising=False)


def test_rows_become_history_axes_tables_tags_and_plain_summary_numbers(tmp_path: Path) -> None:
    wandb = FakeWandb()
    run = mirrored(tmp_path, wandb)
    assert (wandb.given["id"], wandb.given["group"], wandb.given["resume"]) == ("r1", "toys", "allow")
    assert wandb.given["config"] == {"search": {"alpha": 0.3}} and wandb.given["tags"] == ["v1"]
    assert sorted(run.logged) == list(range(tracked.ROWS))
    assert run.axes == [("curve/value/*", "curve/value/step")]
    assert run.logged[4]["problems/search_test"] == 4
    assert run.summary["eval/search_test/pass_at_1"] == 0.5 and run.summary["value/ece"] == 0.5
    assert "curve/value/loss" not in run.summary
    assert run.tags == ("v1-2-gabc", "toy@91b991b991b9", "strict/kernel") and run.exit_code == 0


def test_an_agents_run_is_not_named_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_SWEEP_ID", "s1")
    wandb = FakeWandb()
    mirrored(tmp_path, wandb)
    assert set(wandb.given) == {"config", "settings", "resume", "tags"}


def test_following_ends_when_a_row_is_missing_and_nobody_is_left_to_write_it() -> None:
    rows: Iterator[HistoryRow | None] = iter(
        [HistoryRow({"a": 1}), None, None, HistoryRow({"a": 2}), None, None, HistoryRow({"a": 3})]
    )
    said = iter([False, False, True])
    assert [row.figures["a"] for row in follow(rows, lambda: next(said))] == [1, 2]
    assert list(said) == []


def test_a_whole_history_waits_for_the_experiments_last_word() -> None:
    said = iter([False, False, True])
    assert len(list(follow(iter([HistoryRow({})]), lambda: next(said)))) == 1
    assert list(said) == []
