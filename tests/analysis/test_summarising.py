"""Many missing summaries are made beside each other, and are what one reader makes alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from harness.analysis import runs as reading
from harness.analysis.runs import find_runs, load_runs
from harness.analysis.summarising import FROM, summarise_together
from tests.bench.board import make


def figures(root: Path) -> dict[str, dict[str, object]]:
    kept = root.glob("*/summary.json")
    return {path.parent.name: json.loads(path.read_text()) | {"records": None} for path in kept}


def test_summaries_made_together_are_those_made_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    together, alone = tmp_path / "together", tmp_path / "alone"
    for root in (together, alone):
        make(root, FROM, 6, 2)
        (find_runs(root)[0] / "problems.json").write_text("[")
    assert summarise_together(find_runs(together))
    monkeypatch.setattr(reading, "summarise_together", lambda folders: False)
    runs, told = load_runs(alone)
    assert len(runs) == FROM - 1 and "problems.json: not a list of problems" in told[0]
    assert figures(together) == figures(alone) and len(figures(alone)) == FROM - 1
    assert [run.name for run in load_runs(together)[0]] == [run.name for run in runs]


def test_few_runs_are_not_worth_other_processes(tmp_path: Path) -> None:
    make(tmp_path, 2, 3, 1)
    assert not summarise_together(find_runs(tmp_path))
    assert len(load_runs(tmp_path)[0]) == 2
