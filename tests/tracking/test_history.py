"""What W&B shows comes from the records alone, in an order that no interruption changes."""

from __future__ import annotations

import dataclasses
from itertools import islice
from pathlib import Path

from harness.analysis.runs import open_run
from harness.spec import TrackingSpec
from harness.tracking.history import (
    PROBLEM_COLUMNS,
    HistoryRow,
    complete,
    history,
    problem_row,
    summary,
    unfinished,
)
from harness.tracking.spool import WandbTracker
from tests.making import record
from tests.tracking import tracked


def so_far(root: Path) -> list[HistoryRow]:
    rows = islice(history(tracked.a_point(root)), 100)
    found = []
    for row in rows:
        if row is None:
            break
        found.append(row)
    return found


def test_curves_stages_and_evaluations_come_in_the_order_of_the_experiment(tmp_path: Path) -> None:
    tracked.whole(tmp_path)
    first, second, _, stage, search, _ = so_far(tmp_path)
    assert (
        first.figures == {"curve/value/step": 1, "curve/value/loss": 1.0}
        and second.axis == "curve/value/step"
    )
    assert stage.figures == {"value/ece": 0.5, "value/seconds": 1.5} and stage.stage is not None
    assert search.figures["eval/search_test/pass_at_1"] == 0.5
    assert search.figures["eval/search_test/pass_at_1_low"] < 0.5
    assert search.figures["eval/search_test/pass_at_1_n"] == 4
    assert search.facts == {"eval/search_test/folder": "toy.search-test-1", "eval/search_test/tier": "kernel"}
    assert search.tags == ["v1-2-gabc", "toy@91b991b991b9", "strict/kernel"]
    assert complete(tracked.a_point(tmp_path))


def test_every_moment_shows_a_beginning_of_the_whole_history(tmp_path: Path) -> None:
    whole, root = tmp_path / "whole", tmp_path / "live"
    tracked.whole(whole)
    steps = [
        lambda: tracked.train(root, steps=2, done=False),
        lambda: tracked.train(root, steps=1, done=False),  # killed, and begun again
        lambda: tracked.train(root),
        lambda: tracked.measure(root, 0, tracked.records_of(1), done=False),
        lambda: tracked.measure(root, 0, tracked.records_of(4)),
        lambda: tracked.measure(root, 1, tracked.records_of(4)),
    ]
    lengths = []
    for step in steps:
        step()
        shown = [row.figures for row in so_far(root)]
        lengths.append(len(shown))
        assert shown == [row.figures for row in so_far(whole)][: len(shown)]
    assert lengths == [2, 1, 4, 4, 5, 6]


def test_a_follower_sees_a_curve_that_began_again_once(tmp_path: Path) -> None:
    tracked.train(tmp_path, steps=2, done=False)
    rows = history(tracked.a_point(tmp_path))
    seen = [next(rows), next(rows), next(rows)]
    tracked.train(tmp_path, steps=1, done=False)
    seen.append(next(rows))
    tracked.train(tmp_path, steps=3)
    seen += [next(rows), next(rows)]
    assert [row and row.figures.get("curve/value/step") for row in seen] == [1, 2, None, None, 3, None]


def test_tables_hold_every_attempt_canaries_apart(tmp_path: Path) -> None:
    tracked.whole(tmp_path)
    row = so_far(tmp_path)[4]
    problems, search = row.tables["problems/search_test"], row.tables["search/search_test"]
    assert [line[:3] for line in problems.rows] == [
        ["p000", 0, "proved"], ["p001", 0, "rejected"], ["p002", 0, "proved"], ["p003", 0, "rejected"],
    ]  # fmt: skip
    assert search.rows == [[3, 0.5]]


def test_a_row_fits_the_columns_and_a_long_proof_is_cut() -> None:
    row = dict(zip(PROBLEM_COLUMNS, problem_row(record("p000", proof="x" * 5000)), strict=True))
    assert len(row["proof"]) == 2000
    assert (row["expansions"], row["tactic_calls"], row["tokens"], row["seconds"]) == (3, 6, 7, 0.5)
    assert problem_row(record("p000", expanded=None))[5:7] == [None, None]


def test_what_is_unfinished_is_named_and_the_summary_stops_there(tmp_path: Path) -> None:
    tracked.train(tmp_path)
    tracked.measure(tmp_path, 0, tracked.records_of(4))
    tracked.measure(tmp_path, 1, tracked.records_of(2), done=False)
    point = tracked.a_point(tmp_path)
    assert [name for name, _ in unfinished(point)] == ["whole"] and not complete(point)
    assert summary(point)["eval/search_test/solved"] == 2 and "eval/whole/solved" not in summary(point)


def test_whoever_looks_at_a_run_that_goes_on_finishes_none(tmp_path: Path) -> None:
    tracked.train(tmp_path)
    folder = tracked.measure(tmp_path, 0, tracked.records_of(2), done=False)
    assert open_run(folder).summary.missing == 2 and (folder / "summary.json").is_file()
    assert len(so_far(tmp_path)) == 4, "its figures are of a part"
    failed = [record("p002", "infra"), record("p003", "infra")]
    tracked.measure(tmp_path, 0, failed, done=False)
    assert open_run(folder).summary.unscored == 2
    assert len(so_far(tmp_path)) == 4, "too many are unscored: such a run has no row"


def test_what_the_experiment_may_leave_unscored_is_what_was_asked_for_later(tmp_path: Path) -> None:
    """The point is the same: how the work is spread, and what of it may fail, makes no other experiment."""
    tracked.train(tmp_path)
    failed = [record("p002", "infra"), record("p003", "infra")]
    for number in (0, 1):
        tracked.measure(tmp_path, number, [*tracked.records_of(2), *failed])
    assert not complete(tracked.a_point(tmp_path))
    tracker = WandbTracker(TrackingSpec(), "offline", tracked.folder(tmp_path), command=("true",))
    tracker.log(dataclasses.replace(tracked.STARTED, config={"runtime": {"max_unscored": 0.5}}))
    tracker.close()
    assert complete(tracked.a_point(tmp_path))
