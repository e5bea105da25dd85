"""The log of a run: what was shown, with times, and how it ended."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from harness.errors import InfraError
from harness.terminal.log import Logged
from harness.terminal.progress import Plain


def test_what_is_shown_is_kept_with_times_and_how_it_ended(tmp_path: Path) -> None:
    shown = io.StringIO()
    with pytest.raises(InfraError), Logged(Plain(shown), tmp_path) as display:
        display.note("one\nof two lines \ud800")
        with display.task("search") as task:
            task.update(1, 2, {"proved": 1})
            task.update(2, 2, {"proved": 2})
        raise InfraError("the server is gone")
    [path] = tmp_path.iterdir()
    lines = path.read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", line) for line in lines)
    told = [line[21:] for line in lines]
    assert told == ["one", "of two lines \\ud800", "search ...", "search: 0s, proved 2",
                    "ended by InfraError: the server is gone"]  # fmt: skip
    assert "search: 0s, proved 2" in shown.getvalue() and "ended by" not in shown.getvalue()


def test_a_disk_that_refuses_costs_lines_and_no_run(tmp_path: Path) -> None:
    with Logged(Plain(io.StringIO()), tmp_path / "gone") as display, display.task("t") as task:
        task.update(1, 1)
