"""Which points come next: bayes learns from what it is told, hyperband stops what lags behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import MissingExtra, SpecError
from harness.experiment.choosing import Listed, Optuna, chooser
from harness.experiment.sweep import Point, Sweep, read_sweep


def sweep(tmp_path: Path, text: str) -> Sweep:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    return read_sweep(path)


BAYES = """
method: bayes
run_cap: 30
metric: {name: loss, goal: minimize}
parameters:
  x: {min: -4.0, max: 4.0}
  inner: {parameters: {kind: {values: [[1], [2]]}, n: {min: 1, max: 3}}}
  rate: {distribution: log_uniform_values, min: 1.0e-5, max: 1.0e-1}
  fixed: {value: [a, b]}
"""


def searched(found: Sweep, seed: int) -> list[Point]:
    search = chooser(found, seed)
    points = []
    while (chosen := search.next()) is not None:
        number, point = chosen
        assert number == len(points)
        points.append(point)
        search.told(number, (point["x"] - 1) ** 2 + (0 if point["inner"]["kind"] == [2] else 4))
    return points


def test_bayes_repeats_by_seed_keeps_to_its_ranges_and_learns(tmp_path: Path) -> None:
    found = sweep(tmp_path, BAYES)
    points = searched(found, 1)
    assert len(points) == 30 and points == searched(found, 1) != searched(found, 2)
    assert all(-4 <= p["x"] <= 4 and 1e-5 <= p["rate"] <= 1e-1 and p["fixed"] == ["a", "b"] for p in points)
    assert {p["inner"]["n"] for p in points} <= {1, 2, 3}
    late = [abs(point["x"] - 1) for point in points[15:]]
    early = [abs(point["x"] - 1) for point in points[:10]]
    assert sorted(late)[len(late) // 2] < sorted(early)[len(early) // 2]
    assert sum(point["inner"]["kind"] == [2] for point in points[15:]) > 7


def test_a_point_without_a_value_is_passed_over(tmp_path: Path) -> None:
    search = chooser(sweep(tmp_path, BAYES), 0)
    for _ in range(30):
        chosen = search.next()
        assert chosen is not None
        search.told(chosen[0], None)
    assert search.next() is None


GRID = """
method: grid
metric: {name: curve/grpo/reward, goal: maximize}
early_terminate: {type: hyperband, min_iter: 2, eta: 2}
parameters: {a: {values: [1, 2, 3, 4]}}
"""


def test_hyperband_stops_the_points_that_lag_and_lets_the_best_go_on(tmp_path: Path) -> None:
    search = chooser(sweep(tmp_path, GRID), 0)
    curves = {number: [float(4 - number)] * 8 for number in range(4)}
    chosen = [search.next() for _ in range(4)]
    assert [item and item[1] for item in chosen] == [{"a": n} for n in (1, 2, 3, 4)]
    assert search.next() is None
    assert not search.hopeless(0, curves[0][:1])
    stopped = [number for number in range(4) if search.hopeless(number, curves[number])]
    assert 0 not in stopped and 3 in stopped


def test_a_plain_grid_needs_no_optuna(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    listed = chooser(sweep(tmp_path, "method: grid\nparameters: {a: {values: [1, 2]}}"), 0)
    assert isinstance(listed, Listed) and not listed.hopeless(0, [1.0])
    with pytest.raises(MissingExtra, match=r"optuna.* not installed; .*sweep"):
        chooser(sweep(tmp_path, BAYES), 0)


def test_a_range_that_bayes_cannot_search_is_refused(tmp_path: Path) -> None:
    text = BAYES.replace("{min: -4.0, max: 4.0}", "{distribution: normal, mu: 0, sigma: 1}")
    with pytest.raises(
        SpecError, match=r"parameters\.x: bayes does not search normal; use one of int_uniform"
    ):
        Optuna(sweep(tmp_path, text), 0)
