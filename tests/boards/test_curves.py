"""Learning curves as a table and as charts."""

import json
from pathlib import Path

import pytest

from harness.boards.curves import curve_charts, curve_table, series, shape
from harness.cli import main
from harness.terminal.tables import plain_text

ROWS = [{"step": step, "reward": step / 10, "note": "x", "kl": float("nan")} for step in range(1, 9)]


def test_figures_are_told_with_their_shape() -> None:
    assert list(series(ROWS)) == ["reward"]
    text = plain_text([curve_table("grpo-1", ROWS)])
    assert "steps 1 to 8" in text and "0.1" in text and "0.8" in text and "▁▂▃▄▅▆▇█" in text
    assert shape([2.0, 2.0]) == "▁▁"
    assert "no curve was noted" in plain_text([curve_table("grpo-1", [])])


def test_every_figure_has_a_chart() -> None:
    (chart,) = curve_charts("grpo-1", ROWS)
    assert chart.key == "reward" and len(chart.spec["data"]["values"]) == 8


def test_a_finished_stage_shows_its_figures_beside_those_of_the_round_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "stages" / "value-0123456789ab"
    folder.mkdir(parents=True)
    metrics = {"ece": 0.0125, "ece_before": 0.05, "loss": 0.5, "spearman": None}
    (folder / "stage.json").write_text(json.dumps({"metrics": metrics, "seconds": 1.0}))
    assert main(["show", "value-01", "--runs", str(tmp_path), "--plain"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["ece", "0.0125", "0.05"] in rows and ["loss", "0.5", "-"] in rows
