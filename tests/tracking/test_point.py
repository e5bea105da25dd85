"""The folder of a point: one id whatever happens, one spool a process, and how a person names it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.tracking import point as points
from harness.tracking.point import meant, new_spool, of_run, open_point, read_session, sessions
from tests.tracking import tracked


def test_whoever_comes_first_draws_the_id_for_all(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: open_point(tracked.folder(tmp_path), tracked.STARTED).id, range(16)))
    assert len(set(found)) == 1
    assert [path.name for path in tracked.folder(tmp_path).iterdir()] == ["point.json"]


def test_a_session_says_where_to_what_it_made_and_how_it_ended(tmp_path: Path) -> None:
    spool = new_spool(tmp_path)
    spool.write_text('{"event": "run", "id": "r1"}\n{"event": "stage", "stage": "a", "cached": true}\n')
    with spool.open("a") as file:
        file.write('{"event": "stage", "stage": "b", "cached": false}\n{"event": "en')
    found = read_session(spool)
    assert (found.run["id"], found.made, found.exit_code) == ("r1", {"b"}, None)
    with spool.open("a") as file:
        file.write('\n{"event": "end", "exit_code": 130}\n')
    with pytest.raises(StoreError, match="not JSON"):
        read_session(spool)


def test_a_process_that_died_before_its_first_line_is_no_session(tmp_path: Path) -> None:
    new_spool(tmp_path).write_text("")
    assert sessions(tmp_path) == []


def test_points_are_named_whole_by_beginning_by_pattern_or_by_a_run_in_them(tmp_path: Path) -> None:
    for name in ("toy-1", "toy-12", "other-3"):
        open_point(points.tracking(tmp_path) / name, tracked.STARTED)

    def named(text: str) -> list[str]:
        return [point.folder.name for point in points.named(tmp_path, text)]

    assert named("toy-1") == ["toy-1"]
    assert named("toy") == ["toy-1", "toy-12"]
    assert named("o*3") == ["other-3"]
    assert len(named("toy.whole-2")) == 3
    assert named("nothing") == []
    for name, group in (("toy-12", "alpha"), ("other-3", "alpha"), ("toy-1", "gamma")):
        spool = new_spool(points.tracking(tmp_path) / name)
        spool.write_text(json.dumps({"event": "run", "group": group}) + "\n")
    assert named("alpha") == ["other-3", "toy-12"], "a sweep's points"
    assert named("alph") == []


def test_a_pattern_names_runs_that_were_sent_and_runs_that_were_not(tmp_path: Path) -> None:
    for number in (0, 1):
        tracked.measure(tmp_path, number, tracked.records_of(1))
    names = sorted(path.name for path in tmp_path.iterdir())
    for _ in range(2):
        (first,) = points.named(tmp_path, names[0])
        assert first.folder.name == names[0] and len(points.named(tmp_path, "toy.*")) == 2
    assert len(points.named(tmp_path, "toy")) == 2


def test_runs_that_nobody_tracked_are_meant_in_the_same_ways() -> None:
    names = ["toy.search-1", "toy.search-12", "toy.whole-2"]
    assert meant(names, "toy.search-1") == ["toy.search-1"]
    assert meant(names, "toy.s") == ["toy.search-1", "toy.search-12"]
    assert meant(names, "*2") == ["toy.search-12", "toy.whole-2"]
    assert meant(names, "other") == []


def test_a_run_that_nobody_tracked_is_a_point_of_its_own(tmp_path: Path) -> None:
    tracked.measure(tmp_path, 0, tracked.records_of(4))
    started = of_run(tmp_path, "toy.search-test-1")
    assert started is not None
    assert (started.group, started.evaluations) == ("toy", (("search-test", "toy.search-test-1"),))
    assert of_run(tmp_path, "nothing") is None


def test_a_broken_point_is_one_clear_line(tmp_path: Path) -> None:
    tracked.a_point(tmp_path)
    (tracked.folder(tmp_path) / "point.json").write_text("{}")
    with pytest.raises(StoreError, match=r"point\.json: missing or broken; delete the folder"):
        tracked.a_point(tmp_path)
