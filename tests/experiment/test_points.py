"""A sweep ends with a table of its points, the best one marked."""

from pathlib import Path

from harness.experiment.points import PointOutcome, best, points_table
from harness.experiment.sweep import Sweep
from harness.terminal.tables import plain_text

POINTS = [
    PointOutcome("alpha=0.1", ("a",), {"eval/test/pass_at_1": 0.5, "eval/test/solved": 2.0}),
    PointOutcome("alpha=0.5", ("b",), {"eval/test/pass_at_1": 0.75}),
    PointOutcome("alpha=0.9", ("c",), {}),
]


def sweep(metric: str | None = None, goal: str = "maximize") -> Sweep:
    return Sweep(Path("s.yaml"), "s", "random", {}, metric, goal)


def test_the_declared_metric_and_its_best_point() -> None:
    metric = "eval/test/pass_at_1"
    text = plain_text([points_table(sweep(metric), POINTS)])
    assert "alpha=0.5 *" in text and "* best: maximize eval/test/pass_at_1" in text and "0.75" in text
    found = best(sweep(metric, "minimize"), POINTS)
    assert found is not None and found.label == "alpha=0.1"


def test_without_a_metric_the_usual_figures_are_told() -> None:
    text = plain_text([points_table(sweep(), POINTS)])
    assert "eval/test/pass_at_1" in text and "solved" not in text and "best" not in text
    assert best(sweep("eval/test/pass_at_1"), POINTS[:1]) is None, "one point is not best of anything"
