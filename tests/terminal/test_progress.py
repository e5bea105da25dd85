"""What a person sees: plain lines, durations, and one line for every problem that is complete."""

from __future__ import annotations

import io

import pytest

from harness.terminal.progress import Plain, RunningTally, Task, Terminal, duration, figures, remaining
from tests.making import record


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0s"), (59.4, "59s"), (59.6, "1m00s"), (185, "3m05s"), (3599.7, "1h00m"), (7620, "2h07m")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_what_remains() -> None:
    assert remaining(10.0, 1, 3) == 30.0
    assert remaining(10.0, 0, 4) is None


def test_figures_are_short() -> None:
    assert figures({"loss": 0.312345, "reward": 0.0}) == "loss 0.3123 reward 0"


def test_a_tally_counts_and_tells_of_the_machines_failures_alone() -> None:
    tally = RunningTally()
    told = [
        tally.add(item)
        for item in (
            record("a"),
            record("b", "rejected"),
            record("b", "infra", index=1),
            record("c"),
        )
    ]
    assert told == [None, None, "b #1: unscored: ", None]
    assert tally.made == 4
    cost = {"ktokens": pytest.approx(4 * 7 / 1000), "lean_s": 2}
    assert tally.figures == {"proved": 2, "unscored": 1, **cost}
    assert RunningTally().figures == {"proved": 0}


def test_plain_lines_begin_and_end_a_task_and_come_now_and_then_between() -> None:
    stream = io.StringIO()
    display = Plain(stream, every_s=0.0)
    with display.task("value") as task:
        task.update(0, 4)
        assert task.first is not None
        task.first = (task.first[0] - 10, 0)
        task.started -= 10
        task.update(1, 4, {"loss": 0.5})
        task.update(4, 4, {"loss": 0.25})
    lines = stream.getvalue().splitlines()
    assert lines == [
        "value ...",
        "  value: 0/4",
        "  value: 1/4 ETA 30s loss 0.5",
        "value: 10s, loss 0.25",
    ]
    quiet = io.StringIO()
    with Plain(quiet, every_s=3600.0).task("value") as task:
        task.update(1, 4)
    assert quiet.getvalue().splitlines() == ["value ...", "value: 0s"]


def test_tasks_side_by_side_are_each_told_of() -> None:
    stream = io.StringIO()
    display = Plain(stream, every_s=0.0)
    with display.task("grpo") as one, display.task("value") as other:
        one.update(1, 4)
        other.update(2, 4)
    told = stream.getvalue().splitlines()
    assert told == ["grpo ...", "value ...", "  grpo: 1/4", "  value: 2/4", "value: 0s", "grpo: 0s"]


def test_bars_stand_side_by_side(capfd: pytest.CaptureFixture[str]) -> None:
    display = Terminal()
    with display.task("grpo") as one:
        with display.task("value") as other:
            one.update(1, 4)
            other.update(4, 4, {"loss": 0.5})
        one.update(4, 4)
    with display.task("search"):
        pass
    told = capfd.readouterr().err
    assert [told.count(line) for line in ("value: 0s, loss 0.5\n", "grpo: 0s\n", "search: 0s\n")] == [1, 1, 1]


def test_a_first_batch_gives_no_rate() -> None:
    """Loading a model and the slowest of 64 proofs: the first ones say nothing about the others."""
    task = Task("t", lambda task: None)
    task.started -= 140
    task.update(64, 3200)
    assert task.eta == ""
    assert task.first is not None
    task.first = (task.first[0] - 10, 64)
    task.update(128, 3200)
    assert task.eta == "ETA 8m00s"


def test_a_task_knows_nothing_before_anything_is_done() -> None:
    assert Task("t", lambda task: None, total=5).eta == ""
