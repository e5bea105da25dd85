"""The live table of a sweep's points."""

from __future__ import annotations

import io

from harness.terminal.points import Outlook, PointLine, chosen, live_points
from harness.terminal.progress import Plain, Terminal


def line(
    number: int, state: str, value: float | None = None, seconds: float = 0.0, error: str = ""
) -> PointLine:
    return PointLine(number, f"alpha={number}", state, value, seconds, error)


def test_without_a_terminal_each_change_is_one_line() -> None:
    out = io.StringIO()
    with live_points(Plain(out), Outlook("pass_at_1", 3)) as show:
        show([line(0, "running")])
        show([line(0, "running")])
        show([line(0, "finished", 0.5, 61.0), line(1, "running")])
        show([line(0, "finished", 0.5, 61.0), line(1, "failed", seconds=1.0, error="no Lean")])
    assert out.getvalue().splitlines() == [
        "point 1/3: alpha=0",
        "point 1/3: alpha=0: finished, pass_at_1 0.5, 1m01s, ETA 2m02s",
        "point 2/3: alpha=1",
        "point 2/3: alpha=1: failed, 1s, no Lean",
    ]


def test_the_outlook_goes_by_points_that_were_really_made() -> None:
    lines = [line(0, "finished", 1.0, 0.1), line(1, "finished", 1.0, 10.0), line(2, "running")]
    assert Outlook("m", 6, at_once=2).eta(lines) == 20.0
    assert Outlook("m", 6).eta(lines[:1]) is None and Outlook("m", None).eta(lines) is None


def test_a_long_sweep_shows_what_runs_what_failed_and_the_latest() -> None:
    lines = [line(0, "failed"), *(line(n, "finished") for n in range(1, 40)), line(40, "running")]
    assert [item.number for item in chosen(lines)] == [0, *range(26, 40), 40]


def test_on_a_terminal_the_table_shows_state_value_and_outlook() -> None:
    from rich.console import Console

    display, out = Terminal(), io.StringIO()
    display.console = Console(file=out, force_terminal=True, width=100)
    with live_points(display, Outlook("pass_at_1", 3)) as show:
        show([line(0, "finished", 0.5, 61.0), line(1, "running")])
    text = out.getvalue()
    assert "alpha=0" in text and "0.5" in text and "1 of 3 done, ETA 2m02s" in text
